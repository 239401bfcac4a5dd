// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reads lines of /proc/vmstat from the output of a task, and what its counters grew by from the first line to the
 * last.
 */
#include "analyse/vmstat.h"

#include <string.h>

static const struct {
	const char *name;
	enum pl_metric metric;
} counters[PL_VMSTAT_COUNTERS] = {
	{ "pgscan_anon", M_scanned_anon_pages },
	{ "pgscan_file", M_scanned_file_pages },
	{ "pgsteal_anon", M_reclaimed_anon_pages },
	{ "pgsteal_file", M_reclaimed_file_pages },
};

/* Decimal digits to the end and nothing else, no more than 64 bits. */
static bool read_count(const char *text, size_t bytes, uint64_t *count)
{
	*count = 0;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(*count, 10U, count) ||
		    __builtin_add_overflow(*count, (uint64_t)(text[i] - '0'), count))
			return false;
	}
	return bytes;
}

void pl_vmstat_line(struct pl_vmstat *vmstat, const char *line, size_t bytes)
{
	for (size_t i = 0; i < PL_VMSTAT_COUNTERS; i++) {
		size_t len = strlen(counters[i].name);
		uint64_t count;

		if (bytes <= len || memcmp(line, counters[i].name, len) || line[len] != ' ')
			continue;
		if (!read_count(line + len + 1, bytes - len - 1, &count))
			return;
		if (!vmstat->counter[i].nr++)
			vmstat->counter[i].first = count;
		vmstat->counter[i].last = count;
		return;
	}
}

void pl_vmstat_totals(const struct pl_vmstat *vmstat, double *value)
{
	for (size_t i = 0; i < PL_VMSTAT_COUNTERS; i++) {
		uint64_t first = vmstat->counter[i].first, last = vmstat->counter[i].last;

		if (vmstat->counter[i].nr >= 2 && last >= first)
			value[counters[i].metric] = (double)(last - first);
	}
}
