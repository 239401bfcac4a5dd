// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What several commands share: reading their arguments, finding cells and kernels by what a user types, and cells of
 * no matrix.
 */
#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "report/report.h"

#define MANIFEST_MAX_BYTES (1 << 20)

int pl_complain(const struct pl_error *err)
{
	return pl_finish(err->status == PL_OK ? PL_HOST : err->status, err);
}

void pl_print_wrapped(unsigned indent, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *text = pl_vasprintf(format, args);
	va_end(args);
	pl_report_wrapped(stdout, text, pl_report_style_for(STDOUT_FILENO).width, indent);
	free(text);
}

bool pl_parse(const struct argp *argp, int argc, char **argv, void *input, int *code)
{
	argp_err_exit_status = PL_BAD_INPUT;
	error_t error = argp_parse(argp, argc, argv, 0, NULL, input);

	*code = error ? PL_BAD_INPUT : PL_OK;
	return !error;
}

static error_t parse_one(int key, char *arg, struct argp_state *state, const char **argument, const char *what, const char *give)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (*argument)
			argp_error(state, "one %s, please", what);
		*argument = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which %s? give %s", what, give);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

error_t pl_parse_kernel(int key, char *arg, struct argp_state *state)
{
	return parse_one(key, arg, state, state->input, "kernel", "the name of one that is built, such as 6.12");
}

error_t pl_parse_cell(int key, char *arg, struct argp_state *state, const char **cell)
{
	return parse_one(key, arg, state, cell, "cell", "its id or the first digits of it");
}

enum pl_status pl_parse_number(const char *option, const char *text, unsigned long min, unsigned long max, unsigned long *value,
			       struct pl_error *err)
{
	char *end;

	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || number < min || number > max)
		return pl_fail(err, PL_BAD_INPUT, "%s: \"%s\" is not a whole number from %lu to %lu", option, text, min, max);
	*value = number;
	return PL_OK;
}

enum pl_status pl_parse_seeds(const char *text, struct pl_seeds *seeds, struct pl_error *err)
{
	const char *dots = strstr(text, "..");
	unsigned long from = 1, to;
	enum pl_status status;

	if (dots) {
		char *first = pl_asprintf("%.*s", (int)(dots - text), text);

		status = pl_parse_number("--seeds", first, 0, UINT32_MAX, &from, err);
		free(first);
		if (status != PL_OK)
			return status;
	}
	status = pl_parse_number("--seeds", dots ? dots + 2 : text, from, UINT32_MAX, &to, err);
	if (status != PL_OK)
		return status;
	if (to - from >= PL_MAX_CELLS)
		return pl_fail(err, PL_BAD_INPUT, "--seeds: %s is more than %d seeds", text, PL_MAX_CELLS);
	*seeds = (struct pl_seeds){ (uint32_t)from, (uint32_t)(to - from + 1) };
	return PL_OK;
}

char *pl_scenario_path(const struct pl_cli *cli, const char *scenario)
{
	size_t len = strlen(scenario);

	if (strchr(scenario, '/') || (len > 5 && !strcmp(scenario + len - 5, ".yaml")))
		return pl_strdup(scenario);
	return pl_asprintf("%s/scenarios/%s.yaml", cli->paths.configs, scenario);
}

enum pl_status pl_find_cell(struct pl_ledger *ledger, const char *prefix, char id[PL_ID_HEX], struct pl_error *err)
{
	char ids[8][PL_ID_HEX];
	size_t found;

	enum pl_status status = pl_ledger_find(ledger, prefix, ids, 8, &found, err);
	if (status != PL_OK)
		return status;
	if (!found)
		return pl_fail(err, PL_BAD_INPUT, "no finished cell has an id that begins with \"%s\"", prefix);
	if (found > 1)
		return pl_fail(err, PL_BAD_INPUT, "%zu finished cells have an id that begins with \"%s\": %s, %s ...; give more digits",
			       found, prefix, ids[0], ids[1]);
	memcpy(id, ids[0], PL_ID_HEX);
	return PL_OK;
}

static enum pl_status manifest_text(const char *path, const char *key, char **value, struct pl_error *err)
{
	char *text;
	struct json_object *manifest, *member;
	enum pl_status status = pl_read_file(path, MANIFEST_MAX_BYTES, &text, NULL, err);

	if (status != PL_OK)
		return status;
	manifest = json_tokener_parse(text);
	free(text);
	if (!manifest || !json_object_object_get_ex(manifest, key, &member))
		status = pl_fail(err, PL_HOST, "%s has no \"%s\"; remove it and run `make`", path, key);
	else
		*value = pl_strdup(json_object_get_string(member));
	json_object_put(manifest);
	return status;
}

enum pl_status pl_kernel_sha256(const struct pl_cli *cli, const char *kernel, char **sha256, struct pl_error *err)
{
	char *manifest = pl_asprintf("%s/kernels/%s/manifest.json", cli->paths.build, kernel);
	enum pl_status status = manifest_text(manifest, "vmlinux_sha256", sha256, err);

	free(manifest);
	return status;
}

char *pl_find_kernel(const struct pl_cli *cli, const char *vmlinux_sha256)
{
	char *folder = pl_asprintf("%s/kernels", cli->paths.build), *found = NULL;
	DIR *dir = opendir(folder);

	for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
		char *path = pl_asprintf("%s/%s", folder, entry->d_name), *manifest = pl_asprintf("%s/manifest.json", path);
		char *built = NULL;

		if (entry->d_name[0] != '.' && manifest_text(manifest, "vmlinux_sha256", &built, NULL) == PL_OK &&
		    !strcmp(built, vmlinux_sha256))
			found = path;
		else
			free(path);
		free(built);
		free(manifest);
	}
	if (dir)
		closedir(dir);
	free(folder);
	return found;
}

enum pl_status pl_adhoc_cell(const struct pl_cli *cli, const char *kernel, const char *program, uint32_t virtual_seconds,
			     struct pl_cell *cell, struct pl_error *err)
{
	*cell = (struct pl_cell){
		.id = "adhoc",
		.kernel = pl_strdup(kernel),
		.disk = pl_strdup("fast"),
		.workload = pl_strdup("none"),
		.setting = pl_strdup("none"),
		.seed = 1,
		.virtual_seconds = virtual_seconds,
		.machine = { .ram_mib = 256, .vcpus = 1, .ns_per_instruction = 4, .blackbox_mib = 16 },
		.vmlinux = pl_asprintf("%s/kernels/%s/vmlinux", cli->paths.build, kernel),
		.rootfs = pl_asprintf("%s/rootfs/root.img", cli->paths.build),
		.swap_mib = 64,
		.data_mib = 256,
		.disk_depth = 64,
		.program = pl_strdup(program),
		.hung_task_timeout_s = 120,
		.inputs_json = pl_strdup("{}"),
		.origin = pl_strdup("command line"),
	};
	char *manifest = pl_asprintf("%s/kernels/%s/manifest.json", cli->paths.build, kernel);
	enum pl_status status = PL_OK;

	if (strchr(kernel, '/') || access(manifest, R_OK))
		status = pl_fail(err, PL_BAD_INPUT, "kernel \"%s\" is not built; `make kernels KERNELS=%s` builds it", kernel, kernel);
	else
		status = manifest_text(manifest, "vmlinux_sha256", &cell->vmlinux_sha256, err);
	free(manifest);
	if (status != PL_OK)
		pl_adhoc_free(cell);
	return status;
}

void pl_adhoc_free(struct pl_cell *cell)
{
	char **texts[] = { &cell->kernel, &cell->disk, &cell->workload, &cell->setting, &cell->vmlinux, &cell->vmlinux_sha256,
			   &cell->rootfs, &cell->program, &cell->inputs_json, &cell->origin };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		free(*texts[i]);
		*texts[i] = NULL;
	}
}

enum pl_status pl_boot_once(const struct pl_cli *cli, const struct pl_cell *cell, const struct pl_vm_options *options,
			    int timeout_ms, struct pl_vm *vm, struct pl_vm_end *end, bool *timed_out, struct pl_error *err)
{
	enum pl_status status = pl_vm_start(&cli->vm_host, cell, options, vm, err);

	if (status != PL_OK)
		return status;
	struct pollfd ended = { .fd = vm->pidfd, .events = POLLIN };
	double deadline_s = pl_now_s() + timeout_ms / 1000.0;
	int ready;
	do {
		int left_ms = (int)((deadline_s - pl_now_s()) * 1000);
		ready = poll(&ended, 1, timeout_ms < 0 ? -1 : left_ms > 0 ? left_ms : 0);
	} while (ready < 0 && errno == EINTR);
	*timed_out = ready <= 0;
	if (*timed_out)
		pl_vm_kill(vm);
	pl_vm_finish(vm, end);
	return PL_OK;
}
