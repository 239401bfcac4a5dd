// SPDX-License-Identifier: GPL-3.0-or-later
/* Finds the reason for which a cell's work was not done. */
#include "analyse/work.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What a reason quotes of a line. */
#define LINE_CHARS 100
/* What a task said before `stop` may be logged that much after it: the agent reads its pipe when it comes to it. */
#define LATE_NS	   1000000000
/* What the kernel keeps of a process's name. */
#define COMM_CHARS 15
/* Sets of tasks of which a kill may be; beyond them one takes them all. */
#define MAX_SHARED 16

/* What a task said up to `stop`, and whether it lived to say anything but an error well after. */
struct said {
	char last[LINE_CHARS + 1];
	char error[LINE_CHARS + 1]; /* its last line that tells of an error */
	bool error_is_last, error_before_kill, after_stop;
	bool disk_full;
};

struct pl_work_log {
	struct pl_task tasks[PL_MAX_TASKS];
	struct said said[PL_MAX_TASKS];
	size_t nr_tasks;
	unsigned kills; /* up to `stop` */
	unsigned kills_of[PL_MAX_TASKS];
	struct {
		uint32_t tasks; /* whose it may be, by their bits */
		unsigned kills;
	} shared[MAX_SHARED];
	size_t nr_shared;
	bool stopped;
	uint64_t stop_ns;
};

struct pl_work_log *pl_work_new(const struct pl_task *tasks, size_t nr_tasks)
{
	struct pl_work_log *work = pl_calloc(1, sizeof(*work));

	static_assert(PL_MAX_TASKS <= 32, "a set of tasks is a word of 32 bits");
	assert(nr_tasks <= PL_MAX_TASKS);
	work->nr_tasks = nr_tasks;
	for (size_t i = 0; i < nr_tasks; i++)
		work->tasks[i] = tasks[i];
	return work;
}

void pl_work_free(struct pl_work_log *work)
{
	free(work);
}

static bool says(const char *line, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(line, *words))
			return true;
	return false;
}

/* A guess, good enough to choose among tasks of which one has certainly failed. */
static bool tells_of_an_error(const char *line)
{
	static const char *const words[] = {
		"error",     "fail",	  "cannot", "can't",	     "unable", "invalid",
		"not found", "no such",	  "denied", "no space left", "usage:", "must be",
		"unknown",   "unrecogni", "fault",  "abort",	     NULL,
	};

	return says(line, words);
}

void pl_work_line(struct pl_work_log *work, size_t task, uint64_t t_ns, const char *line)
{
	/* As the C library and programs that have their own words for ENOSPC say it. */
	static const char *const full[] = { "No space left on device", NULL };
	struct said *said = &work->said[task];

	if (!said->disk_full && says(line, full)) {
		said->disk_full = true;
		snprintf(said->error, sizeof(said->error), "%s", line);
	}
	if (work->stopped) {
		said->after_stop |= t_ns > work->stop_ns + LATE_NS && !tells_of_an_error(line);
		return;
	}
	snprintf(said->last, sizeof(said->last), "%s", line);
	said->error_is_last = tells_of_an_error(line);
	said->error_before_kill = said->error_is_last && !work->kills;
	if (said->error_is_last && !said->disk_full)
		snprintf(said->error, sizeof(said->error), "%s", line);
}

/* The next word of a command that may be a program's name, without its folder: no option, no NAME=VALUE. */
static const char *next_program(const char **at, const char *end, size_t *len)
{
	static const char between[] = " \t\"'`;|&()<>{}$!";

	while (*at < end) {
		const char *word = *at, *slash;

		while (*at < end && !strchr(between, **at))
			++*at;
		*len = (size_t)(*at - word);
		if (*at < end)
			++*at;
		if (!*len || *word == '-' || memchr(word, '=', *len))
			continue;
		slash = memrchr(word, '/', *len);
		if (slash) {
			*len -= (size_t)(slash + 1 - word);
			word = slash + 1;
		}
		if (*len)
			return word;
	}
	return NULL;
}

/* Programs name their workers after themselves: "stress-ng-vm" is of "stress-ng". The kernel cuts names. */
static bool is_of_program(const char *comm, const char *program, size_t len)
{
	size_t comm_len = strlen(comm);

	if (comm_len > len)
		return !memcmp(comm, program, len) && comm[len] == '-';
	return !memcmp(comm, program, comm_len) && (comm_len == len || comm_len == COMM_CHARS);
}

static bool names_command(const char *comm, const struct pl_task *task)
{
	const char *at = task->command, *end = at + task->command_bytes, *program;
	size_t len;

	while ((program = next_program(&at, end, &len)))
		if (is_of_program(comm, program, len))
			return true;
	return false;
}

/* A kill of which it is known whose it may be, but not whose it is. */
static void add_shared(struct pl_work_log *work, uint32_t tasks)
{
	size_t i = 0;

	while (i < work->nr_shared && work->shared[i].tasks != tasks)
		i++;
	if (i == MAX_SHARED) {
		i--;
		work->shared[i].tasks |= tasks;
	}
	if (i == work->nr_shared)
		work->shared[work->nr_shared++].tasks = tasks;
	work->shared[i].kills++;
}

void pl_work_oom_kill(struct pl_work_log *work, const char *comm)
{
	uint32_t tasks = 0;

	if (work->stopped)
		return;
	work->kills++;
	/* Each task's command has a shell of its own, whatever it says. */
	for (size_t i = 0; i < work->nr_tasks && strcmp(comm, "sh") != 0; i++)
		if (*comm && names_command(comm, &work->tasks[i]))
			tasks |= UINT32_C(1) << i;
	if (!tasks)
		add_shared(work, UINT32_MAX);
	else if (tasks & (tasks - 1))
		add_shared(work, tasks);
	else
		work->kills_of[__builtin_ctz(tasks)]++;
}

void pl_work_stop(struct pl_work_log *work, uint64_t t_ns)
{
	work->stopped = true;
	work->stop_ns = t_ns;
}

/* How many ends of one kind are more than the workload's file allows. */
static double beyond(double ended, double allowed)
{
	return ended > allowed ? ended - allowed : 0;
}

/* Of one kind of ends: the tasks that may have ended so, though they were not to. */
struct suspects {
	bool is[PL_MAX_TASKS];
	size_t nr;
	double copies; /* of all of them */
};

static void suspect(const struct pl_work_log *work, struct suspects *suspects, size_t i)
{
	suspects->is[i] = true;
	suspects->nr++;
	suspects->copies += work->tasks[i].copies;
}

/* A task of one copy that still had something to say when its words from before `stop` were read lived until then. */
static struct suspects all_suspects(const struct pl_work_log *work, bool failed)
{
	struct suspects suspects = { 0 };

	for (size_t i = 0; i < work->nr_tasks; i++) {
		const struct pl_task *task = &work->tasks[i];

		if (!(failed ? task->may_end_failed : task->may_end_clean) &&
		    !(task->copies == 1 && work->said[i].after_stop))
			suspect(work, &suspects, i);
	}
	return suspects;
}

/* Those among them whose last words before `stop` tell of an error. */
static struct suspects by_output(const struct pl_work_log *work, const struct suspects *all)
{
	struct suspects suspects = { 0 };

	for (size_t i = 0; i < work->nr_tasks; i++)
		if (all->is[i] && work->said[i].error_is_last)
			suspect(work, &suspects, i);
	return suspects;
}

/* Tasks that the OOM killer cannot have ended, as they had their say before it began; no more than have failed. */
static double ended_before_kills(const struct pl_work_log *work, double failed)
{
	struct suspects all = all_suspects(work, true);
	double nr = 0;

	for (size_t i = 0; i < work->nr_tasks; i++)
		nr += all.is[i] && work->tasks[i].copies == 1 && work->said[i].error_before_kill;
	return nr < failed ? nr : failed;
}

/* How many of the suspects' processes the OOM killer may have ended: each kill one, and of each process once. */
static double excused(const struct pl_work_log *work, const struct suspects *suspects)
{
	double own = 0, shared = 0, room = 0;
	uint32_t is = 0, may_be = 0;

	for (size_t i = 0; i < work->nr_tasks; i++)
		is |= (uint32_t)suspects->is[i] << i;
	for (size_t i = 0; i < work->nr_shared; i++) {
		if (!(work->shared[i].tasks & is))
			continue;
		shared += work->shared[i].kills;
		may_be |= work->shared[i].tasks & is;
	}
	for (size_t i = 0; i < work->nr_tasks; i++) {
		double copies = work->tasks[i].copies, kills = work->kills_of[i] < copies ? work->kills_of[i] : copies;

		if (!suspects->is[i])
			continue;
		own += kills;
		if (may_be & UINT32_C(1) << i)
			room += copies - kills;
	}
	return own + (shared < room ? shared : room);
}

/* "task hog" or "one of the tasks hog, writer", and whose line is quoted: of several, one that speaks of an error. */
static size_t name_suspects(const struct pl_work_log *work, const struct suspects *suspects, double nr, bool guessed,
			    struct pl_buf *text)
{
	size_t first = PL_MAX_TASKS, listed = 0;

	if (suspects->nr == 1)
		pl_buf_printf(text, "task ");
	else if (nr == suspects->copies)
		pl_buf_printf(text, "the tasks ");
	else
		pl_buf_printf(text, "%.0f of the tasks ", nr);
	for (size_t i = 0; i < work->nr_tasks; i++) {
		if (!suspects->is[i])
			continue;
		pl_buf_printf(text, "%s%s", listed++ ? ", " : "", work->tasks[i].name);
		if (first == PL_MAX_TASKS || (work->said[i].error_is_last && !work->said[first].error_is_last))
			first = i;
	}
	if (suspects->nr == 1 && work->tasks[first].copies > 1)
		pl_buf_printf(text, ", %.0f of %u copies,", nr, work->tasks[first].copies);
	if (guessed)
		pl_buf_printf(text, " (by its output)");
	return first;
}

static void quote_last_line(const struct pl_work_log *work, size_t task, bool one_only, struct pl_buf *text)
{
	const char *line = work->said[task].last;

	if (!*line)
		pl_buf_printf(text, "%s", one_only ? "; it said nothing" : "");
	else
		pl_buf_printf(text, "; %s%s last line: %s", one_only ? "its" : work->tasks[task].name,
			      one_only ? "" : "'s", line);
}

/* nr processes of tasks ended before `stop`, with an error or without one. */
static void blame(const struct pl_work_log *work, double nr, bool failed, struct pl_buf *text)
{
	struct suspects all = all_suspects(work, failed), guess = by_output(work, &all);
	bool certain = all.nr == 1 || nr >= all.copies;
	const struct suspects *suspects = failed && !certain && guess.nr && guess.copies >= nr ? &guess : &all;

	/* Its tasks are not known, or those that ended left nobody to suspect: the count is all there is. */
	if (!suspects->nr) {
		pl_buf_printf(text, "%.0f task%s ended before `stop`%s", nr, nr == 1 ? "" : "s",
			      failed ? " with an error" : "");
		return;
	}

	size_t quoted = name_suspects(work, suspects, nr, suspects == &guess, text);

	pl_buf_printf(text, " ended before `stop` with %s",
		      failed ? "an error (the log does not have its status)" : "status 0");
	quote_last_line(work, quoted, suspects->nr == 1, text);
	if (!failed)
		pl_buf_printf(text, "; may_end in the workload's file allows it");
}

/* Whose output says that the disk was full, though it may not fail; or PL_MAX_TASKS. */
static size_t full_disk(const struct pl_work_log *work)
{
	for (size_t i = 0; i < work->nr_tasks; i++)
		if (work->said[i].disk_full && !work->tasks[i].may_end_failed)
			return i;
	return PL_MAX_TASKS;
}

bool pl_work_undone(const struct pl_work_log *work, double exited_early, double failed, char *reason, size_t room)
{
	double may_clean = 0, may_fail = 0, clean = exited_early - failed;
	size_t full = full_disk(work);
	struct pl_buf text = { 0 };

	if (full < PL_MAX_TASKS) {
		pl_buf_printf(&text, "a disk was full: task %s said: %s", work->tasks[full].name,
			      work->said[full].error);
	} else if (failed >= 0 && clean >= 0) {
		for (size_t i = 0; i < work->nr_tasks; i++) {
			may_clean += work->tasks[i].may_end_clean ? work->tasks[i].copies : 0;
			may_fail += work->tasks[i].may_end_failed ? work->tasks[i].copies : 0;
		}

		/* A kill may end a task, or the child after whose end its parent ends without an error of its own. */
		struct suspects may_have_failed = all_suspects(work, true), may_have_ended = all_suspects(work, false);
		double failures = beyond(failed, may_fail), certain = ended_before_kills(work, failures);

		failures = beyond(failures - certain, excused(work, &may_have_failed)) + certain;

		double ends = beyond(beyond(clean, may_clean), beyond(excused(work, &may_have_ended), failed));

		if (failures > 0)
			blame(work, failures, true, &text);
		else if (ends > 0)
			blame(work, ends, false, &text);
	}
	if (text.len)
		snprintf(reason, room, "%s", text.text);

	bool undone = text.len;

	pl_buf_free(&text);
	return undone;
}
