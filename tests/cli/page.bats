#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The report's page in a real browser. No VM: tests/readers/make-results.py.
bats_require_minimum_version 1.5.0
load helpers

READERS=${BATS_TEST_DIRNAME}/../readers

setup_file() {
	/usr/bin/python3 "$BATS_TEST_DIRNAME/../readers/make-results.py" "$BATS_TEST_DIRNAME/data" "$BATS_FILE_TMPDIR/results"
}

made() { timeout 120 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results "$BATS_FILE_TMPDIR/results" "$@"; }

# browse URL OPTION...: Chromium on a page; what its console says is in the file `console`. No network, and a sandbox needs
# what a container may not have: the page is ours.
browse() {
	local url=$1
	shift
	timeout 60 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$PWD/profile" \
		--host-resolver-rules='MAP * ~NOTFOUND' --window-size=1280,5000 --virtual-time-budget=3000 \
		--enable-logging=stderr "$@" "file://$PWD/$url" 2>stderr
	grep CONSOLE stderr >console || true
}

@test "one file below 3 MB that loads nothing, and a browser that has nothing to complain of" {
	made report --format html --output page.html
	[ "$(stat -c %s page.html)" -lt 3000000 ]
	run ! grep -E '(src|href)="?(https?:|//)' page.html
	browse page.html --dump-dom >dom
	[ ! -s console ] || { cat console; false; }
	run /usr/bin/python3 "$READERS/page.py" ready dom
	expect 0 "ready after"
}

@test "its numbers are those of the JSON: verdicts, medians, pairs, intervals; a name is never markup" {
	made report --format html --output page.html
	made report --format json --output cells.json
	browse page.html --dump-dom >dom
	run /usr/bin/python3 "$READERS/page.py" numbers dom cells.json
	expect 0 "4 lines, 12 metrics of 6 pairs"
}

@test "its series are those of the timeline format; they are drawn" {
	made report --format html --output page.html
	made report --format timeline --output samples 0000000000000011
	run /usr/bin/python3 "$READERS/page.py" timeline page.html samples 0000000000000011
	expect 0 "points"
	browse page.html#cell=0000000000000011 --dump-dom >dom
	[ ! -s console ] || { cat console; false; }
	grep -q 'id="timeline"[^>]*_echarts_instance_' dom
	grep -q 'id="flame"[^>]*_echarts_instance_' dom
	grep -q 'id="survival"[^>]*_echarts_instance_' dom
	# Its longest waits are those of the story; this one has its name without the kernel's symbols.
	made show --hang 0000000000000011 | grep -qE '^ +1\.5 +3 direct reclaim +stress-ng-vm:45 '
	tr -d '\n' <dom | grep -qE 'id="waits-table">.*>direct reclaim</td><td[^>]*>1\.5[0-9]*</td><td[^>]*>3</td><td[^>]*>stress-ng-vm:45</td>'
}

@test "keys: arrows move through the matrix and open what they come to, + zooms the timeline; the metric can be chosen" {
	made report --format html --output page.html
	sed -i '$d' page.html
	cat >>page.html <<'END'
<script>
	const key = (element, name) => element.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
	const said = [];
	const heat = document.getElementById("heat"), title = () => document.getElementById("cell-title").textContent.split(":")[1].trim();
	setTimeout(() => {
		const event = new KeyboardEvent("keydown", { key: "+", cancelable: true });
		document.getElementById("timeline").dispatchEvent(event);
		said.push(event.defaultPrevented ? "zoomed" : "not zoomed");
		heat.querySelector('td[data-y="0"]').focus();
		key(document.activeElement, "ArrowDown");
		said.push(title(), document.activeElement.dataset.y, heat.querySelectorAll('td[tabindex="0"]').length);
		key(document.activeElement, "ArrowUp");
		key(document.activeElement, "ArrowUp");
		said.push(document.activeElement.dataset.y);
		const metric = document.getElementById("metric");
		metric.value = [...metric.querySelectorAll("option")].find((o) => o.textContent === "hung_tasks").value;
		metric.dispatchEvent(new Event("change"));
		said.push(heat.querySelector('td[data-y="1"] b').textContent);
		document.body.append("said " + said.join("|") + "|");
	}, 1000);
</script></html>
END
	browse page.html#cell=0000000000000011 --dump-dom >dom
	[ ! -s console ] || { cat console; false; }
	run grep -o 'said zoomed.*|' dom
	expect 0 "said zoomed|6.1 defaults, memory-hog on cloud-slow, seed 1|1|1|0|4|"
}

@test "a bisect: its answer, and how it judged each cell" {
	cat >answer.json <<-JSON
		{ "goal": "hung", "answer": "The smallest <x> is 7.", "cells": [
		  { "id": "0000000000000001", "judgement": "bad" }, { "id": "0000000000000011", "judgement": "good" } ] }
	JSON
	made report --format html --output page.html answer.json
	browse page.html#cell=0000000000000011 --dump-dom >dom
	[ ! -s console ] || { cat console; false; }
	grep -q 'The smallest &lt;x&gt; is 7.' dom
	grep -q 'Bad is: hung. 1 of 2 cells are.' dom
	grep -q 'The search judged it: good, where bad is hung.' dom
}

@test "printed, it is pages of A4 with its charts" {
	made report --format html --output page.html
	browse page.html#cell=0000000000000011 --no-pdf-header-footer --print-to-pdf="$PWD/page.pdf"
	[ ! -s console ] || { cat console; false; }
	[ "$(grep -ac '/Type */Page\b' page.pdf)" -ge 2 ]
	[ "$(stat -c %s page.pdf)" -gt 50000 ]
}

@test "light and dark differ, and neither is empty" {
	made report --format html --output page.html
	browse page.html#cell=0000000000000011 --screenshot="$PWD/light.png" --blink-settings=preferredColorScheme=1
	browse page.html#cell=0000000000000011 --screenshot="$PWD/dark.png" --blink-settings=preferredColorScheme=0
	[ "$(stat -c %s light.png)" -gt 100000 ]
	[ "$(stat -c %s dark.png)" -gt 100000 ]
	run ! cmp -s light.png dark.png
}

@test "without its page a report of this format is one line that says what to do, and no file" {
	run timeout 60 "$ROOT/build/plimsoll" --build "$PWD/nowhere" --results "$BATS_FILE_TMPDIR/results" report --format html -o out.html
	expect 3 "make report-page"
	one_line
	[ ! -e out.html ]
}
