// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Two bystanders: one maps, touches and unmaps a page and looks a file up every 10 ms, the other writes and syncs a
 * small file every second. They are processes of their own, started by exec, so that they share no page and no
 * mmap_lock with the agent or with each other, and they lock their memory, so that what they measure is the kernel's
 * work for these operations and not the way of their own pages back from the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "blackbox/format.h"
#include "agent.h"
#include "report.h"

#define PAGE_BYTES	4096
#define SHARED_FD	3
#define TOUCH_NS	(10 * NS_PER_MS)
#define FSYNC_NS	NS_PER_S
#define SETUP_LIMIT_S	10
#define FSYNC_BYTES	64
#define STAT_PATH	DATA_DIR "/.probe"
#define FSYNC_PATH	DATA_DIR "/.probe-fsync"

enum probe_kind {
	PROBE_TOUCH,
	PROBE_STAT,
	PROBE_FSYNC,
	PROBE_KINDS
};

static const char * const probe_names[PROBE_KINDS] = { "probe_touch", "probe_stat", "probe_fsync" };

/* Written by one probe, read by the agent; each word is whole at any time. */
struct histogram {
	uint64_t begin_ns;	/* of the operation under way, 0 if none */
	uint64_t sum_ns;
	uint64_t max_ns;
	uint32_t bucket[BB_HIST_BUCKETS];
};

enum probe_phase {
	PROBE_WAITS,
	PROBE_RUNS,
	PROBE_STOPS
};

struct shared {
	uint32_t phase;
	uint32_t ready;		/* probes that are set up */
	struct histogram histogram[PROBE_KINDS];
};

_Static_assert(sizeof(struct shared) <= PAGE_BYTES, "one page is shared");

static struct shared *shared;
static pid_t probes[2];
static unsigned int nr_probes;

#define LOAD(word)		__atomic_load_n(&(word), __ATOMIC_ACQUIRE)
#define STORE(word, value)	__atomic_store_n(&(word), value, __ATOMIC_RELEASE)

static void begin(enum probe_kind kind)
{
	STORE(shared->histogram[kind].begin_ns, now_ns());
}

static void end(enum probe_kind kind)
{
	struct histogram *h = &shared->histogram[kind];
	uint64_t took_ns = now_ns() - h->begin_ns;
	uint32_t bucket = bb_hist_bucket(took_ns);

	STORE(h->sum_ns, h->sum_ns + took_ns);
	if (took_ns > h->max_ns)
		STORE(h->max_ns, took_ns);
	STORE(h->bucket[bucket], h->bucket[bucket] + 1);
	STORE(h->begin_ns, 0);
}

/* Sleep until the next multiple of @period_ns after @start_ns: ticks that passed meanwhile are not made up for. */
static void sleep_to_tick(uint64_t start_ns, uint64_t period_ns)
{
	uint64_t tick_ns = start_ns + ((now_ns() - start_ns) / period_ns + 1) * period_ns;
	struct timespec until = {
		.tv_sec = (time_t)(tick_ns / NS_PER_S),
		.tv_nsec = (long)(tick_ns % NS_PER_S),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void touch_and_stat(void)
{
	struct stat status;
	char *page;

	begin(PROBE_TOUCH);
	page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page != MAP_FAILED) {
		*(volatile char *)page = 1;
		munmap(page, PAGE_BYTES);
	}
	end(PROBE_TOUCH);

	begin(PROBE_STAT);
	stat(STAT_PATH, &status);
	end(PROBE_STAT);
}

static void write_and_sync(int fd)
{
	static char bytes[FSYNC_BYTES];

	/* Other bytes each time, lest a file system find nothing to do. */
	memset(bytes, bytes[0] + 1, sizeof(bytes));
	begin(PROBE_FSYNC);
	if (pwrite(fd, bytes, sizeof(bytes), 0) == sizeof(bytes))
		fsync(fd);
	end(PROBE_FSYNC);
}

static int open_score(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "-1000", 5) != 5)
		fd = -1;
	return fd;
}

void probe_main(const char *name)
{
	bool syncs = !strcmp(name, "probe-fsync");
	uint64_t period_ns = syncs ? FSYNC_NS : TOUCH_NS, start_ns;
	int fd = open(syncs ? FSYNC_PATH : STAT_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	prctl(PR_SET_NAME, name);
	signal(SIGTERM, SIG_IGN);
	shared = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_FD, 0);
	/* Without MCL_FUTURE: that would fault the probed page in at mmap() already. */
	if (fd < 0 || shared == MAP_FAILED || open_score() < 0 || mlockall(MCL_CURRENT)) {
		dprintf(STDERR_FILENO, "agent: %s: %s\n", name, strerror(errno));
		_exit(1);
	}
	if (syncs) {
		/* So that the file's first block is not part of the first measurement. */
		write_and_sync(fd);
		memset(&shared->histogram[PROBE_FSYNC], 0, sizeof(shared->histogram[PROBE_FSYNC]));
	}
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_RELEASE);
	start_ns = now_ns();
	while (LOAD(shared->phase) != PROBE_STOPS) {
		sleep_to_tick(start_ns, period_ns);
		if (LOAD(shared->phase) != PROBE_RUNS)
			continue;
		if (syncs)
			write_and_sync(fd);
		else
			touch_and_stat();
	}
	_exit(0);
}

static void start(const char *name, int memory)
{
	pid_t pid = fork();

	if (pid < 0)
		give_up("failed", "%s: fork: %s", name, strerror(errno));
	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(memory, SHARED_FD);
		execl("/proc/self/exe", "agent", name, (char *)NULL);
		_exit(127);
	}
	probes[nr_probes++] = pid;
}

void probe_start(void)
{
	uint64_t deadline_ns = now_ns() + SETUP_LIMIT_S * NS_PER_S;
	int memory = memfd_create("probe", MFD_CLOEXEC);

	/* dup2() onto itself would keep close-on-exec: make sure that the number is another one. */
	if (memory >= 0 && memory <= SHARED_FD)
		memory = fcntl(memory, F_DUPFD_CLOEXEC, SHARED_FD + 1);
	if (memory < 0 || ftruncate(memory, PAGE_BYTES))
		give_up("failed", "probe: memory: %s", strerror(errno));
	shared = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (shared == MAP_FAILED)
		give_up("failed", "probe: mmap: %s", strerror(errno));
	start("probe", memory);
	start("probe-fsync", memory);
	close(memory);
	while (LOAD(shared->ready) < nr_probes) {
		if (now_ns() > deadline_ns)
			give_up("failed", "probe: not ready within %d s", SETUP_LIMIT_S);
		tasks_serve_until(now_ns() + TOUCH_NS);
	}
}

bool probe_ended(pid_t pid, int status)
{
	for (unsigned int i = 0; i < nr_probes; i++) {
		if (probes[i] != pid)
			continue;
		if (status)
			give_up("failed", "probe: ended with status 0x%x", (unsigned int)status);
		return true;
	}
	return false;
}

void probe_begin(void)
{
	STORE(shared->phase, PROBE_RUNS);
}

void probe_stop(void)
{
	STORE(shared->phase, PROBE_STOPS);
}

void probe_report(void)
{
	for (int kind = 0; kind < PROBE_KINDS; kind++) {
		const struct histogram *h = &shared->histogram[kind];
		struct bb_hist record = { 0 };
		uint64_t begin_ns = LOAD(h->begin_ns);

		snprintf(record.name, sizeof(record.name), "%s", probe_names[kind]);
		for (int i = 0; i < BB_HIST_BUCKETS; i++) {
			record.bucket[i] = LOAD(h->bucket[i]);
			/* Summed up here, so that count and buckets agree even if the probe is between two stores. */
			record.count += record.bucket[i];
		}
		record.sum_ns = LOAD(h->sum_ns);
		record.max_ns = LOAD(h->max_ns);
		record.open_ns = begin_ns ? now_ns() - begin_ns : 0;
		report_record(&record, BB_REC_HIST, sizeof(record));
	}
}
