// SPDX-License-Identifier: GPL-3.0-or-later
// The sentence at the top: which setting helped most, by how much, why, and at what price. Only what the cells say.
import { data, indexOf, values, cellsOf } from "./model.js";
import { number, median, known, change } from "./numbers.js";

const bad = (line) => cellsOf(line).filter((c) => ["hung", "oom", "frozen", "panic"].includes(c.verdict)).length;
const of = (line, name) => median(values(line, indexOf(name)));
// So that no stall at all is not infinitely better than next to none.
const FLOOR_S = 0.1;

// A setting against the baseline on one kernel: a pair for each workload in which anything stalled or went wrong.
function pairsOf(kernel, setting) {
	const pairs = [];
	for (const group of data.groups) {
		const base = group.lines.find((l) => l.kernel === kernel && l.setting === group.baseline);
		const line = group.lines.find((l) => l.kernel === kernel && l.setting === setting);
		const a = base && of(base, "alloc_stall_s"), b = line && of(line, "alloc_stall_s");
		if (!line || !base || line === base || !known(a) || !known(b)) continue;
		const worse = bad(line) / line.cells.length - bad(base) / base.cells.length;
		if (a || b || worse) pairs.push({ group, base, line, ratio: (b + FLOOR_S) / (a + FLOOR_S), bad: worse });
	}
	return pairs;
}

// The settings of a kernel, the most helpful first.
export function rank(kernel) {
	const names = new Set(data.groups.flatMap((g) => g.lines.map((l) => l.setting)));
	return [...names].map((setting) => ({ setting, pairs: pairsOf(kernel, setting) })).filter((r) => r.pairs.length).map((r) => ({
		...r,
		bad: r.pairs.reduce((sum, p) => sum + p.bad, 0) / r.pairs.length,
		ratio: Math.exp(r.pairs.reduce((sum, p) => sum + Math.log(p.ratio), 0) / r.pairs.length),
	})).sort((x, y) => x.bad - y.bad || x.ratio - y.ratio);
}

export const kernels = [...new Set(data.groups.flatMap((g) => g.lines.map((l) => l.kernel)))];

const total = (lines, name) => lines.map((l) => of(l, name)).filter(known).reduce((a, b) => a + b, 0);
const kswapdShare = (lines) => {
	const k = total(lines, "reclaimed_kswapd_pages"), d = total(lines, "reclaimed_direct_pages");
	return k + d > 0 ? Math.round((100 * k) / (k + d)) : null;
};

const share = (lines) => `${lines.reduce((s, l) => s + bad(l), 0)} of ${lines.reduce((s, l) => s + l.cells.length, 0)}`;

function leadOf(kernel) {
	const ranked = rank(kernel);
	if (!ranked.length) return null;
	const best = ranked[0], bases = best.pairs.map((p) => p.base), lines = best.pairs.map((p) => p.line), baseline = bases[0].setting;
	if (best.bad > 0 || (!best.bad && best.ratio >= 0.995)) return `On ${kernel} no setting helped: with each, more cells hung, panicked or ran out of memory than with ${baseline}, or as many and allocations stalled no less.`;
	const parts = [`On ${kernel} ${best.setting} helped most: allocations stalled ${change(best.ratio)} than with ${baseline}` +
		(best.pairs.length > 1 ? ` on geometric mean (${best.pairs.map((p) => `${p.group.workload} ${change(p.ratio)}`).join(", ")}).` : ` (${best.pairs[0].group.workload}).`)];
	const next = ranked[1];
	// Who comes close is as good an answer, and may cost less.
	if (next && next.bad === best.bad && next.ratio < 1.05 * best.ratio && next.ratio < 0.995) parts.push(`${next.setting} comes close: ${change(next.ratio)}.`);
	if (best.bad) parts.push(`Cells that hung, panicked or ran out of memory: ${share(bases)} before, ${share(lines)} with it.`);
	const why = [], before = kswapdShare(bases), now = kswapdShare(lines);
	const minA = total(bases, "below_min_s"), minB = total(lines, "below_min_s");
	if (before !== null && now !== null && before !== now) why.push(`kswapd did ${now} % of the reclaim instead of ${before} %`);
	if (minA !== minB) why.push(`free memory was at or below MIN for ${number(minB)} s instead of ${number(minA)} s`);
	if (why.length) parts.push(`Meanwhile ${why.join(", and ")}.`);
	const work = best.pairs.map((p) => of(p.line, "workload_progress") / of(p.base, "workload_progress")).filter((r) => known(r) && r > 0);
	if (work.length) parts.push(`Work done: ${change(Math.exp(work.reduce((s, r) => s + Math.log(r), 0) / work.length))}.`);
	return parts.join(" ");
}

// How many cells ended as their scenario says, and which did not.
function asExpected() {
	const told = data.cells.filter((c) => c.as_expected), count = (what) => told.filter((c) => c.as_expected === what).length;
	if (!told.length) return [];
	const no = told.filter((c) => c.as_expected === "no").map((c) => `${c.kernel} ${c.setting} seed ${c.seed} (${c.id})`);
	return [`${count("yes")} of ${told.length} cells ended as the scenario says` +
		(count("excepted") ? `, ${count("excepted")} otherwise, as it says of their seeds` : "") +
		(no.length ? `, and ${no.length} not: ${no.slice(0, 5).join("; ")}${no.length > 5 ? " ..." : ""}.` : ".")];
}

// Paragraphs.
export function lead() {
	// In a search settings were chosen to find a limit, and not to be ranked.
	if (data.goal) return [data.answer, `Bad is: ${data.goal}. ${data.cells.filter((c) => c.judged === "bad").length} of ${data.cells.length} cells are.`].filter(Boolean);
	const expected = asExpected(), said = expected.concat(kernels.map(leadOf).filter(Boolean).slice(0, 4));
	if (said.length === expected.length)
		said.push(data.groups.flatMap((g) => g.lines.map((l) => `${l.kernel} ${l.setting}, ${g.workload}: ${l.hung[0]} of ${l.hung[1]} hung ` +
			`(95 % interval ${Math.round(100 * l.hung[2])} to ${Math.round(100 * l.hung[3])} %)`)).slice(0, 6).join("; ") + ".");
	if (data.groups.every((g) => g.lines.every((l) => l.cells.length < 2))) said.push("One seed each: these are single runs, not rates.");
	return said;
}

export function facts() {
	const by = {};
	for (const c of data.cells) by[c.verdict] = (by[c.verdict] || 0) + 1;
	const shown = Object.keys(data.timelines).length;
	return `${data.cells.length} cells: ${Object.entries(by).map(([v, k]) => `${k} ${v}`).join(", ")}.` +
		(data.missing ? ` ${data.missing} more were asked for and are not finished.` : "") +
		(shown < data.cells.length ? ` Timelines here: ${shown} of ${data.cells.length} (${data.without_log ? `${data.without_log} have no log; ` : ""}at most ${data.max_timelines} go into one page: name fewer cells for others).` : "") +
		(data.goal ? "" : " Settings are ranked by hung, panicked and out-of-memory cells first, then by stall time.");
}
