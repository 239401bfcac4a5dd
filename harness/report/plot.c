// SPDX-License-Identifier: GPL-3.0-or-later
/* Draws points with their intervals and a fitted curve over a scale with ticks, linear or logarithmic, as SVG. */
#include "report/plot.h"

#include <math.h>

#include "search/search.h"

/* In pixels: the picture, and the frame in it. */
enum { WIDTH = 720, HEIGHT = 440, LEFT = 70, RIGHT = 20, TOP = 48, BOTTOM = 60 };

#define LOG_FROM 4.0
#define MAX_TICKS 12

struct frame {
	struct pl_buf *svg;
	double from, to; /* of x, in log10 if is_log */
	bool is_log;
};

void pl_svg_text(struct pl_buf *svg, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			pl_buf_printf(svg, "&amp;");
		else if (*text == '<')
			pl_buf_printf(svg, "&lt;");
		else if (*text == '>')
			pl_buf_printf(svg, "&gt;");
		else if ((unsigned char)*text >= 0x20 && *text != 0x7f)
			pl_buf_add(svg, text, 1);
	}
}

static double px(const struct frame *frame, double x)
{
	double at = frame->is_log ? log10(x) : x;

	return LEFT + (WIDTH - LEFT - RIGHT) * (at - frame->from) / (frame->to - frame->from);
}

static double py(double rate)
{
	return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate;
}

static void widen(const struct pl_plot *plot, double *min, double *max)
{
	*min = INFINITY;
	*max = -INFINITY;
	for (size_t i = 0; i < plot->nr_points; i++) {
		*min = fmin(*min, plot->points[i].x);
		*max = fmax(*max, plot->points[i].x);
	}
	for (size_t i = 0; i < plot->nr_curve; i++) {
		*min = fmin(*min, plot->curve[i].x);
		*max = fmax(*max, plot->curve[i].x);
	}
	if (!(*min <= *max))
		*min = *max = 1;
}

static struct frame make_frame(const struct pl_plot *plot, struct pl_buf *svg)
{
	struct frame frame = { .svg = svg };
	double min, max;

	widen(plot, &min, &max);
	frame.is_log = min > 0 && max > LOG_FROM * min;
	frame.from = frame.is_log ? log10(min) : min;
	frame.to = frame.is_log ? log10(max) : max;

	double margin = frame.to > frame.from ? 0.04 * (frame.to - frame.from) : 1;

	frame.from -= margin;
	frame.to += margin;
	return frame;
}

static void add_tick(const struct frame *frame, double x)
{
	double at = frame->is_log ? log10(x) : x;

	if (at < frame->from || at > frame->to)
		return;
	pl_buf_printf(frame->svg,
		      "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#888\"/>"
		      "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.10g</text>\n",
		      px(frame, x), HEIGHT - BOTTOM, px(frame, x), HEIGHT - BOTTOM + 5, px(frame, x), HEIGHT - BOTTOM + 20, x);
}

/* 1, 2 and 5 times powers of ten; over more than three decades the powers alone. */
static void add_log_ticks(const struct frame *frame)
{
	static const double all[] = { 1, 2, 5 };
	size_t each = frame->to - frame->from > 3 ? 1 : 3;

	for (int decade = (int)floor(frame->from); decade <= frame->to; decade++)
		for (size_t i = 0; i < each; i++)
			add_tick(frame, pow(10, decade) * all[i]);
}

static void add_linear_ticks(const struct frame *frame)
{
	double step = pow(10, floor(log10((frame->to - frame->from) / 4)));

	while ((frame->to - frame->from) / step > MAX_TICKS)
		step *= 2;
	double first = ceil(frame->from / step);
	for (int i = 0; i <= MAX_TICKS; i++)
		add_tick(frame, (first + i) * step);
}

static void add_axes(const struct frame *frame, const struct pl_plot *plot)
{
	struct pl_buf *svg = frame->svg;

	pl_buf_printf(svg, "<text x=\"%d\" y=\"24\" text-anchor=\"middle\" font-size=\"15\">", WIDTH / 2);
	pl_svg_text(svg, plot->title);
	pl_buf_printf(svg, "</text>\n<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16);
	pl_svg_text(svg, plot->x_label);
	pl_buf_printf(svg, "</text>\n<text transform=\"translate(20 %d) rotate(-90)\" text-anchor=\"middle\">P(bad)</text>\n",
		      (TOP + HEIGHT - BOTTOM) / 2);
	for (int i = 0; i <= 5; i++)
		pl_buf_printf(svg,
			      "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>"
			      "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.1f</text>\n",
			      LEFT, py(i / 5.0), WIDTH - RIGHT, py(i / 5.0), LEFT - 8, py(i / 5.0) + 4, i / 5.0);
	if (frame->is_log)
		add_log_ticks(frame);
	else
		add_linear_ticks(frame);
	pl_buf_printf(svg, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#888\"/>\n", LEFT, TOP,
		      WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
}

static void add_curve(const struct frame *frame, const struct pl_plot *plot)
{
	struct pl_buf *svg = frame->svg;

	if (!plot->nr_curve)
		return;
	pl_buf_printf(svg, "<polygon fill=\"#4477aa\" fill-opacity=\"0.2\" points=\"");
	for (size_t i = 0; i < plot->nr_curve; i++)
		pl_buf_printf(svg, "%.1f,%.1f ", px(frame, plot->curve[i].x), py(plot->curve[i].high));
	for (size_t i = plot->nr_curve; i-- > 0;)
		pl_buf_printf(svg, "%.1f,%.1f ", px(frame, plot->curve[i].x), py(plot->curve[i].low));
	pl_buf_printf(svg, "\"/>\n<polyline fill=\"none\" stroke=\"#4477aa\" stroke-width=\"2\" points=\"");
	for (size_t i = 0; i < plot->nr_curve; i++)
		pl_buf_printf(svg, "%.1f,%.1f ", px(frame, plot->curve[i].x), py(plot->curve[i].rate));
	pl_buf_printf(svg, "\"/>\n");
}

static void add_threshold(const struct frame *frame, const struct pl_plot *plot)
{
	struct pl_buf *svg = frame->svg;

	pl_buf_printf(svg, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#aa3377\" stroke-dasharray=\"6 4\"/>\n",
		      LEFT, py(plot->rate), WIDTH - RIGHT, py(plot->rate));
	if (!plot->has_threshold)
		return;
	double low = fmax(px(frame, plot->low), LEFT), high = fmin(px(frame, plot->high), WIDTH - RIGHT);
	double at = px(frame, plot->threshold);

	pl_buf_printf(svg,
		      "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#228833\" fill-opacity=\"0.15\"/>"
		      "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#228833\" stroke-width=\"2\"/>"
		      "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#228833\">%.6g</text>\n",
		      low, TOP, fmax(high - low, 1), HEIGHT - TOP - BOTTOM, at, TOP, at, HEIGHT - BOTTOM, at, TOP - 6,
		      plot->threshold);
}

static void add_points(const struct frame *frame, const struct pl_plot *plot)
{
	for (size_t i = 0; i < plot->nr_points; i++) {
		const struct pl_plot_point *point = &plot->points[i];
		double low, high, at = px(frame, point->x);

		if (!point->nr)
			continue;
		pl_rate_interval(point->bad, point->nr, 0.95, &low, &high);
		pl_buf_printf(frame->svg,
			      "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#bbb\"/>"
			      "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"#222\"><title>%.10g: %zu of %zu bad</title></circle>\n",
			      at, py(low), at, py(high), at, py((double)point->bad / (double)point->nr),
			      2 + fmin(sqrt((double)point->nr), 6), point->x, point->bad, point->nr);
	}
}

void pl_plot_svg(const struct pl_plot *plot, struct pl_buf *svg)
{
	struct frame frame = make_frame(plot, svg);

	pl_buf_printf(svg,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n",
		      WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH, HEIGHT);
	add_axes(&frame, plot);
	add_curve(&frame, plot);
	add_threshold(&frame, plot);
	add_points(&frame, plot);
	pl_buf_printf(svg, "</svg>\n");
}
