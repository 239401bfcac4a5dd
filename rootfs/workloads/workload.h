/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the programs of this folder share. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE_BYTES	4096U
#define KIB		1024ULL
#define MIB		1048576ULL
#define NOISE_BYTES	65536U
#define NS_PER_MS	1000000ULL
#define NS_PER_S	1000000000ULL

/* splitmix64: any seed is a good one, 0 as well. */
static inline uint64_t chance(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* CLOCK_MONOTONIC, the clock of the black box. */
static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Returns early if a signal comes. */
static inline void sleep_until(uint64_t at_ns)
{
	struct timespec until = { .tv_sec = (time_t)(at_ns / NS_PER_S), .tv_nsec = (long)(at_ns % NS_PER_S) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* Anonymous memory, no page of it there yet; ends the program if it cannot be had. */
static inline char *map_memory(uint64_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED) {
		perror("mmap");
		exit(EXIT_FAILURE);
	}
	return memory;
}

static uint64_t noise[NOISE_BYTES / sizeof(uint64_t)];

/* What write_noise() copies from: making up every page anew would cost more time than reclaiming it. */
static inline void make_noise(uint64_t *state)
{
	for (size_t i = 0; i < NOISE_BYTES / sizeof(*noise); i++)
		noise[i] = chance(state);
}

/* No page like another and none that compresses: kernels spare themselves the work for those. */
static inline void write_noise(char *page, uint64_t *state)
{
	memcpy(page, (const char *)noise + (chance(state) % (NOISE_BYTES - PAGE_BYTES) & ~7ULL), PAGE_BYTES);
}

/* The value of an option; ends the program if it is none. */
static inline uint64_t number(const char *text, uint64_t least, uint64_t most)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value < least || value > most) {
		fprintf(stderr, "%s is no number from %llu to %llu\n", text, (unsigned long long)least,
			(unsigned long long)most);
		exit(EXIT_FAILURE);
	}
	return value;
}

#define MAX_KNOBS 16

/* What --@name may say. One of the pointers is set, and says what kind it is: a flag takes no value. */
struct knob {
	const char *name;
	uint64_t *number;
	const char **text;
	bool *flag;
	uint64_t least, most;
};

/* The list ends with a knob without a name. Ends the program at anything that is not in it. */
static inline void read_options(int argc, char **argv, const struct knob *knobs)
{
	struct option names[MAX_KNOBS + 1] = { 0 };
	int at = 0, key;

	for (size_t i = 0; i < MAX_KNOBS && knobs[i].name; i++)
		names[i] = (struct option){ knobs[i].name, knobs[i].flag ? no_argument : required_argument, NULL, 0 };
	while ((key = getopt_long(argc, argv, "", names, &at)) == 0) {
		if (knobs[at].flag)
			*knobs[at].flag = true;
		else if (knobs[at].text)
			*knobs[at].text = optarg;
		else
			*knobs[at].number = number(optarg, knobs[at].least, knobs[at].most);
	}
	if (key == -1 && optind == argc)
		return;
	if (key == -1)
		fprintf(stderr, "%s: %s: unknown argument\n", argv[0], argv[optind]);
	exit(EXIT_FAILURE);
}

#endif
