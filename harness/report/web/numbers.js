// SPDX-License-Identifier: GPL-3.0-or-later
// Arithmetic and words of the report. No document here, so that it runs in any JavaScript.

// What report/timeline.c packed: base64 of zigzag differences, seven bits a byte.
export function unpack(text) {
	const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
	const values = [];
	let value = 0n, zigzag = 0n, shift = 0n;
	for (const byte of bytes) {
		zigzag |= BigInt(byte & 0x7f) << shift;
		shift += 7n;
		if (byte & 0x80) continue;
		value = BigInt.asIntN(64, value + ((zigzag >> 1n) ^ -(zigzag & 1n)));
		values.push(Number(value));
		zigzag = shift = 0n;
	}
	return values;
}

export const known = (v) => typeof v === "number" && Number.isFinite(v);

export function median(values) {
	const sorted = values.filter(known).sort((a, b) => a - b);
	if (!sorted.length) return null;
	const half = sorted.length >> 1;
	return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

// Three digits that count; more only of whole numbers below a million.
export function number(v) {
	if (!known(v)) return "–";
	const size = Math.abs(v);
	if (size >= 1e9) return (v / 1e9).toPrecision(3) + "G";
	if (size >= 1e6) return (v / 1e6).toPrecision(3) + "M";
	if (size >= 1e4) return (v / 1e3).toPrecision(3) + "k";
	if (Number.isInteger(v)) return String(v);
	return size >= 100 ? v.toFixed(0) : String(Number(v.toPrecision(3)));
}

export const unit = (metric) => (metric.unit && metric.unit !== "count" ? " " + metric.unit : "");

export function change(ratio) {
	if (!known(ratio)) return "";
	if (ratio >= 4) return number(ratio) + " times as much";
	const percent = Math.round(100 * (ratio - 1));
	return percent ? `${Math.abs(percent)} % ${percent < 0 ? "less" : "more"}` : "the same";
}

// Two lines under the same seeds: B - A, as report/statistics.c computes it. t[n]: half the width of the interval of n pairs
// in standard errors.
export function paired(a, b, t) {
	const pairs = a.map((v, i) => [v, b[i]]).filter(([x, y]) => known(x) && known(y));
	const n = pairs.length;
	if (!n) return { n };
	const mean = (f) => pairs.reduce((sum, p) => sum + f(p), 0) / n;
	const meanA = mean((p) => p[0]), meanB = mean((p) => p[1]), difference = mean((p) => p[1] - p[0]);
	const result = { n, meanA, meanB, difference, low: null, high: null, effect: null };
	if (n < 2) return result;
	const deviation = Math.sqrt((mean((p) => (p[1] - p[0] - difference) ** 2) * n) / (n - 1));
	const half = (t[n] * deviation) / Math.sqrt(n);
	result.low = difference - half;
	result.high = difference + half;
	result.effect = deviation > 0 ? difference / deviation : difference === 0 ? 0 : null;
	return result;
}
