# SPDX-License-Identifier: GPL-3.0-or-later
# TAP to one line: passed, failed, skipped, and a problem that no failed test tells. Give -v status=EXIT_CODE.
# A problem counts as one more failure.
/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; planned = 1 }
# cmocka says "not ok" of a skipped test.
/^(not )?ok( |$)/ { if (toupper($0) ~ /# SKIP/) s++; else if ($1 == "ok") p++; else f++ }
END {
	if (status == 124 || status == 137)
		problem = "ran into its time limit"
	else if (!planned)
		problem = "printed no plan"
	else if (plan != p + f + s)
		problem = "planned " plan " tests and ran " p + f + s
	else if (plan == 0)
		problem = "ran no test"
	else if (status != 0 && !f)
		problem = "ended with exit code " status
	print p + 0, f + (problem != ""), s + 0, problem
}
