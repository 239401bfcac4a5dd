// SPDX-License-Identifier: GPL-3.0-or-later
/* `plimsoll kunit`: boots a kernel that runs its own tests, and reads their results from the console. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* All suites together take a second or two; a kernel that hangs in one is a failure. */
#define KUNIT_TIMEOUT_MS 120000

/* A console line without the kernel's time stamp ("[    0.123456] "). */
static const char *without_stamp(const char *line)
{
	const char *end;

	if (*line != '[' || !(end = strchr(line, ']')) || end - line > 20 || end[1] != ' ')
		return line;
	return end + 2;
}

/* Print the KTAP part of a console; how many top-level results there were and whether one failed. */
static void print_ktap(char *console, size_t *suites, size_t *failed)
{
	bool inside = false;
	char *rest = console, *line;

	*suites = *failed = 0;
	while ((line = strsep(&rest, "\n"))) {
		line[strcspn(line, "\r")] = '\0';
		const char *text = without_stamp(line);

		if (!strcmp(text, "KTAP version 1") || !strcmp(text, "TAP version 14"))
			inside = true;
		if (!inside)
			continue;
		const char *bare = text + strspn(text, " ");
		bool result = !strncmp(bare, "ok ", 3) || !strncmp(bare, "not ok ", 7);
		if (!result && *bare != '#' && strncmp(bare, "KTAP", 4) && strncmp(bare, "TAP", 3) && strncmp(bare, "1..", 3))
			continue;
		puts(text);
		if (bare == text && result) {
			(*suites)++;
			*failed += *bare == 'n';
		}
	}
}

int pl_cmd_kunit(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.parser = pl_parse_kernel,
		.args_doc = "KERNEL",
		.doc = "Run a kernel's own unit tests (KUnit) in a VM and print their KTAP. Exit code 1 if a suite failed or none ran.",
	};
	/* Without the recorder, which holds on to tracepoints that tests look at. Nor is there a program for the agent then. */
	struct pl_vm_options options = { .lockstep = true, .core = -1,
					 .extra_args = "kunit.enable=1 kunit_shutdown=reboot blackbox.size=0" };
	const char *kernel = NULL;
	struct pl_vm_end end;
	struct pl_cell cell;
	struct pl_error err = { 0 };
	struct pl_vm vm;
	bool timed_out;
	int code;

	if (!pl_parse(&argp, argc, argv, &kernel, &code))
		return code;
	if (pl_adhoc_cell(cli, kernel, "plimsoll-cell 1\nseed 1\nduration_ms 1\ngrace_ms 1\n", 60, &cell, &err) != PL_OK)
		return pl_complain(&err);
	if (pl_boot_once(cli, &cell, &options, KUNIT_TIMEOUT_MS, &vm, &end, &timed_out, &err) != PL_OK) {
		pl_adhoc_free(&cell);
		return pl_complain(&err);
	}
	char *console = pl_vm_console(&vm, NULL);
	size_t suites, failed;
	char complaint[160];
	print_ktap(console, &suites, &failed);
	free(console);
	pl_vm_complaint(&vm, complaint, sizeof(complaint));
	pl_vm_release(&vm);
	pl_adhoc_free(&cell);
	if (timed_out)
		pl_fail(&err, PL_UNMET, "kernel %s: the tests did not end within %d s", kernel, KUNIT_TIMEOUT_MS / 1000);
	else if (end.status)
		pl_fail(&err, PL_HOST, "QEMU ended with %d: %s", end.status, complaint);
	else if (!suites)
		pl_fail(&err, PL_UNMET, "kernel %s ran no test suite", kernel);
	else if (failed)
		pl_fail(&err, PL_UNMET, "kernel %s: %zu of %zu suites failed", kernel, failed, suites);
	else
		return PL_OK;
	return pl_complain(&err);
}
