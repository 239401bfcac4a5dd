// SPDX-License-Identifier: GPL-3.0-or-later
/* Reading black boxes: whole ones, and those that are cut, damaged or lie about their lengths. */
#include "blackbox/blackbox.h"

#include "bb_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int setup(void **state)
{
	static struct bbb b;

	bbb_new(&b);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	bbb_free(*state);
	return 0;
}

static void opens(struct bbb *b, struct pl_bb *bb)
{
	struct pl_error err = { 0 };

	assert_int_equal(pl_bb_open(bb, b->region, b->bytes, &err), PL_OK);
}

static void refuses(struct bbb *b, const char *why)
{
	struct pl_bb bb;
	struct pl_error err = { 0 };

	assert_int_equal(pl_bb_open(&bb, b->region, b->bytes, &err), PL_UNMET);
	assert_non_null(strstr(err.text, why));
}

static void test_header(void **state)
{
	struct bbb *b = *state;
	struct bb_header *header = bbb_header(b), good = *header;
	struct pl_bb bb;
	struct pl_error err = { 0 };
	const char *schema;
	size_t len = 0;

	opens(b, &bb);
	assert_string_equal(bb.header.release, "6.1.0-test");
	schema = pl_bb_schema(&bb, &len);
	assert_int_equal(len, sizeof(BBB_SCHEMA) - 1);
	assert_memory_equal(schema, BBB_SCHEMA, len);
	assert_int_equal(pl_bb_used_bytes(&bb), BB_LOG_OFFSET);

	header->magic = 0;
	refuses(b, "never got as far");
	header->magic = 1;
	refuses(b, "magic 0x1");
	*header = good;
	header->version = 2;
	refuses(b, "version 2");
	*header = good;
	header->header_bytes = 0;
	refuses(b, "sizes");
	*header = good;
	header->log_offset = 8;
	refuses(b, "sizes");
	*header = good;
	header->log_bytes = UINT64_MAX - 7;
	refuses(b, "sizes");
	*header = good;
	header->region_bytes = BB_LOG_OFFSET - 8;
	refuses(b, "sizes");
	*header = good;
	header->schema_bytes = BB_SCHEMA_MAX_BYTES + 1;
	refuses(b, "sizes");
	*header = good;
	header->page_bytes = 0;
	refuses(b, "page size 0");
	header->page_bytes = 4097;
	refuses(b, "page size 4097");
	*header = good;
	header->nr_cpus = 0;
	refuses(b, "0 CPUs");
	*header = good;
	header->head = BBB_LOG_BYTES + 8;
	refuses(b, "cut short");
	header->head = 4;
	refuses(b, "cut short");
	*header = good;
	memset(header->release, 'r', sizeof(header->release));
	header->schema_bytes = 0;
	opens(b, &bb);
	assert_int_equal(strlen(bb.header.release), BB_RELEASE_LEN - 1);
	assert_null(pl_bb_schema(&bb, &len));

	assert_int_equal(pl_bb_open(&bb, b->region, BB_LOG_OFFSET - 1, &err), PL_UNMET);
	assert_int_equal(pl_bb_open(&bb, b->region + 1, b->bytes - 1, &err), PL_UNMET);
	assert_non_null(strstr(err.text, "aligned"));
}

static void test_walk(void **state)
{
	struct bbb *b = *state;
	struct pl_bb bb;
	const struct bb_rec *rec = NULL;
	uint64_t offset = 0, records = 0;
	unsigned seen[100] = { 0 };

	bbb_every_type(b);
	opens(b, &bb);
	while (pl_bb_next(&bb, &offset, &rec) == PL_BB_RECORD) {
		assert_true(rec->type < 100);
		seen[rec->type]++;
		records++;
	}
	assert_int_equal(records, bbb_header(b)->records);
	assert_int_equal(offset, bbb_header(b)->head);
	assert_int_equal(pl_bb_next(&bb, &offset, &rec), PL_BB_END);
	for (unsigned type = 1; type < BB_REC_TYPES; type++)
		assert_true(seen[type] > 0);
	assert_int_equal(seen[99], 1);
}

/* An artifact ends after its last record; a byte less and it is no whole one. */
static void test_artifact(void **state)
{
	struct bbb *b = *state;
	struct pl_bb bb;
	struct pl_error err = { 0 };
	const struct bb_rec *rec;
	uint64_t offset = 0, records = 0;

	bbb_every_type(b);
	assert_int_equal(pl_bb_open(&bb, b->region, bbb_used(b), &err), PL_OK);
	while (pl_bb_next(&bb, &offset, &rec) == PL_BB_RECORD)
		records++;
	assert_int_equal(records, bbb_header(b)->records);
	assert_int_equal(pl_bb_used_bytes(&bb), bbb_used(b));
	assert_int_equal(pl_bb_open(&bb, b->region, bbb_used(b) - 1, &err), PL_UNMET);
}

static void test_growing(void **state)
{
	struct bbb *b = *state;
	struct pl_bb bb;
	const struct bb_rec *rec;
	struct bb_rec *second;
	uint64_t offset = 0;

	bbb_mark(b, 1, "boot");
	opens(b, &bb);
	assert_int_equal(pl_bb_next(&bb, &offset, &rec), PL_BB_RECORD);
	assert_int_equal(pl_bb_next(&bb, &offset, &rec), PL_BB_END);

	/* Reserved, not yet written. */
	second = bbb_add(b, BB_REC_NONE, sizeof(struct bb_mark), 2);
	assert_int_equal(pl_bb_next(&bb, &offset, &rec), PL_BB_END);
	pl_bb_refresh(&bb);
	assert_int_equal(pl_bb_next(&bb, &offset, &rec), PL_BB_END);
	assert_true(offset < bb.header.head);
	second->type = BB_REC_MARK;
	assert_int_equal(pl_bb_next(&bb, &offset, &rec), PL_BB_RECORD);
	assert_ptr_equal(rec, second);

	/* A head that cannot be is not believed. */
	bbb_header(b)->head = BBB_LOG_BYTES + 8;
	pl_bb_refresh(&bb);
	assert_int_equal(bb.header.head, offset);
	bbb_header(b)->head = 8;
	pl_bb_refresh(&bb);
	assert_int_equal(bb.header.head, offset);
}

static void damaged_if(struct bbb *b, uint16_t type, uint16_t bytes)
{
	struct pl_bb bb;
	const struct bb_rec *rec;
	uint64_t offset = 0;

	opens(b, &bb);
	((struct bb_rec *)(void *)(b->region + BB_LOG_OFFSET))->type = type;
	((struct bb_rec *)(void *)(b->region + BB_LOG_OFFSET))->bytes = bytes;
	assert_int_equal(pl_bb_next(&bb, &offset, &rec), PL_BB_DAMAGED);
	assert_int_equal(offset, 0);
}

static void test_damaged(void **state)
{
	struct bbb *b = *state;
	struct pl_bb bb;
	const struct bb_rec *rec;
	uint64_t offset;

	bbb_mark(b, 1, "boot");
	damaged_if(b, BB_REC_MARK, 0);
	damaged_if(b, BB_REC_MARK, 8);
	damaged_if(b, BB_REC_MARK, sizeof(struct bb_mark) - 8); /* too short for its type */
	damaged_if(b, BB_REC_MARK, sizeof(struct bb_mark) - 4); /* not a multiple of 8 */
	damaged_if(b, BB_REC_MARK, sizeof(struct bb_mark) + 8); /* longer than the log */
	damaged_if(b, 999, 8);					/* unknown types have lengths as well */
	damaged_if(b, 999, 20);
	opens(b, &bb);
	offset = 4;
	assert_int_equal(pl_bb_next(&bb, &offset, &rec), PL_BB_DAMAGED);
	offset = bb.header.head - 8;
	assert_int_equal(pl_bb_next(&bb, &offset, &rec), PL_BB_DAMAGED);
	offset = UINT64_MAX;
	assert_int_equal(pl_bb_next(&bb, &offset, &rec), PL_BB_END);
}

static void test_string(void **state)
{
	char text[8];

	(void)state;
	pl_bb_string(text, sizeof(text), "abc", 3);
	assert_string_equal(text, "abc");
	pl_bb_string(text, sizeof(text), "a\0c", 3);
	assert_string_equal(text, "a");
	pl_bb_string(text, sizeof(text), "0123456789", 10);
	assert_string_equal(text, "0123456");
	pl_bb_string(text, sizeof(text), "a\tb\n\x1b\x7f\xff", 7);
	assert_string_equal(text, "a b????");
	pl_bb_string(text, 1, "a", 1);
	assert_string_equal(text, "");
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BB_REC_TYPES; i++)
		assert_string_not_equal(pl_bb_type_name(i), "?");
	assert_string_equal(pl_bb_type_name(BB_REC_TYPES), "?");
	for (unsigned i = 0; i < BB_DISK_KINDS; i++)
		assert_string_not_equal(pl_bb_disk_kind_name(i), "?");
	assert_string_equal(pl_bb_disk_kind_name(BB_DISK_SWAP_OUT), "swap_out");
	assert_string_equal(pl_bb_disk_kind_name(BB_DISK_KINDS), "?");
	assert_string_equal(pl_bb_lock_name(0), "semaphore");
	assert_string_equal(pl_bb_lock_name(BB_LOCK_READ), "rwsem read");
	assert_string_equal(pl_bb_lock_name(BB_LOCK_WRITE), "rwsem write");
	assert_string_equal(pl_bb_lock_name(BB_LOCK_MUTEX), "mutex");
	assert_string_equal(pl_bb_lock_name(BB_LOCK_RT), "rtmutex");
	assert_string_equal(pl_bb_lock_name(BB_LOCK_PERCPU | BB_LOCK_READ), "percpu rwsem");
	assert_string_equal(pl_bb_lock_name(BB_LOCK_SPIN), "?");
	assert_string_equal(pl_bb_lock_name(1u << 20), "?");
}

static char *printed(struct bbb *b, enum pl_bb_next *how)
{
	struct pl_bb bb;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	opens(b, &bb);
	*how = pl_bb_print(&bb, out);
	fclose(out);
	return text;
}

static void test_print(void **state)
{
	struct bbb *b = *state;
	enum pl_bb_next how;
	uint64_t lines = 0;

	bbb_every_type(b);
	char *text = printed(b, &how);

	assert_int_equal(how, PL_BB_END);
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, bbb_header(b)->records);
	assert_non_null(strstr(text, "    1.000000 mark      pid=0 name=\"workload\" value=0\n"));
	assert_non_null(strstr(text, "sample    pid=0 seq=1 nr_free_pages=500\n"));
	assert_non_null(strstr(text, "kind=swap_out part=0 sector=0 bytes=4096"));
	assert_non_null(strstr(text, "lock_kind=\"rwsem write\" begin=1.200000 duration=0.500000 ret=0\n"));
	assert_non_null(strstr(text, "comm=\"0123456789abcdef\" task=9"));
	assert_non_null(strstr(text, "stack=ffffffff81000010,ffffffff81000020\n"));
	assert_non_null(strstr(text, "name=\"hog\" text=\"one line of text\"\n"));
	assert_non_null(strstr(text, "buckets=1us:4\n"));
	assert_non_null(strstr(text, "?         pid=0 type=99 bytes=24\n"));
	assert_non_null(strstr(text, "end       pid=0 reason=done\n"));
	free(text);

	bbb_add(b, BB_REC_NONE, sizeof(struct bb_mark), 30);
	bbb_header(b)->dropped_records = 5;
	text = printed(b, &how);
	assert_non_null(strstr(text, "still being written here\n# the black box was full: 5 records dropped\n"));
	free(text);

	((struct bb_rec *)(void *)(b->region + BB_LOG_OFFSET))->bytes = 12;
	text = printed(b, &how);
	assert_int_equal(how, PL_BB_DAMAGED);
	assert_non_null(strstr(text, "# byte 0 of the log's"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_header, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_artifact, setup, teardown),
		cmocka_unit_test_setup_teardown(test_growing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test(test_string),
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_print, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
