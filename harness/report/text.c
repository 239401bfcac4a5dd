// SPDX-License-Identifier: GPL-3.0-or-later
/* Numbers, verdicts, colours and line breaks: what all reports write alike. */
#include "report/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What the environment asks for, or 0. Off a terminal nothing else knows the width. */
static unsigned asked_width(void)
{
	const char *text = getenv("COLUMNS");
	unsigned long columns = text ? strtoul(text, NULL, 10) : 0;

	if (columns > PL_TABLE_ASKED_WIDTH)
		return PL_TABLE_ASKED_WIDTH;
	return columns && columns < PL_TABLE_MIN_WIDTH ? PL_TABLE_MIN_WIDTH : (unsigned)columns;
}

struct pl_table_style pl_report_style_for(int fd)
{
	unsigned asked = asked_width();
	struct pl_table_style style = { .width = asked ? asked : PL_TABLE_MIN_WIDTH };
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize size;

	if (!isatty(fd))
		return style;
	style.colour = !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
	if (!asked && !ioctl(fd, TIOCGWINSZ, &size) && size.ws_col > PL_TABLE_MIN_WIDTH)
		style.width = size.ws_col < PL_TABLE_MAX_WIDTH ? size.ws_col : PL_TABLE_MAX_WIDTH;
	return style;
}

const char *report_colour(const struct pl_table_style *style, enum report_colour colour)
{
	static const char *const codes[] = { "\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m", "\033[35m" };

	return style->colour ? codes[colour] : "";
}

enum report_colour report_verdict_colour(enum pl_verdict verdict)
{
	switch (verdict) {
	case PL_COMPLETED:
		return REPORT_GREEN;
	case PL_OOM:
	case PL_FROZEN:
		return REPORT_YELLOW;
	case PL_INCOMPLETE:
		return REPORT_MAGENTA;
	case PL_HUNG:
	case PL_PANIC:
		return REPORT_RED;
	}
	return REPORT_PLAIN;
}

const char *report_verdict_word(enum pl_verdict verdict)
{
	return verdict == PL_COMPLETED ? "ok" : pl_verdict_name(verdict);
}

void report_verdicts(const struct report_line *line, struct pl_buf *text)
{
	static const enum pl_verdict worst_first[PL_NR_VERDICTS] = { PL_PANIC, PL_HUNG, PL_OOM, PL_FROZEN, PL_INCOMPLETE, PL_COMPLETED };
	unsigned count[PL_NR_VERDICTS] = { 0 };

	for (size_t i = 0; i < line->nr_rows; i++)
		count[line->rows[i]->analysis.verdict]++;
	for (size_t i = 0; i < PL_NR_VERDICTS; i++) {
		enum pl_verdict verdict = worst_first[i];
		if (!count[verdict])
			continue;
		if (line->nr_rows > 1)
			pl_buf_printf(text, "%s%u ", text->len ? " " : "", count[verdict]);
		pl_buf_printf(text, "%s", report_verdict_word(verdict));
	}
}

/* About three characters that count: 0, 0.04, 3.4, 120, 1.2k, 34k, 5.6M. */
void report_number(char text[REPORT_NUMBER_ROOM], double value)
{
	static const char suffix[] = " kMGTPE";
	double size = fabs(value);
	size_t power = 0;

	while (size >= 999.5 && power + 2 < sizeof(suffix)) {
		size /= 1000;
		value /= 1000;
		power++;
	}
	int digits = size >= 9.95 || (!power && value == floor(value)) ? 0 : size >= 0.095 ? 1 : 2;
	if (size > 0 && size < 0.005)
		snprintf(text, REPORT_NUMBER_ROOM, "%.0e", value);
	else if (power)
		snprintf(text, REPORT_NUMBER_ROOM, "%.*f%c", digits, value, suffix[power]);
	else
		snprintf(text, REPORT_NUMBER_ROOM, "%.*f", digits, value);
}

/* For sentences: no suffix, three digits that count or all before the point. */
void report_long_number(char text[REPORT_NUMBER_ROOM], double value)
{
	if (fabs(value) >= 100 || value == floor(value))
		snprintf(text, REPORT_NUMBER_ROOM, fabs(value) < 1e12 ? "%.0f" : "%.2e", value);
	else
		snprintf(text, REPORT_NUMBER_ROOM, "%.3g", value);
}

void report_name(struct pl_buf *text, const char *name, size_t max_chars)
{
	size_t len = strlen(name);
	bool cut = len > max_chars;

	for (size_t i = 0; i < (cut ? max_chars - 2 : len); i++)
		pl_buf_printf(text, "%c", name[i] >= ' ' && name[i] <= '~' ? name[i] : '?');
	if (cut)
		pl_buf_printf(text, "..");
}

void report_short_name(struct pl_buf *text, const char *name, size_t max_chars)
{
	size_t len = strlen(name), end = max_chars / 2;

	if (len <= max_chars) {
		report_name(text, name, max_chars);
		return;
	}
	/* A name that a search made ends with what sets it apart: "defaults+vm.watermark_scale_factor=100". */
	report_name(text, name, max_chars - end);
	report_name(text, name + len - end, end);
}

void pl_report_wrapped(FILE *out, const char *text, unsigned width, unsigned indent)
{
	size_t at = strspn(text, " ");
	bool begins = true;

	fprintf(out, "%*s", (int)at, "");
	for (text += at; *text; begins = false) {
		size_t word = strcspn(text, " ");
		/* A name may be longer than a line. */
		size_t used = at + !begins;
		if (word + indent > width)
			word = used < width ? width - used : width - indent;
		if (!begins && at > indent && at + 1 + word > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!begins) {
			fputc(' ', out);
			at++;
		}
		fwrite(text, 1, word, out);
		at += word;
		text += word + (text[word] == ' ');
	}
	fputc('\n', out);
}
