// SPDX-License-Identifier: GPL-3.0-or-later
/* How commands end, and files that are whole or not there. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

static char folder[] = "/tmp/plimsoll-test-base-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return !chdir("/") && pl_remove_tree(folder, NULL) == PL_OK ? 0 : -1;
}

/* What pl_finish writes to standard error, and its exit code. */
static int finish(enum pl_status status, const struct pl_error *err, char *said, size_t room)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO), code;

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	code = pl_finish(status, err);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);

	size_t len = fread(said, 1, room - 1, file);

	said[len] = '\0';
	fclose(file);
	return code;
}

static void a_failure_never_ends_with_0(void **state)
{
	const struct pl_error none = { 0 }, text = { .status = PL_BAD_INPUT, .text = "m.yaml:1:1: no" };
	char said[400];

	(void)state;
	assert_int_equal(finish(PL_OK, &text, said, sizeof(said)), 0);
	assert_string_equal(said, "");
	assert_int_equal(finish(PL_BAD_INPUT, &text, said, sizeof(said)), 2);
	assert_string_equal(said, "plimsoll: m.yaml:1:1: no\n");
	for (int status = PL_UNMET; status <= PL_HOST; status++) {
		assert_int_equal(finish((enum pl_status)status, &none, said, sizeof(said)), status);
		assert_ptr_equal(strstr(said, "plimsoll: failed"), said);
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	}
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void holds(const char *path, const char *text)
{
	char *found;

	assert_int_equal(pl_read_file(path, 100, &found, NULL, NULL), PL_OK);
	assert_string_equal(found, text);
	free(found);
}

static void nobody_elses_file(void **state)
{
	char first[64], *temp;
	struct stat st;

	(void)state;
	snprintf(first, sizeof(first), "core.%ld-0.tmp", (long)getpid());
	put(first, "mine");
	put("core.tmp", "mine too");
	assert_int_equal(symlink("core.tmp", "core.link"), 0);

	int fd = pl_open_beside("core", 0640, &temp);

	assert_true(fd >= 0);
	assert_string_not_equal(temp, first);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
	close(fd);
	holds(first, "mine");
	holds("core.tmp", "mine too");
	holds(temp, "x");
	assert_int_equal(unlink(temp), 0);
	free(temp);

	assert_int_equal(pl_write_file("core", "y", 1, NULL), PL_OK);
	holds("core", "y");
	holds(first, "mine");
}

static void no_folder_no_file(void **state)
{
	struct pl_error err = { 0 };
	char *temp = folder;

	(void)state;
	assert_int_equal(pl_open_beside("nowhere/core", 0666, &temp), -1);
	assert_null(temp);
	assert_int_equal(pl_write_file("nowhere/core", "y", 1, &err), PL_HOST);
	assert_string_equal(err.text, "nowhere/core: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_never_ends_with_0),
		cmocka_unit_test_setup_teardown(nobody_elses_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_folder_no_file, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
