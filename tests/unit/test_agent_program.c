// SPDX-License-Identifier: GPL-3.0-or-later
/* The guest agent's parser runs on the host here: it is pure C, and the guest is no place to find its bugs in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../rootfs/agent/program.c"

#define HEAD "plimsoll-cell 1\nduration_ms 1000\n"

static struct program program;
static char error[PROGRAM_ERROR_BYTES];

/* Parse from a block that ends where the parser may no longer write, so that a sanitizer sees it if it does. */
static int parse(const char *source)
{
	static char *text;
	size_t bytes = strlen(source);

	free(text);
	text = malloc(bytes + 1);
	assert_non_null(text);
	memcpy(text, source, bytes);
	error[0] = '\0';
	return program_parse(text, bytes, &program, error);
}

static void whole_program(void **state)
{
	(void)state;
	assert_int_equal(parse("plimsoll-cell 1\n"
			       "seed 18446744073709551615\n"
			       "duration_ms 60000\n"
			       "grace_ms 0\n"
			       "disk iops 500\n"
			       "disk windows 1000:2000:400,5000:6000:300\n"
			       "sysctl net.ipv4.tcp_rmem 4096  131072 6291456\n"
			       "file /sys/kernel/mm/transparent_hugepage/enabled never\n"
			       "mglru on\n"
			       "swap zram 50\n"
			       "prepare echo 'a  b' > /data/x\n"
			       "task hog-1 4 stress-ng --vm 1 && true"), 0);
	assert_true(program.seed == UINT64_MAX);
	assert_int_equal(program.duration_ms, 60000);
	assert_int_equal(program.grace_ms, 0);
	assert_false(program.shell);
	assert_int_equal(program.nr_steps, 8);

	assert_int_equal(program.steps[0].verb, VERB_DISK);
	assert_string_equal(program.steps[0].name, "iops");
	assert_string_equal(program.steps[0].value, "500");
	assert_int_equal(program.steps[0].line, 5);
	assert_string_equal(program.steps[1].value, "1000:2000:400,5000:6000:300");
	assert_int_equal(program.steps[2].verb, VERB_SYSCTL);
	assert_string_equal(program.steps[2].name, "net.ipv4.tcp_rmem");
	assert_string_equal(program.steps[2].value, "4096  131072 6291456");
	assert_int_equal(program.steps[3].verb, VERB_FILE);
	assert_string_equal(program.steps[3].name, "/sys/kernel/mm/transparent_hugepage/enabled");
	assert_int_equal(program.steps[4].verb, VERB_MGLRU);
	assert_int_equal(program.steps[4].number, 1);
	assert_int_equal(program.steps[5].verb, VERB_SWAP);
	assert_string_equal(program.steps[5].name, "zram");
	assert_int_equal(program.steps[5].number, 50);
	assert_int_equal(program.steps[6].verb, VERB_PREPARE);
	assert_string_equal(program.steps[6].value, "echo 'a  b' > /data/x");
	assert_int_equal(program.steps[7].verb, VERB_TASK);
	assert_string_equal(program.steps[7].name, "hog-1");
	assert_int_equal(program.steps[7].number, 4);
	assert_string_equal(program.steps[7].value, "stress-ng --vm 1 && true");
}

static void shell_needs_no_duration(void **state)
{
	(void)state;
	assert_int_equal(parse("plimsoll-cell 1\nshell\n"), 0);
	assert_true(program.shell);
}

static void refused_with_line_and_reason(void **state)
{
	static const struct {
		const char *source;
		const char *error;
	} cases[] = {
		{ "", "line 1: the program is empty" },
		{ "plimsoll-cell 2\n", "line 1: expected \"plimsoll-cell 1\"" },
		{ "plimsoll-cell 1\n", "line 2: duration_ms is missing" },
		{ HEAD "duration_ms 2\n", "line 3: duration_ms appears twice" },
		{ "plimsoll-cell 1\nduration_ms 0\n", "line 2: duration_ms: expected a number from 1 to 86400000" },
		{ "plimsoll-cell 1\nduration_ms 86400001\n", "line 2: duration_ms: expected a number from 1 to 86400000" },
		{ HEAD "grace_ms\n", "line 3: grace_ms: expected a number from 0 to 600000" },
		{ HEAD "seed 18446744073709551616\n",
		  "line 3: seed: expected a number from 0 to 18446744073709551615" },
		{ HEAD "seed 1x\n", "line 3: seed: expected a number from 0 to 18446744073709551615" },
		{ HEAD "\n", "line 3: expected a verb" },
		{ HEAD " seed 1\n", "line 3: expected a verb" },
		{ HEAD "# no comments\n", "line 3: unknown verb #" },
		{ HEAD "sysctl\n", "line 3: sysctl: expected a name" },
		{ HEAD "sysctl vm.x\n", "line 3: sysctl vm.x: expected a value" },
		{ HEAD "sysctl ../x 1\n", "line 3: sysctl: expected a name" },
		{ HEAD "disk a.b 1\n", "line 3: disk: expected a name" },
		{ HEAD "file /etc/passwd 1\n", "line 3: file: /etc/passwd lies neither in /proc nor in /sys" },
		{ HEAD "file /proc/../etc/x 1\n", "line 3: file: expected a name" },
		{ HEAD "mglru yes\n", "line 3: mglru: expected on or off" },
		{ HEAD "swap\n", "line 3: swap: expected none, disk or zram PERCENT" },
		{ HEAD "swap disk 5\n", "line 3: swap: expected none, disk or zram PERCENT" },
		{ HEAD "swap zram\n", "line 3: swap zram: expected percent of RAM, 1 to 400" },
		{ HEAD "swap zram 0\n", "line 3: swap zram: expected percent of RAM, 1 to 400" },
		{ HEAD "prepare\n", "line 3: prepare: expected a command" },
		{ HEAD "prepare a\tb\n", "line 3: control character 0x09" },
		{ HEAD "task sixteen-letters- 1 x\n",
		  "line 3: task: expected a name of at most 15 letters, digits, _ or -" },
		{ HEAD "task a 0 x\n", "line 3: task a: expected a number of copies, 1 to 128" },
		{ HEAD "task a 1\n", "line 3: task a: expected a command" },
		{ HEAD "task a 128 x\ntask b 1 x\n", "line 4: more than 128 copies of tasks" },
		{ "plimsoll-cell 1\nshell now\n", "line 2: shell: expected nothing after it" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].source), -1);
		assert_string_equal(error, cases[i].error);
	}
}

static void limits_hold(void **state)
{
	static char source[PROGRAM_MAX_BYTES + 64];
	char *end = stpcpy(source, HEAD);

	(void)state;
	for (int i = 0; i < PROGRAM_MAX_TASKS; i++)
		end = stpcpy(end, "task t 1 x\n");
	assert_int_equal(parse(source), 0);
	stpcpy(end, "task t 1 x\n");
	assert_int_equal(parse(source), -1);
	assert_string_equal(error, "line 35: more than 32 tasks");

	end = stpcpy(source, HEAD);
	for (int i = 0; i < PROGRAM_MAX_LINES - 2; i++)
		end = stpcpy(end, "mglru on\n");
	assert_int_equal(parse(source), 0);
	assert_int_equal(program.nr_steps, PROGRAM_MAX_LINES - 2);
	stpcpy(end, "mglru on\n");
	assert_int_equal(parse(source), -1);
	assert_string_equal(error, "line 513: more than 512 lines");

	end = stpcpy(source, HEAD "prepare ");
	memset(end, 'x', (size_t)(source + PROGRAM_MAX_BYTES - end));
	source[PROGRAM_MAX_BYTES] = '\0';
	assert_int_equal(parse(source), 0);
	source[PROGRAM_MAX_BYTES] = 'x';
	source[PROGRAM_MAX_BYTES + 1] = '\0';
	assert_int_equal(parse(source), -1);
	assert_string_equal(error, "line 1: more than 49152 bytes");
}

static void nul_bytes_are_refused(void **state)
{
	char text[] = HEAD "seed 1\0\n";

	(void)state;
	assert_int_equal(program_parse(text, sizeof(text) - 1, &program, error), -1);
	assert_string_equal(error, "line 3: control character 0x00");
}

/* Whatever the bytes: no crash, and an error whenever it says so. */
static void noise_does_no_harm(void **state)
{
	static const char sample[] = HEAD "seed 7\ndisk iops 500\nsysctl vm.swappiness 60\nswap zram 50\ntask a 2 x y\n";
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[sizeof(sample)];

		memcpy(text, sample, sizeof(sample));
		for (int i = 0; i < 3; i++) {
			random = random * 1664525 + 1013904223;
			text[(random >> 8) % (sizeof(text) - 1)] = (char)(random >> 24);
		}
		error[0] = '\0';
		if (program_parse(text, sizeof(text) - 1, &program, error))
			assert_memory_equal(error, "line ", 5);
		else
			assert_string_equal(error, "");
	}
}

static void values_compare_by_meaning(void **state)
{
	static const struct {
		const char *wrote, *reads_back;
		bool same;
	} cases[] = {
		{ "5", "5\n", true },
		{ "5", "4\n", false },
		{ "5", "55", false },
		{ "55", "5", false },
		{ "5", "", false },
		{ "4096 87380 6291456", "4096\t87380\t6291456\n", true },
		{ "1 2", "12", false },
		{ "1  2 ", "1 2", true },
		{ "madvise", "always [madvise] never\n", true },
		{ "never", "always [madvise] never\n", false },
		{ "mad", "always [madvise] never\n", false },
		{ "madvise never", "always [madvise] never\n", false },
		{ "always [madvise] never", "always [madvise] never\n", true },
		{ "x", "[x", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(value_matches(cases[i].wrote, cases[i].reads_back), cases[i].same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_program),
		cmocka_unit_test(shell_needs_no_duration),
		cmocka_unit_test(refused_with_line_and_reason),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(noise_does_no_harm),
		cmocka_unit_test(values_compare_by_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
