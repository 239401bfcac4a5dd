#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Reports in every format, each read by somebody else's reader; comparisons and gates. No VM: tests/readers/make-results.py.
bats_require_minimum_version 1.5.0
load helpers

READERS=${BATS_TEST_DIRNAME}/../readers
DATA=${BATS_TEST_DIRNAME}/data

setup_file() { /usr/bin/python3 "$BATS_TEST_DIRNAME/../readers/make-results.py" "$BATS_TEST_DIRNAME/data" "$BATS_FILE_TMPDIR/results"; }

made() { timeout 120 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results "$BATS_FILE_TMPDIR/results" "$@"; }
reader() { /usr/bin/python3 "$READERS/read.py" "$@"; }
# report FORMAT [WHAT...]: into a file of the format's name.
report() { made report --format "$1" --output "$1" "${@:2}"; }

# one_of_two [TEXT...]: two.yaml, which ends with TEXT, has two cells, and one of them is finished.
one_of_two() {
	rm -rf results
	cp -r "$BATS_FILE_TMPDIR/results" .
	sed 's/kernels: .*/kernels: [ "6.12" ]/; s/seeds: .*/seeds: [ 1, 2 ]/' "$BATS_TEST_DIRNAME/../e2e/smoke.yaml" >two.yaml
	printf '%s\n' "$@" >>two.yaml
	id=$(plimsoll run --dry-run two.yaml | awk 'NR == 1 { print $1 }')
	mkdir "results/cells/$id"
	sed "s/\"id\": *\"[0-9a-f]*\"/\"id\": \"$id\"/" "$DATA/cell.json" >"results/cells/$id/cell.json"
	cp "$DATA/inputs.json" "results/cells/$id/"
	: >"results/cells/$id/console.log"
}

@test "--list-formats has every format, a line each" {
	run plimsoll report --list-formats
	for format in table csv csv-long json ktap junit kcidb openmetrics gnuplot timeline perfetto html; do
		[[ $'\n'$output == *$'\n'"$format "* ]]
	done
	[ ! -e results ]
}

@test "csv, by Python's csv: every cell with its name, verdict and numbers" {
	report csv
	run reader csv csv
	expect 0 "24 lines, 24 cells,"
	expect 0 'setting "a\"b<c>&d'"'"',e #1\\f\n= \u00e9"'
	expect 0 "hung:101 hung:102 hung:103 hung:104 hung:105 completed:106"
}

@test "csv, by sqlite3's .import" {
	report csv
	run sqlite3 :memory: ".import --csv csv cells" \
		"SELECT count(*), sum(verdict = 'hung'), sum(CAST(alloc_stall_s AS REAL)) FROM cells WHERE setting = 'defaults'"
	expect 0 "12|5|1242.0"
	# What tasks said has columns of its own, empty where it is not known.
	run sqlite3 :memory: ".import --csv csv cells" \
		"SELECT sum(\"hog.bogo_ops\"), group_concat(\"hog.user_s\", '') FROM cells WHERE setting = 'defaults'"
	expect 0 "48042|"
}

@test "csv-long: a line a metric of each cell, with its unit" {
	report csv-long
	run reader csv csv-long
	# shellcheck disable=SC2016 # for grep
	metrics=$(plimsoll metrics | grep -c '^| `[a-z0-9_]*` |.*|.*|.*|$')
	[ "$metrics" -gt 90 ]
	expect 0 "$((24 * (metrics + 2))) lines, 24 cells,"
	expect 0 "alloc_stall_p99_ms=910ms"
}

@test "json, by its published schema: reports, one cell, and the artifact; and the schema refuses what it should" {
	report json
	run reader schema json "$ROOT/docs/schemas/cells.schema.json"
	expect 0 "valid, 24 items"
	made show --format json 0000000000000011 >one.json
	run reader schema one.json "$ROOT/docs/schemas/cells.schema.json"
	expect 0 "valid"
	run reader schema "$DATA/cell.json" "$ROOT/docs/schemas/cells.schema.json"
	expect 0 "valid"
	sed 's/"verdict": *"completed"/"verdict": "well"/' one.json >wrong.json
	run ! cmp -s one.json wrong.json
	run reader schema wrong.json "$ROOT/docs/schemas/cells.schema.json"
	[ "$status" -ne 0 ]
}

@test "ktap, by the kernel's kunit_parser.py" {
	tar=$(find /usr/src "${XDG_CACHE_HOME:-$HOME/.cache}/plimsoll/sources" -name 'linux-source-6.*.tar.xz' 2>/dev/null | head -n 1)
	[ -n "$tar" ] || { echo "no archive of kernel sources is here: make kernels"; return 1; }
	kunit=$ROOT/build/readers/kunit
	if [ ! -e "$kunit" ]; then
		mkdir -p kunit "$ROOT/build/readers"
		tar -xJf "$tar" -C kunit --wildcards --strip-components=4 '*/tools/testing/kunit/kunit_p*.py'
		mv kunit "$kunit"
	fi
	report ktap
	run reader ktap ktap "$kunit"
	expect 0 "passed:16 failed:8 crashed:0 skipped:0 errors:0"
	expect 0 "group memory-hog/cloud-slow/256MiB/1cpu/300s 24"
}

@test "ktap, by Perl's TAP::Parser" {
	report ktap
	# shellcheck disable=SC2016 # for perl
	run perl -MTAP::Parser -e 'local $/; open my $f, "<", "ktap"; my $p = TAP::Parser->new({ tap => <$f> }); $p->run;
		printf "%d run, %d failed, %d errors\n", $p->tests_run, scalar $p->failed, scalar $p->parse_errors'
	expect 0 "1 run, 1 failed, 0 errors"
}

@test "junit, by junitparser, and well-formed by xmllint" {
	report junit
	xmllint --noout junit
	run reader junit junit
	expect 0 "says tests:24 failures:7 errors:1 skipped:0"
	expect 0 "has tests:24 Error:1 Failure:7"
	expect 0 'names "a\"b<c>&d'"'"',e #1\\f?= ??" "defaults"'
}

@test "openmetrics, by the parser of prometheus_client" {
	report openmetrics
	run reader openmetrics openmetrics
	expect 0 "completed:16 frozen:0 hung:6 incomplete:1 oom:1 panic:0"
	expect 0 'stall p99 6.1 "defaults" 935'
	grep -q '^plimsoll_task_metric{kernel="6.1",.*,task="hog",key="bogo_ops"} 4003.5$' openmetrics
	run ! grep -q 'key="user_s"' openmetrics
}

@test "kcidb, by what is published of its schema; every test has its build and its checkout" {
	report kcidb
	run reader kcidb kcidb "$READERS/kcidb-v5.schema.json"
	expect 0 "ERROR:1 FAIL:7 PASS:16"
}

@test "gnuplot plots the medians of a group, and the timeline of a cell, without a word" {
	report gnuplot
	run gnuplot -e 'set terminal svg; set output "bars.svg"; plot "gnuplot" index 0 using 0:"alloc_stall_s":xticlabels(1) with boxes'
	[ "$status" -eq 0 ] && [ -z "$output" ]
	[ "$(grep -c '<path' bars.svg)" -gt 4 ]
	report timeline 0000000000000011
	run gnuplot -e 'set terminal svg; set output "line.svg"; plot "timeline" using "time_s":"free_mib" with lines,
		"" using "time_s":"min_mib" with lines, "" using "time_s":"disk_written_mib_s" with lines'
	[ "$status" -eq 0 ] && [ -z "$output" ]
	[ "$(grep -c '<path' line.svg)" -gt 4 ]
}

@test "perfetto, by the trace engine of Chrome's DevTools: tracks and slices are those of the log" {
	modules=$ROOT/build/readers/trace
	"$ROOT/scripts/npm-install.sh" "$READERS" "$modules"
	cp "$READERS/trace.mjs" "$modules"
	report perfetto 0000000000000011
	run node "$modules/trace.mjs" perfetto
	expect 0 "names disk kswapd memory pressure"
	stalls=$(made log 0000000000000011 | grep -c ' stall_end ')
	rounds=$(made log 0000000000000011 | grep -c ' reclaim ')
	[ "$stalls" -gt 100 ]
	expect 0 " stall:$stalls"
	expect 0 " round:$rounds"
}

@test "a cell without a log has no trace: exit 1; and a format of one cell takes one: exit 2" {
	run made report --format perfetto --output here.json 0000000000000012
	expect 1 "0000000000000012"
	one_line
	[ ! -e here.json ] && [ -z "$(find . -name '*.tmp')" ]
	run made report --format timeline
	expect 2 "is of one cell, and these are 24"
	one_line
}

@test "what is named: ids, patterns and nothing; what is not there: exit 2" {
	[ "$(made report --format csv '6.1/*/defaults/*' 2>/dev/null | wc -l)" -eq 7 ]
	[ "$(made report --format csv '6.1/*/defaults/*' 0000000000000001 0000000000000001 | wc -l)" -eq 7 ]
	for what in ffff '7.0/*' nothing.yaml; do
		run made report --format csv "$what"
		expect 2 "$what"
		one_line
	done
	run made report --format pdf
	expect 2 "there is no \"pdf\""
	one_line
	run plimsoll report
	expect 1 "no cell of it is finished"
	one_line
}

@test "a matrix of which cells are missing: the report, one line that says so, exit 1" {
	one_of_two
	run --separate-stderr plimsoll report --format csv two.yaml
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 2 ]
	# shellcheck disable=SC2154 # from run --separate-stderr
	[[ $stderr == *"1 cell of e2e not finished"* ]]
}

@test "a cell that is not finished is a test that was skipped, in its place" {
	one_of_two
	run plimsoll report --format ktap --output ktap two.yaml
	expect 1 "1 cell of e2e not finished"
	grep -q '^  ok 1 6.12/defaults/1$' ktap
	grep -q '^  ok 2 6.12/defaults/2 # SKIP not finished$' ktap
	run plimsoll report --format junit --output junit two.yaml
	run reader junit junit
	expect 0 "says tests:2 failures:0 errors:0 skipped:1"
	expect 0 "has tests:2 Skipped:1"
}

@test "a scenario, by file or name: a cell passes if it ends as its scenario says" {
	one_of_two 'expect: [ { verdict: completed } ]'
	run plimsoll report --format ktap --output ktap two.yaml
	grep -q '^  ok 1 6.12/defaults/1 # expected completed$' ktap
	one_of_two 'expect: [ { verdict: hung } ]'
	run plimsoll report --format ktap --output ktap two.yaml
	grep -q '^  not ok 1 6.12/defaults/1 # completed; expected hung$' ktap
	run plimsoll report --format junit --output junit two.yaml
	run reader junit junit
	expect 0 "says tests:2 failures:1 errors:0 skipped:1"
	run plimsoll report cvm-rwsem-hang
	expect 1 "cvm-rwsem-hang: no cell of it is finished"
	run plimsoll report "$ROOT/configs/scenarios/cvm-rwsem-hang.yaml"
	expect 1 "cvm-rwsem-hang: no cell of it is finished"
}

@test "what is no bisect's JSON: exit 2" {
	for text in '' 7 '{}' '{"goal":"hung","cells":7}' '{"goal":"hung","cells":[7]}' '{"goal":"hung","cells":[{"id":"../../x"}]}'; do
		echo "$text" >wrong.json
		run made report --format csv wrong.json
		expect 2 'wrong.json'
		one_line
	done
	run made report --format csv nowhere.json
	expect 2 'nowhere.json'
	one_line
	echo '{"goal":"hung","cells":[{"id":"0123456789abcdef"},{"id":"0000000000000011","judgement":"bad"}]}' >right.json
	run made report --format ktap --output ktap right.json
	expect 1 "1 cell of right.json not finished"
	grep -q '^  not ok 1 .* # completed; bad, where bad is: hung$' ktap
}

@test "a report is there whole or not at all, and no file but a regular one is replaced" {
	echo before >kept
	chmod 600 kept
	run made report --format perfetto --output kept 0000000000000012
	[ "$(cat kept)" = before ]
	run made report --format csv --output nowhere/at/all
	expect 3 "nowhere/at/all cannot be written"
	run made report --format csv --output /dev/full
	expect 3 "/dev/full could not be written to its end"
	made report --format csv --output /dev/null
	[ -c /dev/null ]
	mkfifo pipe
	made report --format csv --output pipe &
	[ "$(wc -l <pipe)" -eq 37 ] # the head, and 24 lines of which 12 have a name of two
	wait $!
	[ -p pipe ]
}

@test "colour only on a terminal, and not with NO_COLOR" {
	run made report --format table
	[[ $output != *$'\033'* ]]
	run env TERM=xterm script -qec "'$ROOT/build/plimsoll' --results '$BATS_FILE_TMPDIR/results' report --format table" /dev/null
	[[ $output == *$'\033[31m'* ]]
	run env TERM=xterm NO_COLOR=1 script -qec "'$ROOT/build/plimsoll' --results '$BATS_FILE_TMPDIR/results' report --format table" /dev/null
	[[ $output != *$'\033['* ]]
}

@test "compare two settings: one screen of 80 columns, with what R says of the same numbers" {
	hostile=$(printf 'a"b<c>&d'"'"',e #1\\f\n= \303\251')
	run made compare defaults "$hostile" --only '6.1/*'
	expect 0 ": 6 pairs"
	# binom.test(5, 6), binom.test(1, 6), fisher.test(matrix(c(5, 1, 1, 5), 2)); half of 5 of 6 is the third of them.
	expect 0 "5 of 6 (36-100 %) -> 1 of 6 (0-64 %)"
	expect 0 "p 0.08"
	expect 0 "half by 128 s -> less than half"
	[[ $output == *"stall task-s"*" -50 % "*"better"* ]]
	[ "${#lines[@]}" -le 24 ]
	for line in "${lines[@]}"; do
		[ "${#line}" -le 80 ]
	done
}

@test "compare two kernels and two results directories; an incomplete cell is left out, and said" {
	run made compare 6.1 6.12
	expect 0 "kernel 6.1 -> 6.12: 11 pairs; left out, because incomplete: 1"
	cp -r "$BATS_FILE_TMPDIR/results" other
	rm -r other/cells/0000000000000001 other/ledger.db*
	run made compare "$BATS_FILE_TMPDIR/results" other
	expect 0 ": 22 pairs; left out, because incomplete:"
	expect 0 "1; cells without a partner: 1"
	[[ $output == *"stall task-s"*"same"* ]]
}

@test "compare gates: kept is exit 0, broken and not known are exit 1, and a bound that is none is exit 2" {
	run made compare 6.1 6.12 --fail-if 'alloc_stall_s>+10%' --fail-if 'hung_rate>0'
	expect 0 "kept    alloc_stall_s>+10%: changed by +0 %"
	run made compare 6.12 6.1 --fail-if 'hung_rate>10'
	expect 1 "BROKEN  hung_rate>10: changed by +54.55"
	run made compare --only '*/defaults/*' 6.12 6.1 --fail-if 'hung_tasks>+10%'
	expect 1 "BROKEN  hung_tasks>+10%: changed by +inf %"
	hostile=$(printf 'a"b<c>&d'"'"',e #1\\f\n= \303\251')
	run made compare "$hostile" defaults --only '6.1/*' --fail-if 'workload_progress<-5%' --fail-if 'workload_progress>10%'
	expect 1 "kept    workload_progress<-5%"
	expect 1 "BROKEN  workload_progress>10%"
	expect 1 "1 of 2 bounds broken"
	run made compare "$hostile" defaults --only '6.1/*' --metric hog.bogo_ops \
		--fail-if 'hog.bogo_ops>10%' --fail-if 'hog.user_s>1%'
	expect 1 "hog.bogo_ops      2.0k   4.0k"
	expect 1 "BROKEN  hog.bogo_ops>10%: changed by +99.8"
	expect 1 "UNKNOWN hog.user_s>1%"
	run made compare "$hostile" defaults --metric hog.1
	expect 2 '--metric: "hog.1" is no metric'
	run made compare 6.1 6.12 --fail-if 'first_hung_s<-1%'
	expect 1 "UNKNOWN first_hung_s<-1%"
	for bound in 'alloc_stall_s' 'nothing>1' 'alloc_stall_s>' 'alloc_stall_s>1x' 'hung_rate>1%' '>1'; do
		run made compare 6.1 6.12 --fail-if "$bound"
		expect 2 "--fail-if"
		one_line
	done
}

@test "compare of what is not there, and of what cannot be paired: exit 2 or 1" {
	run made compare defaults nothing
	expect 2 '"defaults" and "nothing"'
	one_line
	run made compare defaults
	expect 2 "compare what?"
	run made compare 6.1 6.12 --only '6.1/*'
	expect 1 "nothing to compare"
	one_line
	run made compare 6.1 6.12 --metric nothing
	expect 2 "--metric"
	one_line
	cp -r "$BATS_FILE_TMPDIR/results" twice
	cp -r twice/cells/0000000000000001 twice/cells/00000000000000ff
	sed -i 's/0000000000000001/00000000000000ff/' twice/cells/00000000000000ff/cell.json
	run "$ROOT/build/plimsoll" --results twice compare 6.1 6.12
	expect 2 "say which are meant"
	one_line
}

@test "show --follow of a cell that nobody runs: exit 2" {
	run made show --follow 0000000000000011
	expect 2 "no cell is running"
	one_line
	mkdir -p results/running
	echo "$$ 0 0 1048576 10 x" >results/running/0123456789abcdef
	run plimsoll show --follow 0123456789abcdef
	expect 2 "no cell is running"
	one_line
}
