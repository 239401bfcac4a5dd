// SPDX-License-Identifier: GPL-3.0-or-later
/* The OOM killer's kills of one cell, for people and for programs. */
#include "report/internal.h"

#include <json-c/json.h>
#include <math.h>

#define KIB_PER_MIB 1024.0

static void add_size(struct pl_buf *text, const char *before, int64_t kib, const char *after)
{
	if (kib >= 0)
		pl_buf_printf(text, "%s%.3g MiB%s", before, (double)kib / KIB_PER_MIB, after);
}

/* Prints it, and empties it for the next. */
static void print_part(FILE *out, struct pl_buf *text, unsigned indent, const struct pl_table_style *style)
{
	struct pl_buf line = { 0 };

	pl_buf_printf(&line, "%*s", (int)indent, "");
	report_name(&line, text->text, text->len);
	pl_report_wrapped(out, line.text, style->width, indent + 2);
	pl_buf_free(&line);
	text->len = 0;
}

static void add_victim(const struct pl_oom_kill *kill, struct pl_buf *text)
{
	pl_buf_printf(text, "%.3f s: killed %s %u:", kill->at_s, *kill->victim_comm ? kill->victim_comm : "?",
		      kill->victim);
	add_size(text, " ", kill->anon_kib, " anon");
	add_size(text, ", ", kill->file_kib, " file");
	add_size(text, ", ", kill->shmem_kib, " shmem");
	add_size(text, ", ", kill->pgtables_kib, " page tables");
	add_size(text, ", ", kill->total_vm_kib, " mapped");
	if (kill->has_victim_adj)
		pl_buf_printf(text, ", oom_score_adj %d", kill->victim_adj);
	if (*kill->rule.victim_memcg)
		pl_buf_printf(text, ", in cgroup %s", kill->rule.victim_memcg);
}

static void add_asker(const struct pl_oom_kill *kill, struct pl_buf *text)
{
	const struct pl_oom_request *request = &kill->request;

	pl_buf_printf(text, "asked by %s %u", *kill->asker_comm ? kill->asker_comm : "?", kill->asker);
	if (request->known)
		pl_buf_printf(text, ": order %d, %s", request->order, request->gfp_text);
	else
		pl_buf_printf(text, ": for what is not in the log");
	if (kill->has_asker_adj)
		pl_buf_printf(text, "; oom_score_adj %d", kill->asker_adj);
	if (isfinite(kill->stall_s))
		pl_buf_printf(text, "; after a stall of %.3g s, which began with %.3g MiB free and MIN at %.3g",
			      kill->stall_s, kill->stall_free_mib, kill->stall_min_mib);
	else
		pl_buf_printf(text, "; no allocation stall of it was under way");
}

static void add_memory(const struct pl_oom_memory *memory, struct pl_buf *text)
{
	if (memory->free_kib < 0) {
		pl_buf_printf(text, "memory: not in the log");
		return;
	}
	if (memory->of_console)
		pl_buf_printf(text, "memory, as the kernel reported it:");
	else
		pl_buf_printf(text, "memory, by a sample %.0f ms before:", 1000 * memory->age_s);
	add_size(text, " ", memory->free_kib, " free");
	add_size(text, " (MIN ", memory->min_kib, "");
	add_size(text, ", LOW ", memory->low_kib, ")");
	add_size(text, ", ", memory->file_kib, " of files");
	add_size(text, " (", memory->dirty_kib, " dirty");
	add_size(text, ", ", memory->writeback_kib, " under writeback)");
	add_size(text, ", ", memory->slab_reclaimable_kib, " of reclaimable slab");
	add_size(text, ", ", memory->anon_kib, " of anonymous pages");
	if (!memory->swap_total_kib) {
		pl_buf_printf(text, ", no swap");
	} else if (memory->swap_total_kib > 0) {
		add_size(text, ", ", memory->swap_free_kib, " of");
		add_size(text, " ", memory->swap_total_kib, " of swap free");
	}
}

static void print_kill(FILE *out, const struct pl_oom_kill *kill, const struct pl_table_style *style)
{
	char rule[PL_OOM_PATH_MAX + 80];
	struct pl_buf text = { 0 };

	add_victim(kill, &text);
	print_part(out, &text, 2, style);
	add_asker(kill, &text);
	print_part(out, &text, 4, style);
	add_memory(&kill->memory, &text);
	print_part(out, &text, 4, style);
	pl_oom_rule_text(&kill->rule, rule, sizeof(rule));
	pl_buf_printf(&text, "who was short of memory: %s", rule);
	print_part(out, &text, 4, style);
	pl_buf_free(&text);
}

void report_oom(FILE *out, const struct pl_oom *oom, const struct pl_table_style *style)
{
	fprintf(out, "\n%sOOM kills%s (times since the workload began)\n", report_colour(style, REPORT_BOLD),
		report_colour(style, REPORT_PLAIN));
	for (size_t i = 0; i < oom->nr_kills; i++)
		print_kill(out, &oom->kills[i], style);
	if (oom->more)
		fprintf(out, "  and %zu more\n", oom->more);
	if (oom->ending)
		fprintf(out, "  besides, %zu task%s that %s ending anyway got the reserves\n", oom->ending,
			oom->ending == 1 ? "" : "s", oom->ending == 1 ? "was" : "were");
}

/* A number, or null where it is not known. */
static void add_number(struct json_object *json, const char *key, double value)
{
	json_object_object_add(json, key, isfinite(value) ? json_object_new_double(value) : NULL);
}

static void add_kib(struct json_object *json, const char *key, int64_t kib)
{
	json_object_object_add(json, key, kib >= 0 ? json_object_new_int64(kib) : NULL);
}

static void add_text(struct json_object *json, const char *key, const char *text)
{
	json_object_object_add(json, key, *text ? json_object_new_string(text) : NULL);
}

static void add_adj(struct json_object *json, bool known, int32_t adj)
{
	json_object_object_add(json, "oom_score_adj", known ? json_object_new_int(adj) : NULL);
}

static struct json_object *victim_json(const struct pl_oom_kill *kill)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "pid", json_object_new_int64(kill->victim));
	add_text(json, "comm", kill->victim_comm);
	add_kib(json, "anon_kib", kill->anon_kib);
	add_kib(json, "file_kib", kill->file_kib);
	add_kib(json, "shmem_kib", kill->shmem_kib);
	add_kib(json, "pgtables_kib", kill->pgtables_kib);
	add_kib(json, "total_vm_kib", kill->total_vm_kib);
	add_adj(json, kill->has_victim_adj, kill->victim_adj);
	add_text(json, "cgroup", kill->rule.victim_memcg);
	return json;
}

static struct json_object *asker_json(const struct pl_oom_kill *kill)
{
	const struct pl_oom_request *request = &kill->request;
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "pid", json_object_new_int64(kill->asker));
	add_text(json, "comm", kill->asker_comm);
	json_object_object_add(json, "order", request->known ? json_object_new_int(request->order) : NULL);
	json_object_object_add(json, "gfp", request->known ? json_object_new_int64(request->gfp) : NULL);
	add_text(json, "gfp_names", request->gfp_text);
	add_adj(json, kill->has_asker_adj, kill->asker_adj);
	add_number(json, "stall_s", kill->stall_s);
	return json;
}

static struct json_object *memory_json(const struct pl_oom_memory *memory)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "source", json_object_new_string(memory->of_console ? "kernel" : "sample"));
	add_number(json, "age_s", memory->of_console ? 0 : memory->age_s);
	add_kib(json, "free_kib", memory->free_kib);
	add_kib(json, "min_kib", memory->min_kib);
	add_kib(json, "low_kib", memory->low_kib);
	add_kib(json, "file_kib", memory->file_kib);
	add_kib(json, "dirty_kib", memory->dirty_kib);
	add_kib(json, "writeback_kib", memory->writeback_kib);
	add_kib(json, "slab_reclaimable_kib", memory->slab_reclaimable_kib);
	add_kib(json, "anon_kib", memory->anon_kib);
	add_kib(json, "swap_free_kib", memory->swap_free_kib);
	add_kib(json, "swap_total_kib", memory->swap_total_kib);
	return json;
}

static struct json_object *rule_json(const struct pl_oom_rule *rule)
{
	struct json_object *json = json_object_new_object();

	add_text(json, "constraint", rule->constraint);
	add_text(json, "cgroup", rule->memcg);
	add_kib(json, "usage_kib", rule->usage_kib);
	add_kib(json, "limit_kib", rule->limit_kib);
	add_kib(json, "swap_usage_kib", rule->swap_usage_kib);
	add_kib(json, "swap_limit_kib", rule->swap_limit_kib);
	return json;
}

struct json_object *report_oom_json(const struct pl_oom *oom)
{
	struct json_object *json = json_object_new_object(), *kills = json_object_new_array();

	for (size_t i = 0; i < oom->nr_kills; i++) {
		struct json_object *kill = json_object_new_object();

		add_number(kill, "at_s", oom->kills[i].at_s);
		json_object_object_add(kill, "victim", victim_json(&oom->kills[i]));
		json_object_object_add(kill, "asker", asker_json(&oom->kills[i]));
		json_object_object_add(kill, "memory", memory_json(&oom->kills[i].memory));
		json_object_object_add(kill, "rule", rule_json(&oom->kills[i].rule));
		json_object_array_add(kills, kill);
	}
	json_object_object_add(json, "kills", kills);
	json_object_object_add(json, "more", json_object_new_int64((int64_t)oom->more));
	json_object_object_add(json, "ending", json_object_new_int64((int64_t)oom->ending));
	return json;
}
