// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reads the file of a setting over the values that all settings begin with, checks it against a kernel, and writes the
 * agent's lines for it.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/parts.h"

#define MAX_VALUE	 255
#define MAX_ZRAM_PERCENT 400
#define MAX_FILES	 64

enum { SWAP_DISK, SWAP_ZRAM, SWAP_NONE };
static const char *const swap_words[] = { "disk", "zram", "none", NULL };

enum { THP_NEVER, THP_MADVISE, THP_ALWAYS };
static const char *const thp_words[] = { "never", "madvise", "always", NULL };

/*
 * What every guest gets unless its setting says otherwise. With it goes THP off: khugepaged raises min_free_kbytes
 * behind the user's back, tenfold at 512 MiB, which would drown every comparison of watermarks.
 */
static const struct {
	const char *name, *value;
} base[] = {
	/* The kernel's own 120 s, but looked at every 10 s: a wait is then reported after 120 to 130 s, not 120 to 240. */
	{ "kernel.hung_task_check_interval_secs", "10" },
	{ "kernel.hung_task_timeout_secs", "120" },
	/* Ten warnings and then silence would make counts of hung tasks meaningless. */
	{ "kernel.hung_task_warnings", "-1" },
	/* Costs a little at each sleep; the time that tasks wait for reclaim, swap and thrashing is only known with it. */
	{ "kernel.task_delayacct", "1" },
	/* The black box records kills. A table of all tasks on a serial line takes seconds of the time under study. */
	{ "vm.oom_dump_tasks", "0" },
};
#define NR_BASE (sizeof(base) / sizeof(*base))

const char *const pl_exclusive_sysctls[][2] = {
	{ "vm.dirty_background_bytes", "vm.dirty_background_ratio" },
	{ "vm.dirty_bytes", "vm.dirty_ratio" },
	{ "vm.overcommit_kbytes", "vm.overcommit_ratio" },
	{ NULL, NULL },
};

struct setting_file {
	struct pl_setting setting; /* first: its fields have the same offsets in both */
	const struct pl_yaml_node *sysctl, *file, *swap;
};

static enum pl_status read_swap(struct pl_setting *setting, const struct pl_yaml_node *node, struct pl_error *err)
{
	struct swap {
		uint32_t kind, percent;
	} swap = { .percent = setting->zram_percent };
	static const struct pl_yaml_field fields[] = {
		{ .key = "kind", .type = PL_YAML_WORD, .offset = offsetof(struct swap, kind), .words = swap_words,
		  .required = true },
		{ .key = "percent", .type = PL_YAML_U32, .offset = offsetof(struct swap, percent), .min = 1,
		  .max = MAX_ZRAM_PERCENT },
	};

	if (node->kind == PL_YAML_SCALAR) {
		for (uint32_t i = 0; swap_words[i]; i++) {
			if (!strcmp(node->text, swap_words[i])) {
				setting->swap = i;
				return PL_OK;
			}
		}
	}
	if (node->kind != PL_YAML_MAP)
		return pl_yaml_expected(&setting->yaml, node, err,
					"disk, zram, none or { kind: zram, percent: 50 } for swap");

	enum pl_status status = pl_yaml_read(&setting->yaml, node, fields, sizeof(fields) / sizeof(*fields), &swap, err);
	const struct pl_yaml_node *percent = pl_yaml_get(node, "percent");

	if (status == PL_OK && percent && swap.kind != SWAP_ZRAM)
		status = pl_yaml_fail(&setting->yaml, percent, err,
				      "percent with kind %s, expected it with zram only: the disk's file says its swap_mib",
				      swap_words[swap.kind]);
	setting->swap = swap.kind;
	setting->zram_percent = swap.percent;
	return status;
}

static bool is_sysctl_name(const char *text)
{
	size_t len = strlen(text);

	return len && len < 128 && isalpha((unsigned char)*text) && text[len - 1] != '.' && !strstr(text, "..") &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len &&
	       strchr(text, '.');
}

/* White space as the kernel prints it does not matter to the agent, so it must not matter to the id either. */
static char *one_line(const char *text)
{
	struct pl_buf line = { 0 };

	pl_buf_add(&line, "", 0);
	for (; *text; text++) {
		if (!isspace((unsigned char)*text))
			pl_buf_add(&line, text, 1);
		else if (line.len && line.text[line.len - 1] != ' ')
			pl_buf_add(&line, " ", 1);
	}
	if (line.len && line.text[line.len - 1] == ' ')
		line.text[--line.len] = '\0';
	return line.text;
}

static enum pl_status read_value(const struct pl_yaml *yaml, const struct pl_yaml_node *node, char **value,
				 struct pl_error *err)
{
	if (node->kind != PL_YAML_SCALAR)
		return pl_yaml_expected(yaml, node, err, "a number or text for %s", node->key->text);
	*value = one_line(node->text);
	if (**value && strlen(*value) <= MAX_VALUE)
		return PL_OK;
	free(*value);
	*value = NULL;
	return pl_yaml_expected(yaml, node, err, "1 to %d characters for %s", MAX_VALUE, node->key->text);
}

static enum pl_status check_sysctl_value(const struct pl_yaml *yaml, const struct pl_yaml_node *node, struct pl_error *err)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off", "null", "~" };

	for (size_t i = 0; node->kind == PL_YAML_SCALAR && i < sizeof(words) / sizeof(*words); i++)
		if (!node->quoted && !strcasecmp(node->text, words[i]))
			return pl_yaml_expected(yaml, node, err, "a number or text for %s: sysctls are 0 and 1, not words",
						node->key->text);
	return PL_OK;
}

static struct pl_setting_value *find_or_insert(struct pl_setting_values *values, const char *name)
{
	size_t i = 0;

	while (i < values->nr && strcmp(values->list[i].name, name) < 0)
		i++;
	if (i < values->nr && !strcmp(values->list[i].name, name))
		return &values->list[i];
	values->list = pl_realloc_array(values->list, values->nr + 1, sizeof(*values->list));
	memmove(values->list + i + 1, values->list + i, (values->nr - i) * sizeof(*values->list));
	values->nr++;
	values->list[i] = (struct pl_setting_value){ .name = name };
	return &values->list[i];
}

static void set_value(struct pl_setting_values *values, const char *name, char *value, const struct pl_yaml_node *at)
{
	struct pl_setting_value *found = find_or_insert(values, name);

	free(found->value);
	found->value = value;
	found->at = at;
}

static enum pl_status read_sysctls(struct pl_setting *setting, const struct pl_yaml_node *map,
				   const struct pl_sysctls *sysctls, struct pl_error *err)
{
	const struct pl_yaml *yaml = &setting->yaml;

	if (map->kind != PL_YAML_MAP)
		return pl_yaml_expected(yaml, map, err, "a map of sysctl names and values");
	for (size_t i = 0; i < map->nr_items; i++) {
		const struct pl_yaml_node *node = map->items[i];
		const char *name = node->key->text;
		char *value = NULL;

		if (!pl_sysctls_find(sysctls, name)) {
			const char *nearest = pl_sysctls_nearest(sysctls, name);

			if (!nearest && !is_sysctl_name(name))
				return pl_yaml_fail(yaml, node->key, err,
						    "found %s, expected the name of a sysctl such as vm.dirty_bytes",
						    pl_quote(name).text);
			if (nearest)
				return pl_yaml_fail(yaml, node->key, err, "unknown sysctl %s: did you mean \"%s\"? All are in %s",
						    pl_quote(name).text, nearest, sysctls->path);
			return pl_yaml_fail(yaml, node->key, err, "unknown sysctl %s, expected one of those in %s",
					    pl_quote(name).text, sysctls->path);
		}

		enum pl_status status = check_sysctl_value(yaml, node, err);

		if (status == PL_OK)
			status = read_value(yaml, node, &value, err);
		if (status != PL_OK)
			return status;
		set_value(&setting->sysctls, name, value, node);
	}
	for (size_t i = 0; pl_exclusive_sysctls[i][0]; i++) {
		const struct pl_yaml_node *second = pl_yaml_get(map, pl_exclusive_sysctls[i][1]);

		if (second && pl_yaml_get(map, pl_exclusive_sysctls[i][0]))
			return pl_yaml_fail(yaml, second->key, err,
					    "%s besides %s, expected one of them: the kernel sets one to 0 when the other is written",
					    pl_exclusive_sysctls[i][1], pl_exclusive_sysctls[i][0]);
	}
	return PL_OK;
}

static enum pl_status read_files(struct pl_setting *setting, const struct pl_yaml_node *map, struct pl_error *err)
{
	const struct pl_yaml *yaml = &setting->yaml;

	if (map->kind != PL_YAML_MAP || map->nr_items > MAX_FILES)
		return pl_yaml_expected(yaml, map, err, "a map of at most %d paths in /proc or /sys and their values", MAX_FILES);
	for (size_t i = 0; i < map->nr_items; i++) {
		const struct pl_yaml_node *node = map->items[i];
		char *value = NULL;
		enum pl_status status = pl_setting_file_check(yaml, node->key, err);

		if (status == PL_OK)
			status = read_value(yaml, node, &value, err);
		if (status != PL_OK)
			return status;
		set_value(&setting->files, node->key->text, value, node);
	}
	return PL_OK;
}

static enum pl_status read_hung_task_timeout(struct pl_setting *setting, struct pl_error *err)
{
	for (size_t i = 0; i < setting->sysctls.nr; i++) {
		const struct pl_setting_value *sysctl = &setting->sysctls.list[i];

		if (strcmp(sysctl->name, "kernel.hung_task_timeout_secs") != 0)
			continue;
		if (sysctl->at)
			return pl_yaml_u32(&setting->yaml, sysctl->at, sysctl->name, 0, 1000000,
					   &setting->hung_task_timeout_s, err);
		setting->hung_task_timeout_s = (uint32_t)strtoul(sysctl->value, NULL, 10);
	}
	return PL_OK;
}

enum pl_status pl_setting_load(const char *path, const char *name, const struct pl_sysctls *sysctls,
			       const struct pl_variant *variant, const struct pl_yaml *below, struct pl_setting *setting,
			       struct pl_error *err)
{
	static const struct pl_yaml_field fields[] = {
		{ .key = "name", .type = PL_YAML_NAME, .offset = offsetof(struct pl_setting, name), .required = true },
		{ .key = "description", .type = PL_YAML_TEXT, .offset = offsetof(struct pl_setting, description) },
		{ .key = "sysctl", .type = PL_YAML_ANY, .offset = offsetof(struct setting_file, sysctl) },
		{ .key = "file", .type = PL_YAML_ANY, .offset = offsetof(struct setting_file, file) },
		{ .key = "swap", .type = PL_YAML_ANY, .offset = offsetof(struct setting_file, swap) },
		{ .key = "mglru", .type = PL_YAML_BOOL, .offset = offsetof(struct pl_setting, mglru) },
		{ .key = "thp", .type = PL_YAML_WORD, .offset = offsetof(struct pl_setting, thp), .words = thp_words },
	};
	struct setting_file file = { .setting = { .swap = SWAP_DISK, .zram_percent = 50, .thp = THP_NEVER } };
	enum pl_status status = pl_yaml_load(path, &file.setting.yaml, err);

	if (status != PL_OK)
		return status;
	pl_variant_apply(variant, PL_KNOB_SETTING, file.setting.yaml.root);
	if (below)
		pl_setting_underlay(file.setting.yaml.root, below);
	for (size_t i = 0; i < NR_BASE; i++)
		set_value(&file.setting.sysctls, base[i].name, pl_strdup(base[i].value), NULL);
	status = pl_yaml_read(&file.setting.yaml, file.setting.yaml.root, fields, sizeof(fields) / sizeof(*fields), &file,
			      err);
	if (status == PL_OK && strcmp(file.setting.name, name) != 0)
		status = pl_yaml_expected(&file.setting.yaml, pl_yaml_get(file.setting.yaml.root, "name"), err,
					  "\"%s\", as the file is called", name);
	if (status == PL_OK && file.sysctl)
		status = read_sysctls(&file.setting, file.sysctl, sysctls, err);
	if (status == PL_OK && file.file)
		status = read_files(&file.setting, file.file, err);
	if (status == PL_OK && file.swap)
		status = read_swap(&file.setting, file.swap, err);
	if (status == PL_OK)
		status = read_hung_task_timeout(&file.setting, err);
	if (status != PL_OK)
		pl_setting_free(&file.setting);
	*setting = file.setting;
	return status;
}

static void free_values(struct pl_setting_values *values)
{
	for (size_t i = 0; i < values->nr; i++)
		free(values->list[i].value);
	free(values->list);
}

void pl_setting_free(struct pl_setting *setting)
{
	free_values(&setting->sysctls);
	free_values(&setting->files);
	pl_yaml_free(&setting->yaml);
	*setting = (struct pl_setting){ 0 };
}

enum pl_status pl_setting_check(const struct pl_setting *setting, const struct pl_sysctls *sysctls,
				const struct pl_kernel *kernel, struct pl_error *err)
{
	for (size_t i = 0; i < setting->sysctls.nr; i++) {
		const struct pl_setting_value *sysctl = &setting->sysctls.list[i];

		if (sysctl->at && !pl_sysctls_exists(sysctls, pl_sysctls_find(sysctls, sysctl->name), kernel->release))
			return pl_yaml_fail(&setting->yaml, sysctl->at->key, err,
					    "%s is not in kernel %s, expected a sysctl that is: exclude the setting there",
					    sysctl->name, kernel->name);
	}
	return PL_OK;
}

void pl_setting_lines(const struct pl_setting *setting, const struct pl_disk *disk, struct pl_buf *program)
{
	/* Before the sysctls, because a change of it makes the kernel compute min_free_kbytes anew; so may some of the files. */
	pl_buf_printf(program, "file /sys/kernel/mm/transparent_hugepage/enabled %s\n", thp_words[setting->thp]);
	pl_buf_printf(program, "mglru %s\n", setting->mglru ? "on" : "off");
	pl_disk_queue_lines(disk, program);
	/* After the scheduler, which has files of its own, and before swap, where zram's files can no longer be written. */
	for (size_t i = 0; i < setting->files.nr; i++)
		pl_buf_printf(program, "file %s %s\n", setting->files.list[i].name, setting->files.list[i].value);
	for (size_t i = 0; i < setting->sysctls.nr; i++)
		pl_buf_printf(program, "sysctl %s %s\n", setting->sysctls.list[i].name, setting->sysctls.list[i].value);
	pl_buf_printf(program, "swap %s", swap_words[setting->swap]);
	if (setting->swap == SWAP_ZRAM)
		pl_buf_printf(program, " %" PRIu32, setting->zram_percent);
	pl_buf_printf(program, "\n");
}
