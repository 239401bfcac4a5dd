// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The loop that starts VMs side by side, watches each to its end, a deadline or a signal, and hands what came of it
 * on.
 */
#include "run/run.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "run/progress.h"

#define MAX_JOBS     256
#define FILES_WANTED 16384

/* How often a VM is looked at: for its wall limit, the start of its workload, and the progress line. */
#define TICK_MS 50

struct slot {
	const struct pl_cell *cell;	/* NULL: free */
	struct pl_vm vm;
	uint64_t records;	/* written or dropped, as last looked at */
	double moved_s;		/* when that changed */
	char why_killed[80];
	bool killed;
	bool workload_seen;
	double start_wall_s;
	uint64_t scan_offset;
	double harness_cpu_s;
};

struct scheduler {
	const struct pl_run *run;
	struct slot slots[MAX_JOBS];
	unsigned jobs;
	int cores[MAX_JOBS];	/* of the slots; -1: any */
	int core_claims[MAX_JOBS]; /* -1: none */
	int epoll_fd, signal_fd, timer_fd;
	size_t nr_started;
	bool no_more;
	bool interrupted;
	struct pl_progress progress;
};

/* epoll's data: a slot's number, or one of these. */
enum { EVENT_SIGNAL = MAX_JOBS, EVENT_TIMER };

static unsigned allowed_cores(int *cores, unsigned room)
{
	cpu_set_t set;
	unsigned count = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 0;
	for (unsigned core = 0; core < CPU_SETSIZE && count < room; core++)
		if (CPU_ISSET(core, &set))
			cores[count++] = (int)core;
	return count;
}

unsigned pl_nr_cores(void)
{
	int cores[MAX_JOBS];
	unsigned count = allowed_cores(cores, MAX_JOBS);

	return count ? count : 1;
}

/*
 * A name that the kernel gives to one socket only, and takes back when its process ends however it ends. Nobody sends anything.
 * -1: another plimsoll has it, of this network namespace.
 */
static int claim_core(int core)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "plimsoll-core-%d", core);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Cores that no other plimsoll uses come first: two with -j1 would otherwise share the first core, and leave the second idle. */
static void choose_cores(struct scheduler *s)
{
	int cores[MAX_JOBS];
	bool mine[MAX_JOBS] = { false };
	unsigned nr = allowed_cores(cores, MAX_JOBS), chosen = 0;

	for (unsigned i = 0; i < MAX_JOBS; i++)
		s->core_claims[i] = s->cores[i] = -1;
	for (unsigned i = 0; i < nr && chosen < s->jobs; i++) {
		s->core_claims[chosen] = claim_core(cores[i]);
		mine[i] = s->core_claims[chosen] >= 0;
		if (mine[i])
			s->cores[chosen++] = cores[i];
	}
	for (unsigned i = 0; i < nr && chosen < s->jobs; i++)
		if (!mine[i])
			s->cores[chosen++] = cores[i];
	for (unsigned i = 0; nr && chosen < s->jobs; i++)
		s->cores[chosen++] = cores[i % nr];
}

static enum pl_status watch(int epoll_fd, int fd, uint32_t what, struct pl_error *err)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = what };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return pl_fail_errno(err, PL_HOST, "epoll");
	return PL_OK;
}

static enum pl_status start_slot(struct scheduler *s, unsigned number, const struct pl_cell *cell, struct pl_error *err)
{
	struct slot *slot = &s->slots[number];
	double cpu_s = pl_process_cpu_s();
	struct pl_vm_options options = {
		.lockstep = s->run->lockstep,
		.host_tlb_time = s->run->host_tlb_time,
		.provoke = s->run->provoke,
		/* Both for each cell, in whichever stride its runs come. */
		.hurry = __builtin_parityll(s->nr_started),
		.kvm = s->run->kvm && cell->machine.clock == PL_CLOCK_REAL,
		.hold_at = s->run->hold_at,
		/*
		 * Both threads of a QEMU in lockstep share one core: handing over to another core costs more. The control
		 * without lockstep is left free: on one core the threads seldom meet, and it would hardly ever fail.
		 */
		.core = s->run->lockstep && cell->machine.clock == PL_CLOCK_VIRTUAL ? s->cores[number] : -1,
	};

	*slot = (struct slot){ 0 };
	s->nr_started++;
	enum pl_status status = pl_vm_start(s->run->host, cell, &options, &slot->vm, err);
	if (status != PL_OK)
		return status;
	slot->cell = cell;
	slot->harness_cpu_s = pl_process_cpu_s() - cpu_s;
	pl_progress_started(&s->progress);
	status = watch(s->epoll_fd, slot->vm.pidfd, number, err);
	if (status != PL_OK) {
		struct pl_vm_end end;

		/* Nobody would ever hear of its end. */
		pl_vm_kill(&slot->vm);
		pl_vm_finish(&slot->vm, &end);
		pl_vm_release(&slot->vm);
		slot->cell = NULL;
	} else if (s->run->started) {
		s->run->started(s->run->ctx, cell, &slot->vm);
	}
	return status;
}

/* Start runs until all slots are taken or there is nothing left to start. */
static enum pl_status fill_slots(struct scheduler *s, struct pl_error *err)
{
	for (unsigned i = 0; i < s->jobs && !s->no_more && !s->interrupted; i++) {
		if (s->slots[i].cell)
			continue;
		const struct pl_cell *cell = s->run->next(s->run->ctx);
		if (!cell) {
			s->no_more = true;
			break;
		}
		enum pl_status status = start_slot(s, i, cell, err);
		if (status != PL_OK)
			return status;
	}
	return PL_OK;
}

/*
 * Has the agent come to the workload, whose first instructions are those of its preparation? Reading the guest's memory
 * does not change what it does.
 */
static void look_for_workload(struct slot *slot)
{
	struct pl_bb bb;
	const struct bb_rec *rec;

	if (slot->workload_seen ||
	    pl_bb_open(&bb, pl_vm_blackbox(&slot->vm), slot->vm.blackbox_bytes, NULL) != PL_OK)
		return;
	for (uint64_t at = slot->scan_offset; pl_bb_next(&bb, &slot->scan_offset, &rec) == PL_BB_RECORD; at = slot->scan_offset) {
		const struct bb_mark *mark = (const struct bb_mark *)rec;

		/* The guest may have changed the type since its length was checked. */
		if (rec->type != BB_REC_MARK || slot->scan_offset - at < sizeof(*mark) ||
		    strncmp(mark->name, "prepare", sizeof(mark->name)))
			continue;
		slot->workload_seen = true;
		slot->start_wall_s = pl_now_s() - slot->vm.started_s;
		break;
	}
}

static void judge(struct slot *slot, const struct pl_vm_end *end, const struct pl_bb *bb, const char *console,
		  struct pl_outcome *outcome)
{
	const struct pl_cell *cell = slot->cell;
	struct pl_run_facts facts = {
		.exact = end->exact,
		.killed = slot->killed,
		.qemu_status = end->status,
		.hung_task_timeout_s = cell->hung_task_timeout_s,
		.progress = cell->progress,
		.program = cell->program,
		.may_end = cell->may_end,
		.console = console,
	};
	struct pl_row *row = &outcome->row;

	memcpy(row->id, cell->id, sizeof(row->id));
	row->kernel = cell->kernel;
	row->disk = cell->disk;
	row->workload = cell->workload;
	row->setting = cell->setting;
	row->seed = cell->seed;
	row->virtual_seconds = cell->virtual_seconds;
	row->machine = cell->machine;
	row->hung_task_timeout_s = cell->hung_task_timeout_s;
	row->progress = cell->progress;
	row->may_end = cell->may_end;
	row->exact = end->exact;
	row->killed = slot->killed;
	row->qemu_status = end->status;
	row->wall_s = end->wall_s;
	row->qemu_cpu_s = (double)end->usage.ru_utime.tv_sec + (double)end->usage.ru_utime.tv_usec / 1e6 +
			  (double)end->usage.ru_stime.tv_sec + (double)end->usage.ru_stime.tv_usec / 1e6;
	row->start_wall_s = slot->start_wall_s;
	pl_analyse(bb, &facts, &row->analysis);
}

/* What two runs of one cell must agree on: everything the recorder wrote and everything the console said. */
static void digest_of(const struct pl_artifacts *artifacts, char digest[PL_SHA256_HEX])
{
	struct pl_sha256 *sha = pl_sha256_new();

	pl_sha256_add(sha, artifacts->blackbox, artifacts->blackbox_bytes);
	pl_sha256_add(sha, artifacts->console, artifacts->console_bytes);
	pl_sha256_final(sha, digest);
}

static enum pl_status finish_slot(struct scheduler *s, struct slot *slot, struct pl_error *err)
{
	struct pl_outcome outcome = { .cell = slot->cell };
	struct pl_vm_end end;
	struct pl_bb bb;
	double cpu_s = pl_process_cpu_s();

	look_for_workload(slot);
	pl_vm_finish(&slot->vm, &end);
	/* It may have ended by itself just before. */
	slot->killed = slot->killed && end.status == -SIGKILL;
	char *console = pl_vm_console(&slot->vm, &outcome.artifacts.console_bytes);
	bool has_log = pl_bb_open(&bb, pl_vm_blackbox(&slot->vm), slot->vm.blackbox_bytes, NULL) == PL_OK;

	outcome.artifacts.console = console;
	outcome.artifacts.inputs_json = slot->cell->inputs_json;
	if (has_log) {
		outcome.artifacts.blackbox = bb.region;
		outcome.artifacts.blackbox_bytes = pl_bb_used_bytes(&bb);
	}
	judge(slot, &end, has_log ? &bb : NULL, console, &outcome);
	digest_of(&outcome.artifacts, outcome.row.digest);
	char complaint[160];

	pl_vm_complaint(&slot->vm, complaint, sizeof(complaint));
	/* Told to stop by a signal QEMU exits with 0: that is the host's doing and not the guest's. */
	bool told_to_stop = !end.status && strstr(complaint, "terminating on signal ");
	bool lost_lockstep = s->run->lockstep && slot->cell->machine.clock == PL_CLOCK_VIRTUAL && !end.exact;

	outcome.host_failed = slot->killed || end.status != 0 || told_to_stop || lost_lockstep;
	if (slot->killed) {
		snprintf(outcome.message, sizeof(outcome.message), "%s", slot->why_killed);
	} else if (end.status || told_to_stop) {
		snprintf(outcome.message, sizeof(outcome.message), "QEMU ended with %s %d%s%s", end.status < 0 ? "signal" : "status",
			 abs(end.status), *complaint ? ": " : "", complaint);
	} else if (lost_lockstep) {
		snprintf(outcome.message, sizeof(outcome.message), "QEMU did not run in lockstep (`plimsoll doctor` says more)");
	}
	outcome.row.harness_cpu_s = slot->harness_cpu_s + pl_process_cpu_s() - cpu_s;

	enum pl_status status = s->interrupted ? PL_OK : s->run->done(s->run->ctx, &outcome, err);
	if (!s->interrupted)
		pl_progress_finished(&s->progress, &outcome);
	pl_analysis_free(&outcome.row.analysis);
	free(console);
	/* A child that is about to start QEMU may hold a copy for a moment longer, which would go on reporting. */
	epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, slot->vm.pidfd, NULL);
	pl_vm_release(&slot->vm);
	slot->cell = NULL;
	return status;
}

/* Is it time to end this VM, because its recorder shows no sign of life or because it takes too long altogether? */
static bool overdue(struct slot *slot)
{
	const struct bb_header *header = (const void *)pl_vm_blackbox(&slot->vm);
	/* What is dropped counts as well: a full log does not grow. */
	uint64_t records = __atomic_load_n(&header->records, __ATOMIC_RELAXED) +
			   __atomic_load_n(&header->dropped_records, __ATOMIC_RELAXED);
	double now_s = pl_now_s(), limit_s = PL_WALL_LIMIT_S(slot->cell->virtual_seconds, slot->cell->machine.ns_per_instruction);

	if (!slot->moved_s || records != slot->records) {
		slot->records = records;
		slot->moved_s = now_s;
	}
	if (now_s - slot->moved_s > PL_STUCK_S) {
		snprintf(slot->why_killed, sizeof(slot->why_killed), "recorded nothing for %.0f s and was ended", PL_STUCK_S);
		return true;
	}
	snprintf(slot->why_killed, sizeof(slot->why_killed), "passed its wall limit of %.0f s and was ended", limit_s);
	return now_s - slot->vm.started_s > limit_s;
}

static enum pl_status tick(struct scheduler *s, struct pl_error *err)
{
	enum pl_status status = PL_OK;
	uint64_t expirations;

	if (read(s->timer_fd, &expirations, sizeof(expirations)) < 0)
		return PL_OK;
	for (unsigned i = 0; i < s->jobs; i++) {
		struct slot *slot = &s->slots[i];

		if (!slot->cell)
			continue;
		look_for_workload(slot);
		if (pl_vm_held(&slot->vm)) {
			if (status == PL_OK && !s->interrupted)
				status = s->run->held(s->run->ctx, slot->cell, &slot->vm, err);
			pl_vm_go_on(&slot->vm);
		}
		if (!slot->killed && overdue(slot)) {
			slot->killed = true;
			pl_vm_kill(&slot->vm);
		}
	}
	pl_progress_tick(&s->progress);
	return status;
}

static void kill_all(struct scheduler *s)
{
	for (unsigned i = 0; i < s->jobs; i++)
		if (s->slots[i].cell)
			pl_vm_kill(&s->slots[i].vm);
}

static bool any_running(const struct scheduler *s)
{
	for (unsigned i = 0; i < s->jobs; i++)
		if (s->slots[i].cell)
			return true;
	return false;
}

static enum pl_status loop(struct scheduler *s, struct pl_error *err)
{
	enum pl_status status = fill_slots(s, err);

	while (any_running(s)) {
		struct epoll_event events[16];

		if (status != PL_OK && !s->interrupted) {
			s->interrupted = true;
			kill_all(s);
		}
		int count = epoll_wait(s->epoll_fd, events, 16, -1);
		if (count < 0 && errno != EINTR) {
			status = pl_fail_errno(err, PL_HOST, "epoll_wait");
			kill_all(s);
			count = 0;
		}
		for (int i = 0; i < count; i++) {
			uint32_t what = events[i].data.u32;

			if (what == EVENT_TIMER) {
				enum pl_status tick_status = tick(s, err);
				if (status == PL_OK)
					status = tick_status;
			} else if (what == EVENT_SIGNAL) {
				struct signalfd_siginfo info;

				if (read(s->signal_fd, &info, sizeof(info)) < 0 || s->interrupted)
					continue;
				status = pl_fail(err, PL_HOST, "interrupted after %zu of %zu runs", s->progress.finished, s->run->nr_jobs_total);
			} else if (s->slots[what].cell) {
				enum pl_status finish_status = finish_slot(s, &s->slots[what], err);
				if (status == PL_OK)
					status = finish_status;
			}
		}
		if (status == PL_OK)
			status = fill_slots(s, err);
	}
	return status;
}

static enum pl_status open_fds(struct scheduler *s, const sigset_t *signals, struct pl_error *err)
{
	static const struct itimerspec period = {
		.it_interval.tv_nsec = TICK_MS * 1000000L,
		.it_value.tv_nsec = TICK_MS * 1000000L,
	};

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->epoll_fd < 0 || s->signal_fd < 0 || s->timer_fd < 0 || timerfd_settime(s->timer_fd, 0, &period, NULL))
		return pl_fail_errno(err, PL_HOST, "event loop");
	enum pl_status status = watch(s->epoll_fd, s->signal_fd, EVENT_SIGNAL, err);
	return status == PL_OK ? watch(s->epoll_fd, s->timer_fd, EVENT_TIMER, err) : status;
}

/* A VM takes some six files, and the usual limit of 1024 would end a run on a host of 200 cores. */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= FILES_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
	/* If not, the first VM that lacks one says so. */
	setrlimit(RLIMIT_NOFILE, &limit);
}

enum pl_status pl_run_all(const struct pl_run *run, struct pl_error *err)
{
	struct scheduler *s = pl_calloc(1, sizeof(*s));
	sigset_t signals, before;
	struct sigaction hup;

	allow_files();
	s->run = run;
	s->epoll_fd = s->signal_fd = s->timer_fd = -1;
	s->jobs = run->jobs ? run->jobs : pl_nr_cores();
	if (s->jobs > MAX_JOBS)
		s->jobs = MAX_JOBS;
	choose_cores(s);
	pl_progress_init(&s->progress, run->nr_jobs_total, s->jobs, run->quiet);

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	/* Under nohup it stays ignored: blocked, it would be queued even so. */
	if (!sigaction(SIGHUP, NULL, &hup) && hup.sa_handler != SIG_IGN)
		sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &before);

	enum pl_status status = open_fds(s, &signals, err);
	if (status == PL_OK)
		status = loop(s, err);
	pl_progress_end(&s->progress);

	int fds[] = { s->epoll_fd, s->signal_fd, s->timer_fd };
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	for (unsigned i = 0; i < s->jobs; i++)
		if (s->core_claims[i] >= 0)
			close(s->core_claims[i]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(s);
	return status;
}
