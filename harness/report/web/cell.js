// SPDX-License-Identifier: GPL-3.0-or-later
// One cell: timeline with linked axes, convoy, and stacks.
import { data, byId, el, chart, tip, tooltip, axis, colours, indexOf, lineName } from "./model.js";
import { unpack, number, known } from "./numbers.js";

const opened = new Map();
// Series are unpacked when a cell is first looked at.
function timelineOf(index) {
	const packed = data.timelines[index];
	if (!packed) return null;
	if (!opened.has(index)) {
		const t = unpack(packed.t_ms).map((ms) => ms / 1000), cache = {};
		opened.set(index, { ...packed, at: (name, scale) => {
			cache[name] ||= unpack(packed[name]);
			return cache[name].map((v, i) => [t[i], v * scale]);
		} });
	}
	return opened.get(index);
}

const panels = (t) => {
	const mib = t.page_kib / 1024;
	// What matters happens near the marks; a guest begins with all its memory free.
	const top = Math.ceil(4 * t.at("high_pages", mib).reduce((most, [, v]) => Math.max(most, v), 0)) || undefined;
	return [
		{ title: "Free memory, MiB (up to 4 times HIGH)", height: 130, max: top, overlay: true, lines: [["free", "free_pages", mib], ["HIGH", "high_pages", mib, "dashed"], ["LOW", "low_pages", mib, "dashed"], ["MIN", "min_pages", mib, "dashed"]] },
		{ title: "Dirty and writeback, MiB", overlay: true, lines: [["dirty", "dirty_pages", mib], ["writeback", "writeback_pages", mib]] },
		{ title: "Disk, MiB/s by kind", height: 130, stack: true, lines: [["swap in", "swap_in_kib_s"], ["swap out", "swap_out_kib_s"], ["file read", "file_read_kib_s"],
			["file writeback", "writeback_kib_s"], ["metadata", "metadata_kib_s"], ["direct", "direct_kib_s"], ["other", "other_kib_s"]].map(([n, s]) => [n, s, 1 / 1024]) },
		{ title: "Requests in the disk", lines: [["depth", "depth_requests", 1]] },
		{ title: "Pressure (PSI), %", max: 100, step: 50, lines: [["memory some", "psi_mem_some_permille", 0.1], ["memory full", "psi_mem_full_permille", 0.1],
			["IO some", "psi_io_some_permille", 0.1], ["IO full", "psi_io_full_permille", 0.1]] },
		{ title: "Tasks in D state", lines: [["in D state", "blocked_tasks", 1], ["of them in iowait", "iowait_tasks", 1]] },
		{ title: "Tasks in an allocation stall", overlay: true, lines: [["stalled tasks (mean)", "stalled_centitasks", 0.01]] },
		{ title: "Longest stall that ended, s", lines: [["longest stall", "longest_stall_ms", 0.001]] },
		{ title: "Probe, p99 ms (log)", height: 100, log: true, probes: true, lines: [] },
	];
};

// khungtaskd reports all that it finds at once: one line, one label.
function marksOf(t, apart_s) {
	const merged = [];
	for (const [s, kind, text] of t.marks) {
		const last = merged[merged.length - 1];
		if (last && last.kind === kind && kind !== "phase" && s - last.xAxis < 0.1) last.texts.push(text);
		else merged.push({ xAxis: s, kind, texts: [text] });
	}
	// Labels that would lie over each other are left out: the first is there, and a pointer at a line finds its text.
	let labelled = -Infinity;
	const room = (m) => m.xAxis - labelled >= apart_s && (labelled = m.xAxis, true);
	return merged.map((m) => ({ ...m, short: !room(m) ? "" : m.kind === "phase" ? m.texts[0] : (m.texts.length > 1 ? `${m.texts.length} ` : "") + (m.kind === "oom" ? "OOM" : "hung"),
		lineStyle: { color: m.kind === "phase" ? colours.quiet : colours.bad, type: m.kind === "oom" ? "solid" : "dashed", width: m.kind === "phase" ? 1 : 1.2 } }));
}

function seriesOf(panel, t, base, at, apart_s) {
	const series = panel.lines.map(([name, key, scale, type], i) => ({
		name, type: "line", xAxisIndex: at, yAxisIndex: at, data: t.at(key, scale), showSymbol: false, animation: false, step: "end",
		lineStyle: { width: 1.3, type: type || "solid" }, itemStyle: { color: colours.series[i] },
		...(panel.stack ? { stack: "disk", areaStyle: { opacity: 0.55 }, lineStyle: { width: 0.4 } } : {}),
		emphasis: { disabled: true },
	}));
	if (panel.probes)
		for (const [i, name] of ["touch", "stat", "fsync"].entries())
			series.push({ name: "probe " + name, type: "line", xAxisIndex: at, yAxisIndex: at, animation: false, symbolSize: 4, lineStyle: { width: 1.3 },
				itemStyle: { color: colours.series[i] }, data: t.probes.filter((p) => p[1] === name).map((p) => [p[0], Math.max(p[2], 0.001)]) });
	if (panel.overlay && base) {
		const [name, key, scale] = panel.lines[0];
		series.push({ name: `${name}, baseline`, type: "line", xAxisIndex: at, yAxisIndex: at, data: base.at(key, scale), showSymbol: false, animation: false, step: "end",
			lineStyle: { width: 1, type: "dashed", opacity: 0.8 }, itemStyle: { color: colours.quiet }, emphasis: { disabled: true } });
	}
	if (series.length)
		series[0].markLine = { symbol: "none", silent: false, animation: false, label: { show: at === 0, color: colours.fore, fontSize: 10, formatter: (p) => p.data.short },
			tooltip: { formatter: (p) => tip(`${number(p.data.xAxis)} s:`, ...p.data.texts) }, data: marksOf(t, apart_s) };
	return series;
}

function drawTimeline(t, base, label) {
	const all = panels(t), grid = [], x = [], y = [], title = [], legend = [], series = [];
	let top = 8;
	const made = chart("timeline");
	made.resize();
	const apart_s = (45 * t.end_s) / made.getWidth();
	// A page of paper is to hold all of it.
	const paper = colours.paper ? 0.6 : 1;
	const slowest = Math.max(1, ...t.probes.map((p) => p[2]));
	all.forEach((panel, i) => {
		const height = Math.round(paper * (panel.height || 64)), mine = seriesOf(panel, t, base, i, apart_s);
		title.push({ text: panel.title, left: 0, top: top - 2, textStyle: { fontSize: 12, fontWeight: 600, color: colours.fore } });
		legend.push({ data: mine.map((s) => s.name), right: 8, top: top - 4, itemWidth: 14, itemHeight: 7, padding: 2, textStyle: { color: colours.quiet, fontSize: 11 }, inactiveColor: colours.line });
		// The marks' labels stand above the first panel.
		if (!i) top += 12;
		// No grid makes room for its labels: time must stand at the same place in all.
		grid.push({ left: 52, right: 12, top: top + 18, height, outerBoundsMode: "none" });
		x.push({ ...axis(), type: "value", gridIndex: i, min: 0, max: t.end_s, splitLine: { show: false },
			axisLabel: { show: i === all.length - 1, alignMaxLabel: "right", hideOverlap: true, color: colours.quiet, fontSize: 11, formatter: "{value} s" }, axisPointer: { label: { show: false } } });
		y.push({ ...axis(), axisLabel: { color: colours.quiet, fontSize: 11, formatter: number }, type: panel.log ? "log" : "value", gridIndex: i, splitNumber: 3, ...(panel.step ? { interval: panel.step } : {}),
			min: panel.log ? 0.001 : 0, max: panel.log ? 10 ** Math.ceil(Math.log10(slowest)) : panel.max });
		series.push(...mine);
		top += height + 36;
	});
	byId("timeline").style.height = `${top + (colours.paper ? 20 : 44)}px`;
	made.resize();
	made.setOption({
		animation: false, textStyle: { fontFamily: "inherit" }, title, legend, grid, xAxis: x, yAxis: y, series,
		axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: colours.quiet } },
		tooltip: { ...tooltip(), trigger: "axis", formatter: (points) => tip(`${number(points[0].axisValue)} s`, ...all.map((panel, i) => {
			const mine = points.filter((p) => p.axisIndex === i).map((p) => `${p.seriesName} ${number(p.value[1])}`);
			return mine.length ? `${panel.title.replace(/ \(.*/, "")}: ${mine.join(", ")}` : "";
		}).filter(Boolean)) },
		dataZoom: [{ type: "inside", xAxisIndex: x.map((_, i) => i), filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false },
			{ type: "slider", show: !colours.paper, xAxisIndex: x.map((_, i) => i), filterMode: "none", height: 18, bottom: 4, borderColor: colours.line, textStyle: { color: colours.quiet } }],
	}, true);
	byId("timeline").setAttribute("aria-label", `Timeline of ${label}: free memory against MIN, LOW and HIGH, dirty pages, disk, pressure, waiting tasks, stalls and probe`);
}

export function unzoom() {
	chart("timeline").dispatchAction({ type: "dataZoom", start: 0, end: 100 });
}

// Keyboard: plus and minus zoom, arrows move, 0 shows the whole time.
byId("timeline").addEventListener("keydown", (event) => {
	const zoom = chart("timeline").getOption()?.dataZoom?.[0];
	if (!zoom) return;
	const middle = (zoom.start + zoom.end) / 2, width = zoom.end - zoom.start;
	const go = { "+": [middle, width / 1.5], "-": [middle, width * 1.5], ArrowLeft: [middle - width / 5, width], ArrowRight: [middle + width / 5, width], 0: [50, 100] }[event.key];
	if (!go) return;
	event.preventDefault();
	const span = Math.min(100, Math.max(1, go[1])), start = Math.min(100 - span, Math.max(0, go[0] - span / 2));
	chart("timeline").dispatchAction({ type: "dataZoom", start, end: start + span });
});

function taskLines(task, role) {
	return [`${task.comm}:${task.pid} in ${task.entry}${task.mode ? ", for " + task.mode : ""}`,
		`${role === "holders" ? "has held it" : "has waited"} for ${number(task.so_far_s)} s, ${number(task.total_s)} s in the end`,
		role === "holders" ? `${number(task.reclaim_s)} s of it in ${task.stalls} allocation stalls` : known(task.reported_s) ? `khungtaskd reported it at ${number(task.reported_s)} s` : task.killable ? "killable: khungtaskd does not look" : "khungtaskd reported nothing",
		task.io ? `its request in the disk: ${task.io}` : "", task.stack.map((i) => data.names[i]).slice(-8).join(" > ")].filter(Boolean);
}

// Who waits for whom, a sentence a task, and the longest waits of any kind.
function drawWaits(waits) {
	byId("waits-part").hidden = !waits.longest.length && !waits.chains.length;
	byId("waits-chains").replaceChildren(...waits.chains.map(([at, ...links]) => el("li", {}, `At ${number(at)} s: ${links.join("; ")}.`)));
	byId("waits-table").replaceChildren(el("thead", {}, el("tr", {}, ...["for", "longest, s", "tasks", "whose", "reported"].map((h) => el("th", { class: "name" }, h)))),
		el("tbody", {}, ...waits.longest.map(([name, longest, tasks, comm, pid, reported]) =>
			el("tr", {}, ...[name, number(longest), tasks, `${comm}:${pid}`, reported || ""].map((c) => el("td", { class: "name" }, String(c)))))));
	byId("waits-text").textContent = `Fingerprint: ${waits.fingerprint}`;
}

function drawConvoy(convoy) {
	byId("convoy-part").hidden = !convoy;
	if (!convoy) return;
	const share = convoy.held_s > 0 ? ` While the oldest waited, the lock was held for ${number(convoy.held_s)} task-seconds, ${Math.round((100 * convoy.held_reclaim_s) / convoy.held_s)} % of it in direct reclaim.` : "";
	byId("convoy-text").textContent = `At ${number(convoy.at_s)} s ${convoy.nr_holders ? convoy.nr_holders + (convoy.nr_holders === 1 ? " task held" : " tasks held") : "tasks that were not recorded held"} ${convoy.lock} (${convoy.kind}), ` +
		`${convoy.nr_waiters} waited for it, the oldest for ${number(convoy.oldest_wait_s)} s; the longest wait in the end: ${number(convoy.longest_wait_s)} s.${share} Fingerprint: ${convoy.fingerprint}`;
	const rows = Math.max(convoy.holders.length, convoy.waiters.length, 4);
	byId("convoy").style.height = `${Math.max(200, rows * 24)}px`;
	const made = chart("convoy");
	made.resize();
	// What a graph covers is stretched to its place: with a node in two corners of it a pixel is a pixel, and a circle one.
	const width = Math.max(300, made.getWidth() - 360), height = made.getHeight() - 32, corner = { symbolSize: 0, role: "corner" };
	const nodes = [{ ...corner, id: "from", x: 0, y: 0 }, { ...corner, id: "to", x: width, y: height }, { id: "lock", name: convoy.lock, x: width / 2, y: height / 2, symbol: "roundRect", symbolSize: [110, 34], role: "lock",
		itemStyle: { color: colours.soft, borderColor: colours.fore }, label: { show: true, position: "inside", color: colours.fore, fontWeight: 600 } }], links = [];
	for (const [role, x, side] of [["holders", 0, "left"], ["waiters", width, "right"]])
		convoy[role].forEach((task, i) => {
			const id = `${role}${i}`;
			nodes.push({ id, name: id, task, role, x, y: ((i + 0.5) * height) / convoy[role].length, symbolSize: 7 + 9 * Math.min(1, task.so_far_s / Math.max(convoy.oldest_wait_s, 0.001)),
				itemStyle: { color: role === "holders" ? (task.in_reclaim ? colours.series[4] : colours.series[0]) : task.mode === "write" ? colours.bad : colours.series[5] },
				label: { show: true, position: side, color: colours.fore, fontSize: 11, formatter: () => `${task.comm}:${task.pid} ${number(task.so_far_s)} s${role === "holders" && task.io ? ", " + task.io : ""}` } });
			links.push(role === "holders" ? { source: "lock", target: id } : { source: id, target: "lock" });
		});
	made.setOption({ animation: false, tooltip: { ...tooltip(), formatter: (p) => (p.data.task ? tip(...taskLines(p.data.task, p.data.role)) : "") },
		series: [{ type: "graph", layout: "none", left: 200, right: 160, top: 16, bottom: 16, roam: false, data: nodes, links, edgeSymbol: ["none", "arrow"], edgeSymbolSize: 6,
			lineStyle: { color: colours.quiet, opacity: 0.6, curveness: 0.05 }, emphasis: { focus: "adjacency" } }] }, true);
	byId("convoy").setAttribute("aria-label", byId("convoy-text").textContent);
	byId("convoy-table").replaceChildren(el("thead", {}, el("tr", {}, ...["role", "task", "mode", "so far, s", "in the end, s", "in reclaim, s", "in", "now"].map((h) => el("th", { class: "name" }, h)))),
		el("tbody", {}, ...["holders", "waiters"].flatMap((role) => convoy[role].map((task) => el("tr", {}, ...[role === "holders" ? "holds" : "waits", `${task.comm}:${task.pid}`, task.mode,
			number(task.so_far_s), number(task.total_s), role === "holders" ? number(task.reclaim_s) : "", task.entry, task.in_reclaim ? `direct reclaim ${task.io}` : task.io].map((c) => el("td", { class: "name" }, c)))))));
	const left = [["holders", convoy.nr_holders - convoy.holders.length], ["waiters", convoy.nr_waiters - convoy.waiters.length]].filter(([, n]) => n > 0);
	if (left.length) byId("convoy-text").append(` Not drawn: ${left.map(([role, n]) => `${n} more ${role}`).join(", ")}.`);
}

// Stacks to a tree of frames; a frame's place is counted in task-seconds from the left.
function tree(stacks) {
	const root = { name: "all waits", time: 0, waits: 0, children: new Map() };
	for (const [, waits, time, frames] of stacks) {
		let node = root;
		node.time += time;
		node.waits += waits;
		for (const index of frames) {
			if (!node.children.has(index)) node.children.set(index, { name: data.names[index], time: 0, waits: 0, children: new Map() });
			node = node.children.get(index);
			node.time += time;
			node.waits += waits;
		}
	}
	return root;
}

function frames(root) {
	const list = [];
	const walk = (node, from, depth) => {
		list.push({ value: [depth, from, from + node.time, node.waits], name: node.name, node });
		let at = from;
		for (const child of [...node.children.values()].sort((a, b) => b.time - a.time)) {
			walk(child, at, depth + 1);
			at += child.time;
		}
	};
	walk(root, 0, 0);
	return list;
}

// By what the kernel is doing in it; the same name has the same colour everywhere.
function frameColour(name) {
	if (/reclaim|shrink|free_pages|pageout|vmscan|alloc|swap|zap|evict|isolate/i.test(name)) return 4;
	if (/blk|bio|submit|io_schedule|mdisk|rq_/i.test(name)) return 0;
	if (/rwsem|mutex|lock|semaphore|down_/i.test(name)) return 3;
	if (/ext4|jbd2|writeback|wb_|file|page|folio/i.test(name)) return 2;
	return 6;
}

let shownRoot = null;
function drawFlame(t, cell) {
	const only = byId("reclaim-only").checked, stacks = t.stacks.filter((s) => (!only || s[0]) && s[3].length), part = byId("flame-part");
	part.hidden = !t.stacks.length;
	if (part.hidden) return;
	const root = tree(stacks), stall = cell.values[indexOf("alloc_stall_s")];
	byId("flame-text").textContent = `${root.waits} waits of ${number(t.blocked_s)} s or more in D state${only ? " in direct reclaim" : ""}, ${number(root.time)} task-seconds: one stack each, taken while the task slept, as wide as the wait was long. ` +
		`Shorter sleeps, and reclaim that runs, are not in it: all allocation stalls of this cell together took ${number(stall)} task-seconds.` +
		(t.more_stacks ? ` ${t.more_stacks} waits had stacks beyond the 200 that are kept.` : "") + (t.symbols ? "" : " The kernel that ran is no longer built here, so its functions have no names.");
	byId("flame").hidden = !stacks.length;
	if (!stacks.length) return;
	showFlame(root);
}

function showFlame(root) {
	const list = frames(root), deepest = Math.max(...list.map((f) => f.value[0])) + 1;
	shownRoot = shownRoot && root.name !== "all waits" ? shownRoot : root;
	byId("flame").style.height = `${deepest * 18 + 16}px`;
	const made = chart("flame");
	made.resize();
	made.setOption({ animation: false, grid: { left: 0, right: 0, top: 4, bottom: 4 }, xAxis: { show: false, min: 0, max: root.time }, yAxis: { show: false, inverse: true, min: 0, max: deepest },
		tooltip: { ...tooltip(), formatter: (p) => tip(p.name, `${number(p.value[2] - p.value[1])} task-s, ${p.value[3]} waits, ${Math.round((100 * (p.value[2] - p.value[1])) / shownRoot.time)} %`) },
		series: [{ type: "custom", data: list, encode: { x: [1, 2], y: 0 }, renderItem: (params, api) => {
			const from = api.coord([api.value(1), api.value(0)]), to = api.coord([api.value(2), api.value(0) + 1]), width = to[0] - from[0], name = list[params.dataIndex].name;
			return { type: "rect", shape: { x: from[0], y: from[1], width: Math.max(width - 1, 0.5), height: to[1] - from[1] - 1 },
				style: { fill: params.dataIndex ? colours.series[frameColour(name)] : colours.soft, opacity: 0.8 },
				textConfig: { position: "insideLeft" }, textContent: { style: { text: width > 40 ? name : "", fill: params.dataIndex ? "#111" : colours.fore, fontSize: 11, width: width - 6, overflow: "truncate" } } };
		} }] }, true);
	made.off("click");
	made.on("click", (p) => { const node = list[p.dataIndex].node; showFlame(p.dataIndex === 0 ? shownRoot : node); });
	byId("flame").setAttribute("aria-label", `Flame graph; widest paths: ${list.filter((f) => !f.node.children.size).sort((a, b) => b.node.time - a.node.time).slice(0, 3).map((f) => `${f.name} ${number(f.node.time)} task-seconds`).join(", ")}`);
}
byId("flame").addEventListener("keydown", (event) => { if (event.key === "Escape" && shownRoot) showFlame(shownRoot); });

export function drawCell(selected) {
	const { group, line, seed } = selected, index = line.cells[seed], cell = data.cells[index], t = timelineOf(index);
	byId("cell-title").textContent = `Cell ${cell.id}: ${lineName(line)}, ${group.workload} on ${group.disk}, seed ${cell.seed}`;
	byId("cell-facts").replaceChildren(el("span", { class: "verdict " + cell.verdict }, cell.verdict),
		` ${[cell.flags && "flags: " + cell.flags, cell.reason, cell.exact ? "exact" : "not exact", cell.digest && "digest " + cell.digest.slice(0, 12)].filter(Boolean).join("; ")}`);
	const ended = (verdict, convoy) => verdict + (convoy ? `, convoy ${convoy}` : "");
	byId("cell-expected").hidden = !cell.as_expected && !cell.judged;
	byId("cell-expected").classList.toggle("otherwise", cell.as_expected === "no");
	byId("cell-expected").textContent = cell.judged ? `The search judged it: ${cell.judged}, where bad is ${data.goal}.`
		: `Expected: ${ended(cell.expected, cell.expected_convoy)}. Found: ${ended(cell.verdict, cell.convoy)}. ` +
			{ yes: "As the scenario says.", excepted: "Otherwise, as the scenario says of this seed.", no: "NOT as the scenario says." }[cell.as_expected];
	byId("cell-metrics").replaceChildren(el("tbody", {}, ...data.metrics.map((m, i) => el("tr", { title: m.about }, el("th", { class: "name", scope: "row" }, m.name), el("td", {}, known(cell.values[i]) ? String(cell.values[i]) : "–"), el("td", { class: "name" }, m.unit)))));
	for (const id of ["timeline", "unzoom"]) byId(id).hidden = !t;
	byId("timeline-help").hidden = !t;
	byId("timeline-note").textContent = !t ? "No timeline of this cell in this page: it has no log, or the page has as many as it may. `plimsoll report --format html " + cell.id + "` makes one."
		: "Time is in guest seconds from the start of the workload." + (t.more_marks ? ` ${t.more_marks} more marks are not drawn.` : "");
	if (!t) {
		byId("waits-part").hidden = byId("convoy-part").hidden = byId("flame-part").hidden = true;
		return;
	}
	const baseLine = group.lines.find((l) => l.kernel === line.kernel && l.setting === group.baseline);
	const baseIndex = baseLine && baseLine !== line && byId("overlay").checked ? baseLine.cells.find((i) => data.cells[i].seed === cell.seed) : undefined;
	drawTimeline(t, baseIndex === undefined ? null : timelineOf(baseIndex), lineName(line));
	drawWaits(t.waits);
	drawConvoy(t.convoy);
	shownRoot = null;
	drawFlame(t, cell);
}
