// SPDX-License-Identifier: GPL-3.0-or-later
import { data, el, byId, metricAt, indexOf, cellsOf, values, lineName, colours } from "./model.js";
import { number, unit, change, median, known } from "./numbers.js";
import { lead, facts, rank, kernels } from "./lead.js";
import { drawCell, unzoom } from "./cell.js";
import { drawComparison, pairsOf } from "./compare.js";

const settings = [];
for (const group of data.groups)
	for (const line of group.lines)
		if (!settings.some((s) => s.kernel === line.kernel && s.setting === line.setting)) settings.push(line);

let metric = indexOf("alloc_stall_s");
let selected = null; // { group, line, seed }
const seen = { cell: false, compare: false };

function lineOf(group, name) {
	return group.lines.find((l) => l.kernel === name.kernel && l.setting === name.setting);
}

// How a line stands against the baseline of its kernel: below 0 is better, -1 and 1 are a factor of 8 and more.
function standing(group, line) {
	const base = group.lines.find((l) => l.kernel === line.kernel && l.setting === group.baseline);
	const v = median(values(line, metric)), b = base && median(values(base, metric));
	if (!base || base === line || !known(v) || !known(b)) return { ratio: null, step: 0 };
	const ratio = b > 0 ? v / b : v === b ? 1 : null;
	const log = b > 0 && v > 0 ? Math.log2(v / b) : Math.sign(v - b) * 3;
	const step = Math.max(-1, Math.min(1, log / 3));
	return { ratio, step: metricAt(metric).better === "higher" ? -step : step };
}

const counts = (line) => {
	const by = {};
	for (const cell of cellsOf(line)) by[cell.verdict] = (by[cell.verdict] || 0) + 1;
	return ["panic", "hung", "oom", "frozen", "incomplete", "completed"].filter((v) => by[v]).map((v) => [v, by[v]]);
};
const word = (verdict) => (verdict === "completed" ? "ok" : verdict);

function drawMatrix() {
	const def = metricAt(metric), table = byId("heat"), directed = def.better !== "";
	const all = data.groups.flatMap((g) => g.lines.map((l) => median(values(l, metric)))).filter(known);
	const most = Math.max(...all.map(Math.abs), 0);
	byId("metric-about").textContent = def.about;
	byId("legend").replaceChildren(...(directed
		? [swatch("--better", 85), " better than the baseline of the same kernel, ", swatch("--worse", 85), " worse; full colour: 8 times"]
		: [swatch("--size", 60), " more; neither way is better"]));
	const head = el("tr", {}, el("th", { class: "name", scope: "col" }, "kernel"), el("th", { class: "name", scope: "col" }, "setting"),
		...data.groups.map((g) => el("th", { scope: "col" }, g.workload, el("small", {}, `${g.disk}, ${g.ram_mib} MiB, ${g.seconds} s`))));
	const rows = settings.map((name, y) => {
		const baseline = data.groups.some((g) => g.baseline === name.setting && lineOf(g, name));
		return el("tr", { class: baseline ? "baseline" : "" },
			el("th", { class: "name", scope: "row" }, name.kernel), el("th", { class: "name", scope: "row" }, name.setting),
			...data.groups.map((group, x) => heatCell(group, lineOf(group, name), x, y, directed, most)));
	});
	table.replaceChildren(el("thead", {}, head), el("tbody", {}, ...rows));
	markSelected();
}

function swatch(colour, percent) {
	return el("span", { class: "swatch", style: `background:color-mix(in srgb,var(${colour}) ${percent}%,var(--back))` });
}

function heatCell(group, line, x, y, directed, most) {
	const td = el("td", { tabindex: "-1", "data-x": x, "data-y": y });
	if (!line) {
		td.append("–");
		td.setAttribute("aria-label", "not in this report");
		return td;
	}
	const def = metricAt(metric), v = values(line, metric), m = median(v), { ratio, step } = standing(group, line);
	const share = directed ? Math.abs(step) : most && known(m) ? Math.abs(m) / most : 0;
	const colour = directed ? (step < 0 ? "--better" : "--worse") : "--size";
	td.style.background = `color-mix(in srgb,var(${colour}) ${Math.round(85 * share)}%,var(--soft))`;
	for (const [verdict, n] of counts(line)) td.append(el("span", { class: "verdict " + verdict }, (line.cells.length > 1 ? n + " " : "") + word(verdict)), " ");
	td.append(el("b", {}, number(m) + unit(def)));
	const range = v.filter(known), lowest = Math.min(...range), highest = Math.max(...range);
	const parts = [ratio === null ? "" : change(ratio), range.length > 1 && lowest < highest ? `${number(lowest)} to ${number(highest)}` : ""];
	td.append(el("small", {}, parts.filter(Boolean).join(", ") || (line.setting === group.baseline ? "baseline" : "\u00a0")));
	td.append(...standingOf(line));
	td.addEventListener("click", () => select(group, line, 0, true));
	td.plimsoll = { group, line };
	return td;
}

// What the scenario, or the search, says of a line's cells.
function standingOf(line) {
	const cells = cellsOf(line), expected = cells.filter((c) => c.as_expected), no = expected.filter((c) => c.as_expected === "no").length;
	const small = (text, wrong) => el("small", wrong ? { class: "otherwise" } : {}, text);
	if (data.goal) return [small(cells.length > 1 ? `${cells.filter((c) => c.judged === "bad").length} of ${cells.length} bad` : cells[0].judged)];
	if (!expected.length) return [];
	if (no) return [small(cells.length > 1 ? `${no} of ${cells.length} NOT as expected` : "NOT as expected", true)];
	return [small(expected.some((c) => c.as_expected === "excepted") ? "as expected of these seeds" : "as expected")];
}

function markSelected() {
	let first = null;
	for (const td of byId("heat").querySelectorAll("td")) {
		const here = selected && td.plimsoll && td.plimsoll.line === selected.line;
		td.classList.toggle("selected", !!here);
		td.tabIndex = here ? 0 : -1;
		if (here || !first) first = td;
	}
	if (first) first.tabIndex = 0;
}

byId("heat").addEventListener("keydown", (event) => {
	const td = event.target.closest("td"), move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
	if (!td) return;
	if (event.key === "Enter" || event.key === " ") {
		event.preventDefault();
		td.click();
	} else if (move) {
		event.preventDefault();
		const next = byId("heat").querySelector(`td[data-x="${+td.dataset.x + move[0]}"][data-y="${+td.dataset.y + move[1]}"]`);
		if (!next) return;
		next.focus();
		if (next.plimsoll) select(next.plimsoll.group, next.plimsoll.line, 0, false);
	}
});

function select(group, line, seed, go) {
	selected = { group, line, seed };
	markSelected();
	history.replaceState(null, "", "#cell=" + data.cells[line.cells[seed]].id);
	byId("seed").replaceChildren(...line.cells.map((i, s) => el("option", { value: s }, data.cells[i].seed)));
	byId("seed").value = String(seed);
	byId("seed-label").hidden = line.cells.length < 2;
	// The comparison follows, so that it is about what one looks at.
	byId("group").value = String(data.groups.indexOf(group));
	fillSides(line);
	draw();
	if (go) byId("cell").scrollIntoView();
}

function fillSides(line) {
	const group = data.groups[+byId("group").value];
	for (const id of ["side-a", "side-b"]) byId(id).replaceChildren(...group.lines.map((l, i) => el("option", { value: i }, lineName(l))));
	let a = line || group.lines.find((l) => l.setting === group.baseline), b = line;
	if (a.setting === group.baseline) {
		// Of a baseline there is nothing to tell but how another one differs from it: the one that most seeds tell of.
		const others = group.lines.filter((l) => l !== a).map((l) => ({ line: l, pairs: pairsOf(a, l), near: l.kernel === a.kernel }));
		b = others.sort((x, y) => y.pairs - x.pairs || y.near - x.near).map((o) => o.line)[0] || a;
	} else {
		a = group.lines.find((l) => l.kernel === b.kernel && l.setting === group.baseline) || group.lines.find((l) => l !== b) || b;
	}
	byId("side-a").value = String(group.lines.indexOf(a));
	byId("side-b").value = String(group.lines.indexOf(b));
}

function draw() {
	if (seen.cell) drawCell(selected);
	if (seen.compare) {
		const group = data.groups[+byId("group").value];
		drawComparison(group, group.lines[+byId("side-a").value], group.lines[+byId("side-b").value], byId("all-metrics").checked);
	}
}

function see(name) {
	if (seen[name]) return;
	seen[name] = true;
	draw();
}

// What is in the address: #cell=ID
function fromAddress() {
	const id = new URLSearchParams(location.hash.slice(1)).get("cell");
	for (const group of data.groups)
		for (const line of group.lines)
			for (let seed = 0; seed < line.cells.length; seed++)
				if (id && data.cells[line.cells[seed]].id === id) return { group, line, seed };
	return null;
}

// What is shown first: a cell that ended otherwise as its scenario says, or else what the scenario is about; without one, where
// the best setting of any kernel made the most difference.
function opening() {
	const wrong = (c) => c.as_expected === "no", about = (c) => c.expected && c.expected !== "completed";
	for (const wanted of [wrong, about])
		for (const group of data.groups)
			for (const line of group.lines) {
				const seed = cellsOf(line).findIndex(wanted);
				if (seed >= 0) return { group, line, seed };
			}
	const best = kernels.map((k) => rank(k)[0]).filter(Boolean).sort((x, y) => x.bad - y.bad || x.ratio - y.ratio)[0];
	if (!best) return { group: data.groups[0], line: data.groups[0].lines[0] };
	return best.pairs.sort((x, y) => x.bad - y.bad || x.ratio - y.ratio)[0];
}

function start() {
	document.title = byId("title").textContent = "Plimsoll: " + data.title;
	byId("lead").replaceChildren(...lead().map((text) => el("p", {}, text)));
	byId("facts").textContent = facts();
	const options = (better) => data.metrics.map((m, i) => (m.better === better ? el("option", { value: i }, m.name) : null)).filter(Boolean);
	byId("metric").replaceChildren(el("optgroup", { label: "less is better" }, ...options("lower")),
		el("optgroup", { label: "more is better" }, ...options("higher")), el("optgroup", { label: "neither" }, ...options("")));
	byId("metric").value = String(metric);
	byId("metric").addEventListener("change", (e) => { metric = +e.target.value; drawMatrix(); });
	byId("group").replaceChildren(...data.groups.map((g, i) => el("option", { value: i }, `${g.workload} on ${g.disk}, ${g.ram_mib} MiB, ${g.seconds} s`)));
	byId("group").addEventListener("change", () => { fillSides(); draw(); });
	for (const id of ["side-a", "side-b", "all-metrics", "overlay", "reclaim-only"]) byId(id).addEventListener("change", draw);
	byId("seed").addEventListener("change", (e) => select(selected.group, selected.line, +e.target.value, false));
	byId("unzoom").addEventListener("click", unzoom);
	drawMatrix();
	const wanted = fromAddress();
	if (wanted) {
		select(wanted.group, wanted.line, wanted.seed, false);
	} else {
		const first = opening();
		select(first.group, first.line, first.seed || 0, false);
		history.replaceState(null, "", location.pathname + location.search);
	}
	addEventListener("hashchange", () => { const w = fromAddress(); if (w) select(w.group, w.line, w.seed, true); });
	// Charts are made when somebody comes near them: the page is there at once.
	const near = new IntersectionObserver((entries) => entries.forEach((e) => e.isIntersecting && see(e.target.id)), { rootMargin: "300px" });
	near.observe(byId("cell"));
	near.observe(byId("compare"));
	// Charts are pictures of a certain width, and paper is narrower than a screen.
	const print = (paper) => {
		document.body.style.width = paper ? "720px" : "";
		colours.read(paper);
		seen.cell = seen.compare = true;
		draw();
	};
	addEventListener("beforeprint", () => print(true));
	addEventListener("afterprint", () => print(false));
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours.read(); draw(); });
	document.documentElement.dataset.readyMs = String(Math.round(performance.now()));
}

start();
