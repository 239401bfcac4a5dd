// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a server does beside what is measured: it uses a working set that it holds in memory, reads blocks of files and
 * appends to a log, each at a given rate or not at all. It keeps to the clock and makes up for nothing that waiting
 * made it miss; at SIGTERM it says how much it got done of what was due.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workload.h"

#define LINE_WORDS	8U
#define PAGE_WORDS	512U
#define BLOCK_BYTES	131072U
#define LOG_BYTES	(32 * MIB)
#define TICKS_PER_S	10U

struct options {
	const char *file, *log;
	uint64_t resident_mib, touches_per_s, blocks_per_s, log_kib_s, seed;
};

/* Work at a rate, in whole pieces for each tick. */
struct work {
	uint64_t per_s, due, done;
};

static volatile sig_atomic_t stopped;

static void fail(const char *what)
{
	fprintf(stderr, "server: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/* Sleep to the next tick; returns its number, counted from 1 at @start_ns. */
static uint64_t next_tick(uint64_t start_ns)
{
	uint64_t tick = (now_ns() - start_ns) * TICKS_PER_S / NS_PER_S + 1;

	sleep_until(start_ns + tick * NS_PER_S / TICKS_PER_S);
	return tick;
}

/* How many pieces this tick has. What ticks that passed unseen had is due and will not be done. */
static uint64_t pieces(struct work *work, uint64_t tick)
{
	uint64_t now = work->per_s * tick / TICKS_PER_S - work->per_s * (tick - 1) / TICKS_PER_S;

	work->due = work->per_s * tick / TICKS_PER_S;
	return now;
}

/* One load a cache line, and a store that makes the page dirty. */
static void touch(uint64_t *page)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < PAGE_WORDS; i += LINE_WORDS)
		sum += page[i];
	page[0] += sum | 1;
}

static uint64_t (*resident(uint64_t pages, uint64_t *state))[PAGE_WORDS]
{
	uint64_t (*memory)[PAGE_WORDS] = mmap(NULL, pages * sizeof(*memory), PROT_READ | PROT_WRITE,
					      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	/* No page like another and none that compresses: kernels spare themselves the work for those. */
	for (uint64_t i = 0; i < pages; i++)
		for (unsigned int word = 0; word < PAGE_WORDS; word++)
			memory[i][word] = chance(state);
	return memory;
}

/* Into the page cache as a whole, but out of it only a word a page, because copying is not what this is about. */
static void read_block(int fd, uint64_t block)
{
	uint64_t word;

	readahead(fd, (off64_t)(block * BLOCK_BYTES), BLOCK_BYTES);
	for (unsigned int at = 0; at < BLOCK_BYTES; at += PAGE_BYTES)
		if (pread(fd, &word, sizeof(word), (off_t)(block * BLOCK_BYTES + at)) != sizeof(word))
			fail("read");
}

static struct options parse(int argc, char **argv)
{
	struct options options = { .seed = 1 };
	const struct knob knobs[] = {
		{ "resident-mib", .number = &options.resident_mib, .least = 1, .most = 65536 },
		{ "touches-per-s", .number = &options.touches_per_s, .most = 1000000 },
		{ "file", .text = &options.file },
		{ "blocks-per-s", .number = &options.blocks_per_s, .most = 1000000 },
		{ "log", .text = &options.log },
		{ "log-kib-s", .number = &options.log_kib_s, .most = 1000000 },
		{ "seed", .number = &options.seed, .most = UINT64_MAX },
		{ 0 },
	};

	read_options(argc, argv, knobs);
	if ((options.touches_per_s && !options.resident_mib) || (options.blocks_per_s && !options.file) ||
	    (options.log_kib_s && !options.log)) {
		fprintf(stderr, "usage: server [--resident-mib N --touches-per-s N] [--file PATH --blocks-per-s N] "
				"[--log PATH --log-kib-s N] [--seed N]\n");
		exit(EXIT_FAILURE);
	}
	return options;
}

static void say(const char *what, const struct work *work)
{
	if (work->per_s)
		printf("server %s due=%llu done=%llu\n", what, (unsigned long long)work->due,
		       (unsigned long long)work->done);
}

/* What this server has of each kind, 0 or -1 where it has none. */
struct server {
	uint64_t (*memory)[PAGE_WORDS];
	uint64_t pages, nr_blocks, state;
	int file, log;
	struct work touches, blocks, lines;
};

static void set_up(struct server *server, const struct options *options)
{
	server->state = options->seed;
	if (options->touches_per_s) {
		server->touches.per_s = options->touches_per_s;
		server->pages = options->resident_mib * MIB / PAGE_BYTES;
		server->memory = resident(server->pages, &server->state);
	}
	if (options->blocks_per_s) {
		struct stat status;

		server->blocks.per_s = options->blocks_per_s;
		server->file = open(options->file, O_RDONLY | O_CLOEXEC);
		if (server->file < 0 || fstat(server->file, &status) || status.st_size < BLOCK_BYTES)
			fail(options->file);
		server->nr_blocks = (uint64_t)status.st_size / BLOCK_BYTES;
	}
	if (options->log_kib_s) {
		server->lines.per_s = options->log_kib_s;
		server->log = open(options->log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (server->log < 0)
			fail(options->log);
	}
}

static void serve(struct server *server, uint64_t tick)
{
	static const char line[1024];

	for (uint64_t n = pieces(&server->touches, tick); n && server->pages && !stopped; n--, server->touches.done++)
		touch(server->memory[chance(&server->state) % server->pages]);
	for (uint64_t n = pieces(&server->blocks, tick); n && server->nr_blocks && !stopped; n--, server->blocks.done++)
		read_block(server->file, chance(&server->state) % server->nr_blocks);
	/* The log rotates, as logs do, in place. */
	for (uint64_t n = pieces(&server->lines, tick); n && !stopped; n--, server->lines.done++) {
		off_t at = (off_t)(server->lines.done * sizeof(line) % LOG_BYTES);

		if (pwrite(server->log, line, sizeof(line), at) != sizeof(line))
			fail("write");
	}
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	struct server server = { .file = -1, .log = -1 };
	struct sigaction action = { .sa_handler = on_signal };
	uint64_t start_ns;

	sigaction(SIGTERM, &action, NULL);
	set_up(&server, &options);
	start_ns = now_ns();
	while (!stopped)
		serve(&server, next_tick(start_ns));
	say("touches", &server.touches);
	say("blocks", &server.blocks);
	say("lines", &server.lines);
	return EXIT_SUCCESS;
}
