// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * From the parts of a cell to the agent's program, the inputs as canonical JSON, and the id that is their hash; and
 * its label.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "plan/parts.h"

static enum pl_status write_program(const struct pl_parts *parts, struct pl_buf *program, struct pl_error *err)
{
	pl_buf_printf(program, "plimsoll-cell 1\nseed %" PRIu64 "\nduration_ms %" PRIu64 "\ngrace_ms %d\n", parts->seed,
		      (uint64_t)parts->virtual_seconds * 1000, PL_GRACE_MS);
	/* First, so that the settings to follow are seen as well; without it not a word, so that older ids stay. */
	if (parts->holders)
		pl_buf_printf(program, "file /sys/module/blackbox/parameters/holders Y\n");
	pl_setting_lines(parts->setting, parts->disk, program);

	enum pl_status status = pl_use_prepare_lines(parts->use, parts->machine, parts->seed, parts->virtual_seconds,
						     program, err);

	if (status != PL_OK)
		return status;
	pl_disk_lines(parts->disk, parts->seed, program);
	status = pl_use_task_lines(parts->use, parts->machine, parts->seed, parts->virtual_seconds, program, err);
	if (status != PL_OK)
		return status;

	size_t nr_lines = 0;

	for (const char *c = program->text; *c; c++)
		nr_lines += *c == '\n';
	if (program->len > PL_PROGRAM_MAX_BYTES || nr_lines > PL_PROGRAM_MAX_LINES)
		return pl_fail(err, PL_BAD_INPUT,
			       "%s: with setting %s the agent would be told %zu lines, %zu bytes; expected at most %d and %d",
			       parts->use->workload->yaml.path, parts->setting->name, nr_lines, program->len,
			       PL_PROGRAM_MAX_LINES, PL_PROGRAM_MAX_BYTES);
	return PL_OK;
}

/*
 * The id is the hash of this text: keys in the order of the alphabet, no blanks, integers only. No names: a setting
 * that is called otherwise is the same experiment.
 */
static char *write_inputs(const struct pl_parts *parts, const char *program)
{
	const struct pl_machine *machine = parts->machine;
	struct json_object *inputs = json_object_new_object(), *disk = json_object_new_object(),
			   *json_machine = json_object_new_object();

	json_object_object_add(disk, "data_mib", json_object_new_int64(parts->disk->data_mib));
	json_object_object_add(disk, "depth", json_object_new_int64(parts->disk->depth));
	json_object_object_add(disk, "root_mib", json_object_new_int64(parts->rootfs->mib));
	json_object_object_add(disk, "swap_mib", json_object_new_int64(parts->disk->swap_mib));

	json_object_object_add(json_machine, "blackbox_mib", json_object_new_int64(machine->blackbox_mib));
	json_object_object_add(json_machine, "clock",
			       json_object_new_string(machine->clock == PL_CLOCK_REAL ? "real" : "virtual"));
	json_object_object_add(json_machine, "ns_per_instruction", json_object_new_int64(machine->ns_per_instruction));
	json_object_object_add(json_machine, "ram_mib", json_object_new_int64(machine->ram_mib));
	json_object_object_add(json_machine, "vcpus", json_object_new_int64(machine->vcpus));

	json_object_object_add(inputs, "disk", disk);
	json_object_object_add(inputs, "format", json_object_new_int64(PL_CELL_FORMAT));
	json_object_object_add(inputs, "hung_task_timeout_s",
			       json_object_new_int64(parts->setting->hung_task_timeout_s));
	json_object_object_add(inputs, "machine", json_machine);
	json_object_object_add(inputs, "mke2fs_version", json_object_new_string(parts->host->mke2fs_version));
	json_object_object_add(inputs, "program", json_object_new_string(program));
	json_object_object_add(inputs, "qemu_version", json_object_new_string(parts->host->qemu_version));
	json_object_object_add(inputs, "rootfs_sha256", json_object_new_string(parts->rootfs->sha256));
	json_object_object_add(inputs, "vmlinux_sha256", json_object_new_string(parts->kernel->vmlinux_sha256));

	char *text = pl_strdup(json_object_to_json_string_ext(inputs,
							      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

	json_object_put(inputs);
	return text;
}

enum pl_status pl_cell_init(struct pl_cell *cell, const struct pl_parts *parts, struct pl_error *err)
{
	struct pl_buf program = { 0 };
	enum pl_status status = write_program(parts, &program, err);

	if (status != PL_OK) {
		pl_buf_free(&program);
		return status;
	}
	*cell = (struct pl_cell){
		.kernel = pl_strdup(parts->kernel->name),
		.disk = pl_strdup(parts->disk->name),
		.workload = pl_strdup(parts->use->label),
		.setting = pl_strdup(parts->setting->name),
		.seed = parts->seed,
		.virtual_seconds = parts->virtual_seconds,
		.machine = *parts->machine,
		.vmlinux = pl_strdup(parts->kernel->vmlinux),
		.vmlinux_sha256 = pl_strdup(parts->kernel->vmlinux_sha256),
		.rootfs = pl_strdup(parts->rootfs->image),
		.rootfs_sha256 = pl_strdup(parts->rootfs->sha256),
		.root_mib = parts->rootfs->mib,
		.swap_mib = parts->disk->swap_mib,
		.data_mib = parts->disk->data_mib,
		.disk_depth = parts->disk->depth,
		.program = program.text,
		.progress = pl_strdup(parts->use->workload->progress),
		.may_end = pl_workload_may_end(parts->use->workload),
		.hung_task_timeout_s = parts->setting->hung_task_timeout_s,
		.inputs_json = write_inputs(parts, program.text),
	};

	struct pl_sha256 *sha = pl_sha256_new();
	char hex[PL_SHA256_HEX];

	pl_sha256_add(sha, cell->inputs_json, strlen(cell->inputs_json));
	pl_sha256_final(sha, hex);
	memcpy(cell->id, hex, PL_ID_HEX - 1);
	return PL_OK;
}

void pl_cell_free(struct pl_cell *cell)
{
	free(cell->kernel);
	free(cell->disk);
	free(cell->workload);
	free(cell->setting);
	free(cell->vmlinux);
	free(cell->vmlinux_sha256);
	free(cell->rootfs);
	free(cell->rootfs_sha256);
	free(cell->program);
	free(cell->progress);
	free(cell->may_end);
	free(cell->inputs_json);
	free(cell->origin);
	*cell = (struct pl_cell){ 0 };
}

void pl_cell_label(const struct pl_cell *cell, char *label, size_t room)
{
	snprintf(label, room, "%s/%s/%s/%s/%" PRIu64, cell->kernel, cell->disk, cell->workload, cell->setting,
		 cell->seed);
}

bool pl_cell_matches(const struct pl_cell *cell, const char *glob)
{
	char label[PL_LABEL_MAX];

	pl_cell_label(cell, label, sizeof(label));
	return !fnmatch(glob, label, 0);
}
