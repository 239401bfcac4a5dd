// SPDX-License-Identifier: GPL-3.0-or-later
/* The cells of a claim as a picture: a panel for each expression, groups side by side, a dot a cell, and their medians. */
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "claims/internal.h"
#include "report/plot.h"

/* In pixels. */
enum { WIDTH = 760, HEAD = 34, PANEL_HEIGHT = 250, LEFT = 62, RIGHT = 12, TOP = 30, BOTTOM = 44, TICKS = 4 };

static const char *const colours[PL_CLAIM_MAX_KERNELS] = { "#4477aa", "#cc6677", "#228833", "#aa3377",
							   "#66ccee", "#ccbb44", "#888888", "#222222" };

struct panel {
	struct pl_buf *svg;
	double x, y, width;
	double top, bottom, step; /* values: at its upper and lower edge, and from tick to tick */
};

static double py(const struct panel *panel, double value)
{
	double height = PANEL_HEIGHT - TOP - BOTTOM;

	return panel->y + TOP + height * (panel->top - value) / (panel->top - panel->bottom);
}

/* 1, 2 or 5 times a power of ten, so that there are about TICKS of it. */
static double tick_step(double span)
{
	double step = pow(10, floor(log10(span / TICKS)));

	return span / step > 5 * TICKS ? 5 * step : span / step > 2 * TICKS ? 2 * step : step;
}

static void scale(struct panel *panel, const struct pl_claim_report *report, size_t drawn)
{
	double low = 0, high = 0;

	for (size_t k = 0; k < report->nr_kernels; k++) {
		for (size_t g = 0; g < report->claim->nr_groups; g++) {
			const struct pl_claim_cells *cells = &report->kernels[k].groups[g];

			for (size_t i = 0; i < cells->nr; i++) {
				double value = pl_claim_value(report->claim, cells, i, report->claim->nr_numbers + drawn);

				low = fmin(low, isnan(value) ? low : value);
				high = fmax(high, isnan(value) ? high : value);
			}
		}
	}
	if (!(high > low))
		high = low + 1;

	panel->step = tick_step(high - low);
	panel->bottom = panel->step * floor(low / panel->step);
	panel->top = panel->step * ceil(high / panel->step);
}

static void add_axes(const struct panel *panel, const struct pl_claim *claim, size_t drawn)
{
	double step = panel->step, place = panel->width / (double)claim->nr_groups;
	size_t nr = (size_t)lround((panel->top - panel->bottom) / step);

	pl_buf_printf(panel->svg, "<text x=\"%.1f\" y=\"%.1f\" font-weight=\"bold\">", panel->x, panel->y + TOP - 10);
	pl_svg_text(panel->svg, claim->drawn_text[drawn]);
	pl_buf_printf(panel->svg, "</text>\n");
	for (size_t i = 0; i <= nr; i++) {
		double value = panel->bottom + (double)i * step, y = py(panel, value);

		pl_buf_printf(panel->svg,
			      "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>"
			      "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>\n",
			      panel->x, y, panel->x + panel->width, y, panel->x - 6, y + 4, fabs(value) < step / 2 ? 0 : value);
	}
	for (size_t g = 0; g < claim->nr_groups; g++) {
		/* Neighbours take turns with two lines, so that more of a name can be read. */
		pl_buf_printf(panel->svg, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
			      panel->x + ((double)g + 0.5) * place,
			      panel->y + PANEL_HEIGHT - BOTTOM + 16 + (claim->nr_groups > 4 && g % 2 ? 14 : 0));
		pl_svg_text(panel->svg, claim->groups[g].name);
		pl_buf_printf(panel->svg, "</text>\n");
	}
}

static void add_cells(const struct panel *panel, const struct pl_claim *claim, size_t drawn, const struct pl_claim_cells *cells,
		      double from, double width, const char *colour)
{
	double *values = pl_calloc(cells->nr ? cells->nr : 1, sizeof(*values));
	size_t nr = 0;

	for (size_t i = 0; i < cells->nr; i++) {
		double value = pl_claim_value(claim, cells, i, claim->nr_numbers + drawn);

		if (isnan(value))
			continue;
		values[nr++] = value;
		pl_buf_printf(panel->svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\" fill-opacity=\"0.6\"><title>%.6g</title></circle>\n",
			      from + width * ((double)i + 0.5) / (double)cells->nr, py(panel, value), colour, value);
	}
	if (nr) {
		gsl_sort(values, 1, nr);
		double median = gsl_stats_median_from_sorted_data(values, 1, nr);

		pl_buf_printf(panel->svg, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"2\"/>\n", from,
			      py(panel, median), from + width, py(panel, median), colour);
	}
	free(values);
}

static void add_panel(const struct pl_claim_report *report, size_t drawn, struct panel *panel)
{
	const struct pl_claim *claim = report->claim;
	double place = panel->width / (double)claim->nr_groups, each = 0.84 * place / (double)report->nr_kernels;

	scale(panel, report, drawn);
	add_axes(panel, claim, drawn);
	for (size_t g = 0; g < claim->nr_groups; g++)
		for (size_t k = 0; k < report->nr_kernels; k++)
			add_cells(panel, claim, drawn, &report->kernels[k].groups[g],
				  panel->x + ((double)g + 0.08) * place + (double)k * each, 0.9 * each, colours[k]);
}

void pl_claim_svg(const struct pl_claim_report *report, struct pl_buf *svg)
{
	size_t nr = report->claim->nr_drawn, columns = nr > 1 && report->claim->nr_groups <= 5 ? 2 : 1;
	size_t height = HEAD + (nr + columns - 1) / columns * PANEL_HEIGHT;

	pl_buf_printf(svg,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" viewBox=\"0 0 %d %zu\" "
		      "font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"%d\" height=\"%zu\" fill=\"white\"/>\n"
		      "<text x=\"%d\" y=\"22\" font-size=\"14\">%s</text>\n",
		      WIDTH, height, WIDTH, height, WIDTH, height, LEFT, report->claim->id);
	for (size_t k = 0; k < report->nr_kernels; k++) {
		pl_buf_printf(svg, "<circle cx=\"%zu\" cy=\"18\" r=\"4\" fill=\"%s\"/><text x=\"%zu\" y=\"22\">", LEFT + 60 + 110 * k,
			      colours[k], LEFT + 70 + 110 * k);
		pl_svg_text(svg, report->kernels[k].name);
		pl_buf_printf(svg, "</text>\n");
	}
	for (size_t i = 0; i < nr; i++) {
		size_t row = i / columns, column = i % columns;
		struct panel panel = {
			.svg = svg,
			.x = LEFT + (double)column * WIDTH / (double)columns,
			.y = HEAD + (double)row * PANEL_HEIGHT,
			.width = (double)WIDTH / (double)columns - LEFT - RIGHT,
		};

		add_panel(report, i, &panel);
	}
	pl_buf_printf(svg, "</svg>\n");
}
