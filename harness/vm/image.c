// SPDX-License-Identifier: GPL-3.0-or-later
/* Copies images into a guest's disk, and makes the empty file system of its data partition once for each size. */
#include "vm/image.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan/plan.h"

#define MIB ((off_t)1 << 20)

/* copy_file_range refuses some pairs of file systems; reading and writing works on all. */
static enum pl_status copy_extent(int from, int to, off_t from_at, off_t to_at, off_t bytes, const char *path,
				  struct pl_error *err)
{
	static char chunk[1 << 18];

	while (bytes > 0) {
		size_t want = bytes < (off_t)sizeof(chunk) ? (size_t)bytes : sizeof(chunk);
		ssize_t got = pread(from, chunk, want, from_at);

		if (got < 0)
			return pl_fail_errno(err, PL_HOST, "reading %s", path);
		if (!got)
			return pl_fail(err, PL_HOST, "reading %s: it became shorter meanwhile", path);
		/* The guest's memory is zero already; pages that stay untouched cost the host nothing. */
		bool zeros = !chunk[0] && !memcmp(chunk, chunk + 1, (size_t)got - 1);
		for (ssize_t done = zeros ? got : 0; done < got;) {
			ssize_t put = pwrite(to, chunk + done, (size_t)(got - done), to_at + done);

			if (put <= 0)
				return pl_fail_errno(err, PL_HOST, "copying %s to the guest's disk", path);
			done += put;
		}
		from_at += got;
		to_at += got;
		bytes -= got;
	}
	return PL_OK;
}

enum pl_status pl_image_copy(const char *path, int fd, off_t to, size_t max_bytes, struct pl_error *err)
{
	struct stat st;
	enum pl_status status = PL_OK;
	int from = open(path, O_RDONLY | O_CLOEXEC);

	if (from < 0 || fstat(from, &st)) {
		status = pl_fail_errno(err, PL_HOST, "%s", path);
		if (from >= 0)
			close(from);
		return status;
	}
	if ((uint64_t)st.st_size > max_bytes)
		status = pl_fail(err, PL_HOST, "%s has %lld bytes, its partition only %zu", path, (long long)st.st_size, max_bytes);
	for (off_t at = 0; status == PL_OK && at < st.st_size;) {
		off_t data = lseek(from, at, SEEK_DATA);

		if (data < 0)
			break; /* ENXIO: only holes follow */
		off_t hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			hole = st.st_size;
		status = copy_extent(from, fd, data, to + data, hole - data, path, err);
		at = hole;
	}
	close(from);
	return status;
}

/*
 * mke2fs takes ids and times from the host and features from /etc/mke2fs.conf unless it is told them; these features
 * are what Debian 12 gives an ext4 file system.
 */
static enum pl_status run_mke2fs(const char *image, struct pl_error *err)
{
	const char *argv[] = { "mke2fs", "-q", "-F", "-t", "ext2", "-T", "default", "-b", "4096", "-I", "256", "-m", "0", "-J", "size=16",
			       "-O", "none,has_journal,ext_attr,dir_index,filetype,sparse_super,large_file,resize_inode,extent,huge_file,"
				     "flex_bg,metadata_csum,64bit,dir_nlink,extra_isize",
			       "-U", "504c494d-534f-4c4c-8000-000000000001",
			       "-E", "hash_seed=504c494d-534f-4c4c-8000-000000000002,lazy_itable_init=0,lazy_journal_init=0,"
				     "nodiscard,root_owner=0:0",
			       image, NULL };
	const char *envp[] = { "E2FSPROGS_FAKE_TIME=1577836800", "MKE2FS_CONFIG=/dev/null", "LC_ALL=C", NULL };
	pid_t pid;
	int status;
	/* posix_spawn takes the strings as non-const for history's sake; it does not write to them. */
	int failed = posix_spawn(&pid, PL_MKE2FS, NULL, NULL, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)envp);

	if (failed) {
		errno = failed;
		return pl_fail_errno(err, PL_HOST, "%s (run `make setup`)", PL_MKE2FS);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		return pl_fail(err, PL_HOST, "mke2fs could not make %s", image);
	return PL_OK;
}

enum pl_status pl_image_data(const char *build, uint32_t data_mib, char **path, struct pl_error *err)
{
	char *dir = pl_asprintf("%s/images", build);
	struct stat maker = { 0 };
	enum pl_status status = PL_OK;

	if (stat(PL_MKE2FS, &maker))
		status = pl_fail_errno(err, PL_HOST, "%s (run `make setup`)", PL_MKE2FS);
	/* Another mke2fs, or another way of calling it, may make another file system. */
	char *image = pl_asprintf("%s/data-%u-%d-%llx-%llx.img", dir, data_mib, PL_CELL_FORMAT, (unsigned long long)maker.st_size,
				  (unsigned long long)maker.st_mtime);
	char *temp = pl_asprintf("%s.%ld.tmp", image, (long)getpid());

	if (status == PL_OK && access(image, R_OK)) {
		int fd = -1;

		status = pl_mkdirs(dir, err);
		if (status == PL_OK && (fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) < 0)
			status = pl_fail_errno(err, PL_HOST, "%s", temp);
		if (status == PL_OK && ftruncate(fd, data_mib * MIB))
			status = pl_fail_errno(err, PL_HOST, "%s", temp);
		if (status == PL_OK)
			status = run_mke2fs(temp, err);
		/* Nobody looks at it again: after a crash it must be whole or not there. */
		if (status == PL_OK && fsync(fd))
			status = pl_fail_errno(err, PL_HOST, "%s", temp);
		if (fd >= 0)
			close(fd);
		if (status == PL_OK && rename(temp, image))
			status = pl_fail_errno(err, PL_HOST, "%s", image);
		if (status != PL_OK)
			unlink(temp);
	}
	free(dir);
	free(temp);
	if (status == PL_OK)
		*path = image;
	else
		free(image);
	return status;
}
