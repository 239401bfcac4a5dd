// SPDX-License-Identifier: GPL-3.0-or-later
// Two lines of the matrix against each other: pairs of equal seeds, rates, and the time to a hang.
import { data, byId, el, chart, tip, tooltip, axis, colours, indexOf, metricAt, cellsOf, lineName } from "./model.js";
import { paired, number, known, unit } from "./numbers.js";

const MAIN = ["hung_tasks", "oom_kills", "longest_lock_wait_s", "alloc_stall_s", "alloc_stall_p99_ms", "below_min_s", "blocked_task_s", "scanned_direct_pages", "swap_out_mib",
	"psi_memory_full_percent", "probe_p99_ms", "workload_progress"];

// Values of A and B by seed; a cell that is incomplete, or has no partner, is in no pair.
function bySeed(a, b, metric) {
	const partner = new Map(cellsOf(b).filter((c) => c.verdict !== "incomplete").map((c) => [c.seed, c]));
	const pairs = cellsOf(a).filter((c) => c.verdict !== "incomplete" && partner.has(c.seed)).map((c) => [c, partner.get(c.seed)]);
	return { seeds: pairs.map(([c]) => c.seed), a: pairs.map(([c]) => c.values[metric]), b: pairs.map(([, c]) => c.values[metric]) };
}

// How many seeds two lines have in common.
export const pairsOf = (a, b) => bySeed(a, b, 0).seeds.length;

const rate = ([hits, nr, low, high]) => (nr ? `${hits} of ${nr} (${Math.round(100 * low)} to ${Math.round(100 * high)} %)` : "no cell says");

function drawPairs(a, b, metrics) {
	const rows = metrics.map((metric) => {
		const def = metricAt(metric), { a: x, b: y } = bySeed(a, b, metric), p = paired(x, y, data.t), sure = known(p.low) && (p.low > 0 || p.high < 0);
		if (!p.n) return null;
		const better = !def.better || !p.difference ? "" : (p.difference < 0) === (def.better === "lower") ? "better" : "worse";
		return el("tr", { title: def.about, "data-metric": def.name }, el("th", { class: "name", scope: "row" }, def.name), el("td", {}, number(p.meanA) + unit(def)), el("td", {}, number(p.meanB) + unit(def)),
			el("td", { style: better ? `color:var(--${better === "better" ? "good" : "bad"})` : "" }, (p.difference > 0 ? "+" : "") + number(p.difference)),
			el("td", {}, p.meanA > 0 ? `${p.difference > 0 ? "+" : ""}${Math.round((100 * p.difference) / p.meanA)} %` : "–"),
			el("td", {}, known(p.low) ? `${number(p.low)} to ${number(p.high)}` : "–"), el("td", {}, number(p.effect)), el("td", {}, p.n),
			el("td", { class: "name" + (sure ? " yes" : "") }, p.n < 2 ? better : better && !sure ? better + ", may be chance" : better));
	}).filter(Boolean);
	byId("pairs").replaceChildren(el("thead", {}, el("tr", {}, ...["metric", "mean A", "mean B", "B - A", "relative", "95 % interval", "effect (d)", "pairs", "B is"].map((h, i) => el("th", i && i < 8 ? {} : { class: "name" }, h)))),
		el("tbody", {}, ...rows));
}

// One point a pair: how B stands to A under the same seed, and the mean of them.
function drawChanges(a, b, metrics) {
	const names = [], points = [], means = [];
	for (const metric of metrics) {
		const { seeds, a: x, b: y } = bySeed(a, b, metric), def = metricAt(metric), row = names.length;
		const ratios = x.map((v, i) => [v > 0 && y[i] > 0 ? y[i] / v : null, seeds[i], v, y[i]]).filter(([r]) => known(r));
		if (!ratios.length) continue;
		names.push(def.name);
		for (const [r, seed, v, w] of ratios) points.push({ value: [r, row], text: [`${def.name}, seed ${seed}`, `${number(v)} to ${number(w)}${unit(def)}: ${number(r)} times`] });
		const mean = Math.exp(ratios.reduce((s, [r]) => s + Math.log(r), 0) / ratios.length);
		means.push({ value: [mean, row], text: [`${def.name}, geometric mean of ${ratios.length}`, `${number(mean)} times`],
			itemStyle: { color: !def.better || Math.abs(mean - 1) < 0.005 ? colours.quiet : (mean < 1) === (def.better === "lower") ? colours.better : colours.worse } });
	}
	byId("changes").hidden = !names.length;
	if (!names.length) return;
	byId("changes").style.height = `${names.length * 22 + 70}px`;
	const made = chart("changes");
	made.resize();
	made.setOption({ animation: false, grid: { left: 190, right: 30, top: 28, bottom: 26 },
		title: { text: "B / A, by seed (small) and on geometric mean", textStyle: { fontSize: 12, color: colours.fore } },
		xAxis: { ...axis(), type: "log", axisLabel: { color: colours.quiet, formatter: (v) => `${number(v)} x` } }, yAxis: { ...axis(), type: "category", data: names, inverse: true },
		tooltip: { ...tooltip(), formatter: (p) => (p.data.text ? tip(...p.data.text) : "") },
		series: [{ type: "scatter", data: points, symbolSize: 5, itemStyle: { color: colours.quiet, opacity: 0.7 } },
			{ type: "scatter", data: means, symbolSize: 11, symbol: "diamond", markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: colours.fore, type: "solid", width: 1 }, data: [{ xAxis: 1 }] } }] }, true);
	byId("changes").setAttribute("aria-label", `Ratio of B to A for ${names.join(", ")}; the numbers are in the table above`);
}

// From 1 at 0 s down at each hang, and on to the last time that anybody looked.
function curve(line, end) {
	const points = [[0, 1, 1, 1]];
	for (const [t, left, low, high] of line.survival) points.push([t, left, known(low) ? low : left, known(high) ? high : left]);
	const last = points[points.length - 1];
	points.push([Math.max(end, last[0]), last[1], last[2], last[3]]);
	return points;
}

function drawSurvival(a, b) {
	const end = Math.max(1, ...[a, b].flatMap((l) => [...l.censored, ...l.survival.map((s) => s[0])])), series = [];
	[a, b].forEach((line, i) => {
		const name = `${i ? "B" : "A"}: ${lineName(line)}`, points = curve(line, Math.max(0, ...line.censored, ...line.survival.map((s) => s[0]))), colour = colours.series[i ? 4 : 0];
		const leftAt = (t) => points.filter((p) => p[0] <= t).pop()[1];
		series.push({ name, type: "line", step: "end", data: points.map((p) => [p[0], p[1]]), showSymbol: false, itemStyle: { color: colour }, lineStyle: { width: 2, type: i ? "dashed" : "solid" } },
			{ name, type: "line", step: "end", data: points.map((p) => [p[0], p[2]]), showSymbol: false, stack: "band" + i, silent: true, lineStyle: { opacity: 0 }, itemStyle: { color: colour }, tooltip: { show: false } },
			{ name, type: "line", step: "end", data: points.map((p) => [p[0], p[3] - p[2]]), showSymbol: false, stack: "band" + i, silent: true, lineStyle: { opacity: 0 }, itemStyle: { color: colour }, areaStyle: { opacity: 0.15 }, tooltip: { show: false } },
			{ name, type: "scatter", symbol: "rect", symbolSize: [2, 11], itemStyle: { color: colour, borderColor: colour, borderWidth: 1.5 }, data: line.censored.map((t) => [t, leftAt(t)]) });
	});
	chart("survival").resize();
	chart("survival").setOption({ animation: false, grid: { left: 46, right: 16, top: 30, bottom: 26 }, legend: { data: [...new Set(series.map((s) => s.name))], top: 0, textStyle: { color: colours.fore } },
		xAxis: { ...axis(), type: "value", min: 0, max: end, axisLabel: { color: colours.quiet, formatter: "{value} s" } }, yAxis: { ...axis(), type: "value", min: 0, max: 1, axisLabel: { color: colours.quiet, formatter: (v) => `${Math.round(100 * v)} %` } },
		tooltip: { ...tooltip(), trigger: "item", formatter: (p) => tip(p.seriesName, `${number(p.value[0])} s: ${Math.round(100 * p.value[1])} % not hung`) }, series }, true);
	byId("survival").setAttribute("aria-label", `Share of runs not hung over time. ${[a, b].map((l) => `${lineName(l)}: ${l.hung[0]} of ${l.hung[1]} hung`).join("; ")}`);
}

export function drawComparison(group, a, b, allMetrics) {
	const metrics = allMetrics ? data.metrics.map((_, i) => i) : MAIN.map(indexOf).filter((i) => i !== undefined);
	const pairs = pairsOf(a, b);
	byId("compare-text").textContent = `${lineName(b)} against ${lineName(a)}: ${pairs} ${pairs === 1 ? "pair" : "pairs"} of cells with the same seed.` +
		(pairs === 1 ? " One pair says what happened once; intervals need more seeds." : "");
	byId("rates").replaceChildren(el("thead", {}, el("tr", {}, ...["cells (95 % interval, Clopper and Pearson)", "A", "B"].map((h) => el("th", { class: "name" }, h)))),
		el("tbody", {}, ...[["hung", "hung"], ["out of memory", "oom"], ["frozen", "frozen"]].map(([name, key]) => el("tr", {}, el("th", { class: "name", scope: "row" }, name), el("td", { class: "name" }, rate(a[key])), el("td", { class: "name" }, rate(b[key]))))));
	drawPairs(a, b, metrics);
	drawChanges(a, b, metrics.filter((i) => MAIN.includes(metricAt(i).name)));
	drawSurvival(a, b);
}
