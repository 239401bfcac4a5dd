# SPDX-License-Identifier: GPL-3.0-or-later
# KTAP of one kernel (from `plimsoll kunit`) to flat TAP: one line a test case, and failures for what should be there and
# is not. Give -v kernel=NAME and -v expected="suite suite ...".
function result(ok, name) { printf "%s %d - %s %s\n", ok ? "ok" : "not ok", ++total, kernel, name }

# A suite ends where its own result stands at the margin: "ok 1 mdisk"; then its cases are known to be all.
function end_suite(ok, name) {
	seen[name] = 1
	if (planned != cases)
		result(0, name " # planned " planned " cases, ran " cases)
	else if (!ok && !case_failed)
		result(0, name " # the suite failed outside of its cases")
	planned = cases = case_failed = 0
}

/^    1\.\.[0-9]+$/ { planned = substr($0, 8) + 0 }
/^    (not )?ok [0-9]+ / {
	ok = $1 == "ok"
	skip = $0 ~ /# SKIP/
	sub(/^    (not )?ok [0-9]+ (- )?/, "")
	cases++
	case_failed += !ok
	pending[cases] = ok
	text[cases] = $0
	next
}
/^ *# .*(EXPECTATION|ASSERTION) FAILED/ || /^ *#  / { print "# " $0 }
/^(not )?ok [0-9]+ / {
	ok = $1 == "ok"
	sub(/^(not )?ok [0-9]+ (- )?/, "")
	name = $1
	for (i = 1; i <= cases; i++)
		result(pending[i], name "." text[i])
	end_suite(ok, name)
}

END {
	if (cases)
		result(0, "a suite of " cases " cases did not end")
	n = split(expected, suites, " ")
	for (i = 1; i <= n; i++)
		if (!(suites[i] in seen))
			result(0, suites[i] " # the suite did not run")
	print "1.." total + 0
}
