// SPDX-License-Identifier: GPL-3.0-or-later
/* Errors, memory or the end of the program, growing text, hashes, and files that are written whole or not at all. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_BESIDE 100 /* files that may have the names that are tried */

static void fail_text(struct pl_error *err, enum pl_status status, int errnum, const char *fmt, va_list args)
{
	if (!err)
		return;
	err->status = status;
	int len = vsnprintf(err->text, sizeof(err->text), fmt, args);
	if (errnum && len >= 0 && (size_t)len < sizeof(err->text))
		snprintf(err->text + len, sizeof(err->text) - (size_t)len, ": %s", strerror(errnum));
}

#undef pl_fail
#undef pl_fail_errno

enum pl_status pl_fail(struct pl_error *err, enum pl_status status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail_text(err, status, 0, fmt, args);
	va_end(args);
	return status;
}

enum pl_status pl_fail_errno(struct pl_error *err, enum pl_status status, const char *fmt, ...)
{
	int errnum = errno;
	va_list args;

	va_start(args, fmt);
	fail_text(err, status, errnum, fmt, args);
	va_end(args);
	return status;
}

int pl_finish(enum pl_status status, const struct pl_error *err)
{
	if (status == PL_OK)
		return PL_OK;
	fflush(stdout);
	fprintf(stderr, "plimsoll: %s\n", *err->text ? err->text :
		"failed, and what failed left no reason; if another plimsoll works on the same results, try again");
	return (int)status;
}

static void *must(void *ptr)
{
	if (!ptr) {
		fputs("plimsoll: out of memory on the host\n", stderr);
		exit(PL_HOST);
	}
	return ptr;
}

void *pl_calloc(size_t count, size_t bytes)
{
	return must(calloc(count ? count : 1, bytes ? bytes : 1));
}

void *pl_realloc_array(void *ptr, size_t count, size_t bytes)
{
	return must(reallocarray(ptr, count ? count : 1, bytes ? bytes : 1));
}

char *pl_strdup(const char *text)
{
	return must(strdup(text));
}

char *pl_vasprintf(const char *fmt, va_list args)
{
	char *text;

	return must(vasprintf(&text, fmt, args) < 0 ? NULL : text);
}

char *pl_asprintf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *text = pl_vasprintf(fmt, args);
	va_end(args);
	return text;
}

static void buf_reserve(struct pl_buf *buf, size_t more)
{
	size_t need = buf->len + more + 1;

	if (need <= buf->room)
		return;
	size_t room = buf->room ? buf->room : 256;
	while (room < need)
		room *= 2;
	buf->text = pl_realloc_array(buf->text, room, 1);
	buf->room = room;
}

void pl_buf_add(struct pl_buf *buf, const void *bytes, size_t len)
{
	buf_reserve(buf, len);
	if (len)
		memcpy(buf->text + buf->len, bytes, len);
	buf->len += len;
	buf->text[buf->len] = '\0';
}

void pl_buf_printf(struct pl_buf *buf, const char *fmt, ...)
{
	va_list args, again;

	va_start(args, fmt);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len > 0) {
		buf_reserve(buf, (size_t)len);
		vsnprintf(buf->text + buf->len, (size_t)len + 1, fmt, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

void pl_buf_free(struct pl_buf *buf)
{
	free(buf->text);
	*buf = (struct pl_buf){ 0 };
}

struct pl_sha256 {
	EVP_MD_CTX *ctx;
};

struct pl_sha256 *pl_sha256_new(void)
{
	struct pl_sha256 *sha = pl_calloc(1, sizeof(*sha));

	sha->ctx = must(EVP_MD_CTX_new());
	if (!EVP_DigestInit_ex(sha->ctx, EVP_sha256(), NULL))
		must(NULL);
	return sha;
}

void pl_sha256_add(struct pl_sha256 *sha, const void *bytes, size_t len)
{
	EVP_DigestUpdate(sha->ctx, bytes, len);
}

void pl_sha256_final(struct pl_sha256 *sha, char hex[PL_SHA256_HEX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	EVP_DigestFinal_ex(sha->ctx, digest, NULL);
	for (size_t i = 0; i < PL_SHA256_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	EVP_MD_CTX_free(sha->ctx);
	free(sha);
}

enum pl_status pl_sha256_file(const char *path, char hex[PL_SHA256_HEX], struct pl_error *err)
{
	static const size_t chunk_bytes = 1 << 20;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return pl_fail_errno(err, PL_HOST, "%s", path);

	struct pl_sha256 *sha = pl_sha256_new();
	char *chunk = pl_calloc(1, chunk_bytes);
	ssize_t got;
	while ((got = read(fd, chunk, chunk_bytes)) > 0)
		pl_sha256_add(sha, chunk, (size_t)got);
	int errnum = errno;
	free(chunk);
	close(fd);
	pl_sha256_final(sha, hex);
	errno = errnum;
	return got < 0 ? pl_fail_errno(err, PL_HOST, "%s", path) : PL_OK;
}

enum pl_status pl_read_file(const char *path, size_t max_bytes, char **text, size_t *len, struct pl_error *err)
{
	struct pl_buf buf = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return pl_fail_errno(err, PL_HOST, "%s", path);
	for (;;) {
		buf_reserve(&buf, 1 << 16);
		ssize_t got = read(fd, buf.text + buf.len, 1 << 16);
		if (got < 0) {
			pl_fail_errno(err, PL_HOST, "%s", path);
			close(fd);
			pl_buf_free(&buf);
			return PL_HOST;
		}
		if (!got)
			break;
		buf.len += (size_t)got;
		if (buf.len > max_bytes) {
			close(fd);
			pl_buf_free(&buf);
			return pl_fail(err, PL_BAD_INPUT, "%s: larger than the %zu bytes allowed", path, max_bytes);
		}
	}
	close(fd);
	buf.text[buf.len] = '\0';
	*text = buf.text;
	if (len)
		*len = buf.len;
	return PL_OK;
}

/* A rename lasts only when the directory that holds the name is on disk too. */
static enum pl_status sync_parent(const char *path, struct pl_error *err)
{
	char *dir = pl_strdup(path);
	char *slash = strrchr(dir, '/');

	if (slash)
		slash[slash == dir] = '\0';
	int fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return pl_fail_errno(err, PL_HOST, "%s: opening its directory", path);
	int failed = fsync(fd);
	int errnum = errno;
	close(fd);
	errno = errnum;
	return failed ? pl_fail_errno(err, PL_HOST, "%s: syncing its directory", path) : PL_OK;
}

int pl_open_beside(const char *path, unsigned mode, char **temp)
{
	int fd = -1;

	/* What is there already is somebody's file, or what a process of our number left when it was killed. */
	for (unsigned try = 0; fd < 0 && try < MAX_BESIDE; try++) {
		*temp = pl_asprintf("%s.%ld-%u.tmp", path, (long)getpid(), try);
		fd = open(*temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

		int errnum = errno;

		if (fd >= 0)
			break;
		free(*temp);
		*temp = NULL;
		errno = errnum;
		if (errnum != EEXIST)
			break;
	}
	return fd;
}

enum pl_status pl_write_file(const char *path, const void *bytes, size_t len, struct pl_error *err)
{
	char *temp;
	enum pl_status status = PL_OK;
	int fd = pl_open_beside(path, 0644, &temp);

	if (fd < 0)
		return pl_fail_errno(err, PL_HOST, "%s", path);
	for (size_t done = 0; done < len && status == PL_OK;) {
		ssize_t put = write(fd, (const char *)bytes + done, len - done);
		if (put < 0 && errno != EINTR)
			status = pl_fail_errno(err, PL_HOST, "writing %s", temp);
		else if (put > 0)
			done += (size_t)put;
	}
	if (status == PL_OK && fsync(fd))
		status = pl_fail_errno(err, PL_HOST, "syncing %s", temp);
	if (close(fd) && status == PL_OK)
		status = pl_fail_errno(err, PL_HOST, "writing %s", temp);
	if (status == PL_OK && rename(temp, path))
		status = pl_fail_errno(err, PL_HOST, "renaming %s to %s", temp, path);
	if (status == PL_OK)
		status = sync_parent(path, err);
	else
		unlink(temp);
	free(temp);
	return status;
}

enum pl_status pl_mkdirs(const char *path, struct pl_error *err)
{
	char *copy = pl_strdup(path);
	enum pl_status status = PL_OK;

	for (char *slash = copy + 1; status == PL_OK; slash++) {
		bool last = *slash == '\0';
		if (!last && *slash != '/')
			continue;
		*slash = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST)
			status = pl_fail_errno(err, PL_HOST, "creating %s", copy);
		if (last)
			break;
		*slash = '/';
	}
	free(copy);
	return status;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

enum pl_status pl_remove_tree(const char *path, struct pl_error *err)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) && errno != ENOENT)
		return pl_fail_errno(err, PL_HOST, "removing %s", path);
	return PL_OK;
}

static double clock_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double pl_now_s(void)
{
	return clock_s(CLOCK_MONOTONIC);
}

double pl_process_cpu_s(void)
{
	return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}
