// SPDX-License-Identifier: GPL-3.0-or-later
// trace.mjs FILE: read a trace with the engine of Chrome's DevTools, and print what it made of it.
import { readFileSync } from 'node:fs';

// The engine is made for a browser, and wants one class of it.
globalThis.DOMRect = class {
	constructor(x, y, width, height) { Object.assign(this, { x, y, width, height }); }
	static fromRect(rect) { return new DOMRect(rect.x, rect.y, rect.width, rect.height); }
};
const { TraceModel } = await import('@paulirish/trace_engine/models/trace/trace.js');
const trace = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const model = TraceModel.Model.createWithAllHandlers();

await model.parse(trace.traceEvents, {});
const { data } = model.parsedTrace();
const slices = {};
let processes = 0, depth = 0;

for (const [, process] of data.Renderer.processes) {
	processes++;
	for (const [, thread] of process.threads) {
		for (const entry of thread.entries)
			if (entry.ph === 'X')
				slices[entry.name] = (slices[entry.name] ?? 0) + 1;
		depth = Math.max(depth, thread.tree?.maxDepth ?? 0);
	}
}
const names = [...data.Meta.processNames.values()].map((event) => event.args.name);

console.log('processes', processes, 'named', names.length, 'deepest', depth);
console.log('seconds', (data.Meta.traceBounds.range / 1e6).toFixed(1));
console.log('slices', Object.entries(slices).sort().map(([name, nr]) => `${name}:${nr}`).join(' '));
console.log('names', names.filter((name) => /^(memory|disk|kswapd|pressure)$/.test(name)).sort().join(' '));
