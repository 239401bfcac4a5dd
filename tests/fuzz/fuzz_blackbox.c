// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whatever a guest writes into the black box, reading it must neither crash nor go on for ever.
 *
 * An input is a header (the first HEADER bytes, short ones padded with zeros) and after it the bytes of the log; the
 * rest of the region would only make inputs long. Each input is read twice: as it is, and with a header that is right,
 * so that mutations reach the records.
 *
 *	clang -fsanitize=fuzzer,address,undefined -DPL_LIBFUZZER ...	searches
 *	cc -fsanitize=address,undefined ... && ./fuzz_blackbox DIR	reads every file in DIR, then a log with every type
 *		of record: as it is, with each byte changed, cut at each byte, and with many changes at once
 */
#include "analyse/analyse.h"
#include "blackbox/blackbox.h"
#include "report/follow.h"
#include "report/formats.h"
#include "report/report.h"
#include "report/timeline.h"

#include <dirent.h>

#include "../unit/bb_builder.h"

#define HEADER sizeof(struct bb_header)

static FILE *nowhere(void)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "w");
	if (!out)
		abort();
	return out;
}

/* The region is exactly as long as it says, so that a sanitizer sees the first byte read after it. */
static void read_region(const uint8_t *header, const uint8_t *log, size_t log_bytes)
{
	size_t region_bytes = BB_LOG_OFFSET + log_bytes;
	uint8_t *region = calloc(1, region_bytes);
	struct pl_bb bb;
	struct pl_error err;
	struct pl_analysis analysis;
	struct pl_waits waits;
	struct pl_follow follow = { 0 };
	static struct timeline timeline;
	const struct pl_table_style plain = { .width = PL_TABLE_MAX_WIDTH };
	char text[256];

	if (!region)
		abort();
	memcpy(region, header, HEADER);
	if (log_bytes)
		memcpy(region + BB_LOG_OFFSET, log, log_bytes);
	if (pl_bb_open(&bb, region, region_bytes, &err) == PL_OK) {
		const struct pl_run_facts facts = { .exact = true, .hung_task_timeout_s = 10, .progress = "hog.rows",
						     .program = "task hog 1 x\ntask vmstat 2 y\n", .may_end = "vmstat=any" };
		size_t len;

		if (pl_bb_used_bytes(&bb) > region_bytes)
			abort();
		if (pl_bb_schema(&bb, &len) && len > BB_SCHEMA_MAX_BYTES)
			abort();
		pl_bb_refresh(&bb);
		if (pl_bb_print(&bb, nowhere()) == PL_BB_RECORD)
			abort();
		pl_analyse(&bb, &facts, &analysis);
		if ((unsigned)analysis.verdict >= PL_NR_VERDICTS)
			abort();
		/* A hang is told by its story; everything else that is no completion says why in a line. */
		if ((analysis.verdict != PL_COMPLETED && analysis.verdict != PL_HUNG) != !!*analysis.reason)
			abort();
		pl_analysis_free(&analysis);
		pl_flags_text(analysis.flags, text, sizeof(text));

		pl_waits_find(&bb, NULL, facts.hung_task_timeout_s, &waits);
		if ((waits.has_convoy && !waits.convoy.nr_waiters) || !*waits.fingerprint)
			abort();
		if (pl_waits_longest_s(&waits, "jbd2 commit") < 0)
			abort();
		pl_report_hang(nowhere(), &bb, &waits, facts.hung_task_timeout_s, &plain);
		pl_report_hang_json(nowhere(), "", &bb, &waits);
		pl_waits_free(&waits);
		report_timeline(nowhere(), &bb);
		timeline_read(&bb, &timeline);
		if (timeline.nr_points > TIMELINE_MAX_POINTS)
			abort();
		timeline_free(&timeline);
		report_trace_events(nowhere(), &bb);
		pl_follow_read(&follow, &bb);
		pl_follow_line(nowhere(), &follow, &bb, &plain);
	} else if (!*err.text) {
		abort();
	}
	free(region);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t header_bytes = size < HEADER ? size : HEADER, log_bytes = size - header_bytes;
	uint8_t header[HEADER] = { 0 };
	struct bbb b;

	if (log_bytes > BBB_LOG_BYTES)
		return 0;
	memcpy(header, data, header_bytes);
	read_region(header, data + header_bytes, log_bytes);

	bbb_new(&b);
	bbb_header(&b)->head = log_bytes / 8 * 8;
	read_region(b.region, data + header_bytes, log_bytes);
	bbb_free(&b);
	return 0;
}

#ifndef PL_LIBFUZZER

static unsigned corpus(const char *path)
{
	DIR *dir = opendir(path);
	unsigned files = 0;

	if (!dir) {
		fprintf(stderr, "fuzz_blackbox: cannot open %s\n", path);
		exit(PL_HOST);
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct pl_error err;
		char *name, *text;
		size_t len;

		if (entry->d_name[0] == '.')
			continue;
		name = pl_asprintf("%s/%s", path, entry->d_name);
		if (pl_read_file(name, 1 << 20, &text, &len, &err)) {
			fprintf(stderr, "fuzz_blackbox: %s\n", err.text);
			exit(PL_HOST);
		}
		LLVMFuzzerTestOneInput((const uint8_t *)text, len);
		free(text);
		free(name);
		files++;
	}
	closedir(dir);
	return files;
}

/* xorshift: the same changes on every host. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

int main(int argc, char **argv)
{
	struct bbb b;
	uint64_t state = 1;
	unsigned files;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return PL_BAD_INPUT;
	}
	files = corpus(argv[1]);

	bbb_new(&b);
	bbb_every_type(&b);

	size_t log_bytes = (size_t)bbb_header(&b)->head, size = HEADER + log_bytes;
	if (log_bytes > BBB_LOG_BYTES)
		abort();
	uint8_t *input = pl_calloc(1, size), *changed = pl_calloc(1, size);

	memcpy(input, b.region, HEADER);
	memcpy(input + HEADER, b.region + BB_LOG_OFFSET, log_bytes);
	bbb_free(&b);

	for (size_t i = 0; i <= size; i++)
		LLVMFuzzerTestOneInput(input, i);
	for (size_t i = 0; i < size; i++) {
		static const uint8_t changes[] = { 0x01, 0x80, 0xff };

		for (size_t c = 0; c < sizeof(changes); c++) {
			input[i] ^= changes[c];
			LLVMFuzzerTestOneInput(input, size);
			input[i] ^= changes[c];
		}
	}
	for (int round = 0; round < 5000; round++) {
		memcpy(changed, input, size);
		for (uint64_t i = next_random(&state) % 8; i < 8; i++)
			changed[next_random(&state) % size] = (uint8_t)next_random(&state);
		LLVMFuzzerTestOneInput(changed, size);
	}
	free(input);
	free(changed);
	printf("fuzz_blackbox: %u files, each byte of a log of %zu bytes changed and cut, 5000 logs changed at random\n", files, size);
	return 0;
}

#endif
