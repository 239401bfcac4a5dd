// SPDX-License-Identifier: GPL-3.0-or-later
/* One hang as an incident report tells it: memory, khungtaskd's warnings, who holds up whom, and how it came about. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

#define NS_PER_S     1e9
#define MIB	     (1024.0 * 1024.0)
#define MAX_WARNINGS 12 /* printed; more are counted */
#define MAX_WAITS    10 /* kinds of waits in their table */
#define LEAST_WAIT_S 1.0
#define MAX_TASKS    16 /* of a convoy's holders, and of its waiters */
#define MAX_STACK    12
#define COLUMNS	     50 /* of the timeline, so that names and ranges fit beside them */

/* From dark to light as ASCII can. */
static const char shades[] = " .:-=+*#%@";

/* One column of the timeline. */
struct column {
	double free_mib, blocked, oldest_wait_s, busy_s, length_s;
};

struct story {
	double workload_s, end_s;
	struct bb_sample at; /* the last one not after the convoy */
	bool has_at;
	double zones_free, zones_min, zones_low, zones_high; /* MiB, of that sample; with the boost */
	struct column columns[COLUMNS];
};

static double pages_mib(const struct pl_bb *bb, uint64_t pages)
{
	return (double)pages * bb->header.page_bytes / MIB;
}

static double ns_s(uint64_t ns)
{
	return (double)ns / NS_PER_S;
}

static struct column *column_of(struct story *story, double t_s)
{
	double length_s = (story->end_s - story->workload_s) / COLUMNS;

	if (t_s < story->workload_s || t_s >= story->end_s || !(length_s > 0))
		return NULL;

	size_t i = (size_t)((t_s - story->workload_s) / length_s);

	return &story->columns[i < COLUMNS ? i : COLUMNS - 1];
}

/* A wait is in every column that it reaches into, with the age that it has at the column's end. */
static void add_wait(struct story *story, double begin_s, double end_s)
{
	double length_s = (story->end_s - story->workload_s) / COLUMNS;

	for (size_t i = 0; i < COLUMNS; i++) {
		double from_s = story->workload_s + (double)i * length_s, to_s = from_s + length_s;
		double age_s = (end_s < to_s ? end_s : to_s) - begin_s;

		if (begin_s < to_s && end_s > from_s && age_s > story->columns[i].oldest_wait_s)
			story->columns[i].oldest_wait_s = age_s;
	}
}

static void add_sample(struct story *story, const struct pl_bb *bb, const struct bb_sample *sample, const struct bb_sample *last)
{
	struct column *column = column_of(story, ns_s(sample->head.t_ns));
	double free_mib = pages_mib(bb, sample->nr_free_pages);

	if (!column)
		return;
	if (isnan(column->free_mib) || free_mib < column->free_mib)
		column->free_mib = free_mib;
	if (sample->nr_blocked > column->blocked)
		column->blocked = sample->nr_blocked;
	column->busy_s += ns_s(sample->disk_busy_ns - last->disk_busy_ns);
	column->length_s += ns_s(sample->head.t_ns - last->head.t_ns);
}

/* When the workload began and the log ended: the timeline is cut by these. */
static void find_bounds(struct story *story, const struct pl_bb *bb)
{
	const struct bb_rec *rec;
	uint64_t offset = 0;

	while (pl_bb_next(bb, &offset, &rec) == PL_BB_RECORD) {
		story->end_s = ns_s(rec->t_ns);
		if (!(story->workload_s > 0) && pl_bb_is_mark(rec, "workload"))
			story->workload_s = ns_s(rec->t_ns);
	}
}

static void read_story(struct story *story, const struct pl_bb *bb, double at_s)
{
	struct bb_sample last = { 0 };
	const struct bb_rec *rec;
	uint64_t offset = 0;

	find_bounds(story, bb);
	for (size_t i = 0; i < COLUMNS; i++)
		story->columns[i].free_mib = NAN;
	while (pl_bb_next(bb, &offset, &rec) == PL_BB_RECORD) {
		const void *r = rec;

		switch (rec->type) {
		case BB_REC_SAMPLE:
			if (ns_s(rec->t_ns) <= at_s) {
				story->at = *(const struct bb_sample *)r;
				story->has_at = true;
				story->zones_free = story->zones_min = story->zones_low = story->zones_high = 0;
			}
			add_sample(story, bb, r, &last);
			last = *(const struct bb_sample *)r;
			break;
		case BB_REC_ZONE: {
			const struct bb_zone *zone = r;

			if (!story->has_at || zone->seq != story->at.seq)
				break;
			story->zones_free += pages_mib(bb, zone->free);
			story->zones_min += pages_mib(bb, zone->min + zone->boost);
			story->zones_low += pages_mib(bb, zone->low + zone->boost);
			story->zones_high += pages_mib(bb, zone->high + zone->boost);
			break;
		}
		case BB_REC_LOCK_WAIT: {
			const struct bb_lock_wait *wait = r;

			add_wait(story, ns_s(wait->begin_ns), ns_s(wait->begin_ns) + ns_s(wait->duration_ns));
			break;
		}
		case BB_REC_UNBLOCKED: {
			const struct bb_unblocked *sleep = r;

			add_wait(story, ns_s(sleep->since_ns), ns_s(sleep->until_ns));
			break;
		}
		default:
			break;
		}
	}
}

static void heading(FILE *out, const struct pl_table_style *style, const char *text)
{
	fprintf(out, "\n%s%s%s\n", report_colour(style, REPORT_BOLD), text, report_colour(style, REPORT_PLAIN));
}

static void print_memory(FILE *out, const struct pl_bb *bb, const struct story *story, const struct pl_table_style *style)
{
	const struct bb_sample *s = &story->at;
	const char *level = story->zones_free <= story->zones_min  ? "below MIN" :
			    story->zones_free <= story->zones_low  ? "below LOW" :
			    story->zones_free <= story->zones_high ? "below HIGH" :
								     "above HIGH";
	char title[80];

	snprintf(title, sizeof(title), "Memory at %.1f s", ns_s(s->head.t_ns) - story->workload_s);
	heading(out, style, title);
	fprintf(out, "  free %.1f MiB, %s (MIN %.1f, LOW %.1f, HIGH %.1f MiB)\n", story->zones_free, level, story->zones_min,
		story->zones_low, story->zones_high);
	fprintf(out, "  anon %.0f MiB, file %.0f MiB, dirty %.1f MiB, in writeback %.1f MiB\n", pages_mib(bb, s->nr_anon_pages),
		pages_mib(bb, s->nr_file_pages), pages_mib(bb, s->nr_dirty), pages_mib(bb, s->nr_writeback));
	fprintf(out, "  swap %.0f of %.0f MiB free\n", pages_mib(bb, s->nr_swap_free), pages_mib(bb, s->nr_swap_total));
	fprintf(out, "  tasks in D state: %u, of them in iowait %u; requests in the disk: %llu\n", s->nr_blocked, s->nr_blocked_iowait,
		s->disk_inflight);
}

int report_name_len(const struct pl_symbols *symbols, const char *name)
{
	static const char *const nameless[] = { " of ?", " in ?" };
	size_t len = strlen(name);

	for (size_t i = 0; !symbols && i < sizeof(nameless) / sizeof(*nameless); i++) {
		size_t rest = strlen(nameless[i]);

		if (len > rest && !strcmp(name + len - rest, nameless[i]))
			return (int)(len - rest);
	}
	return (int)len;
}

static void print_warnings(FILE *out, const struct pl_waits *waits, double timeout_s,
			   const struct pl_table_style *style)
{
	char title[80];

	snprintf(title, sizeof(title), "khungtaskd (timeout %.0f s): %zu %s", timeout_s, waits->nr_reported,
		 waits->nr_reported == 1 ? "warning" : "warnings");
	heading(out, style, title);
	for (size_t i = 0; i < waits->nr_reported && i < MAX_WARNINGS; i++) {
		const struct pl_wait *wait = &waits->reported[i];
		double reported_s = ns_s(wait->reported_ns);

		fprintf(out, "  %7.1f s  %s:%u has waited %.1f s for %.*s", reported_s - waits->workload_s, wait->comm,
			wait->pid, reported_s - wait->since_s, report_name_len(waits->symbols, wait->name),
			wait->name);
		if (wait->kind == PL_WAIT_LOCK)
			fprintf(out, " (%s)", pl_bb_lock_name(wait->lock_flags));
		fputc('\n', out);
	}
	if (waits->nr_reported > MAX_WARNINGS)
		fprintf(out, "  and %zu more\n", waits->nr_reported - MAX_WARNINGS);
	if (waits->nr_reports_left_out)
		fprintf(out, "  and %zu more reports, which are only counted\n", waits->nr_reports_left_out);
}

static const char *mode_of(const struct pl_convoy_task *task)
{
	return task->lock_flags & BB_LOCK_READ ? "read" : task->lock_flags & BB_LOCK_WRITE ? "write" : "-";
}

/* What the task itself waits for at the moment. */
static void holder_waits_for(const struct pl_convoy_task *task, char *text, size_t room)
{
	const char *where = task->flags & BB_TASK_RECLAIM ? "direct reclaim" : "no reclaim";

	if (task->io.bytes)
		snprintf(text, room, "%s, %s of %u KiB for %.0f ms", where, pl_bb_disk_kind_name(task->io.kind),
			 task->io.bytes / 1024, task->io.age_s * 1000);
	else if (task->flags & BB_TASK_IOWAIT)
		snprintf(text, room, "%s, room in the disk's queue", where);
	else
		snprintf(text, room, "%s, %s", where, task->flags & BB_TASK_BLOCKED ? "asleep" : "runnable");
}

static void in_the_end(const struct pl_convoy_task *task, char *text, size_t room)
{
	if (task->open)
		snprintf(text, room, "to end");
	else
		snprintf(text, room, "%.1f", task->total_s);
}

/* Those that are not printed: younger than those that are. */
static void print_rest(FILE *out, const struct pl_convoy_task *tasks, size_t nr)
{
	if (nr > MAX_TASKS)
		fprintf(out, "  and %zu more, from %.1f to %.1f s\n", nr - MAX_TASKS, tasks[MAX_TASKS].so_far_s, tasks[nr - 1].so_far_s);
}

static void print_holders(FILE *out, const struct pl_bb *bb, const struct pl_symbols *symbols, const struct pl_convoy *convoy)
{
	if (!convoy->nr_holders) {
		fprintf(out, "  holders: not recorded (a matrix says `holders: true`), or not known\n");
		return;
	}
	fprintf(out, "  %zu %s it:\n", convoy->nr_holders, convoy->nr_holders == 1 ? "task holds" : "tasks hold");
	fprintf(out, "    pid task        mode   held s reclaim s stalls in all s switches sleep s\n");
	for (size_t i = 0; i < convoy->nr_holders && i < MAX_TASKS; i++) {
		const struct pl_convoy_task *task = &convoy->holders[i];
		char entry[24], now[64];

		pl_convoy_entry(bb, symbols, task, entry, sizeof(entry));
		holder_waits_for(task, now, sizeof(now));
		fprintf(out, "  %5u %-11s %-5s %7.1f %9.1f %6llu %8.1f %8llu %7.1f\n", task->pid, task->comm, mode_of(task), task->so_far_s,
			task->reclaim_s, (unsigned long long)task->stalls, task->total_s, (unsigned long long)task->switches,
			task->longest_sleep_s);
		fprintf(out, "        %s: %s\n", entry, now);
	}
	print_rest(out, convoy->holders, convoy->nr_holders);
}

static void reported(const struct pl_convoy_task *task, double timeout_s, char *text, size_t room)
{
	if (!isnan(task->reported_s))
		snprintf(text, room, "after %.1f s", task->reported_s - task->since_s);
	else if (task->flags & BB_TASK_KILLABLE)
		snprintf(text, room, "no: killable");
	else if (!(task->flags & BB_TASK_BLOCKED))
		snprintf(text, room, "no: not in D state");
	else if (task->total_s < timeout_s)
		snprintf(text, room, "no: under timeout");
	else
		snprintf(text, room, "no: between scans");
}

static void print_waiters(FILE *out, const struct pl_bb *bb, const struct pl_symbols *symbols, const struct pl_convoy *convoy,
			  double timeout_s)
{
	fprintf(out, "  %zu %s for it:\n", convoy->nr_waiters, convoy->nr_waiters == 1 ? "task waits" : "tasks wait");
	fprintf(out, "    pid task        mode  waited s in all s  in         by khungtaskd\n");
	for (size_t i = 0; i < convoy->nr_waiters && i < MAX_TASKS; i++) {
		const struct pl_convoy_task *task = &convoy->waiters[i];
		char entry[24], said[32], end[16];

		pl_convoy_entry(bb, symbols, task, entry, sizeof(entry));
		reported(task, timeout_s, said, sizeof(said));
		in_the_end(task, end, sizeof(end));
		fprintf(out, "  %5u %-11s %-5s %8.1f %8s  %-10.14s %s\n", task->pid, task->comm, mode_of(task), task->so_far_s, end, entry,
			said);
	}
	print_rest(out, convoy->waiters, convoy->nr_waiters);
}

/* Nothing, where there are no names. */
static void print_functions(FILE *out, const struct pl_bb *bb, const struct pl_symbols *symbols, const void *stack,
			    uint32_t nr_stack, const struct pl_table_style *style)
{
	const char *names[BB_CONVOY_STACK_DEPTH];
	size_t nr = pl_stack_names(bb, symbols, stack, nr_stack, names);
	struct pl_buf text = { 0 };

	if (!nr)
		return;
	pl_buf_printf(&text, "   ");
	for (size_t i = 0; i < nr && i < MAX_STACK; i++)
		pl_buf_printf(&text, "%s%s", i ? " < " : " ", names[i]);
	pl_report_wrapped(out, text.text, style->width, 4);
	pl_buf_free(&text);
}

static void print_stack(FILE *out, const struct pl_bb *bb, const struct pl_symbols *symbols, const char *whose,
			const struct pl_convoy_task *task, const struct pl_table_style *style)
{
	fprintf(out, "  %s %s:%u sleeps in\n", whose, task->comm, task->pid);
	print_functions(out, bb, symbols, task->stack, task->nr_stack, style);
}

void report_link(struct pl_buf *text, const struct pl_symbols *symbols, const struct pl_wait_link *link)
{
	pl_buf_printf(text, "%s%s%s:%u", link->relation, *link->relation ? " " : "", link->comm, link->pid);
	if (link->nr_others)
		pl_buf_printf(text, " (of %zu)", link->nr_others + 1);
	if (link->does == PL_WAIT_NONE) {
		pl_buf_printf(text, " runs, or sleeps for less than 0.2 s at a time");
	} else if (link->does == PL_WAIT_RECLAIM) {
		pl_buf_printf(text, " has been in direct reclaim for %.1f s", link->so_far_s);
		if (link->asleep_in)
			pl_buf_printf(text, ", and sleeps there for %s", link->asleep_in);
	} else {
		pl_buf_printf(text, " has waited %.1f s for %.*s", link->so_far_s, report_name_len(symbols, link->name),
			      link->name);
		if (link->what)
			pl_buf_printf(text, ": %s", link->what);
		if (link->inside)
			pl_buf_printf(text, ", in %s", link->inside);
	}
	if (link->io.bytes)
		pl_buf_printf(text, "; its %s of %u KiB has been in the disk for %.0f ms",
			      pl_bb_disk_kind_name(link->io.kind), link->io.bytes / 1024, link->io.age_s * 1000);
}

/* Is the rest of a chain that of an earlier one? */
static bool is_above(const struct pl_waits *waits, const struct pl_wait_group *group, const struct pl_wait_link *link)
{
	for (const struct pl_wait_group *before = waits->groups; before < group; before++)
		for (size_t i = 0; i < before->nr_chain; i++)
			if (before->chain[i].pid == link->pid && before->chain[i].does == link->does)
				return true;
	return false;
}

static void print_chain(FILE *out, const struct pl_bb *bb, const struct pl_waits *waits,
			const struct pl_wait_group *group, const struct pl_table_style *style)
{
	const struct pl_wait_link *last = &group->chain[group->nr_chain - 1];
	char title[120];

	snprintf(title, sizeof(title), "Who waits for whom, at %.1f s: %.*s", group->chain_at_s - waits->workload_s,
		 report_name_len(waits->symbols, group->told.name), group->told.name);
	heading(out, style, title);
	for (size_t i = 0; i < group->nr_chain; i++) {
		const struct pl_wait_link *link = &group->chain[i];
		struct pl_buf text = { 0 };

		if (i && is_above(waits, group, link)) {
			fprintf(out, "  %s %s:%u, of whom above\n", link->relation, link->comm, link->pid);
			return;
		}
		pl_buf_printf(&text, "  ");
		report_link(&text, waits->symbols, link);
		pl_report_wrapped(out, text.text, style->width, 4);
		print_functions(out, bb, waits->symbols, link->stack, link->nr_stack, style);
		pl_buf_free(&text);
	}
	if (group->chain_is_round)
		fprintf(out, "  and %s:%u waits for one of those above\n", last->comm, last->pid);
	else if (last->does == PL_WAIT_LOCK)
		fprintf(out, "  who holds that was not recorded (a matrix says `holders: true`), or is not known\n");
}

/* That of the convoy says no more than the convoy, unless its holder waits for somebody else. */
static void print_chains(FILE *out, const struct pl_bb *bb, const struct pl_waits *waits,
			 const struct pl_table_style *style)
{
	for (size_t i = 0; i < waits->nr_groups; i++) {
		const struct pl_wait_group *group = &waits->groups[i];

		if (!group->nr_chain)
			continue;
		if (waits->has_convoy && group->told.lock == waits->convoy.lock && group->nr_chain <= 2)
			continue;
		print_chain(out, bb, waits, group, style);
	}
}

static void group_reported(const struct pl_wait_group *group, double timeout_s, char *text, size_t room)
{
	const struct pl_wait *wait = &group->longest;

	if (group->nr_reported)
		snprintf(text, room, "%zu reported", group->nr_reported);
	else if (wait->kind == PL_WAIT_RECLAIM || wait->pieces > 1)
		snprintf(text, room, "no: in pieces");
	else if (wait->flags & BB_TASK_KILLABLE)
		snprintf(text, room, "no: killable");
	else
		snprintf(text, room, wait->total_s < timeout_s ? "no: too short" : "no: unscanned");
}

static void print_waits(FILE *out, const struct pl_waits *waits, double timeout_s, const struct pl_table_style *style)
{
	size_t nr = 0, more = 0;

	for (size_t i = 0; i < waits->nr_groups; i++) {
		const struct pl_wait *wait = &waits->groups[i].longest;
		char who[BB_COMM_LEN + 12], said[32];

		if (wait->total_s < LEAST_WAIT_S || nr == MAX_WAITS) {
			more += wait->total_s >= LEAST_WAIT_S;
			continue;
		}
		if (!nr++) {
			heading(out, style,
				waits->nr_reported ? "The longest waits: what was reported, then others"
						   : "The longest waits");
			fprintf(out,
				"  longest s tasks for                    who               from s by khungtaskd\n");
		}
		snprintf(who, sizeof(who), "%s:%u", wait->comm, wait->pid);
		group_reported(&waits->groups[i], timeout_s, said, sizeof(said));
		fprintf(out, "  %9.1f %5zu %-22.*s %-16s %7.1f %s\n", wait->total_s, waits->groups[i].nr_tasks,
			report_name_len(waits->symbols, wait->name), wait->name, who,
			wait->since_s - waits->workload_s, said);
		if (wait->pieces > 1)
			fprintf(out, "                  %.1f s of it asleep, in %u pieces\n", wait->asleep_s,
				wait->pieces);
	}
	if (more)
		fprintf(out, "  and %zu more of %.0f s and longer\n", more, LEAST_WAIT_S);
}

/* Whose stack khungtaskd printed; the oldest, if it printed none. */
static const struct pl_convoy_task *first_reported(const struct pl_convoy *convoy)
{
	for (size_t i = 0; i < convoy->nr_waiters; i++)
		if (!isnan(convoy->waiters[i].reported_s))
			return &convoy->waiters[i];
	return &convoy->waiters[0];
}

/* Why khungtaskd says nothing of those who hold everybody up. */
static void print_clocks(FILE *out, const struct pl_convoy *convoy, double timeout_s, const struct pl_table_style *style)
{
	double longest_s = 0;
	uint64_t switches = 0;
	struct pl_buf text = { 0 };

	for (size_t i = 0; i < convoy->nr_holders; i++) {
		switches += convoy->holders[i].switches;
		if (convoy->holders[i].longest_sleep_s > longest_s)
			longest_s = convoy->holders[i].longest_sleep_s;
	}
	if (!convoy->nr_holders)
		return;
	pl_buf_printf(&text, "  The holders' clocks: khungtaskd takes a context switch for a sign of life. The holders were switched "
		      "%llu times while they held the lock, and ", (unsigned long long)switches);
	if (longest_s > 0)
		pl_buf_printf(&text, "the longest that one of them slept without a switch is %.1f s", longest_s);
	else
		pl_buf_printf(&text, "none slept without a switch for long enough to be recorded");
	pl_buf_printf(&text, "; the timeout is %.0f s.", timeout_s);
	pl_report_wrapped(out, text.text, style->width, 4);
	pl_buf_free(&text);
}

/* is_told: it is the lock that the hang is told of. */
static void print_convoy(FILE *out, const struct pl_bb *bb, const struct pl_symbols *symbols, const struct pl_convoy *convoy,
			 bool is_told, double workload_s, double timeout_s, const struct pl_table_style *style)
{
	struct pl_buf text = { 0 };
	char title[120];

	snprintf(title, sizeof(title), "%s at %.1f s, when the oldest wait was %.1f s old",
		 is_told ? "The convoy" : "The longest convoy of a lock", convoy->at_s - workload_s,
		 convoy->oldest_wait_s);
	heading(out, style, title);
	pl_buf_printf(&text, "  lock %.*s, %s %#llx", report_name_len(symbols, convoy->lock_name), convoy->lock_name,
		      convoy->lock_kind, (unsigned long long)convoy->lock);
	if (convoy->waiters[0].lock_flags & BB_LOCK_MMAP)
		pl_buf_printf(&text, " of process %u", convoy->waiters[0].tgid);
	pl_buf_printf(&text, "; longest wait in the end %.1f s", convoy->longest_wait_s);
	pl_report_wrapped(out, text.text, style->width, 4);
	pl_buf_free(&text);
	print_holders(out, bb, symbols, convoy);
	print_waiters(out, bb, symbols, convoy, timeout_s);
	if (symbols && convoy->nr_holders)
		print_stack(out, bb, symbols, "holder", &convoy->holders[0], style);
	if (symbols)
		print_stack(out, bb, symbols, "waiter", first_reported(convoy), style);
	print_clocks(out, convoy, timeout_s, style);
	if (convoy->held_s > 0) {
		pl_buf_printf(&text, "  While the oldest waited, the lock was held for %.0f task-seconds: %.0f %% in direct reclaim, %.0f %% in reads.",
			      convoy->held_s, 100 * convoy->held_reclaim_s / convoy->held_s, 100 * convoy->held_read_s / convoy->held_s);
		pl_report_wrapped(out, text.text, style->width, 4);
		pl_buf_free(&text);
	}
}

static void print_row(FILE *out, const char *name, const struct story *story, double (*of)(const struct column *), const char *unit)
{
	char from[REPORT_NUMBER_ROOM], to[REPORT_NUMBER_ROOM];
	double low = INFINITY, high = -INFINITY;

	for (size_t i = 0; i < COLUMNS; i++) {
		double value = of(&story->columns[i]);

		if (isnan(value))
			continue;
		low = value < low ? value : low;
		high = value > high ? value : high;
	}
	if (high < low)
		return;
	fprintf(out, "  %-14s|", name);
	for (size_t i = 0; i < COLUMNS; i++) {
		double value = of(&story->columns[i]);
		size_t shade = 0;

		if (!isnan(value) && high > 0)
			shade = (size_t)lround(value / high * (double)(sizeof(shades) - 2));
		fputc(shades[shade < sizeof(shades) - 1 ? shade : sizeof(shades) - 2], out);
	}
	report_number(from, low);
	report_number(to, high);
	fprintf(out, "| %s-%s%s\n", from, to, unit);
}

static double free_of(const struct column *column)
{
	return column->free_mib;
}

static double busy_of(const struct column *column)
{
	return column->length_s > 0 ? 100 * column->busy_s / column->length_s : NAN;
}

static double blocked_of(const struct column *column)
{
	return column->blocked;
}

static double oldest_of(const struct column *column)
{
	return column->oldest_wait_s;
}

static void print_timeline(FILE *out, const struct story *story, const struct pl_table_style *style)
{
	char title[120];

	snprintf(title, sizeof(title), "Timeline: 0 to %.0f s, %.1f s a column, \"%s\" from 0 to the row's highest",
		 story->end_s - story->workload_s, (story->end_s - story->workload_s) / COLUMNS, shades);
	heading(out, style, title);
	print_row(out, "free memory", story, free_of, " MiB");
	print_row(out, "disk busy", story, busy_of, " %");
	print_row(out, "D-state tasks", story, blocked_of, "");
	print_row(out, "oldest wait", story, oldest_of, " s");
}

void pl_report_hang(FILE *out, const struct pl_bb *bb, const struct pl_waits *waits, double hung_task_timeout_s,
		    const struct pl_table_style *style)
{
	struct story *story = pl_calloc(1, sizeof(*story));
	const struct pl_wait_group *told = pl_waits_is_told(waits) ? &waits->groups[waits->told] : NULL;

	read_story(story, bb,
		   told && told->told.kind != PL_WAIT_LOCK ? told->chain_at_s
		   : waits->has_convoy			   ? waits->convoy.at_s
							   : INFINITY);
	if (!waits->symbols && waits->nr_groups)
		fprintf(out, "\nkernel not built here: no names\n");
	if (story->has_at)
		print_memory(out, bb, story, style);
	print_warnings(out, waits, hung_task_timeout_s, style);
	print_chains(out, bb, waits, style);
	print_waits(out, waits, hung_task_timeout_s, style);
	if (waits->has_convoy)
		print_convoy(out, bb, waits->symbols, &waits->convoy, !told || told->told.lock == waits->convoy.lock,
			     story->workload_s, hung_task_timeout_s, style);
	print_timeline(out, story, style);
	free(story);
}
