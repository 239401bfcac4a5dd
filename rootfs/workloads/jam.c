// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A mutex whose holder waits for the disk and for memory: the position of an open file.
 *
 * Workers take the next block of one file through one descriptor, as those of a backup or of a log shipper do that
 * inherited or share it. read() holds the file's f_pos_lock from beginning to end: while it waits for the disk, while it
 * reclaims memory for the page cache, and while it brings back the pages of a buffer that were swapped out since the
 * worker's turn before. The others wait for the mutex uninterruptibly, one block's time for each that came before.
 */
#include <fcntl.h>

#include "threads.h"

static struct {
	const char *file;
	uint64_t workers, block_kib, pause_ms, seed;
} options = { .workers = 24, .block_kib = 4096, .pause_ms = 10, .seed = 1 };

static int file;

static void take_block(struct thread *thread)
{
	ssize_t got = read(file, thread->memory, options.block_kib * KIB);

	if (got < 0)
		fail("read");
	if (!got && lseek(file, 0, SEEK_SET))
		fail("lseek");
}

int main(int argc, char **argv)
{
	static const struct knob knobs[] = {
		{ "file", .text = &options.file },
		{ "workers", .number = &options.workers, .least = 1, .most = MAX_THREADS },
		{ "block-kib", .number = &options.block_kib, .least = 1, .most = 1048576 },
		{ "pause-ms", .number = &options.pause_ms, .least = 1, .most = 3600000 },
		{ "seed", .number = &options.seed, .most = UINT64_MAX },
		{ 0 },
	};
	uint64_t state;

	read_options(argc, argv, knobs);
	if (!options.file) {
		fprintf(stderr, "usage: jam --file PATH [--workers N] [--block-kib N] [--pause-ms N] [--seed N]\n");
		return EXIT_FAILURE;
	}
	file = open(options.file, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		fail(options.file);
	state = options.seed;
	lock_program();
	add_threads(options.workers, "worker", take_block, options.pause_ms, options.block_kib * KIB, 0, &state);
	run_threads();
}
