/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How often something is bad against the value of a knob, as an SVG picture. */
#ifndef PL_REPORT_PLOT_H
#define PL_REPORT_PLOT_H

#include "base/base.h"

/* What was seen at one value. */
struct pl_plot_point {
	double x;
	size_t bad, nr; /* bad ones of those that were counted */
};

/* What a model says of one value: rate and its interval, 0 to 1. */
struct pl_plot_curve {
	double x, rate, low, high;
};

struct pl_plot {
	const char *title, *x_label; /* UTF-8; may hold anything */
	const struct pl_plot_point *points;
	size_t nr_points;
	const struct pl_plot_curve *curve; /* in the order of x; none: only what was seen */
	size_t nr_curve;
	double rate;			   /* a line across: what is asked for */
	bool has_threshold;
	double threshold, low, high;	   /* a line up, and its interval as a band */
};

/* x is on a logarithmic axis if all of it is above 0 and it spans more than a factor of 4. */
void pl_plot_svg(const struct pl_plot *plot, struct pl_buf *svg);

/* Add text to a picture, escaped, without control characters. */
void pl_svg_text(struct pl_buf *svg, const char *text);

#endif
