// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Bursts of anonymous memory between pauses, as a service has that is idle until a request comes: map memory, fill it,
 * hold it, unmap it, wait. Sizes are spread evenly over an axis and come in an order of chance, so that one run shows
 * the whole of it and no size always finds what the same other one left behind. The seed is all the chance there is.
 *
 * A line for each burst, with times of CLOCK_MONOTONIC, the clock of the black box: what happened while a burst had its
 * memory is then found in the log.
 */
#include <sys/sysinfo.h>

#include "workload.h"

#define MAX_STEPS	1024U
/* How much is filled between two looks at the clock. */
#define CHUNK_BYTES	65536U

struct options {
	uint64_t largest_mib, steps, rate_mib_s, hold_ms, pause_ms, seed;
};

static uint32_t order[MAX_STEPS];

static void fail(const char *what)
{
	fprintf(stderr, "burst: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static uint64_t free_kib(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		fail("sysinfo");
	return (uint64_t)info.freeram * info.mem_unit / 1024;
}

static void fill(char *memory, uint64_t bytes, uint64_t rate_mib_s, uint64_t *state)
{
	uint64_t begin_ns = now_ns();

	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES) {
		write_noise(memory + at, state);
		if (rate_mib_s && (at + PAGE_BYTES) % CHUNK_BYTES == 0)
			sleep_until(begin_ns + (at + PAGE_BYTES) * NS_PER_S / (rate_mib_s * MIB));
	}
}

static void burst(const struct options *options, uint64_t bytes, uint64_t *state)
{
	uint64_t free_before_kib = free_kib(), begin_ns = now_ns(), filled_ns;
	char *memory = map_memory(bytes);

	fill(memory, bytes, options->rate_mib_s, state);
	filled_ns = now_ns();
	sleep_until(filled_ns + options->hold_ms * NS_PER_MS);
	munmap(memory, bytes);
	printf("burst kib=%llu free_kib=%llu begin=%.6f filled=%.6f end=%.6f\n", (unsigned long long)(bytes / 1024),
	       (unsigned long long)free_before_kib, (double)begin_ns / 1e9, (double)filled_ns / 1e9,
	       (double)now_ns() / 1e9);
	fflush(stdout);
}

static void shuffle(uint64_t steps, uint64_t *state)
{
	for (uint32_t i = 0; i < steps; i++) {
		uint32_t other = (uint32_t)(chance(state) % (i + 1));

		order[i] = order[other];
		order[other] = i;
	}
}

/* Within a quarter of @middle, so that bursts fall into any phase of what others do at regular times. */
static uint64_t around(uint64_t middle, uint64_t *state)
{
	return middle - middle / 4 + chance(state) % (middle / 2 + 1);
}

static struct options parse(int argc, char **argv)
{
	struct options options = { .largest_mib = 64, .steps = 16, .hold_ms = 500, .pause_ms = 20000, .seed = 1 };
	const struct knob knobs[] = {
		{ "largest-mib", .number = &options.largest_mib, .least = 1, .most = 65536 },
		{ "steps", .number = &options.steps, .least = 1, .most = MAX_STEPS },
		{ "rate-mib-s", .number = &options.rate_mib_s, .most = 65536 },
		{ "hold-ms", .number = &options.hold_ms, .most = 3600000 },
		{ "pause-ms", .number = &options.pause_ms, .most = 3600000 },
		{ "seed", .number = &options.seed, .most = UINT64_MAX },
		{ 0 },
	};

	read_options(argc, argv, knobs);
	return options;
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	uint64_t state = options.seed;

	make_noise(&state);
	for (;;) {
		shuffle(options.steps, &state);
		for (uint64_t i = 0; i < options.steps; i++) {
			/* Anywhere in its step, so that the seeds together have more sizes than one has. */
			uint64_t largest = options.largest_mib * MIB;
			uint64_t below = largest * order[i] / options.steps;
			uint64_t bytes = below + chance(&state) % (largest / options.steps) + 1;

			sleep_until(now_ns() + around(options.pause_ms, &state) * NS_PER_MS);
			burst(&options, (bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1), &state);
		}
	}
}
