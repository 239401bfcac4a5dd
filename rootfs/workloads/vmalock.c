// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Page faults in one large mapping against those who change the address space: who waits for whom, and for how long?
 *
 * Faulters use random pages of a mapping larger than memory, and go through direct reclaim for most of them. A protector
 * changes the protection of single pages of it, as a JIT does, a forker forks, as a server that snapshots does; others
 * use mappings of their own, give memory back. 6.1 has one mmap_lock for all of that. From 6.4 on a fault holds the lock
 * of its mapping only, and who changes that mapping waits for it, uninterruptibly, while holding mmap_lock.
 */
#include <sys/wait.h>

#include "threads.h"

#define SMALL_BYTES 65536U

static struct {
	uint64_t shared_mib, other_mib, faulters, others, protectors, forkers, dontneeds, pause_ms, fork_pause_ms, seed;
} options = {
	.shared_mib = 256, .other_mib = 4, .faulters = 11, .others = 5, .protectors = 1, .forkers = 1, .dontneeds = 2,
	.pause_ms = 10, .fork_pause_ms = 1000, .seed = 1,
};

static char *shared;

static void write_random_page(char *memory, uint64_t mib, uint64_t *state)
{
	write_noise(memory + chance(state) % (mib * MIB / PAGE_BYTES) * PAGE_BYTES, state);
}

static void fault(struct thread *thread)
{
	write_random_page(shared, options.shared_mib, &thread->state);
}

static void fault_elsewhere(struct thread *thread)
{
	write_random_page(thread->memory, options.other_mib, &thread->state);
}

/* Executable or not, the page can be used all the while. Both changes split or join mappings. */
static void protect(struct thread *thread)
{
	char *page = shared + chance(&thread->state) % (options.shared_mib * MIB / PAGE_BYTES) * PAGE_BYTES;

	if (mprotect(page, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    mprotect(page, PAGE_BYTES, PROT_READ | PROT_WRITE))
		fail("mprotect");
}

static void fork_child(struct thread *thread)
{
	pid_t child = fork();

	(void)thread;
	if (!child)
		_exit(EXIT_SUCCESS);
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void give_back(struct thread *thread)
{
	madvise(thread->memory, SMALL_BYTES, MADV_DONTNEED);
}

int main(int argc, char **argv)
{
	static const struct knob knobs[] = {
		{ "shared-mib", .number = &options.shared_mib, .least = 1, .most = 65536 },
		{ "other-mib", .number = &options.other_mib, .least = 1, .most = 65536 },
		{ "faulters", .number = &options.faulters, .most = MAX_THREADS },
		{ "others", .number = &options.others, .most = MAX_THREADS },
		{ "protectors", .number = &options.protectors, .most = MAX_THREADS },
		{ "forkers", .number = &options.forkers, .most = MAX_THREADS },
		{ "dontneeds", .number = &options.dontneeds, .most = MAX_THREADS },
		{ "pause-ms", .number = &options.pause_ms, .least = 1, .most = 3600000 },
		{ "fork-pause-ms", .number = &options.fork_pause_ms, .least = 1, .most = 3600000 },
		{ "seed", .number = &options.seed, .most = UINT64_MAX },
		{ 0 },
	};
	uint64_t state;

	read_options(argc, argv, knobs);
	state = options.seed;
	lock_program();
	make_noise(&state);
	shared = map_apart(options.shared_mib * MIB);
	add_threads(options.faulters, "faulter", fault, 0, 0, 0, &state);
	add_threads(options.others, "other", fault_elsewhere, options.pause_ms, options.other_mib * MIB, 0, &state);
	add_threads(options.protectors, "protector", protect, options.pause_ms, 0, 0, &state);
	add_threads(options.forkers, "forker", fork_child, options.fork_pause_ms, 0, 0, &state);
	add_threads(options.dontneeds, "dontneed", give_back, options.pause_ms, SMALL_BYTES, 0, &state);
	run_threads();
}
