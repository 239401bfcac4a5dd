// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads the file of a disk, and writes the agent's lines for its queue and its limits. */
#include <inttypes.h>
#include <string.h>

#include "plan/parts.h"

#define MAX_WINDOWS   8
#define MAX_WINDOW_MS 1000000000

static const char *const scheduler_words[] = { "none", "mq-deadline", NULL };

/* Key of the file, parameter of the kernel's mdisk, and the largest value that mdisk takes. */
static const struct {
	const char *key, *parameter;
	size_t offset;
	int64_t max;
} numbers[] = {
	{ "iops", "iops", offsetof(struct pl_disk, iops), 10000000 },
	{ "burst_requests", "iops_burst", offsetof(struct pl_disk, burst_requests), 1000000000000 },
	{ "peak_iops", "iops_peak", offsetof(struct pl_disk, peak_iops), 10000000 },
	{ "bytes_per_s", "bps", offsetof(struct pl_disk, bytes_per_s), (int64_t)1 << 33 },
	{ "burst_bytes", "bps_burst", offsetof(struct pl_disk, burst_bytes), (int64_t)1 << 50 },
	{ "peak_bytes_per_s", "bps_peak", offsetof(struct pl_disk, peak_bytes_per_s), (int64_t)1 << 33 },
	{ "read_cost_percent", "read_cost_pct", offsetof(struct pl_disk, read_cost_percent), 10000 },
	{ "write_cost_percent", "write_cost_pct", offsetof(struct pl_disk, write_cost_percent), 10000 },
	{ "read_latency_us", "read_lat_us", offsetof(struct pl_disk, read_latency_us), 100000000 },
	{ "write_latency_us", "write_lat_us", offsetof(struct pl_disk, write_latency_us), 100000000 },
	{ "latency_sigma_milli", "lat_sigma_milli", offsetof(struct pl_disk, latency_sigma_milli), 3000 },
	{ "latency_max_us", "lat_max_us", offsetof(struct pl_disk, latency_max_us), 100000000 },
	{ "flush_us", "flush_us", offsetof(struct pl_disk, flush_us), 100000000 },
};
#define NR_NUMBERS (sizeof(numbers) / sizeof(*numbers))

struct disk_file {
	struct pl_disk disk; /* first: its fields have the same offsets in both */
	const struct pl_yaml_node *windows;
};

static enum pl_status read_windows(struct pl_disk *disk, const struct pl_yaml_node *list, struct pl_error *err)
{
	struct window {
		uint32_t from_ms, to_ms, factor_percent;
	};
	static const struct pl_yaml_field fields[] = {
		{ .key = "from_ms", .type = PL_YAML_U32, .offset = offsetof(struct window, from_ms),
		  .max = MAX_WINDOW_MS, .required = true },
		{ .key = "to_ms", .type = PL_YAML_U32, .offset = offsetof(struct window, to_ms),
		  .max = MAX_WINDOW_MS, .required = true },
		/* mdisk slows down only: a factor below 100 is more likely a mistake for 100 times as much. */
		{ .key = "factor_percent", .type = PL_YAML_U32, .offset = offsetof(struct window, factor_percent),
		  .min = 100, .max = 100000, .required = true },
	};
	struct pl_buf text = { 0 };
	uint32_t last_ms = 0;
	enum pl_status status = pl_yaml_list(&disk->yaml, list, "windows", err);

	if (status == PL_OK && list->nr_items > MAX_WINDOWS)
		status = pl_yaml_fail(&disk->yaml, list, err, "found %zu windows, expected at most %d", list->nr_items,
				      MAX_WINDOWS);
	for (size_t i = 0; status == PL_OK && i < list->nr_items; i++) {
		const struct pl_yaml_node *item = list->items[i];
		struct window window = { 0 };

		status = pl_yaml_read(&disk->yaml, item, fields, sizeof(fields) / sizeof(*fields), &window, err);
		if (status != PL_OK)
			break;
		if (window.from_ms < last_ms)
			status = pl_yaml_expected(&disk->yaml, pl_yaml_get(item, "from_ms"), err,
						  "at least %" PRIu32 ", the end of the window before", last_ms);
		else if (window.to_ms <= window.from_ms)
			status = pl_yaml_expected(&disk->yaml, pl_yaml_get(item, "to_ms"), err,
						  "more than from_ms, %" PRIu32, window.from_ms);
		last_ms = window.to_ms;
		pl_buf_printf(&text, "%s%" PRIu32 ":%" PRIu32 ":%" PRIu32, i ? "," : "", window.from_ms, window.to_ms,
			      window.factor_percent);
	}
	if (status == PL_OK)
		snprintf(disk->windows, sizeof(disk->windows), "%s", text.text);
	pl_buf_free(&text);
	return status;
}

/* A burst without a rate, or a peak below it, would silently mean nothing. */
static enum pl_status check_bucket(const struct pl_disk *disk, const char *rate_key, uint64_t rate,
				   const char *burst_key, uint64_t burst, const char *peak_key, uint64_t peak,
				   struct pl_error *err)
{
	const struct pl_yaml *yaml = &disk->yaml;

	if (burst && !rate)
		return pl_yaml_fail(yaml, pl_yaml_get(yaml->root, burst_key), err,
				    "%s without %s, expected both: without a rate there is no credit", burst_key, rate_key);
	if (peak && !burst)
		return pl_yaml_fail(yaml, pl_yaml_get(yaml->root, peak_key), err,
				    "%s without %s, expected both: the peak lasts as long as the credit", peak_key, burst_key);
	if (peak && peak < rate)
		return pl_yaml_expected(yaml, pl_yaml_get(yaml->root, peak_key), err, "at least %s, %" PRIu64, rate_key,
					rate);
	return PL_OK;
}

static enum pl_status check_disk(const struct pl_disk *disk, const char *name, struct pl_error *err)
{
	const struct pl_yaml_node *root = disk->yaml.root;
	enum pl_status status;

	if (strcmp(disk->name, name) != 0)
		return pl_yaml_expected(&disk->yaml, pl_yaml_get(root, "name"), err, "\"%s\", as the file is called", name);
	status = check_bucket(disk, "iops", disk->iops, "burst_requests", disk->burst_requests, "peak_iops",
			      disk->peak_iops, err);
	if (status == PL_OK)
		status = check_bucket(disk, "bytes_per_s", disk->bytes_per_s, "burst_bytes", disk->burst_bytes,
				      "peak_bytes_per_s", disk->peak_bytes_per_s, err);
	if (status == PL_OK && !disk->scheduler && disk->nr_requests > disk->depth)
		status = pl_yaml_expected(&disk->yaml, pl_yaml_get(root, "nr_requests"), err,
					  "at most depth, %" PRIu32 ": only a scheduler can queue more", disk->depth);
	return status;
}

enum pl_status pl_disk_load(const char *path, const char *name, const struct pl_variant *variant, struct pl_disk *disk,
			    struct pl_error *err)
{
	static const struct pl_yaml_field own[] = {
		{ .key = "name", .type = PL_YAML_NAME, .offset = offsetof(struct pl_disk, name), .required = true },
		{ .key = "description", .type = PL_YAML_TEXT, .offset = offsetof(struct pl_disk, description) },
		{ .key = "depth", .type = PL_YAML_U32, .offset = offsetof(struct pl_disk, depth), .min = 1, .max = 256,
		  .required = true },
		/* Swap exists on every disk, so that the partitions keep their numbers; settings say whether it is used. */
		{ .key = "swap_mib", .type = PL_YAML_U32, .offset = offsetof(struct pl_disk, swap_mib), .min = 1,
		  .max = PL_MAX_MEMORY_MIB, .required = true },
		/* The least that mke2fs makes with a journal of 16 MiB: vm/image.c. */
		{ .key = "data_mib", .type = PL_YAML_U32, .offset = offsetof(struct pl_disk, data_mib), .min = 33,
		  .max = PL_MAX_MEMORY_MIB, .required = true },
		{ .key = "scheduler", .type = PL_YAML_WORD, .offset = offsetof(struct pl_disk, scheduler),
		  .words = scheduler_words },
		/* The kernel rounds less than 4 up and the agent would then call it refused. */
		{ .key = "nr_requests", .type = PL_YAML_U32, .offset = offsetof(struct pl_disk, nr_requests), .min = 4,
		  .max = 256 },
		{ .key = "windows", .type = PL_YAML_ANY, .offset = offsetof(struct disk_file, windows) },
	};
	enum { NR_OWN = sizeof(own) / sizeof(*own) };
	struct pl_yaml_field fields[NR_OWN + NR_NUMBERS];
	struct disk_file file = { .disk = { .read_cost_percent = 100, .write_cost_percent = 100 } };
	enum pl_status status = pl_yaml_load(path, &file.disk.yaml, err);

	if (status != PL_OK)
		return status;
	pl_variant_apply(variant, PL_KNOB_DISK, file.disk.yaml.root);
	memcpy(fields, own, sizeof(own));
	for (size_t i = 0; i < NR_NUMBERS; i++)
		fields[NR_OWN + i] = (struct pl_yaml_field){ .key = numbers[i].key, .type = PL_YAML_U64,
							     .offset = numbers[i].offset, .max = numbers[i].max };
	status = pl_yaml_read(&file.disk.yaml, file.disk.yaml.root, fields, NR_OWN + NR_NUMBERS, &file, err);
	if (status == PL_OK)
		status = check_disk(&file.disk, name, err);
	if (status == PL_OK && file.windows)
		status = read_windows(&file.disk, file.windows, err);
	if (status != PL_OK)
		pl_disk_free(&file.disk);
	*disk = file.disk;
	return status;
}

void pl_disk_free(struct pl_disk *disk)
{
	pl_yaml_free(&disk->yaml);
	*disk = (struct pl_disk){ 0 };
}

const char *pl_disk_key(const char *parameter)
{
	for (size_t i = 0; i < NR_NUMBERS; i++)
		if (!strcmp(parameter, numbers[i].parameter))
			return numbers[i].key;
	return NULL;
}

void pl_disk_queue_lines(const struct pl_disk *disk, struct pl_buf *program)
{
	pl_buf_printf(program, "file /sys/block/mdisk/queue/scheduler %s\n", scheduler_words[disk->scheduler]);
	if (disk->nr_requests)
		pl_buf_printf(program, "file /sys/block/mdisk/queue/nr_requests %" PRIu32 "\n", disk->nr_requests);
}

void pl_disk_lines(const struct pl_disk *disk, uint64_t seed, struct pl_buf *program)
{
	for (size_t i = 0; i < NR_NUMBERS; i++) {
		uint64_t value;

		memcpy(&value, (const char *)disk + numbers[i].offset, sizeof(value));
		pl_buf_printf(program, "disk %s %" PRIu64 "\n", numbers[i].parameter, value);
	}
	if (*disk->windows)
		pl_buf_printf(program, "disk windows %s\n", disk->windows);
	pl_buf_printf(program, "disk seed %" PRIu64 "\n", seed);
}
