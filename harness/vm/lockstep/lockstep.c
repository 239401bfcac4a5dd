// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * lockstep.so: preloaded into QEMU, keeps its main loop from running while its vCPU thread runs.
 *
 * Why: under -icount sleep=off the vCPU thread marks the CPU halted before it has added the instructions just executed
 * to the clock (do_hlt and icount_process_data in QEMU 7.2's target/i386/tcg and accel/tcg). A main loop that is awake
 * in between finds all CPUs idle, computes the jump to the next timer from a stale clock, and the guest is some
 * nanoseconds late for ever after (icount_start_warp_timer in softmmu/icount.c). docs/virtual-clock.md has the rates.
 *
 * How: the main loop does its work between two ppoll calls. It may come back from ppoll only while the vCPU thread
 * sleeps in pthread_cond_wait and nobody has woken it. Waking it is the main loop's own doing, under the big lock, and
 * the vCPU thread needs that lock to return from its wait; so the two take turns, whatever the host's scheduler does.
 *
 * And it gives the vCPU thread a time of day that is not the host's, for the soft TLB: see gettimeofday() below.
 *
 * QEMU must run with `-name ...,debug-threads=on`: the vCPU thread is known by its name.
 */
#include <dlfcn.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "evidence.h"

#define EXPORT __attribute__((visibility("default")))

/* 1: the vCPU thread sleeps and nobody has woken it yet. A futex: the main loop waits on it. */
static atomic_int parked;
/* The condition variable that the vCPU thread sleeps on, and the lock that goes with it: QEMU's big lock. */
static _Atomic(pthread_cond_t *) halt_cond;
static _Atomic(pthread_mutex_t *) big_lock;

static _Thread_local bool is_vcpu;
static _Thread_local bool is_main;
/* The main thread starts up with the big lock held. */
static _Thread_local bool holds_big_lock = true;
/* The main loop has the turn: parked was seen, the vCPU has not been woken by it since. */
static _Thread_local bool has_turn;

/* The main loop is between two polls. */
static atomic_bool main_awake;

static bool free_running, provoke, host_time;
/* What passes between two flushes on a provoked host. */
static int64_t host_flush_us;
/* How long a provoked thread is held up: well above what the other needs to get to the race, well below a timer tick. */
#define PROVOKE_MAIN_NS	 20000
#define PROVOKE_VCPU_NS	 200000
/* Of the time that the soft TLB goes by: its window of 100 ms is so many flushes. */
#define TLB_FLUSH_US	 1000
/* Between two flushes on a host in a hurry more time than the window passes. */
#define TLB_HURRY_US	 200000

static struct pl_lockstep_evidence no_evidence;
static struct pl_lockstep_evidence *evidence = &no_evidence;
/* What a hold is waited for at; NULL: none was asked for. */
static const uint64_t *watched;

static struct {
	int (*setname)(pthread_t, const char *);
	int (*cond_wait)(pthread_cond_t *, pthread_mutex_t *);
	int (*cond_signal)(pthread_cond_t *);
	int (*cond_broadcast)(pthread_cond_t *);
	int (*mutex_lock)(pthread_mutex_t *);
	int (*mutex_unlock)(pthread_mutex_t *);
	int (*ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	void (*longjmp_chk)(sigjmp_buf, int);
	int (*gettimeofday)(struct timeval *, void *);
} real;

/* glibc has two generations of condition variables under one name; QEMU uses the newer. */
static void *versioned(const char *name)
{
	void *symbol = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");

	return symbol ? symbol : dlsym(RTLD_NEXT, name);
}

/*
 * Other constructors may call the functions below before ours has run, hence on demand; the loader runs
 * constructors before QEMU has any second thread, so no lock is needed.
 */
static void resolve(void)
{
	if (real.ppoll)
		return;
	real.setname = dlsym(RTLD_NEXT, "pthread_setname_np");
	real.cond_wait = versioned("pthread_cond_wait");
	real.cond_signal = versioned("pthread_cond_signal");
	real.cond_broadcast = versioned("pthread_cond_broadcast");
	real.mutex_lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	real.mutex_unlock = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
	real.gettimeofday = dlsym(RTLD_NEXT, "gettimeofday");
	real.longjmp_chk = dlsym(RTLD_NEXT, "__longjmp_chk");
	real.ppoll = dlsym(RTLD_NEXT, "ppoll");
	if (!real.setname || !real.cond_wait || !real.cond_signal || !real.cond_broadcast || !real.mutex_lock ||
	    !real.mutex_unlock || !real.gettimeofday || !real.ppoll)
		abort();
}

/* A mapping of the page that the watched number lies in. */
static void watch(void)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE), in_page = evidence->watch_offset % page_bytes;

	if (!evidence->watch_value)
		return;
	char *page = mmap(NULL, page_bytes, PROT_READ, MAP_SHARED, evidence->watch_fd, (off_t)(evidence->watch_offset - in_page));

	if (page != MAP_FAILED)
		watched = (const uint64_t *)(const void *)(page + in_page);
}

__attribute__((constructor)) static void start(void)
{
	resolve();
	is_main = true;

	const char *mode = getenv(PL_LOCKSTEP_MODE_ENV);
	free_running = mode && strchr(mode, 'f');
	provoke = mode && strchr(mode, 'p');
	host_time = free_running || (mode && strchr(mode, 't'));
	host_flush_us = mode && strchr(mode, 'h') ? TLB_HURRY_US : 0;

	const char *fd_text = getenv(PL_LOCKSTEP_FD_ENV);
	if (!fd_text)
		return;
	void *shared = mmap(NULL, sizeof(*evidence), PROT_READ | PROT_WRITE, MAP_SHARED, atoi(fd_text), 0);
	if (shared == MAP_FAILED)
		return;
	evidence = shared;
	evidence->magic = PL_LOCKSTEP_MAGIC;
	evidence->free = free_running;
	watch();
}

static void set_parked(int value)
{
	atomic_store(&parked, value);
	if (value)
		syscall(SYS_futex, &parked, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

EXPORT int pthread_setname_np(pthread_t thread, const char *name)
{
	resolve();
	if (strstr(name, "/TCG") && pthread_equal(thread, pthread_self()))
		is_vcpu = true;
	return real.setname(thread, name);
}

/* The harness ends a QEMU that it does not let go on. */
static void hold_if_reached(void)
{
	if (!watched || __atomic_load_n(watched, __ATOMIC_ACQUIRE) < evidence->watch_value)
		return;
	watched = NULL;
	__atomic_store_n(&evidence->hold, PL_LOCKSTEP_HELD, __ATOMIC_RELEASE);
	while (__atomic_load_n(&evidence->hold, __ATOMIC_ACQUIRE) == PL_LOCKSTEP_HELD)
		syscall(SYS_futex, &evidence->hold, FUTEX_WAIT, PL_LOCKSTEP_HELD, NULL, NULL, 0);
}

EXPORT int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	resolve();
	if (!is_vcpu)
		return real.cond_wait(cond, mutex);
	/* The first thing that the vCPU thread sleeps for is the start of the machine, on the big lock. */
	if (!atomic_load(&big_lock))
		atomic_store(&big_lock, mutex);
	if (mutex == atomic_load(&big_lock))
		atomic_store(&halt_cond, cond);
	hold_if_reached();
	evidence->parks++;
	set_parked(1);
	int result = real.cond_wait(cond, mutex);
	set_parked(0);
	return result;
}

static void waking(pthread_cond_t *cond)
{
	resolve();
	if (cond == atomic_load(&halt_cond)) {
		has_turn = false;
		set_parked(0);
	}
}

EXPORT int pthread_cond_broadcast(pthread_cond_t *cond)
{
	waking(cond);
	return real.cond_broadcast(cond);
}

EXPORT int pthread_cond_signal(pthread_cond_t *cond)
{
	waking(cond);
	return real.cond_signal(cond);
}

EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	resolve();
	int result = real.mutex_lock(mutex);

	if (result || mutex != atomic_load(&big_lock))
		return result;
	holds_big_lock = true;
	if (is_main && has_turn && !atomic_load(&parked))
		evidence->overlaps++;
	return result;
}

EXPORT int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	resolve();
	if (mutex == atomic_load(&big_lock)) {
		holds_big_lock = false;
		has_turn = false;
	}
	return real.mutex_unlock(mutex);
}

/*
 * With the big lock held (start-up, shutdown) nothing is awaited: the vCPU thread cannot be running then, and could not
 * go to sleep either.
 */
static void await_turn(void)
{
	if (!is_main || !atomic_load(&big_lock) || holds_big_lock)
		return;
	if (free_running) {
		if (provoke)
			nanosleep(&(struct timespec){ .tv_nsec = PROVOKE_MAIN_NS }, NULL);
		return;
	}
	while (!atomic_load(&parked))
		syscall(SYS_futex, &parked, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	has_turn = true;
	evidence->turns++;
}

EXPORT int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	resolve();
	if (is_main)
		atomic_store(&main_awake, false);
	int result = real.ppoll(fds, count, timeout, mask);

	if (is_main && free_running)
		atomic_store(&main_awake, true);
	await_turn();
	if (is_main)
		atomic_store(&main_awake, true);
	return result;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/*
 * This is how QEMU's vCPU thread leaves an instruction that halts, with the CPU marked halted and the clock not yet
 * brought up to date (do_hlt, cpu_loop_exit): the place where it is held up for as long as the main loop is awake. In
 * lockstep it never is.
 */
EXPORT void __longjmp_chk(sigjmp_buf env, int value);
EXPORT void __longjmp_chk(sigjmp_buf env, int value)
{
	resolve();
	if (provoke && is_vcpu)
		for (int64_t until = now_ns() + PROVOKE_VCPU_NS; atomic_load(&main_awake) && now_ns() < until;)
			;
	real.longjmp_chk(env, value);
}

/*
 * QEMU's soft TLB shrinks when few of its entries were used for 100 ms of the host's time (tlb_mmu_resize_locked, accel/tcg/cputlb.c),
 * asked for at every flush. How large it is decides which entries push out which, so when a page is looked up in the guest's page tables
 * again, and that is when its accessed bit is set: reclaim reads those bits. Time that counts flushes is the guest's own. Nothing else
 * of what the vCPU thread does asks for the time of day: the guest's RTC runs on the virtual clock.
 */
EXPORT int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	static _Thread_local int64_t us;

	resolve();
	if (!is_vcpu || (host_time && !provoke))
		return real.gettimeofday(tv, zone);

	us += host_time ? host_flush_us : TLB_FLUSH_US;
	*tv = (struct timeval){ .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
	return 0;
}

/* What ppoll is called in a QEMU built with _FORTIFY_SOURCE. */
EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t bytes);
EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t bytes)
{
	if (bytes / sizeof(*fds) < count)
		abort();
	return ppoll(fds, count, timeout, mask);
}
