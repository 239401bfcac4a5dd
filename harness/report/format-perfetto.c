// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One cell as a trace: the JSON of the Trace Event Format, which Perfetto, chrome://tracing and speedscope open. Each task of
 * the guest is a "process" with a track for each kind of wait, because slices of one track must nest and waits of two kinds
 * overlap as they like; the disk, kswapd and the counters are processes of their own above them.
 */
#include "analyse/oom.h"
#include "report/formats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Guests' pids end at 4194304 (PID_MAX_LIMIT), and a track's number is its pid times this and its kind. */
#define TRACKS_A_TASK  8
#define PID_MEMORY     900000001
#define PID_DISK       900000002
#define PID_KSWAPD     900000003
#define PID_PRESSURE   900000004
#define MAX_NODES      64
#define MAX_TASKS      16384

enum track { TRACK_BLOCKED, TRACK_STALL, TRACK_RECLAIM, TRACK_LOCK_WAIT, TRACK_THROTTLE, NR_TRACKS };

static const char *const track_names[NR_TRACKS] = {
	[TRACK_BLOCKED] = "D state",	     [TRACK_STALL] = "allocation stalls", [TRACK_RECLAIM] = "direct reclaim",
	[TRACK_LOCK_WAIT] = "lock waits",   [TRACK_THROTTLE] = "throttled",
};

/* What is known of a task: its name is told with its first wait, and a begin without an end lasts to the end of the log. */
struct task {
	uint32_t pid;
	bool named;
	unsigned tracks; /* bit mask of those that were announced */
	uint64_t stall_since_ns;
	unsigned stall_depth;
};

struct trace {
	FILE *out;
	bool begun;
	double mib_per_page;
	uint64_t last_ns;	       /* the end of the log, as far as it was read */
	uint64_t spans;		       /* so far, to number them */
	uint64_t kswapd_since_ns[MAX_NODES]; /* 0: it sleeps */
	struct bb_sample before;
	bool has_before;
	uint64_t min, low, high;
	uint64_t zones_ns; /* sample that the marks belong to; 0: there is none */
	struct task *tasks; /* by pid, open addressing; a pid of 0 is a free place */
	size_t nr_tasks;
	struct pl_oom oom;
};

static void begin_event(struct trace *trace)
{
	fputs(trace->begun ? ",\n{" : "\n{", trace->out);
	trace->begun = true;
}

/* Microseconds with all digits: a double would lose some of them. */
static void print_us(FILE *out, const char *key, uint64_t ns)
{
	fprintf(out, "\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

static void name_process(struct trace *trace, uint64_t pid, const char *name, unsigned order)
{
	begin_event(trace);
	fprintf(trace->out, "\"ph\":\"M\",\"pid\":%" PRIu64 ",\"tid\":0,\"name\":\"process_name\",\"args\":{\"name\":", pid);
	report_json_text(trace->out, name);
	fputs("}}", trace->out);
	begin_event(trace);
	fprintf(trace->out, "\"ph\":\"M\",\"pid\":%" PRIu64 ",\"tid\":0,\"name\":\"process_sort_index\",\"args\":{\"sort_index\":%u}}", pid,
		order);
}

static void name_thread(struct trace *trace, uint64_t pid, uint64_t tid, const char *name)
{
	begin_event(trace);
	fprintf(trace->out, "\"ph\":\"M\",\"pid\":%" PRIu64 ",\"tid\":%" PRIu64 ",\"name\":\"thread_name\",\"args\":{\"name\":", pid, tid);
	report_json_text(trace->out, name);
	fputs("}}", trace->out);
}

/* NULL: more tasks than the table has room for; a guest can make up as many as it likes. */
static struct task *task_of(struct trace *trace, uint32_t pid)
{
	size_t at = (pid * 2654435761u) % MAX_TASKS;

	while (trace->tasks[at].pid && trace->tasks[at].pid != pid)
		at = (at + 1) % MAX_TASKS;
	if (!trace->tasks[at].pid) {
		if (!pid || trace->nr_tasks >= MAX_TASKS / 2)
			return NULL;
		trace->nr_tasks++;
		trace->tasks[at].pid = pid;
	}
	return &trace->tasks[at];
}

static void take_name(struct trace *trace, struct task *task, const char *comm)
{
	char whole[BB_COMM_LEN + 16];

	if (task->named || !*comm)
		return;
	snprintf(whole, sizeof(whole), "%s %u", comm, task->pid);
	name_process(trace, task->pid, whole, 10);
	task->named = true;
}

/* A slice of a task's track; args is JSON for its details, or "". */
static void slice(struct trace *trace, uint32_t pid, const char *comm, enum track track, const char *name, uint64_t begin_ns,
		  uint64_t duration_ns, const char *args)
{
	struct task *task = task_of(trace, pid);
	uint64_t tid = (uint64_t)pid * TRACKS_A_TASK + track;

	if (!task)
		return;
	take_name(trace, task, comm);
	if (!(task->tracks & 1u << track)) {
		name_thread(trace, pid, tid, track_names[track]);
		task->tracks |= 1u << track;
	}
	begin_event(trace);
	fprintf(trace->out, "\"ph\":\"X\",\"cat\":\"task\",\"pid\":%u,\"tid\":%" PRIu64 ",", pid, tid);
	print_us(trace->out, "ts", begin_ns);
	fputc(',', trace->out);
	print_us(trace->out, "dur", duration_ns);
	fputs(",\"name\":", trace->out);
	report_json_text(trace->out, name);
	fprintf(trace->out, ",\"args\":{%s}}", args);
}

/* A mark across all tracks, or for one task. */
static void instant(struct trace *trace, uint64_t t_ns, uint32_t pid, const char *name)
{
	begin_event(trace);
	fprintf(trace->out, "\"ph\":\"i\",\"cat\":\"mark\",\"s\":\"%s\",\"pid\":%u,\"tid\":%" PRIu64 ",", pid ? "p" : "g", pid,
		(uint64_t)pid * TRACKS_A_TASK);
	print_us(trace->out, "ts", t_ns);
	fputs(",\"name\":", trace->out);
	report_json_text(trace->out, name);
	fputc('}', trace->out);
}

static void counter(struct trace *trace, uint64_t t_ns, uint64_t pid, const char *name, double value)
{
	begin_event(trace);
	fprintf(trace->out, "\"ph\":\"C\",\"pid\":%" PRIu64 ",\"tid\":0,", pid);
	print_us(trace->out, "ts", t_ns);
	fprintf(trace->out, ",\"name\":\"%s\",\"args\":{\"value\":%.6g}}", name, value);
}

static void take_sample(struct trace *trace, const struct bb_sample *s)
{
	const struct bb_sample *b = &trace->before;
	const struct {
		const char *name;
		uint64_t pages;
	} memory[] = {
		{ "free MiB", s->nr_free_pages }, { "dirty MiB", s->nr_dirty },	      { "writeback MiB", s->nr_writeback },
		{ "anon MiB", s->nr_anon_pages }, { "file MiB", s->nr_file_pages }, { "swap free MiB", s->nr_swap_free },
	};
	const struct {
		const char *name;
		uint64_t now, before;
	} pressure[] = {
		{ "memory some %", s->psi_mem_some_ns, b->psi_mem_some_ns },
		{ "memory full %", s->psi_mem_full_ns, b->psi_mem_full_ns },
		{ "io some %", s->psi_io_some_ns, b->psi_io_some_ns },
		{ "io full %", s->psi_io_full_ns, b->psi_io_full_ns },
	};

	for (size_t i = 0; i < sizeof(memory) / sizeof(*memory); i++)
		counter(trace, s->head.t_ns, PID_MEMORY, memory[i].name, (double)memory[i].pages * trace->mib_per_page);
	counter(trace, s->head.t_ns, PID_DISK, "requests in the disk", (double)s->disk_inflight);
	counter(trace, s->head.t_ns, PID_PRESSURE, "tasks in D state", s->nr_blocked);
	for (size_t i = 0; i < sizeof(pressure) / sizeof(*pressure) && trace->has_before && s->head.t_ns > b->head.t_ns; i++)
		counter(trace, s->head.t_ns, PID_PRESSURE, pressure[i].name,
			100 * (double)(pressure[i].now - pressure[i].before) / (double)(s->head.t_ns - b->head.t_ns));
	trace->before = *s;
	trace->has_before = true;
}

/* The marks of all zones come right after their sample, and whatever follows them ends them. */
static void flush_zones(struct trace *trace)
{
	if (!trace->zones_ns)
		return;
	counter(trace, trace->zones_ns, PID_MEMORY, "MIN MiB", (double)trace->min * trace->mib_per_page);
	counter(trace, trace->zones_ns, PID_MEMORY, "LOW MiB", (double)trace->low * trace->mib_per_page);
	counter(trace, trace->zones_ns, PID_MEMORY, "HIGH MiB", (double)trace->high * trace->mib_per_page);
	trace->min = trace->low = trace->high = 0;
	trace->zones_ns = 0;
}

static void take_zone(struct trace *trace, const struct bb_zone *zone)
{
	trace->min += zone->min + zone->boost;
	trace->low += zone->low + zone->boost;
	trace->high += zone->high + zone->boost;
	trace->zones_ns = trace->before.head.t_ns;
}

/* What overlaps as it likes: asynchronous events, by number. args is JSON for the details of the first. */
static void span(struct trace *trace, uint64_t pid, const char *category, const char *name, uint64_t begin_ns, uint64_t end_ns,
		 const char *args)
{
	const uint64_t at[] = { begin_ns, end_ns };

	trace->spans++;
	for (size_t i = 0; i < 2; i++) {
		begin_event(trace);
		fprintf(trace->out, "\"ph\":\"%s\",\"cat\":\"%s\",\"id\":\"%" PRIu64 "\",\"pid\":%" PRIu64 ",\"tid\":0,",
			i ? "e" : "b", category, trace->spans, pid);
		print_us(trace->out, "ts", at[i]);
		fputs(",\"name\":", trace->out);
		report_json_text(trace->out, name);
		fprintf(trace->out, ",\"args\":{%s}}", i ? "" : args);
	}
}

static void take_io(struct trace *trace, const struct bb_disk_io *io)
{
	char args[160];

	snprintf(args, sizeof(args), "\"bytes\":%u,\"sector\":%" PRIu64 ",\"by pid\":%u,\"served after us\":%" PRIu64, io->bytes,
		 (uint64_t)io->sector, io->pid, (uint64_t)(io->begun_ns > io->arrived_ns ? io->begun_ns - io->arrived_ns : 0) / 1000);
	span(trace, PID_DISK, "disk", pl_bb_disk_kind_name(io->kind), io->arrived_ns, io->head.t_ns, args);
}

/* A task may give back its locks in any order. */
static void take_hold(struct trace *trace, const struct bb_lock_hold *hold, const char *comm)
{
	struct task *task = task_of(trace, hold->pid);
	char name[48], args[160];

	if (!task)
		return;
	take_name(trace, task, comm);
	snprintf(name, sizeof(name), "holds %s", pl_bb_lock_name(hold->flags));
	snprintf(args, sizeof(args), "\"lock\":\"0x%" PRIx64 "\",\"switches\":%" PRIu64, (uint64_t)hold->lock, (uint64_t)hold->switches);
	span(trace, hold->pid, "lock", name, hold->begin_ns, hold->begin_ns + hold->duration_ns, args);
}

static void take_kswapd(struct trace *trace, const struct bb_kswapd *kswapd, bool log_ends)
{
	uint32_t node = kswapd->nid;

	if (node >= MAX_NODES)
		return;
	if (kswapd->event == BB_KSWAPD_WAKE && !log_ends) {
		if (!trace->kswapd_since_ns[node])
			trace->kswapd_since_ns[node] = kswapd->head.t_ns;
		return;
	}
	if (!trace->kswapd_since_ns[node] || kswapd->head.t_ns < trace->kswapd_since_ns[node])
		return;
	begin_event(trace);
	fprintf(trace->out, "\"ph\":\"X\",\"cat\":\"kswapd\",\"pid\":%d,\"tid\":%u,", PID_KSWAPD, PID_KSWAPD + node);
	print_us(trace->out, "ts", trace->kswapd_since_ns[node]);
	fputc(',', trace->out);
	print_us(trace->out, "dur", kswapd->head.t_ns - trace->kswapd_since_ns[node]);
	fputs(",\"name\":\"awake\",\"args\":{}}", trace->out);
	trace->kswapd_since_ns[node] = 0;
}

static void take_stall(struct trace *trace, const struct bb_stall_end *end, const char *comm)
{
	static const char *const results[] = { "page", "page after compaction", "page after the OOM killer", "no page" };
	uint64_t total_ns = end->total_ns < end->head.t_ns ? end->total_ns : end->head.t_ns;
	struct task *task = task_of(trace, end->head.pid);
	char args[256];

	snprintf(args, sizeof(args), "\"order\":%u,\"rounds\":%u,\"reclaimed pages\":%" PRIu64 ",\"in block IO ms\":%" PRIu64
				     ",\"throttled ms\":%" PRIu64 ",\"result\":\"%s\"",
		 end->order, end->rounds, (uint64_t)end->nr_reclaimed, (uint64_t)end->blkio_ns / 1000000,
		 (uint64_t)end->throttled_ns / 1000000, end->result < 4 ? results[end->result] : "?");
	slice(trace, end->head.pid, comm, TRACK_STALL, "stall", end->head.t_ns - total_ns, total_ns, args);
	if (task && task->stall_depth)
		task->stall_depth--;
}

static void take_stall_begin(struct trace *trace, const struct bb_stall_begin *begin)
{
	struct task *task = task_of(trace, begin->head.pid);

	if (task && !task->stall_depth++)
		task->stall_since_ns = begin->head.t_ns;
}

static void take_blocked(struct trace *trace, const struct bb_unblocked *end)
{
	if (end->until_ns >= end->since_ns)
		slice(trace, end->pid, "", TRACK_BLOCKED, "D state", end->since_ns, end->until_ns - end->since_ns,
		      end->flags & BB_TASK_OPEN ? "\"open\":true" : "");
}

static void take(struct trace *trace, const struct bb_rec *rec)
{
	char comm[BB_COMM_LEN + 1], args[160], name[BB_NAME_LEN + 32];

#define COMM(record) pl_bb_string(comm, sizeof(comm), (record)->comm, BB_COMM_LEN)
	if (rec->type != BB_REC_ZONE)
		flush_zones(trace);
	if (rec->t_ns > trace->last_ns)
		trace->last_ns = rec->t_ns;
	switch (rec->type) {
	case BB_REC_SAMPLE:
		take_sample(trace, (const struct bb_sample *)rec);
		break;
	case BB_REC_ZONE:
		take_zone(trace, (const struct bb_zone *)rec);
		break;
	case BB_REC_BLOCKED: {
		const struct bb_blocked *blocked = (const struct bb_blocked *)rec;
		struct task *task = task_of(trace, blocked->pid);

		COMM(blocked);
		if (task)
			take_name(trace, task, comm);
		break;
	}
	case BB_REC_UNBLOCKED:
		take_blocked(trace, (const struct bb_unblocked *)rec);
		break;
	case BB_REC_LOCK_WAIT: {
		const struct bb_lock_wait *wait = (const struct bb_lock_wait *)rec;

		COMM(wait);
		snprintf(args, sizeof(args), "\"lock\":\"0x%" PRIx64 "\",\"got it\":%s", (uint64_t)wait->lock, wait->ret ? "false" : "true");
		slice(trace, wait->pid, comm, TRACK_LOCK_WAIT, pl_bb_lock_name(wait->flags), wait->begin_ns, wait->duration_ns, args);
		break;
	}
	case BB_REC_LOCK_HOLD:
		COMM((const struct bb_lock_hold *)rec);
		take_hold(trace, (const struct bb_lock_hold *)rec, comm);
		break;
	case BB_REC_RECLAIM: {
		const struct bb_reclaim *reclaim = (const struct bb_reclaim *)rec;

		COMM(reclaim);
		snprintf(args, sizeof(args), "\"order\":%u,\"reclaimed pages\":%" PRIu64, reclaim->order, (uint64_t)reclaim->nr_reclaimed);
		slice(trace, reclaim->pid, comm, TRACK_RECLAIM, "round", reclaim->begin_ns, reclaim->duration_ns, args);
		break;
	}
	case BB_REC_THROTTLE: {
		const struct bb_throttle *throttle = (const struct bb_throttle *)rec;
		uint64_t delayed_ns = (uint64_t)throttle->delayed_us * 1000;

		COMM(throttle);
		if (delayed_ns <= rec->t_ns)
			slice(trace, throttle->pid, comm, TRACK_THROTTLE, "throttled", rec->t_ns - delayed_ns, delayed_ns, "");
		break;
	}
	case BB_REC_STALL_BEGIN:
		take_stall_begin(trace, (const struct bb_stall_begin *)rec);
		break;
	case BB_REC_STALL_END:
		COMM((const struct bb_stall_end *)rec);
		take_stall(trace, (const struct bb_stall_end *)rec, comm);
		break;
	case BB_REC_KSWAPD:
		take_kswapd(trace, (const struct bb_kswapd *)rec, false);
		break;
	case BB_REC_DISK_IO:
		take_io(trace, (const struct bb_disk_io *)rec);
		break;
	case BB_REC_OOM_KILL: {
		const struct bb_oom_kill *kill = (const struct bb_oom_kill *)rec;

		if (!pl_oom_is_kill(&trace->oom, kill))
			break;
		COMM(kill);
		snprintf(name, sizeof(name), "OOM kill of %s %u", comm, kill->pid);
		instant(trace, rec->t_ns, 0, name);
		break;
	}
	case BB_REC_HUNG_TASK: {
		const struct bb_hung_task *hung = (const struct bb_hung_task *)rec;

		COMM(hung);
		snprintf(name, sizeof(name), "khungtaskd: %s %u", comm, hung->pid);
		instant(trace, rec->t_ns, hung->pid, name);
		break;
	}
	case BB_REC_MARK:
		pl_bb_string(name, sizeof(name), ((const struct bb_mark *)rec)->name, BB_NAME_LEN);
		instant(trace, rec->t_ns, 0, name);
		break;
	default:
		break;
	}
#undef COMM
}

/* What had begun and did not end. */
static void finish(struct trace *trace)
{
	flush_zones(trace);
	for (uint32_t node = 0; node < MAX_NODES; node++) {
		struct bb_kswapd end = { .head.t_ns = trace->last_ns, .nid = node };

		take_kswapd(trace, &end, true);
	}
	for (size_t i = 0; i < MAX_TASKS; i++) {
		const struct task task = trace->tasks[i];

		if (task.pid && task.stall_depth && task.stall_since_ns <= trace->last_ns)
			slice(trace, task.pid, "", TRACK_STALL, "stall", task.stall_since_ns, trace->last_ns - task.stall_since_ns,
			      "\"open\":true");
	}
}

void report_trace_events(FILE *out, const struct pl_bb *bb)
{
	struct trace trace = {
		.out = out,
		.mib_per_page = bb->header.page_bytes / 1048576.0,
		.tasks = pl_calloc(MAX_TASKS, sizeof(*trace.tasks)),
	};
	const struct bb_rec *rec;
	uint64_t offset = 0;

	pl_oom_read(bb, NULL, &trace.oom);
	name_process(&trace, PID_MEMORY, "memory", 1);
	name_process(&trace, PID_PRESSURE, "pressure", 2);
	name_process(&trace, PID_DISK, "disk", 3);
	name_process(&trace, PID_KSWAPD, "kswapd", 4);
	while (pl_bb_next(bb, &offset, &rec) == PL_BB_RECORD)
		take(&trace, rec);
	finish(&trace);
	pl_oom_free(&trace.oom);
	free(trace.tasks);
}

static enum pl_status write_perfetto(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	const struct pl_row *row = report->rows;
	struct pl_bb bb;
	void *region;
	enum pl_status status = report_read_log(report, row, &region, &bb, err);

	if (status != PL_OK)
		return status;
	fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"cell\":", out);
	report_json_text(out, row->id);
	fputs(",\"label\":", out);
	report_json_text(out, report->title);
	fputs(",\"verdict\":", out);
	report_json_text(out, pl_verdict_name(row->analysis.verdict));
	fputs(",\"digest\":", out);
	report_json_text(out, row->digest);
	fputs("},\n\"traceEvents\":[", out);
	report_trace_events(out, &bb);
	fputs("\n]}\n", out);
	free(region);
	return PL_OK;
}

const struct pl_format report_format_perfetto = {
	.name = "perfetto",
	.extension = "json",
	.description = "a trace: tasks, locks, disk, kswapd, counters",
	.scope = PL_SCOPE_CELL,
	.write = write_perfetto,
};
