// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The cloud VM's hang: one service whose threads need one mmap_lock while memory is short.
 *
 * Holders have the kernel fill a mapping each in one call, as a JVM does with AlwaysPreTouch, QEMU with preallocated
 * memory, and mlockall(): the call holds mmap_lock for reading over the whole mapping and goes through direct reclaim
 * for most of its pages. Waiters do what any service does beside that: map and unmap (writers), give memory back, start
 * threads that end, ask what is resident. One queued writer is enough to keep new readers out.
 *
 * Before that the service fills memory with data, which is what reclaim has to write. The seed decides how far apart
 * threads begin and how long their pauses are: the same work on other trajectories.
 */
#include <sched.h>
#include <signal.h>

#include "threads.h"

/* What waiters map, give back or ask about: little, so that it is the lock they wait for and not the memory. */
#define SMALL_BYTES 65536U
/* Between looks at whether the thread before is gone: each costs a host's time, also while nothing else happens. */
#define SPAWN_MS    500U

static pid_t spawned[MAX_THREADS];
/* Of a stack, the upper end is where it begins. */
static char spawned_stacks[MAX_THREADS + 1][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static struct {
	uint64_t holders, chunk_mib, resident_mib, rest_ms, mappers, dontneeds, spawners, mincores, delay_ms, pause_ms, seed;
} options = {
	.holders = 11, .chunk_mib = 44, .resident_mib = 207, .rest_ms = 600000, .mappers = 2,
	.dontneeds = 3, .spawners = 2, .mincores = 1, .delay_ms = 2000, .pause_ms = 10, .seed = 1,
};

static void hold(struct thread *thread)
{
	uint64_t begin_ns = now_ns();
	bool done = !madvise(thread->memory, options.chunk_mib * MIB, MADV_POPULATE_WRITE);
	char line[128];
	/* Not by printf(), which may need memory of its own and would wait for the lock. */
	int length = snprintf(line, sizeof(line), "%s index=%llu begin=%.6f end=%.6f\n", done ? "populated" : "failed",
			      (unsigned long long)thread->index, (double)begin_ns / 1e9, (double)now_ns() / 1e9);

	if (write(STDOUT_FILENO, line, (size_t)length) != length)
		fail("write");
}

static void map_and_unmap(struct thread *thread)
{
	(void)thread;
	munmap(map_memory(SMALL_BYTES), SMALL_BYTES);
}

static void give_back(struct thread *thread)
{
	madvise(thread->memory, SMALL_BYTES, MADV_DONTNEED);
}

static int nothing(void *unused)
{
	(void)unused;
	return 0;
}

/*
 * A thread that ends at once, if the one before is gone: it gives up the address space last, and no join waits for that.
 * Not by pthread_create(), which would wait for memory of its own before the thread waits for the lock.
 */
static void spawn(struct thread *thread)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	if (spawned[thread->index] > 0 && !tgkill(getpid(), spawned[thread->index], 0))
		return;
	spawned[thread->index] = clone(nothing, spawned_stacks[thread->index + 1], flags, NULL);
}

static void ask(struct thread *thread)
{
	unsigned char resident[SMALL_BYTES / PAGE_BYTES];

	mincore(thread->memory, SMALL_BYTES, resident);
}

int main(int argc, char **argv)
{
	static const struct knob knobs[] = {
		{ "holders", .number = &options.holders, .most = MAX_THREADS },
		{ "chunk-mib", .number = &options.chunk_mib, .least = 1, .most = 65536 },
		{ "resident-mib", .number = &options.resident_mib, .most = 65536 },
		{ "rest-ms", .number = &options.rest_ms, .most = 3600000 },
		{ "mappers", .number = &options.mappers, .most = MAX_THREADS },
		{ "dontneeds", .number = &options.dontneeds, .most = MAX_THREADS },
		{ "spawners", .number = &options.spawners, .most = MAX_THREADS },
		{ "mincores", .number = &options.mincores, .most = MAX_THREADS },
		{ "delay-ms", .number = &options.delay_ms, .most = 3600000 },
		{ "pause-ms", .number = &options.pause_ms, .least = 1, .most = 3600000 },
		{ "seed", .number = &options.seed, .most = UINT64_MAX },
		{ 0 },
	};
	uint64_t state;

	read_options(argc, argv, knobs);
	state = options.seed;
	lock_program();
	memset(spawned_stacks, 1, (options.spawners + 1) * sizeof(*spawned_stacks));
	fill_resident(options.resident_mib, &state);
	add_threads(options.holders, "holder", hold, options.rest_ms, options.chunk_mib * MIB, 0, &state);
	add_threads(options.mappers, "mapper", map_and_unmap, options.pause_ms, 0, options.delay_ms, &state);
	add_threads(options.dontneeds, "dontneed", give_back, options.pause_ms, SMALL_BYTES, options.delay_ms, &state);
	add_threads(options.spawners, "spawner", spawn, SPAWN_MS, 0, options.delay_ms, &state);
	add_threads(options.mincores, "mincore", ask, options.pause_ms, SMALL_BYTES, options.delay_ms, &state);
	run_threads();
}
