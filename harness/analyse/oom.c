// SPDX-License-Identifier: GPL-3.0-or-later
/* What the log and the console say of the OOM killer's kills. */
#include "analyse/oom.h"
#include "analyse/gfp.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S	1e9
#define KIB_PER_MIB	1024.0
/* As many stalls as the recorder follows at a time. */
#define MAX_OPEN_STALLS 1024
/* The longest line of a report, the summary with two paths of cgroups, is shorter. */
#define MAX_LINE	1024

struct oom_reader {
	const struct pl_bb *bb;
	struct pl_oom *oom;
	bool has_workload;
	uint64_t workload_ns;
	int64_t counted; /* by the kernel, and not yet seen as a record */
	bool is_sure[PL_OOM_MAX_KILLS]; /* of the list */
	/* Records since the last sample that may be no kills: in the list, before the workload, beyond the list. */
	size_t unsure, unsure_before, unsure_more;
	struct bb_sample sample;
	bool has_sample;
	bool has_zones;
	uint64_t zones_min, zones_low; /* of the sample */
	struct bb_stall_begin stalls[MAX_OPEN_STALLS];
	size_t nr_stalls;
};

/* What the kernel says before it kills, up to the kill. */
struct oom_report {
	bool open;
	uint32_t asker;
	char asker_comm[BB_COMM_LEN + 1];
	bool has_adj;
	int32_t adj;
	struct pl_oom_request request;
	bool in_memory;
	struct pl_oom_memory memory;
	struct pl_oom_rule rule;
};

static const struct pl_oom_memory unknown_memory = {
	.age_s = NAN,
	.free_kib = PL_OOM_UNKNOWN, .min_kib = PL_OOM_UNKNOWN, .low_kib = PL_OOM_UNKNOWN, .anon_kib = PL_OOM_UNKNOWN,
	.file_kib = PL_OOM_UNKNOWN, .dirty_kib = PL_OOM_UNKNOWN, .writeback_kib = PL_OOM_UNKNOWN,
	.slab_reclaimable_kib = PL_OOM_UNKNOWN, .swap_free_kib = PL_OOM_UNKNOWN, .swap_total_kib = PL_OOM_UNKNOWN,
};
static const struct pl_oom_rule unknown_rule = {
	.usage_kib = PL_OOM_UNKNOWN, .limit_kib = PL_OOM_UNKNOWN,
	.swap_usage_kib = PL_OOM_UNKNOWN, .swap_limit_kib = PL_OOM_UNKNOWN,
};

static uint64_t oom_after(uint64_t since, uint64_t until)
{
	return until > since ? until - since : 0;
}

/* Of pages; what cannot be is not believed. */
static int64_t oom_kib(const struct oom_reader *reader, uint64_t pages)
{
	uint64_t kib;

	if (__builtin_mul_overflow(pages, reader->bb->header.page_bytes / 1024, &kib) || kib > INT64_MAX / 1024)
		return PL_OOM_UNKNOWN;
	return (int64_t)kib;
}

static void memory_of_sample(const struct oom_reader *reader, uint64_t t_ns, struct pl_oom_memory *memory)
{
	const struct bb_sample *s = &reader->sample;

	*memory = unknown_memory;
	if (!reader->has_sample)
		return;
	memory->age_s = (double)oom_after(s->head.t_ns, t_ns) / NS_PER_S;
	memory->free_kib = oom_kib(reader, s->nr_free_pages);
	if (reader->has_zones) {
		memory->min_kib = oom_kib(reader, reader->zones_min);
		memory->low_kib = oom_kib(reader, reader->zones_low);
	}
	memory->anon_kib = oom_kib(reader, s->nr_inactive_anon + s->nr_active_anon);
	memory->file_kib = oom_kib(reader, s->nr_inactive_file + s->nr_active_file);
	memory->dirty_kib = oom_kib(reader, s->nr_dirty);
	memory->writeback_kib = oom_kib(reader, s->nr_writeback);
	memory->slab_reclaimable_kib = oom_kib(reader, s->nr_slab_reclaimable);
	memory->swap_free_kib = oom_kib(reader, s->nr_swap_free);
	memory->swap_total_kib = oom_kib(reader, s->nr_swap_total);
}

/* The innermost stall of a task that is under way, or NULL. */
static struct bb_stall_begin *open_stall(struct oom_reader *reader, uint32_t pid)
{
	for (size_t i = reader->nr_stalls; i-- > 0;)
		if (reader->stalls[i].head.pid == pid)
			return &reader->stalls[i];
	return NULL;
}

static void oom_on_stall_end(struct oom_reader *reader, const struct bb_stall_end *r)
{
	struct bb_stall_begin *stall = open_stall(reader, r->head.pid);

	if (!stall)
		return;
	/* Only now is it known what the task is called. */
	for (size_t i = reader->oom->nr_kills; i-- > 0;) {
		struct pl_oom_kill *kill = &reader->oom->kills[i];

		if (kill->t_ns < stall->head.t_ns)
			break;
		if (kill->asker == r->head.pid && !*kill->asker_comm)
			pl_bb_string(kill->asker_comm, sizeof(kill->asker_comm), r->comm, sizeof(r->comm));
	}
	reader->nr_stalls--;
	memmove(stall, stall + 1, (size_t)(&reader->stalls[reader->nr_stalls] - stall) * sizeof(*stall));
}

/* So many of the records that may be no kills are some, by the counter: of several the first in the log. */
static void settle(struct oom_reader *reader, size_t kills)
{
	struct pl_oom *oom = reader->oom;
	size_t of_list, of_more, kept = 0, left;

	kills -= kills < reader->unsure_before ? kills : reader->unsure_before;
	of_list = kills < reader->unsure ? kills : reader->unsure;
	of_more = kills - of_list < reader->unsure_more ? kills - of_list : reader->unsure_more;
	oom->ending += reader->unsure - of_list + reader->unsure_more - of_more;
	oom->more += of_more;
	left = of_list;
	for (size_t i = 0; i < oom->nr_kills; i++) {
		if (!reader->is_sure[i] && !left)
			continue;
		left -= !reader->is_sure[i];
		reader->is_sure[kept] = true;
		if (kept != i)
			oom->kills[kept] = oom->kills[i];
		kept++;
	}
	oom->nr_kills = kept;
	reader->unsure = reader->unsure_before = reader->unsure_more = 0;
}

static void oom_on_sample(struct oom_reader *reader, const struct bb_sample *sample)
{
	size_t unsure = reader->unsure_before + reader->unsure + reader->unsure_more, kills;

	if (reader->has_sample)
		reader->counted += (int64_t)(oom_after(reader->sample.oom_kill, sample->oom_kill) & INT32_MAX);
	kills = reader->counted <= 0 ? 0 : (size_t)reader->counted < unsure ? (size_t)reader->counted : unsure;
	reader->counted -= (int64_t)kills;
	settle(reader, kills);
	reader->sample = *sample;
	reader->has_sample = true;
	reader->has_zones = false;
	reader->zones_min = reader->zones_low = 0;
}

static void oom_on_kill(struct oom_reader *reader, const struct bb_oom_kill *r)
{
	const struct bb_stall_begin *stall = open_stall(reader, r->head.pid);
	double mib_per_page = reader->bb->header.page_bytes / KIB_PER_MIB / KIB_PER_MIB;
	/* Who is ending asks for itself, but so may who is chosen. */
	bool sure = r->head.pid != r->pid;
	struct pl_oom_kill *kill;

	reader->counted -= sure;
	if (!reader->has_workload) {
		reader->unsure_before += !sure;
		return;
	}
	if (reader->oom->nr_kills == PL_OOM_MAX_KILLS) {
		reader->oom->more += sure;
		reader->unsure_more += !sure;
		return;
	}
	reader->unsure += !sure;
	reader->is_sure[reader->oom->nr_kills] = sure;
	kill = &reader->oom->kills[reader->oom->nr_kills++];
	*kill = (struct pl_oom_kill){
		.t_ns = r->head.t_ns,
		.at_s = (double)oom_after(reader->workload_ns, r->head.t_ns) / NS_PER_S,
		.victim = r->pid,
		.anon_kib = r->anon_rss_kib > INT64_MAX / 1024 ? PL_OOM_UNKNOWN : (int64_t)r->anon_rss_kib,
		.file_kib = PL_OOM_UNKNOWN,
		.shmem_kib = PL_OOM_UNKNOWN,
		.total_vm_kib = PL_OOM_UNKNOWN,
		.pgtables_kib = PL_OOM_UNKNOWN,
		.asker = r->head.pid,
		.stall_s = NAN,
		.swap_free_kib = oom_kib(reader, r->swap_free_pages),
		.rule = unknown_rule,
	};
	pl_bb_string(kill->victim_comm, sizeof(kill->victim_comm), r->comm, sizeof(r->comm));
	if (kill->asker == kill->victim)
		memcpy(kill->asker_comm, kill->victim_comm, sizeof(kill->asker_comm));
	memory_of_sample(reader, r->head.t_ns, &kill->sample);
	kill->memory = kill->sample;
	/* The record knows it better. */
	if (kill->swap_free_kib >= 0)
		kill->memory.swap_free_kib = kill->swap_free_kib;
	if (!stall)
		return;
	kill->stall_s = (double)oom_after(stall->head.t_ns, r->head.t_ns) / NS_PER_S;
	kill->stall_free_mib = (double)stall->free * mib_per_page;
	kill->stall_min_mib = ((double)stall->min + (double)stall->boost) * mib_per_page;
	kill->request.known = true;
	kill->request.order = (int32_t)(stall->order & INT32_MAX);
	kill->request.gfp = stall->gfp;
	pl_gfp_text(stall->gfp, kill->request.gfp_text, sizeof(kill->request.gfp_text));
}

static void oom_on_record(struct oom_reader *reader, const struct bb_rec *rec)
{
	const void *r = rec;
	const struct bb_zone *zone = r;

	switch (rec->type) {
	case BB_REC_MARK:
		if (!reader->has_workload && pl_bb_is_mark(rec, "workload")) {
			reader->has_workload = true;
			reader->workload_ns = rec->t_ns;
		}
		break;
	case BB_REC_SAMPLE:
		oom_on_sample(reader, r);
		break;
	case BB_REC_ZONE:
		if (!reader->has_sample || zone->seq != reader->sample.seq)
			break;
		reader->has_zones = true;
		reader->zones_min += zone->min + zone->boost;
		reader->zones_low += zone->low + zone->boost;
		break;
	case BB_REC_STALL_BEGIN:
		if (reader->nr_stalls < MAX_OPEN_STALLS)
			reader->stalls[reader->nr_stalls++] = *(const struct bb_stall_begin *)r;
		break;
	case BB_REC_STALL_END:
		oom_on_stall_end(reader, r);
		break;
	case BB_REC_OOM_KILL:
		oom_on_kill(reader, r);
		break;
	default:
		break;
	}
}

/* A line without what printk puts before it: "[    7.604994] ", and the caller "[   T36] " where that is configured. */
static const char *without_stamp(const char *line)
{
	while (*line == '[') {
		const char *close = strchr(line, ']');

		if (!close)
			break;
		line = close + 1;
		while (*line == ' ')
			line++;
	}
	return line;
}

/* The number after a key that begins a word; PL_OOM_UNKNOWN if there is none that can be. *unit: what follows it. */
static int64_t number_after(const char *line, const char *key, const char **unit)
{
	size_t len = strlen(key);

	for (const char *at = strstr(line, key); at; at = strstr(at + 1, key)) {
		char *end;
		long long value;

		if (at != line && !strchr(" ,", at[-1]))
			continue;
		at += len;
		while (*at == ' ')
			at++;
		value = strtoll(at, &end, 10);
		if (end == at || !isdigit((unsigned char)*at) || value > INT64_MAX / 1024 / 1024)
			return PL_OOM_UNKNOWN;
		if (unit)
			*unit = end;
		return value;
	}
	return PL_OOM_UNKNOWN;
}

static int64_t kib_after(const char *line, const char *key)
{
	const char *unit;
	int64_t value = number_after(line, key, &unit);

	return value >= 0 && !strncmp(unit, "kB", 2) ? value : PL_OOM_UNKNOWN;
}

static bool signed_after(const char *line, const char *key, int32_t *value)
{
	const char *at = strstr(line, key);

	if (!at || (!isdigit((unsigned char)at[strlen(key)]) && at[strlen(key)] != '-'))
		return false;
	*value = (int32_t)strtol(at + strlen(key), NULL, 10);
	return true;
}

/* From the key to the next `until`, or to the end. */
static void text_after(const char *line, const char *key, const char *until, char *text, size_t room)
{
	const char *at = strstr(line, key), *end;

	*text = '\0';
	if (!at)
		return;
	at += strlen(key);
	end = strstr(at, until);
	pl_bb_string(text, room, at, end ? (size_t)(end - at) : strlen(at));
}

/* "faulter invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|...), order=0, oom_score_adj=0" */
static void begin_report(struct oom_report *report, const char *line, const char *invoked)
{
	const char *gfp = strstr(invoked, "gfp_mask=");

	*report = (struct oom_report){ .open = true, .memory = unknown_memory, .rule = unknown_rule };
	pl_bb_string(report->asker_comm, sizeof(report->asker_comm), line, (size_t)(invoked - line));
	report->has_adj = signed_after(invoked, "oom_score_adj=", &report->adj);
	if (!gfp || !signed_after(invoked, "order=", &report->request.order))
		return;
	report->request.known = true;
	report->request.of_console = true;
	report->request.gfp = (uint32_t)strtoul(gfp + strlen("gfp_mask="), NULL, 16);
	text_after(gfp, "(", ")", report->request.gfp_text, sizeof(report->request.gfp_text));
	if (!*report->request.gfp_text)
		pl_gfp_text(report->request.gfp, report->request.gfp_text, sizeof(report->request.gfp_text));
}

/* "active_file:65 inactive_file:0": pages; two of a pair are added. What was said before counts. */
static void read_pages(const struct oom_reader *reader, const char *line, const char *one, const char *two,
		       int64_t *kib)
{
	int64_t pages = number_after(line, one, NULL), more = two ? number_after(line, two, NULL) : 0;

	if (*kib == PL_OOM_UNKNOWN && pages >= 0 && more >= 0)
		*kib = oom_kib(reader, (uint64_t)pages + (uint64_t)more);
}

static void add_kib(int64_t *sum, int64_t kib)
{
	if (kib >= 0)
		*sum = (*sum < 0 ? 0 : *sum) + kib;
}

static void read_memory(const struct oom_reader *reader, const char *line, struct oom_report *report)
{
	struct pl_oom_memory *memory = &report->memory;

	memory->of_console = true;
	if (!strncmp(line, "Free swap", 9)) {
		memory->swap_free_kib = kib_after(line, "=");
	} else if (!strncmp(line, "Total swap", 10)) {
		memory->swap_total_kib = kib_after(line, "=");
	} else if (strstr(line, " min:") && strstr(line, " managed:")) {
		/* One for each zone; the marks have their boost in them. */
		add_kib(&memory->min_kib, kib_after(line, "min:"));
		add_kib(&memory->low_kib, kib_after(line, "low:"));
	} else if (strncmp(line, "Node ", 5) != 0) {
		read_pages(reader, line, "active_anon:", "inactive_anon:", &memory->anon_kib);
		read_pages(reader, line, "active_file:", "inactive_file:", &memory->file_kib);
		read_pages(reader, line, "dirty:", NULL, &memory->dirty_kib);
		read_pages(reader, line, "writeback:", NULL, &memory->writeback_kib);
		read_pages(reader, line, "slab_reclaimable:", NULL, &memory->slab_reclaimable_kib);
		read_pages(reader, line, "free:", NULL, &memory->free_kib);
	}
}

/* "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/box,task_memcg=/box,task=hog,pid=35,uid=0" */
static void read_rule(const char *line, struct pl_oom_rule *rule)
{
	text_after(line, "constraint=", ",", rule->constraint, sizeof(rule->constraint));
	text_after(line, ",oom_memcg=", ",task_memcg=", rule->memcg, sizeof(rule->memcg));
	text_after(line, ",task_memcg=", ",task=", rule->victim_memcg, sizeof(rule->victim_memcg));
}

/* A report belongs to the kill only if it is of the task that the log says ran. */
static void add_report(const struct oom_report *report, struct pl_oom_kill *kill)
{
	if (!report->open || report->asker != kill->asker)
		return;
	memcpy(kill->asker_comm, report->asker_comm, sizeof(kill->asker_comm));
	kill->has_asker_adj = report->has_adj;
	kill->asker_adj = report->adj;
	if (report->request.known)
		kill->request = report->request;
	if (report->memory.free_kib >= 0)
		kill->memory = report->memory;
	kill->rule = report->rule;
}

/* "Out of memory: Killed process 35 (vmalock) total-vm:293004kB, anon-rss:256kB, ..." */
static void add_kill_line(struct pl_oom *oom, size_t *next, const char *line, const struct oom_report *report)
{
	int64_t pid = number_after(line, "Killed process ", NULL);

	for (size_t i = *next; i < oom->nr_kills; i++) {
		struct pl_oom_kill *kill = &oom->kills[i];

		if (kill->victim != pid)
			continue;
		kill->total_vm_kib = kib_after(line, "total-vm:");
		kill->file_kib = kib_after(line, "file-rss:");
		kill->shmem_kib = kib_after(line, "shmem-rss:");
		kill->pgtables_kib = kib_after(line, "pgtables:");
		kill->has_victim_adj = signed_after(line, "oom_score_adj:", &kill->victim_adj);
		add_report(report, kill);
		*next = i + 1;
		return;
	}
}

static void read_line(struct oom_reader *reader, const char *line, struct oom_report *report, size_t *next)
{
	const char *invoked = strstr(line, " invoked oom-killer: ");

	if (invoked) {
		begin_report(report, line, invoked);
	} else if (strstr(line, "Killed process ")) {
		add_kill_line(reader->oom, next, line, report);
		report->open = false;
	} else if (!report->open) {
		return;
	} else if (!strncmp(line, "CPU: ", 5) && !report->asker) {
		report->asker = (uint32_t)number_after(line, "PID:", NULL);
	} else if (!strncmp(line, "Mem-Info:", 9)) {
		report->in_memory = true;
	} else if (!strncmp(line, "memory: usage", 13)) {
		report->rule.usage_kib = kib_after(line, "usage");
		report->rule.limit_kib = kib_after(line, "limit");
	} else if (!strncmp(line, "swap: usage", 11)) {
		report->rule.swap_usage_kib = kib_after(line, "usage");
		report->rule.swap_limit_kib = kib_after(line, "limit");
	} else if (!strncmp(line, "oom-kill:", 9)) {
		read_rule(line, &report->rule);
	} else if (report->in_memory) {
		read_memory(reader, line, report);
	}
}

static void read_console(struct oom_reader *reader, const char *console)
{
	struct oom_report report = { 0 };
	size_t next = 0;

	while (*console) {
		size_t len = strcspn(console, "\n");
		char line[MAX_LINE];

		pl_bb_string(line, sizeof(line), console, len && console[len - 1] == '\r' ? len - 1 : len);
		read_line(reader, without_stamp(line), &report, &next);
		console += len + (console[len] == '\n');
	}
}

void pl_oom_read(const struct pl_bb *bb, const char *console, struct pl_oom *oom)
{
	struct oom_reader *reader = pl_calloc(1, sizeof(*reader));
	const struct bb_rec *rec;
	uint64_t offset = 0;

	*oom = (struct pl_oom){ .kills = pl_calloc(PL_OOM_MAX_KILLS, sizeof(*oom->kills)) };
	reader->bb = bb;
	reader->oom = oom;
	while (pl_bb_next(bb, &offset, &rec) == PL_BB_RECORD && rec->type != BB_REC_END)
		oom_on_record(reader, rec);
	/* After the last sample nobody says that they are none. */
	settle(reader, reader->unsure_before + reader->unsure + reader->unsure_more);
	if (console && oom->nr_kills)
		read_console(reader, console);
	free(reader);
}

void pl_oom_free(struct pl_oom *oom)
{
	free(oom->kills);
	*oom = (struct pl_oom){ 0 };
}

bool pl_oom_is_kill(const struct pl_oom *oom, const struct bb_oom_kill *record)
{
	if (record->head.pid != record->pid)
		return true;
	for (size_t i = 0; i < oom->nr_kills; i++)
		if (oom->kills[i].t_ns == record->head.t_ns && oom->kills[i].victim == record->pid)
			return true;
	/* Beyond the list it is not known. */
	return oom->more && (!oom->nr_kills || record->head.t_ns > oom->kills[oom->nr_kills - 1].t_ns);
}

void pl_oom_rule_text(const struct pl_oom_rule *rule, char *text, size_t room)
{
	if (!*rule->constraint)
		snprintf(text, room, "not in the log");
	else if (!strcmp(rule->constraint, "CONSTRAINT_NONE"))
		snprintf(text, room, "the whole machine");
	else if (!*rule->memcg)
		snprintf(text, room, "%s", rule->constraint);
	else if (rule->usage_kib >= 0 && rule->limit_kib >= 0)
		snprintf(text, room, "memory.max of %s, %.1f of %.1f MiB", rule->memcg,
			 (double)rule->usage_kib / KIB_PER_MIB, (double)rule->limit_kib / KIB_PER_MIB);
	else
		snprintf(text, room, "memory.max of %s", rule->memcg);
}

static void add_mib(struct pl_buf *line, const char *before, int64_t kib, const char *after)
{
	if (kib >= 0)
		pl_buf_printf(line, "%s%.3g MiB%s", before, (double)kib / KIB_PER_MIB, after);
}

void pl_oom_line(const struct pl_oom_kill *kill, char text[PL_OOM_LINE_MAX])
{
	const struct pl_oom_memory *memory = &kill->memory;
	struct pl_buf line = { 0 };
	char rule[PL_OOM_PATH_MAX + 80];

	pl_buf_printf(&line, "killed %s %u", *kill->victim_comm ? kill->victim_comm : "?", kill->victim);
	add_mib(&line, " (", kill->anon_kib, " anon)");
	pl_buf_printf(&line, " at %.3g s, asked by %s", kill->at_s, *kill->asker_comm ? kill->asker_comm : "?");
	/* The first name says what for; the others are in full where there is room. */
	if (kill->request.known)
		pl_buf_printf(&line, ": order %d, %.*s", kill->request.order, (int)strcspn(kill->request.gfp_text, "|"),
			      kill->request.gfp_text);
	if (isfinite(kill->stall_s))
		pl_buf_printf(&line, ", after a stall of %.3g s", kill->stall_s);
	add_mib(&line, "; free ", memory->free_kib, "");
	add_mib(&line, " (MIN ", memory->min_kib, ")");
	add_mib(&line, ", file ", memory->file_kib, "");
	add_mib(&line, ", anon ", memory->anon_kib, "");
	if (!memory->swap_total_kib)
		pl_buf_printf(&line, ", no swap");
	else
		add_mib(&line, ", swap free ", memory->swap_free_kib, "");
	pl_oom_rule_text(&kill->rule, rule, sizeof(rule));
	if (*kill->rule.memcg)
		pl_buf_printf(&line, "; %s", rule);
	snprintf(text, PL_OOM_LINE_MAX, "%s", line.text);
	pl_buf_free(&line);
}
