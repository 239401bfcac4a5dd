// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A report for KCIDB, by version 5.0 of its I/O schema (kcidb-io, kcidb_io/schema/v05_00.py): a checkout and a build for each
 * kernel, and a test for each cell. Nothing in it may be null, so what is not known is left out.
 */
#include "report/formats.h"

#include <ctype.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

#define ORIGIN		   "plimsoll"
#define MANIFEST_MAX_BYTES (1 << 20)
#define MAX_KERNELS	   64

/* A kernel that cells ran: by content, whatever it was called. */
struct build {
	char vmlinux[PL_SHA256_HEX]; /* "" if the cell's inputs are gone */
	const char *name;
	struct json_object *manifest; /* NULL: it is no longer built here */
};

static void add_text(struct json_object *to, const char *key, const char *value)
{
	struct pl_buf text = { 0 };

	report_name(&text, value, 1024);
	json_object_object_add(to, key, json_object_new_string(text.text ? text.text : ""));
	pl_buf_free(&text);
}

static void add_id(struct json_object *to, const char *key, const char *id)
{
	char *whole = pl_asprintf(ORIGIN ":%s", id);

	json_object_object_add(to, key, json_object_new_string(whole));
	free(whole);
}

static void add_number(struct json_object *to, const char *key, double value)
{
	char text[REPORT_EXACT_ROOM];

	if (!isfinite(value))
		return;
	report_exact(text, value);
	json_object_object_add(to, key, json_object_new_double_s(value, text));
}

static const char *manifest_text(const struct build *build, const char *key)
{
	struct json_object *value;

	if (!build->manifest || !json_object_object_get_ex(build->manifest, key, &value))
		return NULL;
	return json_object_get_string(value);
}

static void read_vmlinux(const struct pl_report *report, const struct pl_row *row, char vmlinux[PL_SHA256_HEX])
{
	struct json_object *inputs, *sha256;
	char *text;

	vmlinux[0] = '\0';
	if (pl_ledger_inputs(report->ledger, row->id, &text, NULL) != PL_OK)
		return;
	inputs = json_tokener_parse(text);
	free(text);
	if (inputs && json_object_object_get_ex(inputs, "vmlinux_sha256", &sha256) && json_object_get_string(sha256) &&
	    strspn(json_object_get_string(sha256), "0123456789abcdef") == PL_SHA256_HEX - 1)
		snprintf(vmlinux, PL_SHA256_HEX, "%s", json_object_get_string(sha256));
	json_object_put(inputs);
}

/* NULL: more kernels than anybody builds. */
static struct build *build_of(const struct pl_report *report, const struct pl_row *row, struct build *builds, size_t *nr)
{
	struct build build = { .name = row->kernel };
	const char *dir;

	read_vmlinux(report, row, build.vmlinux);
	for (size_t i = 0; i < *nr; i++)
		if (!strcmp(builds[i].vmlinux, build.vmlinux) && (*build.vmlinux || !strcmp(builds[i].name, build.name)))
			return &builds[i];
	if (*nr == MAX_KERNELS)
		return NULL;
	dir = report->kernel_dir ? report->kernel_dir(report->ctx, row) : NULL;
	if (dir) {
		char *path = pl_asprintf("%s/manifest.json", dir), *text;

		if (pl_read_file(path, MANIFEST_MAX_BYTES, &text, NULL, NULL) == PL_OK) {
			build.manifest = json_tokener_parse(text);
			free(text);
		}
		free(path);
	}
	builds[*nr] = build;
	return &builds[(*nr)++];
}

/* The sources and the patches on them; several builds may have them in common, and are told apart all the same. */
static const char *build_id(const struct build *build)
{
	return *build->vmlinux ? build->vmlinux : build->name;
}

static struct json_object *checkout_json(const struct build *build)
{
	static const char *const kept[] = { "source_sha256", "series", "patches_sha256" };
	struct json_object *checkout = json_object_new_object(), *misc = json_object_new_object();

	add_id(checkout, "id", build_id(build));
	json_object_object_add(checkout, "origin", json_object_new_string(ORIGIN));
	add_text(checkout, "tree_name", build->name);
	if (manifest_text(build, "source_version"))
		add_text(checkout, "comment", manifest_text(build, "source_version"));
	json_object_object_add(checkout, "valid", json_object_new_boolean(true));
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (manifest_text(build, kept[i]))
			add_text(misc, kept[i], manifest_text(build, kept[i]));
	json_object_object_add(checkout, "misc", misc);
	return checkout;
}

static struct json_object *build_json(const struct build *build)
{
	struct json_object *json = json_object_new_object(), *misc = json_object_new_object();

	add_id(json, "id", build_id(build));
	add_id(json, "checkout_id", build_id(build));
	json_object_object_add(json, "origin", json_object_new_string(ORIGIN));
	json_object_object_add(json, "architecture", json_object_new_string("x86_64"));
	if (manifest_text(build, "compiler"))
		add_text(json, "compiler", manifest_text(build, "compiler"));
	json_object_object_add(json, "status", json_object_new_string("PASS"));
	if (manifest_text(build, "release"))
		add_text(misc, "release", manifest_text(build, "release"));
	if (manifest_text(build, "config_sha256"))
		add_text(misc, "config_sha256", manifest_text(build, "config_sha256"));
	json_object_object_add(json, "misc", misc);
	return json;
}

/* A dot divides the parts of a path, and a part has letters, digits, underscores and dashes. */
static void path_part(struct pl_buf *path, const char *name)
{
	pl_buf_printf(path, "%s", path->len ? "." : "");
	for (; *name; name++)
		pl_buf_printf(path, "%c", isascii(*name) && (isalnum((unsigned char)*name) || strchr("_-", *name)) ? *name : '_');
}

static struct json_object *environment_json(const struct pl_row *row)
{
	const struct pl_machine *machine = &row->machine;
	struct json_object *environment = json_object_new_object(), *misc = json_object_new_object();
	char comment[160];

	snprintf(comment, sizeof(comment), "QEMU microvm, %u MiB RAM, %u CPU%s, %s clock", machine->ram_mib, machine->vcpus,
		 machine->vcpus == 1 ? "" : "s", machine->clock == PL_CLOCK_REAL ? "real" : row->exact ? "exact virtual" : "virtual");
	add_text(environment, "comment", comment);
	add_text(misc, "disk", row->disk);
	add_text(misc, "workload", row->workload);
	add_text(misc, "setting", row->setting);
	json_object_object_add(misc, "seed", json_object_new_uint64(row->seed));
	json_object_object_add(misc, "virtual_seconds", json_object_new_int64(row->virtual_seconds));
	json_object_object_add(misc, "ns_per_instruction", json_object_new_int64(machine->ns_per_instruction));
	json_object_object_add(environment, "misc", misc);
	return environment;
}

static struct json_object *test_json(const struct pl_report *report, const struct pl_row *row, const struct build *build)
{
	/* One that ended otherwise, as its scenario says of its seed, has said nothing about the kernel. */
	static const char *const statuses[REPORT_NR_RESULTS] = {
		[REPORT_PASS] = "PASS", [REPORT_FAIL] = "FAIL", [REPORT_EXCEPTED] = "DONE", [REPORT_ERROR] = "ERROR",
		[REPORT_SKIPPED] = "SKIP",
	};
	struct json_object *test = json_object_new_object(), *misc = json_object_new_object(), *metrics = json_object_new_object();
	struct report_outcome outcome;
	struct pl_buf path = { 0 };
	char flags[512];

	report_outcome(report, row, &outcome);
	path_part(&path, ORIGIN);
	path_part(&path, row->workload);
	path_part(&path, row->setting);
	add_id(test, "id", row->id);
	add_id(test, "build_id", build_id(build));
	json_object_object_add(test, "origin", json_object_new_string(ORIGIN));
	json_object_object_add(test, "path", json_object_new_string(path.text));
	json_object_object_add(test, "environment", environment_json(row));
	json_object_object_add(test, "status", json_object_new_string(statuses[outcome.result]));
	if (*outcome.text)
		add_text(test, "comment", outcome.text);
	free(outcome.text);
	add_number(test, "duration", row->wall_s);
	pl_flags_text(row->analysis.flags, flags, sizeof(flags));
	add_text(misc, "verdict", pl_verdict_name(row->analysis.verdict));
	add_text(misc, "flags", flags);
	add_text(misc, "digest", row->digest);
	for (size_t i = 0; i < pl_nr_metrics; i++)
		add_number(metrics, pl_metrics[i].name, row->analysis.value[i]);
	for (size_t i = 0; i < row->analysis.task_metrics.nr; i++)
		add_number(metrics, row->analysis.task_metrics.list[i].name, row->analysis.task_metrics.list[i].value);
	json_object_object_add(misc, "metrics", metrics);
	json_object_object_add(test, "misc", misc);
	pl_buf_free(&path);
	return test;
}

static void print_item(FILE *out, struct json_object *item, bool *begun)
{
	fputs(*begun ? ",\n" : "\n", out);
	fputs(json_object_to_json_string_ext(item, JSON_C_TO_STRING_NOSLASHESCAPE), out);
	json_object_put(item);
	*begun = true;
}

static enum pl_status write_kcidb(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	struct build *builds = pl_calloc(MAX_KERNELS, sizeof(*builds));
	enum pl_status status = PL_OK;
	size_t nr = 0;
	bool begun = false;

	/* Items are printed one by one: a large matrix has a hundred thousand. Their order in the object is free. */
	fputs("{\"version\": {\"major\": 5, \"minor\": 0},\n\"tests\": [", out);
	for (size_t i = 0; i < report->nr_rows && status == PL_OK; i++) {
		const struct build *build = build_of(report, &report->rows[i], builds, &nr);

		if (build)
			print_item(out, test_json(report, &report->rows[i], build), &begun);
		else
			status = pl_fail(err, PL_BAD_INPUT, "--format kcidb takes cells of at most %d kernels; name fewer cells", MAX_KERNELS);
	}
	fputs("],\n\"checkouts\": [", out);
	begun = false;
	for (size_t i = 0; i < nr; i++)
		print_item(out, checkout_json(&builds[i]), &begun);
	fputs("],\n\"builds\": [", out);
	begun = false;
	for (size_t i = 0; i < nr; i++)
		print_item(out, build_json(&builds[i]), &begun);
	fputs("]}\n", out);
	for (size_t i = 0; i < nr; i++)
		json_object_put(builds[i].manifest);
	free(builds);
	return status;
}

const struct pl_format report_format_kcidb = {
	.name = "kcidb",
	.extension = "json",
	.description = "for KCIDB, I/O schema 5.0: checkouts, builds, tests",
	.write = write_kcidb,
};
