/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every part of the harness needs: errors as values, growing text, files, hashes. */
#ifndef PL_BASE_H
#define PL_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes of the program, and the kind of every error. */
enum pl_status {
	PL_OK = 0,
	PL_UNMET = 1,	   /* an expectation was not met */
	PL_BAD_INPUT = 2,  /* the user's files or arguments */
	PL_HOST = 3,	   /* the host failed us: no space, no QEMU, no permission ... */
};

/* An error on its way to the user: one line that says what failed, where, and what to do. */
struct pl_error {
	enum pl_status status;
	char text[1024];
};

/* Fill *err (may be NULL) and return status, so that callers can write `return pl_fail(err, PL_HOST, "...")`. */
enum pl_status pl_fail(struct pl_error *err, enum pl_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, with ": " and strerror(errno) after the text. */
enum pl_status pl_fail_errno(struct pl_error *err, enum pl_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * How a command ends: its exit code, which is the status. Anything but PL_OK is said on stderr in one line, err's text,
 * after what stands in stdout's buffer; where whoever failed left no text, the line says so. A failure is never exit code 0.
 */
int pl_finish(enum pl_status status, const struct pl_error *err);

#ifdef __clang_analyzer__
/* It cannot see that these return what they are given, and would follow paths on which a failure is a success. */
#define pl_fail(err, status, ...) ((void)pl_fail(err, status, __VA_ARGS__), (status))
#define pl_fail_errno(err, status, ...) ((void)pl_fail_errno(err, status, __VA_ARGS__), (status))
#endif

/* Allocate or end the process with exit code 3 and one line: the harness has no use for half a result. Never NULL. */
void *pl_calloc(size_t count, size_t bytes);
void *pl_realloc_array(void *ptr, size_t count, size_t bytes);
char *pl_strdup(const char *text);
char *pl_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *pl_vasprintf(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

/* Text that grows. Zero-initialised is empty; text is NULL or NUL-terminated; free with pl_buf_free. */
struct pl_buf {
	char *text;
	size_t len;
	size_t room;
};
void pl_buf_add(struct pl_buf *buf, const void *bytes, size_t len);
void pl_buf_printf(struct pl_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void pl_buf_free(struct pl_buf *buf);

#define PL_SHA256_BYTES 32
#define PL_SHA256_HEX	(2 * PL_SHA256_BYTES + 1)

/* SHA-256, streamed. pl_sha256_final frees the state and writes lower-case hex with a NUL. */
struct pl_sha256;
struct pl_sha256 *pl_sha256_new(void);
void pl_sha256_add(struct pl_sha256 *sha, const void *bytes, size_t len);
void pl_sha256_final(struct pl_sha256 *sha, char hex[PL_SHA256_HEX]);
enum pl_status pl_sha256_file(const char *path, char hex[PL_SHA256_HEX], struct pl_error *err);

/* Read a whole file of at most max_bytes into *text (NUL-terminated, caller frees) and *len (may be NULL). */
enum pl_status pl_read_file(const char *path, size_t max_bytes, char **text, size_t *len, struct pl_error *err);

/* Write a whole file so that it is either there with all its bytes, on disk, or not there: temporary name, fsync, rename. */
enum pl_status pl_write_file(const char *path, const void *bytes, size_t len, struct pl_error *err);

/*
 * Open a new file for writing in the folder of `path`, under a name that no file has: PATH.PID-N.tmp, for who wants to
 * rename it to path when it is whole. Permissions are `mode` without the umask. Returns its descriptor and the name (caller
 * frees), or -1 with errno and a name of NULL.
 */
int pl_open_beside(const char *path, unsigned mode, char **temp);

/* mkdir -p. */
enum pl_status pl_mkdirs(const char *path, struct pl_error *err);

/* rm -r, within one file system, never following symbolic links; a path that is not there is no error. */
enum pl_status pl_remove_tree(const char *path, struct pl_error *err);

/* CLOCK_MONOTONIC in seconds. */
double pl_now_s(void);

/* CPU time of this process, all its threads, in seconds. */
double pl_process_cpu_s(void);

#endif
