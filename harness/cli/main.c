// SPDX-License-Identifier: GPL-3.0-or-later
/* The program: the options before a command's name, the list of commands, and the call of the one that is named. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static const struct pl_command commands[] = {
	{ "run", "run the cells of a matrix that have not run yet, and print a table", pl_cmd_run },
	{ "reproduce", "reproduce a hang of configs/scenarios/ and explain it", pl_cmd_reproduce },
	{ "report", "write finished cells in any of many formats", pl_cmd_report },
	{ "compare", "say what changed between two settings, kernels or runs, how sure", pl_cmd_compare },
	{ "bisect", "find the value, the settings or the commit that decides", pl_cmd_bisect },
	{ "check", "say by the exit code whether a scenario is bad, for `git bisect run`", pl_cmd_check },
	{ "claims", "judge what the articles claim, on each kernel", pl_cmd_claims },
	{ "show", "print all that is known of a finished cell", pl_cmd_show },
	{ "bundle", "write a finished cell into one file, for `reproduce` elsewhere", pl_cmd_bundle },
	{ "log", "print the records of a finished cell's black box", pl_cmd_log },
	{ "verify", "run cells again and compare the digests", pl_cmd_verify },
	{ "doctor", "say what this host can do", pl_cmd_doctor },
	{ "metrics", "print the definition of every metric", pl_cmd_metrics },
	{ "kunit", "run a kernel's own unit tests in a VM", pl_cmd_kunit },
	{ "boot", "boot a kernel and give a shell on its console", pl_cmd_boot },
};
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	fputs("Usage: plimsoll [--configs DIR] [--build DIR] [--results DIR] COMMAND ...\n\n"
	      "Runs low-memory experiments on patched Linux kernels under a virtual clock.\n\n", to);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\n`plimsoll COMMAND --help` says more. Exit codes: 0 done,\n"
	      "1 an expectation was not met, 2 bad input, 3 the host failed us.\n", to);
}

/*
 * The directories of the repository that this program was built in, for those who call it from elsewhere, such as a kernel's
 * source tree: ROOT/build/plimsoll. Only if there is no configs/ here.
 */
static void find_root(struct pl_paths *paths)
{
	char *exe = realpath("/proc/self/exe", NULL), *root = exe;

	for (int up = 0; root && up < 2; up++) {
		char *slash = strrchr(root, '/');

		if (slash)
			*slash = '\0';
	}
	char *configs = pl_asprintf("%s/configs", root ? root : "");
	if (root && access(paths->configs, F_OK) && !access(configs, F_OK)) {
		paths->configs = configs;
		paths->build = pl_asprintf("%s/build", root);
		paths->results = pl_asprintf("%s/results", root);
	} else {
		free(configs);
	}
	free(exe);
}

int main(int argc, char **argv)
{
	struct pl_cli cli = {
		.paths = { .configs = "configs", .build = "build", .results = "results" },
		.vm_host = { .qemu = "qemu-system-x86_64" },
	};
	struct {
		const char *option;
		const char **value;
	} dirs[] = {
		{ "--configs", &cli.paths.configs },
		{ "--build", &cli.paths.build },
		{ "--results", &cli.paths.results },
	};
	int at = 1;

	find_root(&cli.paths);
	/* Ignored, as a parent may have left it, it would take away how QEMU ended. */
	signal(SIGCHLD, SIG_DFL);
	for (; at < argc && argv[at][0] == '-'; at++) {
		bool known = false;

		if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h")) {
			usage(stdout);
			return PL_OK;
		}
		for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && !known; i++) {
			if (strcmp(argv[at], dirs[i].option))
				continue;
			if (at + 1 >= argc) {
				fprintf(stderr, "plimsoll: %s needs a directory\n", argv[at]);
				return PL_BAD_INPUT;
			}
			*dirs[i].value = argv[++at];
			known = true;
		}
		if (!known) {
			fprintf(stderr, "plimsoll: unknown option %s; `plimsoll --help` lists them\n", argv[at]);
			return PL_BAD_INPUT;
		}
	}
	if (at >= argc) {
		usage(stderr);
		return PL_BAD_INPUT;
	}
	cli.vm_host.build = cli.paths.build;

	for (size_t i = 0; i < NR_COMMANDS; i++) {
		if (strcmp(argv[at], commands[i].name))
			continue;
		char *name = pl_asprintf("plimsoll %s", commands[i].name);
		argv[at] = name;
		int code = commands[i].run(&cli, argc - at, argv + at);
		free(name);
		if ((fflush(stdout) || ferror(stdout)) && code == PL_OK) {
			fputs("plimsoll: standard output could not be written to its end\n", stderr);
			code = PL_HOST;
		}
		return code;
	}
	fprintf(stderr, "plimsoll: unknown command %s; `plimsoll --help` lists them\n", argv[at]);
	return PL_BAD_INPUT;
}
