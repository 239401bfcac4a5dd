// SPDX-License-Identifier: GPL-3.0-or-later
/* Copies of image files into a guest's disk. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm/image.h"

#define AT 8192

static void copies(void **state)
{
	int image = memfd_create("image", 0), disk = memfd_create("disk", 0);
	char path[64], got[5] = "";
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	assert_int_equal(pwrite(image, "head", 4, 0), 4);
	assert_int_equal(pwrite(image, "tail", 4, 1 << 20), 4);
	assert_int_equal(pl_image_copy(path, disk, AT, (1 << 20) + 4, NULL), PL_OK);
	assert_int_equal(pread(disk, got, 4, AT), 4);
	assert_string_equal(got, "head");
	assert_int_equal(pread(disk, got, 4, AT + (1 << 20)), 4);
	assert_string_equal(got, "tail");
	/* Holes stay holes. */
	assert_int_equal(fstat(disk, &st), 0);
	assert_true(st.st_blocks * 512 < 1 << 19);
	assert_int_equal(pl_image_copy(path, disk, AT, 1 << 20, NULL), PL_HOST);
	close(image);
	close(disk);
}

/* A file of sysfs says 4096 bytes and has fewer, as an image has that is replaced in place while it is copied. */
static void shorter_than_it_said(void **state)
{
	static const char path[] = "/sys/kernel/uevent_seqnum";
	int disk = memfd_create("disk", 0);
	struct pl_error err = { 0 };

	(void)state;
	if (access(path, R_OK))
		skip();
	errno = EEXIST;
	assert_int_equal(pl_image_copy(path, disk, 0, 1 << 20, &err), PL_HOST);
	assert_string_equal(err.text, "reading /sys/kernel/uevent_seqnum: it became shorter meanwhile");
	close(disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies),
		cmocka_unit_test(shorter_than_it_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
