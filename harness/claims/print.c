// SPDX-License-Identifier: GPL-3.0-or-later
/* Claims as a table, as JSON, and as the page docs/claims.md; and the texts of a claim with its numbers put in. */
#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "claims/internal.h"

/* Three digits that count, or two of what is below a hundredth; "?" if it is unknown. */
struct digits {
	char text[32];
};

static struct digits digits_of(double value)
{
	struct digits digits = { .text = "?" };
	double size = fabs(value);

	if (!isfinite(value))
		return digits;
	if (size >= 100)
		snprintf(digits.text, sizeof(digits.text), "%.0f", value);
	else if (size >= 10)
		snprintf(digits.text, sizeof(digits.text), "%.1f", value);
	else if (size >= 1 || size == 0)
		snprintf(digits.text, sizeof(digits.text), "%.3g", value);
	else
		snprintf(digits.text, sizeof(digits.text), size >= 0.01 ? "%.3f" : "%.2g", value);
	return digits;
}

static void add_value(size_t number, const struct pl_claim_kernel *kernels, size_t nr, struct pl_buf *out)
{
	bool same = true;

	for (size_t k = 1; k < nr; k++)
		same = same && !strcmp(digits_of(kernels[k].result.numbers[number].value).text,
				       digits_of(kernels[0].result.numbers[number].value).text);
	if (same) {
		pl_buf_printf(out, "%s", digits_of(kernels[0].result.numbers[number].value).text);
		return;
	}
	for (size_t k = 0; k < nr; k++)
		pl_buf_printf(out, "%s%s (%s)", !k ? "" : k + 1 < nr ? ", " : " and ",
			      digits_of(kernels[k].result.numbers[number].value).text, kernels[k].name);
}

void pl_claim_expand(const char *text, const struct pl_claim *claim, const struct pl_claim_kernel *kernels, size_t nr_kernels,
		     struct pl_buf *out)
{
	const char *brace;

	while ((brace = strchr(text, '{'))) {
		/* The reader has seen to it that there is one, and that it is a number. */
		const char *end = strchr(brace, '}');

		pl_buf_add(out, text, (size_t)(brace - text));
		add_value(pl_claim_find_number(claim, brace + 1, (size_t)(end - brace - 1)), kernels, nr_kernels, out);
		text = end + 1;
	}
	pl_buf_printf(out, "%s", text);
}

/* What is true instead, or NULL: a text for the kernel of the file, written for the verdict that is published. */
static const char *instead_of(const struct pl_claim *claim, const struct pl_claim_kernel *kernel)
{
	const struct pl_yaml_node *instead = claim->instead;

	if (kernel->result.verdict == PL_CLAIM_HOLDS || pl_claim_differs(claim, kernel))
		return NULL;
	if (instead && instead->kind == PL_YAML_MAP)
		instead = pl_yaml_get(instead, claim->kernels[kernel->as]);
	return instead ? instead->text : NULL;
}

/* "3.12 (2.9 to 3.3, 5 seeds)": more is what else is to be said, or "". What has no interval is shown without. */
static void add_interval(const struct pl_interval *number, const char *more, struct pl_buf *out)
{
	pl_buf_printf(out, "%s", digits_of(number->value).text);
	if (!isnan(number->low))
		pl_buf_printf(out, " (%s to %s%s%s)", digits_of(number->low).text, digits_of(number->high).text, *more ? ", " : "", more);
	else if (*more)
		pl_buf_printf(out, " (%s)", more);
}

static const char *over_text(enum pl_claim_over over)
{
	static const char *const texts[] = {
		[PL_OVER_MEDIAN] = "median", [PL_OVER_MEAN] = "mean", [PL_OVER_MIN] = "lowest",
		[PL_OVER_MAX] = "highest",   [PL_OVER_SUM] = "sum",   [PL_OVER_RATE] = "share of cells",
		[PL_OVER_RATIO] = "factor",  [PL_OVER_DIFFERENCE] = "difference",
	};

	return texts[over];
}

/* "factor of `alloc_stall_s` from base to high". */
static void add_definition(const struct pl_claim *claim, const struct pl_claim_number *number, const char *quote, struct pl_buf *out)
{
	pl_buf_printf(out, "%s of %s%s%s", over_text(number->over), quote, number->of_text, quote);
	if (number->over == PL_OVER_RATIO || number->over == PL_OVER_DIFFERENCE)
		pl_buf_printf(out, " from %s to %s", claim->groups[number->group].name, claim->groups[number->second].name);
	else
		pl_buf_printf(out, " in %s", claim->groups[number->group].name);
}

static void print_numbers(FILE *out, const struct pl_claim *claim, const struct pl_claim_kernel *kernel, unsigned width)
{
	for (size_t n = 0; n < claim->nr_numbers; n++) {
		const struct pl_interval *number = &kernel->result.numbers[n];
		char *seeds = pl_asprintf("%zu seeds", kernel->result.nr_seeds[n]);
		struct pl_buf text = { 0 };

		pl_buf_printf(&text, "         %s = ", claim->numbers[n].name);
		add_interval(number, seeds, &text);
		pl_buf_printf(&text, ": ");
		free(seeds);
		add_definition(claim, &claim->numbers[n], "", &text);
		pl_report_wrapped(out, text.text, width, 11);
		pl_buf_free(&text);
	}
}

/* Why nobody can tell. */
static void print_unknown(FILE *out, const struct pl_claim *claim, const struct pl_claim_result *result, unsigned width)
{
	struct pl_buf text = { 0 };

	pl_buf_printf(&text, "                 unknown:");
	for (size_t n = 0; n < claim->nr_numbers; n++)
		if (isnan(result->numbers[n].value))
			pl_buf_printf(&text, " %s (%zu seeds say it)", claim->numbers[n].name, result->nr_seeds[n]);
	pl_report_wrapped(out, text.text, width, 17);
	pl_buf_free(&text);
}

static void print_kernel(FILE *out, const struct pl_claim_report *report, size_t k, bool is_long, const struct pl_table_style *style)
{
	const struct pl_claim *claim = report->claim;
	const struct pl_claim_kernel *kernel = &report->kernels[k];
	const struct pl_claim_result *result = &kernel->result;
	bool differs = pl_claim_differs(claim, kernel);

	fprintf(out, "%-5s  %-8s  %s%-17s%s  %4.0f %%  %-22.22s %7s %5zu\n", k ? "" : claim->id, kernel->name,
		style->colour && differs ? "\033[1;31m" : "", pl_claim_verdict_text(result->verdict),
		style->colour && differs ? "\033[0m" : "", 100 * result->stability, claim->numbers[claim->decides].name,
		digits_of(result->numbers[claim->decides].value).text, result->nr_cells);
	if (differs)
		fprintf(out, "                 DIFFERS: published for %s is: %s\n", claim->kernels[kernel->as],
			pl_claim_verdict_text(claim->published[kernel->as]));
	if (result->nr_missing)
		fprintf(out, "                 %zu of its cells are incomplete and not counted\n", result->nr_missing);
	if (result->verdict == PL_CLAIM_CANNOT_TELL)
		print_unknown(out, claim, result, style->width);
	if (is_long)
		print_numbers(out, claim, kernel, style->width);
}

void pl_claims_table(FILE *out, const struct pl_claim_report *reports, size_t nr, bool is_long, const struct pl_table_style *style)
{
	fprintf(out, "%-5s  %-8s  %-17s  %6s  %-30s %5s\n", "claim", "kernel", "verdict", "sure", "the number that decides", "cells");
	for (size_t i = 0; i < nr; i++) {
		if (is_long) {
			struct pl_buf text = { 0 };

			pl_buf_printf(&text, "%s%s: %s", i ? "\n" : "", reports[i].claim->id, reports[i].claim->statement);
			pl_report_wrapped(out, text.text, style->width, 7);
			pl_buf_free(&text);
		}
		for (size_t k = 0; k < reports[i].nr_kernels; k++)
			print_kernel(out, &reports[i], k, is_long, style);
	}
	fputs("sure: how many of 1000 draws of the seeds come to the same verdict\n", out);
}

void pl_claims_speeds(FILE *out, const struct pl_claim_report *reports, size_t nr)
{
	fprintf(out, "%-5s  %-8s  %s\n", "claim", "kernel", "verdict at so many ns an instruction, over fewer seeds");
	for (size_t i = 0; i < nr; i++) {
		for (size_t k = 0; k < reports[i].nr_kernels; k++) {
			const struct pl_claim_kernel *kernel = &reports[i].kernels[k];

			fprintf(out, "%-5s  %-8s", k ? "" : reports[i].claim->id, kernel->name);
			for (size_t s = 0; s < kernel->nr_speeds; s++)
				fprintf(out, "  %" PRIu32 ": %-*s", kernel->speeds[s].ns_per_instruction,
					s + 1 < kernel->nr_speeds ? 17 : 0, pl_claim_verdict_text(kernel->speeds[s].verdict));
			fputc('\n', out);
		}
	}
}

static struct json_object *number_json(double value)
{
	return isfinite(value) ? json_object_new_double(value) : NULL;
}

static struct json_object *kernel_json(const struct pl_claim *claim, const struct pl_claim_kernel *kernel)
{
	struct json_object *object = json_object_new_object(), *numbers = json_object_new_object();
	const struct pl_claim_result *result = &kernel->result;

	json_object_object_add(object, "kernel", json_object_new_string(kernel->name));
	json_object_object_add(object, "verdict", json_object_new_string(pl_claim_verdict_text(result->verdict)));
	json_object_object_add(object, "published", json_object_new_string(pl_claim_verdict_text(claim->published[kernel->as])));
	json_object_object_add(object, "published_for", json_object_new_string(claim->kernels[kernel->as]));
	json_object_object_add(object, "stability", json_object_new_double(result->stability));
	json_object_object_add(object, "cells", json_object_new_int64((int64_t)result->nr_cells));
	json_object_object_add(object, "cells_not_counted", json_object_new_int64((int64_t)result->nr_missing));
	for (size_t n = 0; n < claim->nr_numbers; n++) {
		struct json_object *number = json_object_new_object();

		json_object_object_add(number, "value", number_json(result->numbers[n].value));
		json_object_object_add(number, "low", number_json(result->numbers[n].low));
		json_object_object_add(number, "high", number_json(result->numbers[n].high));
		json_object_object_add(number, "seeds", json_object_new_int64((int64_t)result->nr_seeds[n]));
		json_object_object_add(numbers, claim->numbers[n].name, number);
	}
	json_object_object_add(object, "numbers", numbers);
	if (kernel->nr_speeds) {
		struct json_object *speeds = json_object_new_array();

		for (size_t s = 0; s < kernel->nr_speeds; s++) {
			struct json_object *speed = json_object_new_object();

			json_object_object_add(speed, "ns_per_instruction", json_object_new_int64(kernel->speeds[s].ns_per_instruction));
			json_object_object_add(speed, "verdict",
					       json_object_new_string(pl_claim_verdict_text(kernel->speeds[s].verdict)));
			json_object_array_add(speeds, speed);
		}
		json_object_object_add(object, "speeds", speeds);
	}
	return object;
}

void pl_claims_json(FILE *out, const struct pl_claim_report *reports, size_t nr)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < nr; i++) {
		const struct pl_claim *claim = reports[i].claim;
		struct json_object *object = json_object_new_object(), *kernels = json_object_new_array();

		json_object_object_add(object, "claim", json_object_new_string(claim->id));
		json_object_object_add(object, "name", json_object_new_string(claim->name));
		json_object_object_add(object, "statement", json_object_new_string(claim->statement));
		json_object_object_add(object, "decides", json_object_new_string(claim->numbers[claim->decides].name));
		for (size_t k = 0; k < reports[i].nr_kernels; k++)
			json_object_array_add(kernels, kernel_json(claim, &reports[i].kernels[k]));
		json_object_object_add(object, "kernels", kernels);
		json_object_array_add(list, object);
	}
	fprintf(out, "%s\n", json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
}

static const struct pl_claim_kernel *find_kernel(const struct pl_claim_report *report, const char *name)
{
	for (size_t k = 0; k < report->nr_kernels; k++)
		if (!strcmp(report->kernels[k].name, name))
			return &report->kernels[k];
	return NULL;
}

/* All kernels that any of the claims is judged on: not every claim is about every kernel. */
struct columns {
	const char **names;
	size_t nr;
};

static struct columns columns_of(const struct pl_claim_report *reports, size_t nr)
{
	struct columns columns = { .names = pl_calloc(nr * PL_CLAIM_MAX_KERNELS + 1, sizeof(*columns.names)) };

	for (size_t i = 0; i < nr; i++) {
		for (size_t k = 0; k < reports[i].nr_kernels; k++) {
			const char *name = reports[i].kernels[k].name;
			size_t earlier = 0;

			while (earlier < columns.nr && strcmp(columns.names[earlier], name) != 0)
				earlier++;
			if (earlier == columns.nr)
				columns.names[columns.nr++] = name;
		}
	}
	return columns;
}

static void markdown_overview(FILE *out, const struct pl_claim_report *reports, size_t nr)
{
	struct columns columns = columns_of(reports, nr);

	fputs("<!-- SPDX-License-Identifier: GPL-3.0-or-later -->\n"
	      "<!-- Printed by `plimsoll claims --format markdown`: change configs/claims/, not this. -->\n"
	      "# What the articles claim, and what happens\n\n"
	      "    make claims\n\n"
	      "Two articles say how Linux behaves when memory runs low. Each of their claims is an experiment in `configs/claims/`: cells, numbers over\n"
	      "their seeds, and what those have to be for the claim to hold. The verdict is computed. In brackets: how many of 1000 draws of the seeds, with\n"
	      "replacement, come to the same verdict; behind a number: its interval from the same draws, 95 % (the lowest and the highest of all have\n"
	      "none). What is not said below about cells is in the claim's file; [formats.md](formats.md) explains it, [metrics.md](metrics.md) the metrics. All of it is on small guests with modelled disks.\n\n"
	      "| claim |", out);
	for (size_t c = 0; c < columns.nr; c++)
		fprintf(out, " %s |", columns.names[c]);
	fputs(" the number that decides | cells |\n|---|", out);
	for (size_t c = 0; c < columns.nr; c++)
		fputs("---|", out);
	fputs("---|---|\n", out);
	for (size_t i = 0; i < nr; i++) {
		const struct pl_claim *claim = reports[i].claim;
		struct pl_buf value = { 0 };
		size_t cells = 0;

		fprintf(out, "| [%s](#%s) %s |", claim->id, claim->name, claim->statement);
		for (size_t c = 0; c < columns.nr; c++) {
			const struct pl_claim_kernel *kernel = find_kernel(&reports[i], columns.names[c]);

			if (!kernel) {
				fputs(" |", out);
				continue;
			}
			fprintf(out, " **%s** (%.0f %%) |", pl_claim_verdict_text(kernel->result.verdict), 100 * kernel->result.stability);
			cells += kernel->result.nr_cells;
		}
		add_value(claim->decides, reports[i].kernels, reports[i].nr_kernels, &value);
		fprintf(out, " `%s` %s | %zu |\n", claim->numbers[claim->decides].name, value.text, cells);
		pl_buf_free(&value);
	}
	free(columns.names);
}

static void markdown_paragraph(FILE *out, const char *head, const char *text, const struct pl_claim *claim,
			       const struct pl_claim_kernel *kernels, size_t nr_kernels)
{
	struct pl_buf expanded = { 0 }, whole = { 0 };

	pl_claim_expand(text, claim, kernels, nr_kernels, &expanded);
	pl_buf_printf(&whole, "**%s** %s", head, expanded.text);
	pl_report_wrapped(out, whole.text, PL_TABLE_MAX_WIDTH, 0);
	fputc('\n', out);
	pl_buf_free(&whole);
	pl_buf_free(&expanded);
}

static void markdown_claim(FILE *out, const struct pl_claim_report *report)
{
	const struct pl_claim *claim = report->claim;

	fprintf(out, "\n<a id=\"%s\"></a>\n## %s: %s\n\n", claim->name, claim->id, claim->statement);
	markdown_paragraph(out, "It would be refuted by:", claim->refuted_by, claim, report->kernels, report->nr_kernels);
	for (size_t k = 0; k < report->nr_kernels; k++) {
		const struct pl_claim_kernel *kernel = &report->kernels[k];
		const char *instead = instead_of(claim, kernel);
		char *head = pl_asprintf("On %s: %s.", kernel->name, pl_claim_verdict_text(kernel->result.verdict));

		if (instead)
			markdown_paragraph(out, head, instead, claim, kernel, 1);
		else
			fprintf(out, "**%s**\n\n", head);
		free(head);
	}
	fputs("| number |", out);
	for (size_t k = 0; k < report->nr_kernels; k++)
		fprintf(out, " %s |", report->kernels[k].name);
	fputs(" what |\n|---|", out);
	for (size_t k = 0; k < report->nr_kernels; k++)
		fputs("---|", out);
	fputs("---|\n", out);
	for (size_t n = 0; n < claim->nr_numbers; n++) {
		struct pl_buf definition = { 0 };

		fprintf(out, "| `%s` |", claim->numbers[n].name);
		for (size_t k = 0; k < report->nr_kernels; k++) {
			struct pl_buf text = { 0 };

			add_interval(&report->kernels[k].result.numbers[n], "", &text);
			fprintf(out, " %s |", text.text);
			pl_buf_free(&text);
		}
		add_definition(claim, &claim->numbers[n], "`", &definition);
		fprintf(out, " %s |\n", definition.text);
		pl_buf_free(&definition);
	}
	fputc('\n', out);
	markdown_paragraph(out, "Mechanism.", claim->mechanism, claim, report->kernels, report->nr_kernels);
	markdown_paragraph(out, "What to do today.", claim->today, claim, report->kernels, report->nr_kernels);
	fprintf(out, "![%s by group, a dot a cell](images/claims/%s.svg)\n", claim->drawn_text[0], claim->name);
}

static void markdown_speeds(FILE *out, const struct pl_claim_report *reports, size_t nr)
{
	bool any = false;

	for (size_t i = 0; i < nr; i++) {
		for (size_t k = 0; k < reports[i].nr_kernels; k++) {
			const struct pl_claim_kernel *kernel = &reports[i].kernels[k];

			if (!kernel->nr_speeds)
				continue;
			if (!any)
				fputs("\n## Do the verdicts depend on how fast the CPU is?\n\n"
				      "The same with half and twice the length of an instruction, over the first five seeds (`make claims ARGS=--sensitivity`), of the claims\n"
				      "for which that was run. Cannot tell: with too few of the five seeds what is judged came to pass.\n\n| claim | kernel | verdict at so many ns an instruction |\n|---|---|---|\n", out);
			any = true;
			fprintf(out, "| %s | %s |", reports[i].claim->id, kernel->name);
			for (size_t s = 0; s < kernel->nr_speeds; s++)
				fprintf(out, "%s %" PRIu32 ": %s", s ? ";" : "", kernel->speeds[s].ns_per_instruction,
					pl_claim_verdict_text(kernel->speeds[s].verdict));
			fputs(" |\n", out);
		}
	}
}

void pl_claims_markdown(FILE *out, const struct pl_claim_report *reports, size_t nr)
{
	markdown_overview(out, reports, nr);
	markdown_speeds(out, reports, nr);
	for (size_t i = 0; i < nr; i++)
		markdown_claim(out, &reports[i]);
}
