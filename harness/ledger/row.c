// SPDX-License-Identifier: GPL-3.0-or-later
/* A row in memory and as JSON. */
#include "ledger/internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL_JSON_MAX_BYTES (1 << 20)
#define CELL_JSON_DEPTH	    8

void pl_row_free(struct pl_row *row)
{
	free(row->kernel);
	free(row->disk);
	free(row->workload);
	free(row->setting);
	free(row->progress);
	free(row->may_end);
	pl_analysis_free(&row->analysis);
	*row = (struct pl_row){ 0 };
}

bool ledger_id_ok(const char *id)
{
	return strlen(id) == PL_ID_HEX - 1 && strspn(id, "0123456789abcdef") == PL_ID_HEX - 1;
}

const char *ledger_clock_name(enum pl_clock clock)
{
	return clock == PL_CLOCK_REAL ? "real" : "virtual";
}

bool ledger_clock_from_name(const char *name, enum pl_clock *clock)
{
	*clock = strcmp(name, "real") ? PL_CLOCK_VIRTUAL : PL_CLOCK_REAL;
	return !strcmp(name, ledger_clock_name(*clock));
}

/* By length: the name is a word of a longer text. */
static bool flag_from_name(const char *name, size_t len, uint32_t *flag)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		const char *known = pl_flag_name(bit);

		*flag = 1u << bit;
		if (known && strlen(known) == len && !memcmp(known, name, len))
			return true;
	}
	return false;
}

bool ledger_flags_from_text(const char *text, uint32_t *flags)
{
	*flags = 0;
	while (*text) {
		size_t len = strcspn(text, ",");
		uint32_t flag;
		if (!flag_from_name(text, len, &flag))
			return false;
		*flags |= flag;
		text += len + (text[len] == ',');
	}
	return true;
}

/* The shortest decimal that reads back as the same double; JSON has no NAN and no infinity. */
static struct json_object *number(double value)
{
	char text[32];

	if (!isfinite(value))
		return NULL;
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	return json_object_new_double_s(value, text);
}

static struct json_object *string_or_null(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static struct json_object *flags_json(uint32_t flags)
{
	struct json_object *array = json_object_new_array();

	for (unsigned bit = 0; bit < 32; bit++) {
		if (flags & 1u << bit && pl_flag_name(bit))
			json_object_array_add(array, json_object_new_string(pl_flag_name(bit)));
	}
	return array;
}

static struct json_object *axes_json(const struct pl_row *row)
{
	struct json_object *axes = json_object_new_object();
	struct json_object *machine = json_object_new_object();

	json_object_object_add(machine, "ram_mib", json_object_new_int64(row->machine.ram_mib));
	json_object_object_add(machine, "vcpus", json_object_new_int64(row->machine.vcpus));
	json_object_object_add(machine, "ns_per_instruction", json_object_new_int64(row->machine.ns_per_instruction));
	json_object_object_add(machine, "blackbox_mib", json_object_new_int64(row->machine.blackbox_mib));
	json_object_object_add(machine, "clock", json_object_new_string(ledger_clock_name(row->machine.clock)));

	json_object_object_add(axes, "kernel", string_or_null(row->kernel));
	json_object_object_add(axes, "disk", string_or_null(row->disk));
	json_object_object_add(axes, "workload", string_or_null(row->workload));
	json_object_object_add(axes, "setting", string_or_null(row->setting));
	json_object_object_add(axes, "seed", json_object_new_uint64(row->seed));
	json_object_object_add(axes, "virtual_seconds", json_object_new_int64(row->virtual_seconds));
	json_object_object_add(axes, "machine", machine);
	return axes;
}

struct json_object *pl_row_json(const struct pl_row *row)
{
	const struct pl_analysis *analysis = &row->analysis;
	struct json_object *cell = json_object_new_object();
	struct json_object *metrics = json_object_new_object(), *task_metrics = json_object_new_object();

	for (size_t i = 0; i < analysis->task_metrics.nr; i++) {
		const struct pl_task_metric *metric = &analysis->task_metrics.list[i];

		json_object_object_add(task_metrics, metric->name, number(metric->value));
	}
	for (size_t i = 0; i < pl_nr_metrics; i++)
		json_object_object_add(metrics, pl_metrics[i].name, number(analysis->value[i]));

	json_object_object_add(cell, "id", json_object_new_string(row->id));
	json_object_object_add(cell, "axes", axes_json(row));
	json_object_object_add(cell, "verdict", json_object_new_string(pl_verdict_name(analysis->verdict)));
	json_object_object_add(cell, "flags", flags_json(analysis->flags));
	json_object_object_add(cell, "reason", json_object_new_string(analysis->reason));
	json_object_object_add(cell, "digest", json_object_new_string(row->digest));
	json_object_object_add(cell, "exact", json_object_new_boolean(row->exact));
	json_object_object_add(cell, "wall_s", number(row->wall_s));
	json_object_object_add(cell, "virtual_s", number(analysis->virtual_s));
	json_object_object_add(cell, "qemu_cpu_s", number(row->qemu_cpu_s));
	json_object_object_add(cell, "harness_cpu_s", number(row->harness_cpu_s));
	json_object_object_add(cell, "start_wall_s", number(row->start_wall_s));
	json_object_object_add(cell, "killed", json_object_new_boolean(row->killed));
	json_object_object_add(cell, "qemu_status", json_object_new_int(row->qemu_status));
	json_object_object_add(cell, "hung_task_timeout_s", number(row->hung_task_timeout_s));
	json_object_object_add(cell, "progress", string_or_null(row->progress));
	json_object_object_add(cell, "may_end", string_or_null(row->may_end));
	json_object_object_add(cell, "analysis", json_object_new_int(row->outdated ? 0 : PL_ANALYSIS_VERSION));
	json_object_object_add(cell, "metrics", metrics);
	json_object_object_add(cell, "task_metrics", task_metrics);
	return cell;
}

/* Reading: the first member that is missing or of another type is remembered, and the rest reads as zero. */
struct reader {
	const char *bad;
};

static struct json_object *member(struct reader *reader, struct json_object *object, const char *name, enum json_type type)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, name, &value) &&
	    json_object_is_type(value, type))
		return value;
	if (!reader->bad)
		reader->bad = name;
	return NULL;
}

static char *read_string(struct reader *reader, struct json_object *object, const char *name)
{
	struct json_object *value = member(reader, object, name, json_type_string);

	return pl_strdup(value ? json_object_get_string(value) : "");
}

static void read_text(struct reader *reader, struct json_object *object, const char *name, char *to, size_t room)
{
	struct json_object *value = member(reader, object, name, json_type_string);

	if (value && (size_t)snprintf(to, room, "%s", json_object_get_string(value)) >= room && !reader->bad)
		reader->bad = name;
}

static uint32_t read_u32(struct reader *reader, struct json_object *object, const char *name)
{
	struct json_object *value = member(reader, object, name, json_type_int);
	int64_t number64 = value ? json_object_get_int64(value) : 0;

	if ((number64 < 0 || number64 > UINT32_MAX) && !reader->bad)
		reader->bad = name;
	return (uint32_t)number64;
}

static bool read_bool(struct reader *reader, struct json_object *object, const char *name)
{
	return json_object_get_boolean(member(reader, object, name, json_type_boolean));
}

/* Doubles that happen to be whole may have been written without a point; null is NAN. */
static double read_double(struct reader *reader, struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_object_get_ex(object, name, &value)) {
		if (!value)
			return NAN;
		if (json_object_is_type(value, json_type_double) || json_object_is_type(value, json_type_int))
			return json_object_get_double(value);
	}
	if (!reader->bad)
		reader->bad = name;
	return NAN;
}

static void read_flags(struct reader *reader, struct json_object *cell, uint32_t *flags)
{
	struct json_object *array = member(reader, cell, "flags", json_type_array);
	size_t nr = array ? json_object_array_length(array) : 0;

	for (size_t i = 0; i < nr; i++) {
		struct json_object *item = json_object_array_get_idx(array, i);
		const char *name = json_object_is_type(item, json_type_string) ? json_object_get_string(item) : "";
		uint32_t flag;
		if (flag_from_name(name, strlen(name), &flag))
			*flags |= flag;
		else if (!reader->bad)
			reader->bad = "flags";
	}
}

static void read_axes(struct reader *reader, struct json_object *cell, struct pl_row *row)
{
	struct json_object *axes = member(reader, cell, "axes", json_type_object);
	struct json_object *machine = member(reader, axes, "machine", json_type_object);
	char clock[16] = "";

	row->kernel = read_string(reader, axes, "kernel");
	row->disk = read_string(reader, axes, "disk");
	row->workload = read_string(reader, axes, "workload");
	row->setting = read_string(reader, axes, "setting");
	row->seed = json_object_get_uint64(member(reader, axes, "seed", json_type_int));
	row->virtual_seconds = read_u32(reader, axes, "virtual_seconds");
	row->machine.ram_mib = read_u32(reader, machine, "ram_mib");
	row->machine.vcpus = read_u32(reader, machine, "vcpus");
	row->machine.ns_per_instruction = read_u32(reader, machine, "ns_per_instruction");
	row->machine.blackbox_mib = read_u32(reader, machine, "blackbox_mib");
	read_text(reader, machine, "clock", clock, sizeof(clock));
	if (!ledger_clock_from_name(clock, &row->machine.clock) && !reader->bad)
		reader->bad = "clock";
}

/* Metrics that this version does not know are left out; those that it knows and the file lacks are NAN. */
static void read_metrics(struct reader *reader, struct json_object *cell, struct pl_row *row)
{
	struct pl_analysis *analysis = &row->analysis;
	struct json_object *metrics = member(reader, cell, "metrics", json_type_object);

	for (size_t i = 0; i < PL_MAX_METRICS; i++)
		analysis->value[i] = NAN;
	for (size_t i = 0; i < pl_nr_metrics && metrics; i++) {
		if (json_object_object_get_ex(metrics, pl_metrics[i].name, NULL))
			analysis->value[i] = read_double(reader, metrics, pl_metrics[i].name);
		else
			row->outdated = true;
	}
}

/* What cells of older versions do not have. */
static void read_task_metrics(struct reader *reader, struct json_object *cell, struct pl_row *row)
{
	struct json_object *version = NULL, *metrics = NULL;

	json_object_object_get_ex(cell, "analysis", &version);
	row->outdated |= json_object_get_int(version) != PL_ANALYSIS_VERSION;
	if (!json_object_object_get_ex(cell, "task_metrics", &metrics) ||
	    !json_object_is_type(metrics, json_type_object))
		return;
	json_object_object_foreach(metrics, name, value) {
		(void)value;
		pl_task_metrics_add(&row->analysis.task_metrics, name, read_double(reader, metrics, name));
	}
}

static const char *row_from_json(struct json_object *cell, const char *id, struct pl_row *row)
{
	struct reader reader = { 0 };
	struct pl_analysis *analysis = &row->analysis;
	char verdict[16] = "";

	read_text(&reader, cell, "id", row->id, sizeof(row->id));
	read_axes(&reader, cell, row);
	read_text(&reader, cell, "verdict", verdict, sizeof(verdict));
	read_flags(&reader, cell, &analysis->flags);
	read_text(&reader, cell, "reason", analysis->reason, sizeof(analysis->reason));
	read_text(&reader, cell, "digest", row->digest, sizeof(row->digest));
	row->exact = read_bool(&reader, cell, "exact");
	row->wall_s = read_double(&reader, cell, "wall_s");
	analysis->virtual_s = read_double(&reader, cell, "virtual_s");
	row->qemu_cpu_s = read_double(&reader, cell, "qemu_cpu_s");
	row->harness_cpu_s = read_double(&reader, cell, "harness_cpu_s");
	row->start_wall_s = read_double(&reader, cell, "start_wall_s");
	row->killed = read_bool(&reader, cell, "killed");
	row->qemu_status = json_object_get_int(member(&reader, cell, "qemu_status", json_type_int));
	row->hung_task_timeout_s = read_double(&reader, cell, "hung_task_timeout_s");
	struct json_object *text = NULL;
	if (json_object_object_get_ex(cell, "progress", &text) && text)
		row->progress = read_string(&reader, cell, "progress");
	if (json_object_object_get_ex(cell, "may_end", &text) && text)
		row->may_end = read_string(&reader, cell, "may_end");
	read_metrics(&reader, cell, row);
	read_task_metrics(&reader, cell, row);

	if (reader.bad)
		return reader.bad;
	if (strcmp(row->id, id))
		return "id";
	return pl_verdict_from_name(verdict, &analysis->verdict) ? NULL : "verdict";
}

enum pl_status ledger_row_read(const char *dir, const char *id, struct pl_row *row, struct pl_error *err)
{
	char *path = pl_asprintf("%s/cell.json", dir);
	char *text = NULL;
	size_t len = 0;
	enum pl_status status = pl_read_file(path, CELL_JSON_MAX_BYTES, &text, &len, err);

	*row = (struct pl_row){ 0 };
	if (status == PL_OK) {
		struct json_tokener *tokener = json_tokener_new_ex(CELL_JSON_DEPTH);
		struct json_object *cell = json_tokener_parse_ex(tokener, text, (int)len);
		const char *bad = cell && json_object_is_type(cell, json_type_object) ? row_from_json(cell, id, row) : "JSON";
		json_object_put(cell);
		json_tokener_free(tokener);
		if (bad) {
			pl_row_free(row);
			status = pl_fail(err, PL_BAD_INPUT, "%s: damaged: its \"%s\" is missing or not what it should be", path, bad);
		}
	}
	free(text);
	free(path);
	return status;
}
