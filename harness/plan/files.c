// SPDX-License-Identifier: GPL-3.0-or-later
/* Which files of /proc and /sys a setting may write: those that nothing else of a cell says. */
#include <stdlib.h>
#include <string.h>

#include "plan/parts.h"

/* What the agent takes as a name: rootfs/agent/program.c, named_value(). */
#define MAX_PATH      255
#define PATH_LETTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/"
#define MDISK_FOLDER  "/sys/module/mdisk/parameters/"
#define SYSCTL_FOLDER "/proc/sys/"
#define BLOCK_FOLDER  "/sys/block/"
#define BDI_READ_AHEAD "/bdi/read_ahead_kb"

/* Files that have a key of their own, and what to write in their place. */
static const struct {
	const char *path, *key;
} owned[] = {
	{ "/sys/kernel/mm/lru_gen/enabled", "mglru: true or false" },
	{ "/sys/kernel/mm/transparent_hugepage/enabled", "thp: never, madvise or always" },
	{ "/sys/block/zram0/disksize", "swap: { kind: zram, percent: 50 }" },
	{ "/sys/block/mdisk/queue/scheduler", "scheduler in the disk's file" },
	{ "/sys/block/mdisk/queue/nr_requests", "nr_requests in the disk's file" },
	{ "/sys/module/blackbox/parameters/holders", "holders: true in the matrix" },
};

/* Other names of one folder: a file must have one name, or two lines of a setting could say different things of it. */
static const struct {
	const char *prefix, *expected;
} aliases[] = {
	{ "/sys/class/block/", "it by its name below /sys/block/" },
	{ "/sys/dev/block/", "it by its name below /sys/block/" },
	{ "/sys/devices/virtual/block/", "it by its name below /sys/block/" },
	{ "/sys/class/bdi/",
	  "it by its name below /sys/block/NAME/bdi/, and read_ahead_kb as /sys/block/NAME/queue/read_ahead_kb" },
	{ "/sys/devices/virtual/bdi/",
	  "it by its name below /sys/block/NAME/bdi/, and read_ahead_kb as /sys/block/NAME/queue/read_ahead_kb" },
	{ "/proc/self/", "a file of the whole machine: this is one of the agent's own" },
	{ "/proc/thread-self/", "a file of the whole machine: this is one of the agent's own" },
};

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* No empty, "." or ".." component, and none is missing at the end. */
static bool is_plain(const char *path)
{
	size_t len = strlen(path);

	return len <= MAX_PATH && strspn(path, PATH_LETTERS) == len && path[len - 1] != '/' && !strstr(path, "//") &&
	       !strstr(path, "/.");
}

static enum pl_status refuse_owned(const struct pl_yaml *yaml, const struct pl_yaml_node *key, const char *instead,
				   struct pl_error *err)
{
	return pl_yaml_fail(yaml, key, err, "found %s, expected %s in its place", pl_quote(key->text).text, instead);
}

static enum pl_status refuse_sysctl(const struct pl_yaml *yaml, const struct pl_yaml_node *key, struct pl_error *err)
{
	char *instead = pl_asprintf("%s under sysctl", key->text + strlen(SYSCTL_FOLDER));

	for (char *c = instead; *c; c++)
		if (*c == '/')
			*c = '.';

	enum pl_status status = refuse_owned(yaml, key, instead, err);

	free(instead);
	return status;
}

/* The disk's bdi has it as well, and not everybody knows that this is the same number. */
static bool is_bdi_read_ahead(const char *path)
{
	size_t len = strlen(path), end_len = strlen(BDI_READ_AHEAD);

	return starts_with(path, BLOCK_FOLDER) && len > end_len && !strcmp(path + len - end_len, BDI_READ_AHEAD);
}

static enum pl_status refuse_bdi_read_ahead(const struct pl_yaml *yaml, const struct pl_yaml_node *key,
					    struct pl_error *err)
{
	int len = (int)(strlen(key->text) - strlen(BDI_READ_AHEAD));
	char *instead = pl_asprintf("%.*s/queue/read_ahead_kb", len, key->text);
	enum pl_status status = refuse_owned(yaml, key, instead, err);

	free(instead);
	return status;
}

static enum pl_status refuse_mdisk(const struct pl_yaml *yaml, const struct pl_yaml_node *key, struct pl_error *err)
{
	const char *name = pl_disk_key(key->text + strlen(MDISK_FOLDER));
	char *instead = name ? pl_asprintf("%s in the disk's file", name) : pl_strdup("a key of the disk's file");
	enum pl_status status = refuse_owned(yaml, key, instead, err);

	free(instead);
	return status;
}

enum pl_status pl_setting_file_check(const struct pl_yaml *yaml, const struct pl_yaml_node *key, struct pl_error *err)
{
	const char *path = key->text;

	if (!starts_with(path, "/proc/") && !starts_with(path, "/sys/"))
		return pl_yaml_expected(yaml, key, err, "the path of a file in /proc or /sys");
	if (!is_plain(path))
		return pl_yaml_expected(yaml, key, err, "a path of at most %d letters, digits and _ - . : /, "
					"without //, /. and a / at its end", MAX_PATH);
	if (starts_with(path, SYSCTL_FOLDER))
		return refuse_sysctl(yaml, key, err);
	if (starts_with(path, MDISK_FOLDER))
		return refuse_mdisk(yaml, key, err);
	if (is_bdi_read_ahead(path))
		return refuse_bdi_read_ahead(yaml, key, err);
	for (size_t i = 0; i < sizeof(owned) / sizeof(*owned); i++)
		if (!strcmp(path, owned[i].path))
			return refuse_owned(yaml, key, owned[i].key, err);
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (starts_with(path, aliases[i].prefix))
			return pl_yaml_expected(yaml, key, err, "%s", aliases[i].expected);
	if (starts_with(path, "/proc/") && strchr("0123456789", path[strlen("/proc/")]))
		return pl_yaml_expected(yaml, key, err, "a file of the whole machine: this is a process's own");
	return PL_OK;
}
