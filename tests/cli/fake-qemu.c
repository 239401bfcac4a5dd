// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Stands in for QEMU where what is tested is who asks for cells and what they make of the answers. It asks $FAKE_WORLD, a
 * program, how the cell ends, by the words on its standard output (hung, oom, completed, silent, panic, and with many samples:
 * long), and writes the log of a run that ended so; a panic is on the console, and so early that there is no log. The world gets
 * the cell's program on its standard input, and KERNEL and SEED in its environment.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What fits into a black box of 4 MiB. */
#define BBB_LOG_BYTES (3 << 20)
#include "../unit/bb_builder.h"

static const char *after(int argc, char **argv, const char *option)
{
	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], option))
			return argv[i + 1];
	fprintf(stderr, "no %s\n", option);
	exit(1);
}

static unsigned long long number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	if (!at) {
		fprintf(stderr, "no %s in \"%s\"\n", key, text);
		exit(1);
	}
	return strtoull(at + strlen(key), NULL, 10);
}

/* What the world says of this program. */
static void ask_world(const struct bb_input *input, char *answer, size_t room)
{
	int in[2], out[2], status;
	ssize_t bytes;
	size_t len = 0;

	if (pipe(in) || pipe(out))
		exit(1);
	pid_t pid = fork();

	if (!pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execl(getenv("FAKE_WORLD"), "world", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	/* Less than a pipe holds. */
	bytes = write(in[1], input + 1, input->bytes);
	close(in[1]);
	while (bytes > 0 && len + 1 < room && (bytes = read(out[0], answer + len, room - 1 - len)) > 0)
		len += (size_t)bytes;
	answer[len] = '\0';
	if (waitpid(pid, &status, 0) < 0 || status) {
		fprintf(stderr, "the world ended with status %d\n", status);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct bbb b;
	char answer[256], seed[32];
	struct stat stat;
	int fd;

	if (argc > 1 && !strcmp(argv[1], "--version")) {
		puts("QEMU emulator version 7.2.0 (fake)");
		return 0;
	}
	unsetenv("LD_PRELOAD");
	const char *append = after(argc, argv, "-append");
	const char *path = strstr(after(argc, argv, "-object"), "mem-path=") + strlen("mem-path=");
	size_t at = number_after(append, "blackbox.base=");

	/* mem-path=/proc/self/fd/N,share=on */
	fd = (int)number_after(path, "/fd/");
	if (fstat(fd, &stat))
		return 1;
	uint8_t *memory = mmap(NULL, (size_t)stat.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return 1;
	setenv("KERNEL", after(argc, argv, "-kernel"), 1);
	snprintf(seed, sizeof(seed), "%llu", number_after((const char *)(memory + at + BB_INPUT_OFFSET + sizeof(struct bb_input)), "seed "));
	setenv("SEED", seed, 1);
	ask_world((const void *)(memory + at + BB_INPUT_OFFSET), answer, sizeof(answer));

	if (strstr(answer, "panic")) {
		static const char line[] = "[    0.1] Kernel panic - not syncing: fake\r\n";
		int console = (int)number_after(after(argc, argv, "-chardev"), "path=/proc/self/fd/");

		return write(console, line, sizeof(line) - 1) != (ssize_t)sizeof(line) - 1;
	}
	bbb_new(&b);
	bbb_mark(&b, 0.4, "prepare");
	bbb_mark(&b, 0.5, "workload");
	bbb_sample(&b, 0.9)->nr_free_pages = 1000;
	for (int i = 1; strstr(answer, "long") && i <= 5000; i++)
		bbb_sample(&b, 0.9 + 0.0002 * i);
	if (strstr(answer, "hung"))
		bbb_hung(&b, 2, 9, 3);
	if (strstr(answer, "oom"))
		bbb_oom(&b, 2.1, 9, 0);
	bbb_sample(&b, 3)->oom_kill = !!strstr(answer, "oom");
	bbb_mark(&b, 3.1, "stop");
	if (!strstr(answer, "silent"))
		bbb_end(&b, 3.2, BB_END_DONE);
	memcpy(memory + at, b.region, BB_INPUT_OFFSET);
	memcpy(memory + at + BB_LOG_OFFSET, b.region + BB_LOG_OFFSET, b.bytes - BB_LOG_OFFSET);
	/* The region is larger than what was built. */
	((struct bb_header *)(void *)(memory + at))->region_bytes = (uint64_t)stat.st_size - at;
	((struct bb_header *)(void *)(memory + at))->log_bytes = (uint64_t)stat.st_size - at - BB_LOG_OFFSET;
	bbb_free(&b);
	return 0;
}
