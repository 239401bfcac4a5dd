// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reads the list of sysctls and of the kernels that have them, finds a name in it, and what is nearest to one that is
 * none.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/parts.h"

#define MAX_BYTES   ((size_t)256 << 10)
#define MAX_SYSCTLS 4096

/* "6.1" is the series of "6.1.192-plimsoll", and not of "6.12". */
static bool is_series(const char *release, const char *series)
{
	size_t len = strlen(series);

	return !strncmp(release, series, len) && !strchr("0123456789", release[len] ? release[len] : 'x');
}

static bool add_line(struct pl_sysctls *sysctls, char *line)
{
	char *rest = line, *word = strtok_r(rest, " \t", &rest);

	if (!word || *word == '#')
		return true;
	if (!strcmp(word, "kernels")) {
		while ((word = strtok_r(rest, " \t", &rest))) {
			if (sysctls->nr_series == PL_MAX_SERIES)
				return false;
			sysctls->series[sysctls->nr_series++] = pl_strdup(word);
		}
		return true;
	}
	if (sysctls->nr_list == MAX_SYSCTLS)
		return false;

	struct pl_sysctl *sysctl = &sysctls->list[sysctls->nr_list++];

	*sysctl = (struct pl_sysctl){ .name = pl_strdup(word) };
	while ((word = strtok_r(rest, " \t", &rest))) {
		size_t i = 0;

		while (i < sysctls->nr_series && strcmp(sysctls->series[i], word) != 0)
			i++;
		if (i == sysctls->nr_series)
			return false;
		sysctl->series |= 1u << i;
	}
	return true;
}

enum pl_status pl_sysctls_load(const char *path, struct pl_sysctls *sysctls, struct pl_error *err)
{
	char *text, *rest;
	enum pl_status status = pl_read_file(path, MAX_BYTES, &text, NULL, err);

	if (status != PL_OK)
		return status;
	*sysctls = (struct pl_sysctls){
		.path = pl_strdup(path),
		.list = pl_calloc(MAX_SYSCTLS, sizeof(*sysctls->list)),
	};
	rest = text;
	for (size_t line = 1; rest && status == PL_OK; line++) {
		char *one = strsep(&rest, "\n");

		if (!add_line(sysctls, one))
			status = pl_fail(err, PL_BAD_INPUT,
					 "%s:%zu:1: expected a sysctl and series of the line \"kernels\", at most %d of them",
					 path, line, MAX_SYSCTLS);
	}
	free(text);
	if (status != PL_OK)
		pl_sysctls_free(sysctls);
	return status;
}

void pl_sysctls_free(struct pl_sysctls *sysctls)
{
	for (size_t i = 0; i < sysctls->nr_series; i++)
		free(sysctls->series[i]);
	for (size_t i = 0; i < sysctls->nr_list; i++)
		free(sysctls->list[i].name);
	free(sysctls->list);
	free(sysctls->path);
	*sysctls = (struct pl_sysctls){ 0 };
}

const struct pl_sysctl *pl_sysctls_find(const struct pl_sysctls *sysctls, const char *name)
{
	for (size_t i = 0; i < sysctls->nr_list; i++)
		if (!strcmp(sysctls->list[i].name, name))
			return &sysctls->list[i];
	return NULL;
}

const char *pl_sysctls_nearest(const struct pl_sysctls *sysctls, const char *name)
{
	const char **names = pl_calloc(sysctls->nr_list, sizeof(*names));
	const char *nearest = NULL;

	for (size_t i = 0; i < sysctls->nr_list; i++) {
		const char *dot = strchr(sysctls->list[i].name, '.');

		names[i] = sysctls->list[i].name;
		if (dot && !strcmp(dot + 1, name))
			nearest = names[i];
	}
	if (!nearest)
		nearest = pl_nearest(name, names, sysctls->nr_list);
	free(names);
	return nearest;
}

bool pl_sysctls_exists(const struct pl_sysctls *sysctls, const struct pl_sysctl *sysctl, const char *release)
{
	for (size_t i = 0; i < sysctls->nr_series; i++)
		if (is_series(release, sysctls->series[i]))
			return !sysctl->series || (sysctl->series & 1u << i);
	return true;
}
