// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * alloc-loop PAGES ROUNDS: what does it cost to allocate a page while there are enough?
 *
 * Each round maps PAGES pages of anonymous memory, has the kernel allocate them all, and gives them back. Prints the
 * cheapest and the median round in ticks of the TSC. Under the virtual clock a tick is a nanosecond of guest time, so with
 * ns_per_instruction 1 it is an instruction, and the cheapest round is one that no interrupt came into: an exact number,
 * the same in every run, by which two kernels can be compared.
 */
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include "workload.h"

/* Where nothing else is, at the beginning of a page table: elsewhere a round may need one page table or two, by chance. */
#define PLACE	   ((void *)0x100000000000)
#define MAX_PAGES  65536U
#define MAX_ROUNDS 100000U

static int fail(const char *what)
{
	fprintf(stderr, "alloc-loop: %s: %s\n", what, strerror(errno));
	return 1;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	uint64_t pages, rounds, *ticks;

	if (argc != 3) {
		fprintf(stderr, "usage: alloc-loop PAGES ROUNDS\n");
		return 2;
	}
	pages = number(argv[1], 1, MAX_PAGES);
	rounds = number(argv[2], 1, MAX_ROUNDS);
	ticks = malloc(rounds * sizeof(*ticks));
	if (!ticks)
		return fail("malloc");
	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t begin = __rdtsc();
		void *memory = mmap(PLACE, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_FIXED_NOREPLACE, -1, 0);

		ticks[i] = __rdtsc() - begin;
		if (memory == MAP_FAILED)
			return fail("mmap");	/* NOLINT(clang-analyzer-unix.Malloc): the program ends */
		if (munmap(memory, pages * PAGE_BYTES))
			return fail("munmap");	/* NOLINT(clang-analyzer-unix.Malloc) */
	}
	qsort(ticks, rounds, sizeof(*ticks), compare);
	printf("pages=%llu rounds=%llu cheapest=%llu median=%llu\n", (unsigned long long)pages, (unsigned long long)rounds,
	       (unsigned long long)ticks[0], (unsigned long long)ticks[rounds / 2]);
	free(ticks);
	return 0;
}
