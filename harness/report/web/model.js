// SPDX-License-Identifier: GPL-3.0-or-later
// The report's data, and what every part of the page needs. Text goes into the document as text nodes only, never as markup:
// names come from users' files and from guests.
import * as echarts from "echarts/core";
import { LineChart, ScatterChart, GraphChart, CustomChart } from "echarts/charts";
import { GridComponent, TooltipComponent, DataZoomComponent, MarkLineComponent, LegendComponent, TitleComponent } from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";

echarts.use([LineChart, ScatterChart, GraphChart, CustomChart, GridComponent, TooltipComponent, DataZoomComponent, MarkLineComponent,
	LegendComponent, TitleComponent, CanvasRenderer]);

export const byId = (id) => document.getElementById(id);
export const data = JSON.parse(byId("data").textContent);

export function el(name, attributes, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (key === "style") element.style.cssText = value;
		else element.setAttribute(key, value);
	}
	element.append(...children);
	return element;
}

const indices = new Map(data.metrics.map((m, i) => [m.name, i]));
export const indexOf = (name) => indices.get(name);
export const metricAt = (i) => data.metrics[i];
export const cellsOf = (line) => line.cells.map((i) => data.cells[i]);
// An incomplete cell says nothing.
export const values = (line, metric) => cellsOf(line).map((c) => (c.verdict === "incomplete" ? null : c.values[metric]));
export const lineName = (line) => `${line.kernel} ${line.setting}`;

export const colours = {
	// Told apart also by those who see no red or green (Okabe and Ito), lighter where the ground is dark.
	read(paper = false) {
		const style = getComputedStyle(document.documentElement);
		for (const name of ["back", "fore", "quiet", "line", "soft", "bad", "better", "worse"]) this[name] = style.getPropertyValue("--" + name).trim();
		this.paper = paper;
		// Before it prints, a browser still has the style of the screen.
		if (paper) Object.assign(this, { back: "#fff", fore: "#000", quiet: "#444", line: "#bbb", soft: "#fff" });
		this.series = !paper && matchMedia("(prefers-color-scheme: dark)").matches
			? ["#6fb7e8", "#e8b04a", "#3fc199", "#e38fbd", "#f08a4b", "#c9cf62", "#9aa7b3"]
			: ["#0072b2", "#c98500", "#009e73", "#b8588f", "#d55e00", "#8a8f1c", "#6b7680"];
	},
};
colours.read();

const charts = new Map();
// The chart in an element, made when first asked for.
export function chart(id) {
	if (!charts.has(id)) {
		const made = echarts.init(byId(id), null, { renderer: "canvas" });
		charts.set(id, made);
		new ResizeObserver(() => made.resize()).observe(byId(id));
	}
	return charts.get(id);
}

// The tooltip's content as an element, so that no name is ever read as markup.
export const tip = (...lines) => el("div", {}, ...lines.map((line) => el("div", {}, line)));
export const tooltip = () => ({ backgroundColor: colours.back, borderColor: colours.line, textStyle: { color: colours.fore, fontSize: 12 }, confine: true });
export const axis = () => ({
	axisLine: { lineStyle: { color: colours.line } }, axisTick: { show: false }, axisLabel: { color: colours.quiet, fontSize: 11 },
	splitLine: { lineStyle: { color: colours.line, opacity: 0.6 } }, nameTextStyle: { color: colours.quiet, fontSize: 11 },
});
