// SPDX-License-Identifier: GPL-3.0-or-later
/* A cell from the inputs that were kept of it. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/parts.h"

struct reader {
	const char *id;
	struct pl_error *err;
};

static enum pl_status damaged(const struct reader *reader, const char *what)
{
	return pl_fail(reader->err, PL_BAD_INPUT, "cell %s: its inputs are damaged: %s", reader->id, what);
}

static enum pl_status number(const struct reader *reader, struct json_object *map, const char *key, uint32_t min,
			     uint32_t max, uint32_t *value)
{
	struct json_object *json;
	int64_t wide;

	if (!json_object_object_get_ex(map, key, &json) || !json_object_is_type(json, json_type_int))
		return damaged(reader, key);
	wide = json_object_get_int64(json);
	*value = (uint32_t)wide;
	return wide < min || wide > max ? damaged(reader, key) : PL_OK;
}

/* NULL if there is none. */
static const char *text(struct json_object *map, const char *key)
{
	struct json_object *json;

	if (!json_object_object_get_ex(map, key, &json) || !json_object_is_type(json, json_type_string))
		return NULL;
	return json_object_get_string(json);
}

/* What the host has now must be what the cell was made from, or its log could not be the same. */
static enum pl_status same(const struct reader *reader, struct json_object *inputs, const char *key, const char *what,
			   const char *here)
{
	const char *then = text(inputs, key);

	if (!then)
		return damaged(reader, key);
	if (strcmp(then, here) != 0)
		return pl_fail(reader->err, PL_BAD_INPUT, "cell %s was run with %s %s and here is %s: run its matrix again",
			       reader->id, what, pl_quote(then).text, pl_quote(here).text);
	return PL_OK;
}

/* "\nseed 7\n" of the program: 7. */
static enum pl_status program_number(const struct reader *reader, const char *program, const char *verb, uint64_t *value)
{
	char *line = pl_asprintf("\n%s ", verb), *end;
	const char *at = strstr(program, line);

	free(line);
	if (!at)
		return damaged(reader, verb);
	*value = strtoull(at + strlen(verb) + 2, &end, 10);
	return *end == '\n' ? PL_OK : damaged(reader, verb);
}

static enum pl_status read_machine(const struct reader *reader, struct json_object *inputs, struct pl_machine *machine)
{
	struct json_object *map;
	const char *clock;
	enum pl_status status;

	if (!json_object_object_get_ex(inputs, "machine", &map) || !(clock = text(map, "clock")))
		return damaged(reader, "machine");
	machine->clock = !strcmp(clock, "real") ? PL_CLOCK_REAL : PL_CLOCK_VIRTUAL;
	status = number(reader, map, "ram_mib", 64, 2048, &machine->ram_mib);
	if (status == PL_OK)
		status = number(reader, map, "vcpus", 1, 8, &machine->vcpus);
	if (status == PL_OK)
		status = number(reader, map, "ns_per_instruction", 1, PL_MAX_NS_PER_INSTRUCTION, &machine->ns_per_instruction);
	if (status == PL_OK)
		status = number(reader, map, "blackbox_mib", 1, 1024, &machine->blackbox_mib);
	return status;
}

static enum pl_status read_cell(const struct reader *reader, struct json_object *inputs, struct pl_cell *cell)
{
	struct json_object *disk;
	const char *program = text(inputs, "program");
	uint32_t format = 0, timeout_s = 0;
	uint64_t duration_ms = 0;
	enum pl_status status = number(reader, inputs, "format", 0, UINT32_MAX, &format);

	if (status != PL_OK)
		return status;
	if (format != PL_CELL_FORMAT)
		return pl_fail(reader->err, PL_BAD_INPUT,
			       "cell %s was made by another version (inputs of format %" PRIu32 ", expected %d): run its matrix again",
			       reader->id, format, PL_CELL_FORMAT);
	if (!program || !json_object_object_get_ex(inputs, "disk", &disk))
		return damaged(reader, "program or disk");
	cell->program = pl_strdup(program);
	status = program_number(reader, program, "seed", &cell->seed);
	if (status == PL_OK)
		status = program_number(reader, program, "duration_ms", &duration_ms);
	if (status != PL_OK)
		return status;
	cell->virtual_seconds = (uint32_t)(duration_ms / 1000);
	status = read_machine(reader, inputs, &cell->machine);
	if (status == PL_OK)
		status = number(reader, disk, "root_mib", 1, PL_MAX_MEMORY_MIB, &cell->root_mib);
	if (status == PL_OK)
		status = number(reader, disk, "swap_mib", 1, PL_MAX_MEMORY_MIB, &cell->swap_mib);
	if (status == PL_OK)
		status = number(reader, disk, "data_mib", 1, PL_MAX_MEMORY_MIB, &cell->data_mib);
	if (status == PL_OK)
		status = number(reader, disk, "depth", 1, 256, &cell->disk_depth);
	if (status == PL_OK)
		status = number(reader, inputs, "hung_task_timeout_s", 0, UINT32_MAX, &timeout_s);
	if (status == PL_OK)
		cell->hung_task_timeout_s = timeout_s;
	return status;
}

static enum pl_status find_built(const struct reader *reader, struct json_object *inputs, const struct pl_paths *paths,
				 struct pl_cell *cell)
{
	char *dir = pl_asprintf("%s/kernels/%s", paths->build, cell->kernel);
	bool built = pl_yaml_is_name(cell->kernel) && !access(dir, F_OK);
	struct pl_kernel kernel;
	struct pl_rootfs rootfs;
	enum pl_status status = PL_OK;

	if (built)
		status = pl_kernel_load(dir, cell->kernel, &kernel, reader->err);
	free(dir);
	if (!built)
		return pl_fail(reader->err, PL_BAD_INPUT, "cell %s was run on kernel %s, which is not built", reader->id,
			       pl_quote(cell->kernel).text);
	if (status != PL_OK)
		return status;
	status = same(reader, inputs, "vmlinux_sha256", "kernel", kernel.vmlinux_sha256);
	cell->vmlinux = pl_strdup(kernel.vmlinux);
	cell->vmlinux_sha256 = pl_strdup(kernel.vmlinux_sha256);
	pl_kernel_free(&kernel);
	if (status == PL_OK)
		status = pl_rootfs_load(paths, &rootfs, reader->err);
	if (status != PL_OK)
		return status;
	status = same(reader, inputs, "rootfs_sha256", "root image", rootfs.sha256);
	cell->rootfs = pl_strdup(rootfs.image);
	cell->rootfs_sha256 = pl_strdup(rootfs.sha256);
	pl_rootfs_free(&rootfs);
	return status;
}

static enum pl_status check_id(const struct reader *reader, const char *inputs_json)
{
	struct pl_sha256 *sha = pl_sha256_new();
	char hex[PL_SHA256_HEX];

	pl_sha256_add(sha, inputs_json, strlen(inputs_json));
	pl_sha256_final(sha, hex);
	hex[PL_ID_HEX - 1] = '\0';
	return !strcmp(hex, reader->id) ? PL_OK : damaged(reader, "they are not what the id is the hash of");
}

enum pl_status pl_matrix_from_inputs(const char *id, const char *inputs_json, const char *kernel, const char *disk,
				     const char *workload, const char *setting, const struct pl_paths *paths,
				     const struct pl_host *host, struct pl_matrix *matrix, struct pl_error *err)
{
	const struct reader reader = { .id = id, .err = err };
	struct pl_cell *cell = pl_calloc(1, sizeof(*cell));

	*cell = (struct pl_cell){
		.kernel = pl_strdup(kernel),
		.disk = pl_strdup(disk),
		.workload = pl_strdup(workload),
		.setting = pl_strdup(setting),
		.inputs_json = pl_strdup(inputs_json),
		.origin = pl_asprintf("cell %s", id),
	};
	snprintf(cell->id, sizeof(cell->id), "%s", id);
	*matrix = (struct pl_matrix){ .name = pl_strdup(id), .path = pl_asprintf("cell %s", id), .cells = cell, .nr_cells = 1 };

	enum pl_status status = check_id(&reader, inputs_json);
	struct json_object *inputs = status == PL_OK ? json_tokener_parse(inputs_json) : NULL;

	if (status == PL_OK && !json_object_is_type(inputs, json_type_object))
		status = damaged(&reader, "not a JSON object");
	if (status == PL_OK)
		status = read_cell(&reader, inputs, cell);
	if (status == PL_OK)
		status = same(&reader, inputs, "qemu_version", "QEMU", host->qemu_version);
	if (status == PL_OK)
		status = same(&reader, inputs, "mke2fs_version", "mke2fs", host->mke2fs_version);
	if (status == PL_OK)
		status = find_built(&reader, inputs, paths, cell);
	json_object_put(inputs);
	if (status != PL_OK)
		pl_matrix_free(matrix);
	return status;
}
