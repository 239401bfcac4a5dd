// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One large directory that everybody uses, as a mail spool or a session store is: some look up files of which the kernel
 * no longer knows anything, others create and rename. Lookups hold the directory's i_rwsem for reading while they read
 * directory and inode blocks and allocate inodes, creators hold it for writing while they do the same and wait for the
 * journal. Both wait for it uninterruptibly.
 *
 * With --prepare it makes the directory and ends. Memory pressure comes from somebody else.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "threads.h"

#define NAME_BYTES   64U
/* Names that one creator uses, over and over: the directory does not grow without bound. */
#define CREATOR_NAMES 1000U

static struct {
	const char *directory;
	uint64_t files, lookups, creators, seed;
	bool prepare;
} options = { .files = 60000, .lookups = 11, .creators = 40, .seed = 1 };

static int directory;

static void look_up(struct thread *thread)
{
	char name[NAME_BYTES];
	struct stat status;

	snprintf(name, sizeof(name), "f%llu", (unsigned long long)(chance(&thread->state) % options.files));
	if (fstatat(directory, name, &status, 0))
		fail(name);
}

static void create_and_rename(struct thread *thread)
{
	char new[NAME_BYTES], old[NAME_BYTES];
	unsigned long long index = thread->index;
	int fd;

	snprintf(new, sizeof(new), "n%llu.%llu", index, (unsigned long long)(chance(&thread->state) % CREATOR_NAMES));
	snprintf(old, sizeof(old), "o%llu.%llu", index, (unsigned long long)(chance(&thread->state) % CREATOR_NAMES));
	fd = openat(directory, new, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		fail(new);
	close(fd);
	if (renameat(directory, new, directory, old))
		fail(old);
}

static void prepare(void)
{
	char name[NAME_BYTES];

	for (uint64_t i = 0; i < options.files; i++) {
		snprintf(name, sizeof(name), "f%llu", (unsigned long long)i);
		if (mknodat(directory, name, S_IFREG | 0600, 0))
			fail(name);
	}
}

int main(int argc, char **argv)
{
	static const struct knob knobs[] = {
		{ "directory", .text = &options.directory },
		{ "prepare", .flag = &options.prepare },
		{ "files", .number = &options.files, .least = 1, .most = 1000000 },
		{ "lookups", .number = &options.lookups, .most = MAX_THREADS },
		{ "creators", .number = &options.creators, .most = MAX_THREADS },
		{ "seed", .number = &options.seed, .most = UINT64_MAX },
		{ 0 },
	};
	uint64_t state;

	read_options(argc, argv, knobs);
	if (!options.directory) {
		fprintf(stderr, "usage: dirjam --directory PATH [--files N] [--prepare | [--lookups N] [--creators N] [--seed N]]\n");
		return EXIT_FAILURE;
	}
	if (options.prepare && mkdir(options.directory, 0700))
		fail(options.directory);
	directory = open(options.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		fail(options.directory);
	if (options.prepare) {
		prepare();
		return EXIT_SUCCESS;
	}
	state = options.seed;
	lock_program();
	add_threads(options.lookups, "lookup", look_up, 0, 0, 0, &state);
	add_threads(options.creators, "creator", create_and_rename, 0, 0, 0, &state);
	run_threads();
}
