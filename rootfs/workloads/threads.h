/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Threads that do one thing again and again, for the programs in which they get into each other's way. */
#ifndef THREADS_H
#define THREADS_H

#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "workload.h"

#define MAX_THREADS 128U
#define STACK_BYTES 32768U
#define MS_PER_S    1000U

struct thread {
	const char *name;
	void (*work)(struct thread *thread);
	uint64_t begin_ms, pause_ms, state;
	/* This thread's number among those of its kind, from 0. */
	uint64_t index;
	char *memory;
};

static struct thread threads[MAX_THREADS];
static char stacks[MAX_THREADS][STACK_BYTES] __attribute__((aligned(PAGE_BYTES)));
static unsigned int nr_threads;
static uint64_t threads_begin_ns;

static inline void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void *thread_main(void *argument)
{
	struct thread *thread = argument;

	prctl(PR_SET_NAME, thread->name);
	sleep_until(threads_begin_ns + thread->begin_ms * NS_PER_MS);
	for (;;) {
		thread->work(thread);
		/* Between half and one and a half pauses, so that threads do not march in step. */
		if (thread->pause_ms)
			sleep_until(now_ns() + thread->pause_ms * (NS_PER_MS / 2) +
				    chance(&thread->state) % (thread->pause_ms * NS_PER_MS));
	}
	return NULL;
}

/* Memory with a page before it that cannot be used: neighbours that are alike would become one mapping. */
static inline char *map_apart(uint64_t bytes)
{
	char *memory = map_memory(PAGE_BYTES + bytes);

	if (mprotect(memory, PAGE_BYTES, PROT_NONE))
		fail("mprotect");
	return memory + PAGE_BYTES;
}

/* @count threads that begin within a second after @begin_ms and pause about @pause_ms; each has @bytes of its own. */
static inline void add_threads(uint64_t count, const char *name, void (*work)(struct thread *thread), uint64_t pause_ms,
			       uint64_t bytes, uint64_t begin_ms, uint64_t *state)
{
	for (uint64_t i = 0; i < count; i++) {
		if (nr_threads == MAX_THREADS) {
			fprintf(stderr, "more than %u threads\n", MAX_THREADS);
			exit(EXIT_FAILURE);
		}
		threads[nr_threads++] = (struct thread){
			.name = name,
			.work = work,
			.begin_ms = begin_ms + chance(state) % MS_PER_S,
			.pause_ms = pause_ms,
			.state = chance(state),
			.index = i,
			.memory = bytes ? map_apart(bytes) : NULL,
		};
	}
}

/*
 * Data that the service holds and hardly uses: what reclaim has to write before others can have its memory. Two thirds
 * of each page are zero, because real memory compresses about three to one: with zram it must not look worse than that.
 */
static inline void fill_resident(uint64_t mib, uint64_t *state)
{
	char *memory = mib ? map_memory(mib * MIB) : NULL;

	make_noise(state);
	for (uint64_t at = 0; at < mib * MIB; at += PAGE_BYTES) {
		write_noise(memory + at, state);
		memset(memory + at + PAGE_BYTES / 3, 0, PAGE_BYTES - PAGE_BYTES / 3);
	}
}

/*
 * Keep in memory what the program has so far: its code and the threads' stacks, not what it maps later. A thread is to
 * wait where its work takes it and not before that, for a page of its own.
 */
static inline void lock_program(void)
{
	if (mlockall(MCL_CURRENT | MCL_ONFAULT))
		fail("mlockall");
}

/* Does not return. */
static inline void run_threads(void)
{
	pthread_attr_t attributes;
	pthread_t id;

	threads_begin_ns = now_ns();
	pthread_attr_init(&attributes);
	for (unsigned int i = 0; i < nr_threads; i++) {
		memset(stacks[i], 0, STACK_BYTES);
		pthread_attr_setstack(&attributes, stacks[i], STACK_BYTES);
		errno = pthread_create(&id, &attributes, thread_main, &threads[i]);
		if (errno)
			fail("pthread_create");
	}
	for (;;)
		pause();
}

#endif
