/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of plimsoll: one builtin-*.c each. */
#ifndef PL_CLI_H
#define PL_CLI_H

#include <argp.h>

#include "base/base.h"
#include "ledger/ledger.h"
#include "plan/plan.h"
#include "vm/vm.h"

/* What all commands share: where things are, as told by the options before the command's name. */
struct pl_cli {
	struct pl_paths paths;
	struct pl_vm_host vm_host;
};

/* A command gets its own argv (argv[0] is "plimsoll COMMAND") and returns the program's exit code. */
struct pl_command {
	const char *name;
	const char *summary;
	int (*run)(const struct pl_cli *cli, int argc, char **argv);
};

int pl_cmd_run(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_reproduce(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_report(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_compare(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_check(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_bisect(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_claims(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_show(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_verify(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_doctor(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_bundle(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_log(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_metrics(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_kunit(const struct pl_cli *cli, int argc, char **argv);
int pl_cmd_boot(const struct pl_cli *cli, int argc, char **argv);

/* Say an error on stderr in one line and give the exit code that goes with it: where something failed, never 0. */
int pl_complain(const struct pl_error *err);

/*
 * Parse a command's arguments with argp; its own exits are turned into exit code 2 for bad arguments. True: go on;
 * false: *code is the exit code.
 */
bool pl_parse(const struct argp *argp, int argc, char **argv, void *input, int *code);

/* Print one paragraph on standard output, broken where its terminal ends; further lines begin with `indent` blanks. */
__attribute__((format(printf, 2, 3))) void pl_print_wrapped(unsigned indent, const char *format, ...);

/* An argp parser for commands whose only argument is a kernel's name; its input is a const char * that begins as NULL. */
error_t pl_parse_kernel(int key, char *arg, struct argp_state *state);

/* What is no option of a command whose only argument is a cell's id or the beginning of one: *cell begins as NULL. */
error_t pl_parse_cell(int key, char *arg, struct argp_state *state, const char **cell);

/* A whole number from an option's argument, or PL_BAD_INPUT that names the option. */
enum pl_status pl_parse_number(const char *option, const char *text, unsigned long min, unsigned long max, unsigned long *value,
			       struct pl_error *err);

/* --seeds: "20" are the seeds 1 to 20, "5..24" are those. */
enum pl_status pl_parse_seeds(const char *text, struct pl_seeds *seeds, struct pl_error *err);

/* A scenario's name is that of a file in configs/scenarios/; whatever else is a path. Caller frees. */
char *pl_scenario_path(const struct pl_cli *cli, const char *scenario);

/* The one finished cell whose id begins with prefix; PL_BAD_INPUT if there is none or more than one. */
enum pl_status pl_find_cell(struct pl_ledger *ledger, const char *prefix, char id[PL_ID_HEX], struct pl_error *err);

/*
 * The directory of the kernel whose vmlinux has this hash, under whatever name it is built now; NULL: none has. Caller frees.
 */
char *pl_find_kernel(const struct pl_cli *cli, const char *vmlinux_sha256);

/* The hash of a built kernel's vmlinux. PL_HOST: its manifest does not say. Caller frees. */
enum pl_status pl_kernel_sha256(const struct pl_cli *cli, const char *kernel, char **sha256, struct pl_error *err);

/*
 * A cell that is not from a matrix: a kernel by name, booted with a program of our own for tests and people. Free with
 * pl_adhoc_free.
 */
enum pl_status pl_adhoc_cell(const struct pl_cli *cli, const char *kernel, const char *program, uint32_t virtual_seconds,
			     struct pl_cell *cell, struct pl_error *err);
void pl_adhoc_free(struct pl_cell *cell);

/*
 * Start a cell and wait until it ends, or until timeout_ms of wall time have passed: it is killed then, and *timed_out
 * says so. On PL_OK the caller reads what it wants from *vm and releases it.
 */
enum pl_status pl_boot_once(const struct pl_cli *cli, const struct pl_cell *cell, const struct pl_vm_options *options,
			    int timeout_ms, struct pl_vm *vm, struct pl_vm_end *end, bool *timed_out, struct pl_error *err);

#endif
