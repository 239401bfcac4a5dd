// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads tasks' output line by line: one reader for each kind of line, one list of numbers for each task. */
#include "analyse/said.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KEYS	48  /* of one task */
#define AGENT_MAX_LINES 200 /* what a task says beyond them is not in the log */
#define NS_PER_S	1e9
#define KIB_PER_MIB	1024.0

enum how {
	SAMPLE, /* said again and again: the last counts, and how it grew */
	TOTAL,	/* said once by each copy, in the end: their sum */
	EVENT,	/* of things that happened: the sum of those up to `stop` */
};

struct number {
	char key[PL_TASK_METRIC_KEY_MAX + 1];
	enum how how;
	size_t nr;
	double first, last, sum;
	uint64_t last_ns;
	bool fell;
};

/* One task's. */
struct talk {
	struct number numbers[MAX_KEYS];
	size_t nr_numbers;
	size_t lines, lines_up_to_stop;
	size_t fio_runs; /* that came to the end of their summary */
};

struct pl_said {
	struct pl_task tasks[PL_MAX_TASKS];
	struct talk talks[PL_MAX_TASKS];
	size_t nr_tasks;
	uint64_t workload_ns;
	uint64_t stop_ns; /* 0: not yet */
};

struct pl_said *pl_said_new(const struct pl_task *tasks, size_t nr_tasks)
{
	struct pl_said *said = pl_calloc(1, sizeof(*said));

	said->nr_tasks = nr_tasks;
	memcpy(said->tasks, tasks, nr_tasks * sizeof(*tasks));
	return said;
}

void pl_said_free(struct pl_said *said)
{
	free(said);
}

void pl_said_workload(struct pl_said *said, uint64_t t_ns)
{
	said->workload_ns = t_ns;
}

void pl_said_stop(struct pl_said *said, uint64_t t_ns)
{
	said->stop_ns = t_ns;
}

/* What came of one line is of one time. */
struct line {
	struct talk *talk;
	uint64_t t_ns;
	bool stopped;
};

static void add(const struct line *line, enum how how, double value, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void add(const struct line *line, enum how how, double value, const char *fmt, ...)
{
	struct talk *talk = line->talk;
	char key[PL_TASK_METRIC_KEY_MAX + 2];
	size_t i = 0;
	va_list args;

	va_start(args, fmt);
	vsnprintf(key, sizeof(key), fmt, args);
	va_end(args);
	if (strlen(key) > PL_TASK_METRIC_KEY_MAX || !isfinite(value) || (how == EVENT && line->stopped))
		return;
	for (char *at = key; *at; at++)
		*at = *at == '-' ? '_' : *at;
	while (i < talk->nr_numbers && strcmp(talk->numbers[i].key, key) != 0)
		i++;
	if (i == MAX_KEYS)
		return;

	struct number *number = &talk->numbers[i];

	if (i == talk->nr_numbers) {
		talk->nr_numbers++;
		*number = (struct number){ .how = how, .first = value };
		memcpy(number->key, key, sizeof(number->key));
	}
	number->fell |= number->nr && value < number->last;
	number->nr++;
	number->last = value;
	number->last_ns = line->t_ns;
	number->sum += value;
}

/* A decimal number with nothing but `end` behind it. */
static bool decimal(const char *text, char end, double *value)
{
	const char *digits = text + (*text == '-' || *text == '+');
	char *after;

	/* Not what else strtod takes: blanks, "inf", hexadecimal. */
	if (!isdigit((unsigned char)*digits) || digits[1] == 'x' || digits[1] == 'X')
		return false;
	*value = strtod(text, &after);
	return *after == end && isfinite(*value);
}

static size_t name_length(const char *text)
{
	size_t len = 0;

	if (isalpha((unsigned char)*text) || *text == '_')
		while (isalnum((unsigned char)text[len]) || text[len] == '_')
			len++;
	return len;
}

/* "pgscan_anon 12345", as in /proc/vmstat. */
static bool name_and_value(const struct line *line, const char *text)
{
	size_t len = name_length(text);
	double value;

	if (!len || text[len] != ' ' || !decimal(text + len + 1, '\0', &value))
		return false;
	add(line, SAMPLE, value, "%.*s", (int)len, text);
	return true;
}

/* "pages=128 rounds=2000": a line of nothing else. */
static bool names_with_values(const struct line *line, const char *text)
{
	for (int pass = 0; pass < 2; pass++) {
		for (const char *at = text; *at;) {
			size_t len = name_length(at), word = strcspn(at, " ");
			double value;

			if (!len || at[len] != '=' || !decimal(at + len + 1, at[word], &value))
				return false;
			if (pass)
				add(line, SAMPLE, value, "%.*s", (int)len, at);
			at += word;
			at += strspn(at, " ");
		}
	}
	return *text;
}

/* 105 and "MiB" to MiB; false if it is no unit of fio's. */
static bool to_mib(double size, const char *unit, double *mib)
{
	static const struct {
		const char *unit;
		double mib;
	} units[] = {
		{ "B", 1 / KIB_PER_MIB / KIB_PER_MIB },
		{ "KiB", 1 / KIB_PER_MIB },
		{ "MiB", 1 },
		{ "GiB", KIB_PER_MIB },
		{ "TiB", KIB_PER_MIB * KIB_PER_MIB },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(units[i].unit, unit) != 0)
			continue;
		*mib = size * units[i].mib;
		return true;
	}
	return false;
}

/*
 * "  write: IOPS=899, BW=3597KiB/s (3683kB/s)(105MiB/30001msec); 0 zone resets" of each group of jobs, with "k" and "M"
 * behind large rates.
 */
static bool fio_direction(const struct line *line, const char *text)
{
	static const char *const directions[] = { "read", "write", "trim" };
	char name[8], unit[4], suffix;
	double iops, size, mib;
	int at = 0;

	if (sscanf(text, " %7[a-z]: IOPS=%lf%c%n", name, &iops, &suffix, &at) != 3 || !at)
		return false;
	iops *= suffix == 'k' ? 1e3 : suffix == 'M' ? 1e6 : 1;

	const char *total = strrchr(text, '(');

	if (!total || sscanf(total, "(%lf%3[A-Za-z]/", &size, unit) != 2 || !to_mib(size, unit, &mib))
		return false;
	for (size_t i = 0; i < sizeof(directions) / sizeof(*directions); i++) {
		if (strcmp(directions[i], name) != 0)
			continue;
		add(line, TOTAL, mib, "%s_mib", name);
		add(line, TOTAL, iops, "%s_iops", name);
		return true;
	}
	return false;
}

/* "     issued rwts: total=0,26973,0,0 short=0,0,0,0 dropped=0,0,0,0": to the last one, where the rates are rounded. */
static bool fio_issued(const struct line *line, const char *text)
{
	uint64_t reads, writes;

	if (sscanf(text, " issued rwts: total=%" SCNu64 ",%" SCNu64 ",", &reads, &writes) != 2)
		return false;
	if (reads)
		add(line, TOTAL, (double)reads, "reads");
	if (writes)
		add(line, TOTAL, (double)writes, "writes");
	return true;
}

static bool fio_end(const struct line *line, const char *text)
{
	if (strncmp(text, "Run status group 0 ", strlen("Run status group 0 ")) != 0)
		return false;
	line->talk->fio_runs++;
	return true;
}

/*
 * "stress-ng: info:  [212] vm   1234   10.00   1.50   2.25   123.40   329.07" (or "metrc:"): bogo ops, real, user and
 * system time of one stressor's workers together.
 */
static bool stress_ng(const struct line *line, const char *text)
{
	double ops, real_s, user_s, sys_s, rate;
	char stressor[16];

	if (sscanf(text, "stress-ng: %*[a-z]: [%*u] %15[a-z0-9-] %lf %lf %lf %lf %lf", stressor, &ops, &real_s, &user_s,
		   &sys_s, &rate) != 6)
		return false;
	add(line, TOTAL, ops, "bogo_ops");
	add(line, TOTAL, user_s, "user_s");
	add(line, TOTAL, sys_s, "sys_s");
	add(line, TOTAL, ops, "%s_bogo_ops", stressor);
	return true;
}

/* rootfs/workloads/server.c: "server touches due=60000 done=51234", in the end. */
static bool server(const struct line *line, const char *text)
{
	double due, done;
	char kind[16];
	int end = 0;

	if (sscanf(text, "server %15[a-z] due=%lf done=%lf%n", kind, &due, &done, &end) != 3 || text[end])
		return false;
	add(line, TOTAL, due, "%s_due", kind);
	add(line, TOTAL, done, "%s_done", kind);
	return true;
}

/* rootfs/workloads/burst.c: "burst kib=4096 free_kib=3000 begin=12.5 filled=13.0 end=13.5", after each. */
static bool burst(const struct line *line, const char *text)
{
	double kib, free_kib, begin_s, filled_s, end_s;
	int end = 0;

	if (sscanf(text, "burst kib=%lf free_kib=%lf begin=%lf filled=%lf end=%lf%n", &kib, &free_kib, &begin_s,
		   &filled_s, &end_s, &end) != 5 ||
	    text[end])
		return false;
	add(line, EVENT, 1, "bursts");
	add(line, EVENT, kib / KIB_PER_MIB, "burst_mib");
	add(line, EVENT, filled_s - begin_s, "fill_s");
	return true;
}

/* rootfs/workloads/populate.c: "populated index=3 begin=2.5 end=77.25", after each mapping that one of its threads
 * filled. */
static bool populate(const struct line *line, const char *text)
{
	double index, begin_s, end_s;
	int end = 0;

	if (sscanf(text, "populated index=%lf begin=%lf end=%lf%n", &index, &begin_s, &end_s, &end) != 3 || text[end])
		return false;
	add(line, EVENT, 1, "populated");
	return true;
}

void pl_said_line(struct pl_said *said, size_t task, uint64_t t_ns, const char *text)
{
	static bool (*const readers[])(const struct line *line, const char *text) = {
		name_and_value, names_with_values, fio_direction, fio_issued, fio_end, stress_ng, server,
		burst,		populate,
	};
	const struct line line = { .talk = &said->talks[task], .t_ns = t_ns, .stopped = said->stop_ns };

	line.talk->lines++;
	line.talk->lines_up_to_stop += !said->stop_ns;
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers) && !readers[i](&line, text); i++)
		;
}

static bool is_of_fio(const struct number *number)
{
	static const char *const keys[] = { "read_mib", "read_iops", "write_mib", "write_iops",
					    "trim_mib", "trim_iops", "reads",	  "writes" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strcmp(keys[i], number->key))
			return true;
	return false;
}

/* Numbers of several copies cannot be told apart: where each has said its own, they are added. A copy that died has
 * not. */
static double value_of(const struct talk *talk, const struct pl_task *task, const struct number *number)
{
	if (number->how == EVENT)
		return number->sum;
	if (number->how == SAMPLE && task->copies == 1)
		return number->last;

	size_t nr = number->how == TOTAL && is_of_fio(number) ? talk->fio_runs : number->nr;
	bool whole = number->how == TOTAL ? nr >= task->copies : nr == task->copies;

	return whole ? number->sum : NAN;
}

/*
 * Of the window, or to the last line if that is later: a task that is silent, at first or in the end, has done nothing
 * in that time, as far as it said. Where its counter stood at the mark `workload` is not known: /proc's are not at 0.
 */
static double growth_per_s(const struct pl_said *said, const struct number *number)
{
	uint64_t until_ns = number->last_ns > said->stop_ns ? number->last_ns : said->stop_ns;

	return (number->last - number->first) / ((double)(until_ns - said->workload_ns) / NS_PER_S);
}

static void tell(const struct pl_said *said, size_t task, struct pl_task_metrics *metrics, const char *key,
		 const char *suffix, double value)
{
	char name[PL_TASK_METRIC_ROOM + 8];

	/* A task whose lines no longer fit into the log has said more than is known. */
	snprintf(name, sizeof(name), "%s.%s%s", said->tasks[task].name, key, suffix);
	pl_task_metrics_add(metrics, name, said->talks[task].lines < AGENT_MAX_LINES ? value : NAN);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pl_task_metric *)a)->name, ((const struct pl_task_metric *)b)->name);
}

void pl_said_metrics(const struct pl_said *said, struct pl_task_metrics *metrics)
{
	for (size_t i = 0; i < said->nr_tasks; i++) {
		const struct talk *talk = &said->talks[i];

		tell(said, i, metrics, "lines", "", (double)talk->lines_up_to_stop);
		for (size_t n = 0; n < talk->nr_numbers; n++) {
			const struct number *number = &talk->numbers[n];

			tell(said, i, metrics, number->key, "", value_of(talk, &said->tasks[i], number));
			if (number->how == SAMPLE && number->nr > 1 && !number->fell && said->tasks[i].copies == 1)
				tell(said, i, metrics, number->key, "_per_s", growth_per_s(said, number));
		}
	}
	if (metrics->nr)
		qsort(metrics->list, metrics->nr, sizeof(*metrics->list), by_name);
}

/* Where no end was an error, those that ended early are of the tasks that may: all of them, if there are as many. */
static bool ended_early(const struct pl_said *said, const struct pl_task *task, double exited_early)
{
	double may_end = 0;

	for (size_t i = 0; i < said->nr_tasks; i++)
		may_end += said->tasks[i].may_end_clean || said->tasks[i].may_end_failed ? said->tasks[i].copies : 0;
	return (task->may_end_clean || task->may_end_failed) && exited_early >= may_end;
}

static bool has_said(const struct talk *talk, const char *key)
{
	size_t len = strlen(key);

	if (!strcmp(key, "lines"))
		return true;
	for (size_t i = 0; i < talk->nr_numbers; i++) {
		const char *said = talk->numbers[i].key;
		size_t said_len = strlen(said);

		if (said_len <= len && !memcmp(said, key, said_len) &&
		    (!key[said_len] || !strcmp(key + said_len, "_per_s")))
			return true;
	}
	return false;
}

bool pl_said_never(const struct pl_said *said, const char *name, double exited_early, bool at_ease)
{
	size_t task = 0, len = strcspn(name, ".");

	while (task < said->nr_tasks &&
	       (strlen(said->tasks[task].name) != len || memcmp(said->tasks[task].name, name, len) != 0))
		task++;
	if (!name[len] || task == said->nr_tasks)
		return false;

	const struct talk *talk = &said->talks[task];

	return talk->lines < AGENT_MAX_LINES && talk->nr_numbers < MAX_KEYS && !has_said(talk, name + len + 1) &&
	       (talk->nr_numbers || at_ease || ended_early(said, &said->tasks[task], exited_early));
}
