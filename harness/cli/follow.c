// SPDX-License-Identifier: GPL-3.0-or-later
/* Finds the cell that runs, maps its log read-only, and prints a line of it each second until it ends. */
#include "cli/follow.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report/follow.h"

#define LINE_S	     1.0
#define POLL_NS	     100000000L
#define HEAD_EVERY   20
#define LIST_MAX     4
/* From the guest's end to its row in the ledger: finishing, judging and storing. */
#define KEEP_LIMIT_S 60.0

static enum pl_status find_running(struct pl_ledger *ledger, const char *prefix, struct pl_running *running, struct pl_error *err)
{
	struct pl_running list[LIST_MAX];
	struct pl_buf others = { 0 };
	size_t found;
	enum pl_status status = pl_ledger_running(ledger, prefix, list, 1, &found, err);

	if (status != PL_OK)
		return status;
	if (found == 1) {
		*running = list[0];
		return PL_OK;
	}
	status = pl_ledger_running(ledger, found ? prefix : "", list, LIST_MAX, &found, err);
	if (status != PL_OK)
		return status;
	for (size_t i = 0; i < found && i < LIST_MAX; i++)
		pl_buf_printf(&others, "%s %s %s", i ? "," : "", list[i].id, list[i].label);
	if (found)
		status = pl_fail(err, PL_BAD_INPUT, "not one running cell has an id that begins with \"%s\"; running:%s%s", prefix, others.text,
				 found > LIST_MAX ? " ..." : "");
	else
		status = pl_fail(err, PL_BAD_INPUT, "no cell is running that \"%s\" could be the id of", prefix);
	pl_buf_free(&others);
	return status;
}

/* Map the black box of a running guest, out of the memfd that its harness holds. The caller unmaps *map. */
static enum pl_status map_blackbox(const struct pl_running *running, void **map, struct pl_error *err)
{
	char *path = pl_asprintf("/proc/%ld/fd/%d", running->pid, running->fd);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat there;
	enum pl_status status = PL_OK;

	if (fd < 0 || fstat(fd, &there))
		status = pl_fail_errno(err, PL_HOST, "the memory of cell %s cannot be read (%s)", running->id, path);
	else if (!S_ISREG(there.st_mode) || running->bytes < BB_MIN_REGION_BYTES || (uint64_t)there.st_size < running->bytes ||
		 (uint64_t)there.st_size - running->bytes < running->offset)
		status = pl_fail(err, PL_HOST, "%s is not the memory of cell %s", path, running->id);
	if (status == PL_OK) {
		*map = mmap(NULL, running->bytes, PROT_READ, MAP_SHARED, fd, (off_t)running->offset);
		if (*map == MAP_FAILED)
			status = pl_fail_errno(err, PL_HOST, "%s", path);
	}
	if (fd >= 0)
		close(fd);
	free(path);
	return status;
}

static void look_on(struct pl_ledger *ledger, const struct pl_running *running, const void *region, struct pl_follow *follow)
{
	const struct pl_table_style style = pl_report_style_for(STDOUT_FILENO);
	double shown_s = 0;
	unsigned lines = 0;
	bool open = false;
	struct pl_bb bb;

	/* The claim ends with its harness, and that ends every guest at its wall limit. */
	while (!follow->ended && !follow->damaged && pl_ledger_claimed(ledger, running->id)) {
		nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
		open = open || pl_bb_open(&bb, region, running->bytes, NULL) == PL_OK;
		if (!open)
			continue;
		pl_follow_read(follow, &bb);
		if (!follow->sample.head.t_ns || (!follow->ended && pl_now_s() - shown_s < LINE_S))
			continue;
		if (lines++ % HEAD_EVERY == 0)
			pl_follow_head(stdout, &style);
		pl_follow_line(stdout, follow, &bb, &style);
		fflush(stdout);
		shown_s = pl_now_s();
	}
}

static enum pl_status how_it_ended(struct pl_ledger *ledger, const char *id, struct pl_error *err)
{
	double limit_s = pl_now_s() + KEEP_LIMIT_S;
	struct pl_row row;

	while (pl_ledger_claimed(ledger, id) && pl_now_s() < limit_s)
		nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
	enum pl_status status = pl_ledger_get(ledger, id, &row, err);

	if (status == PL_UNMET)
		return pl_fail(err, PL_UNMET, "cell %s is no longer running, and was not kept", id);
	if (status != PL_OK)
		return status;
	printf("%s: %s\n", id, pl_verdict_name(row.analysis.verdict));
	pl_row_free(&row);
	return PL_OK;
}

enum pl_status pl_follow_cell(struct pl_ledger *ledger, const char *prefix, struct pl_error *err)
{
	struct pl_follow follow = { 0 };
	struct pl_running running;
	void *map;
	enum pl_status status = find_running(ledger, prefix, &running, err);

	if (status == PL_OK)
		status = map_blackbox(&running, &map, err);
	if (status != PL_OK)
		return status;
	printf("%s %s, %u s of workload\n", running.id, running.label, running.virtual_seconds);
	look_on(ledger, &running, map, &follow);
	munmap(map, running.bytes);
	return how_it_ended(ledger, running.id, err);
}
