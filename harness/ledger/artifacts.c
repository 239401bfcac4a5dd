// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A cell's directory appears under its final name in one rename, when all its bytes are on disk. Until then it is
 * `.ID.PID-N.tmp`, with a lock on the directory that ends with its writer: a temporary nobody locks is a dead one's.
 */
#include "ledger/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define BLACKBOX_MAX_BYTES (2ULL << 30)
/* Fast: the harness has 2 % of the time that QEMU takes for everything, and the logs are repetitive. */
#define ZSTD_LEVEL	   1
#define TEMP_TRIES	   100

void ledger_ids_add(struct ledger_ids *ids, const char *id)
{
	if (ids->nr == ids->room) {
		ids->room = ids->room ? 2 * ids->room : 64;
		ids->id = pl_realloc_array(ids->id, ids->room, sizeof(*ids->id));
	}
	snprintf(ids->id[ids->nr++], PL_ID_HEX, "%s", id);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

void ledger_ids_sort(struct ledger_ids *ids)
{
	if (ids->nr)
		qsort(ids->id, ids->nr, sizeof(*ids->id), compare_ids);
}

void ledger_ids_free(struct ledger_ids *ids)
{
	free(ids->id);
	*ids = (struct ledger_ids){ 0 };
}

static enum pl_status sync_dir(const char *path, struct pl_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum pl_status status = PL_OK;

	if (fd < 0 || fsync(fd))
		status = pl_fail_errno(err, PL_HOST, "syncing %s", path);
	if (fd >= 0)
		close(fd);
	return status;
}

static enum pl_status write_all(int fd, const char *path, const void *bytes, size_t len, struct pl_error *err)
{
	for (size_t done = 0; done < len;) {
		ssize_t put = write(fd, (const char *)bytes + done, len - done);

		if (put > 0)
			done += (size_t)put;
		else if (put == 0 || errno != EINTR)
			return pl_fail_errno(err, PL_HOST, "writing %s", path);
	}
	return fsync(fd) ? pl_fail_errno(err, PL_HOST, "syncing %s", path) : PL_OK;
}

/* Write one file of a directory that is not in place yet, so that plain write and fsync are enough. */
static enum pl_status write_synced(const char *dir, const char *name, const void *bytes, size_t len, struct pl_error *err)
{
	char *path = pl_asprintf("%s/%s", dir, name);
	enum pl_status status = PL_OK;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		status = pl_fail_errno(err, PL_HOST, "creating %s", path);
	if (status == PL_OK)
		status = write_all(fd, path, bytes, len, err);
	if (fd >= 0 && close(fd) && status == PL_OK)
		status = pl_fail_errno(err, PL_HOST, "writing %s", path);
	free(path);
	return status;
}

/* True if `path` is still what fd has open: a sweeper may have removed it before the lock was taken. */
static bool still_there(const char *path, int fd)
{
	struct stat open_st, path_st;

	return !fstat(fd, &open_st) && !lstat(path, &path_st) && open_st.st_dev == path_st.st_dev &&
	       open_st.st_ino == path_st.st_ino;
}

/* Make and lock a temporary directory. *path is the caller's to free, *fd holds the lock. */
static enum pl_status make_temp(const char *cells, const char *id, char **path, int *fd, struct pl_error *err)
{
	for (unsigned try = 0; try < TEMP_TRIES; try++) {
		*path = pl_asprintf("%s/.%s.%ld-%u.tmp", cells, id, (long)getpid(), try);
		if (!mkdir(*path, 0755)) {
			*fd = open(*path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (*fd >= 0 && !flock(*fd, LOCK_EX | LOCK_NB) && still_there(*path, *fd))
				return PL_OK;
			if (*fd >= 0)
				close(*fd);
		} else if (errno != EEXIST) {
			enum pl_status status = pl_fail_errno(err, PL_HOST, "creating %s", *path);
			free(*path);
			return status;
		}
		free(*path);
		*path = NULL;
	}
	return pl_fail(err, PL_HOST, "%s: found no free temporary name for cell %s", cells, id);
}

static enum pl_status write_blackbox(const char *dir, const struct pl_artifacts *artifacts, struct pl_error *err)
{
	if (artifacts->blackbox_bytes > BLACKBOX_MAX_BYTES)
		return pl_fail(err, PL_HOST, "%s: a black box of %zu bytes is more than the ledger takes", dir,
			       artifacts->blackbox_bytes);

	size_t room = ZSTD_compressBound(artifacts->blackbox_bytes);
	void *packed = pl_calloc(room, 1);
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	enum pl_status status = PL_OK;
	size_t bytes = 0;

	if (!ctx) {
		status = pl_fail(err, PL_HOST, "%s: no memory for compression", dir);
	} else {
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, ZSTD_LEVEL);
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
		bytes = ZSTD_compress2(ctx, packed, room, artifacts->blackbox, artifacts->blackbox_bytes);
		if (ZSTD_isError(bytes))
			status = pl_fail(err, PL_HOST, "%s: compressing the black box: %s", dir, ZSTD_getErrorName(bytes));
	}
	if (status == PL_OK)
		status = write_synced(dir, "blackbox.zst", packed, bytes, err);
	ZSTD_freeCCtx(ctx);
	free(packed);
	return status;
}

static enum pl_status fill(const char *dir, const struct pl_row *row, const struct pl_artifacts *artifacts, struct pl_error *err)
{
	struct json_object *json = pl_row_json(row);
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	const char *inputs = artifacts->inputs_json ? artifacts->inputs_json : "{}";
	enum pl_status status = write_synced(dir, "cell.json", text, strlen(text), err);

	json_object_put(json);
	if (status == PL_OK)
		status = write_synced(dir, "inputs.json", inputs, strlen(inputs), err);
	if (status == PL_OK)
		status = write_synced(dir, "console.log", artifacts->console, artifacts->console_bytes, err);
	if (status == PL_OK && artifacts->blackbox)
		status = write_blackbox(dir, artifacts, err);
	return status == PL_OK ? sync_dir(dir, err) : status;
}

/* rename() cannot replace a directory that has files: the old one steps aside first, under a name the sweep knows. */
static enum pl_status set_in_place(const char *cells, const char *temp, const char *id, struct pl_error *err)
{
	char *final = pl_asprintf("%s/%s", cells, id);
	char *old = pl_asprintf("%s.old.tmp", temp);
	enum pl_status status = PL_OK;
	/* Under its new name it would look like a dead one's, and it may have to go back. */
	int old_fd = open(final, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (old_fd >= 0)
		flock(old_fd, LOCK_EX | LOCK_NB);

	bool replaced = !rename(final, old);

	if (!replaced && errno != ENOENT)
		status = pl_fail_errno(err, PL_HOST, "replacing %s", final);
	else if (rename(temp, final))
		status = pl_fail_errno(err, PL_HOST, "renaming %s to %s", temp, final);
	if (replaced && status != PL_OK)
		rename(old, final);
	if (status == PL_OK)
		status = sync_dir(cells, err);
	/* What cannot be removed now is swept when the ledger is opened again. */
	if (replaced)
		pl_remove_tree(old, NULL);
	if (old_fd >= 0)
		close(old_fd);
	free(old);
	free(final);
	return status;
}

enum pl_status ledger_artifacts_write(const char *cells, const struct pl_row *row, const struct pl_artifacts *artifacts,
				      struct pl_error *err)
{
	char *temp;
	int fd = -1;
	enum pl_status status = make_temp(cells, row->id, &temp, &fd, err);

	if (status != PL_OK)
		return status;
	status = fill(temp, row, artifacts, err);
	if (status == PL_OK)
		status = set_in_place(cells, temp, row->id, err);
	if (status != PL_OK)
		pl_remove_tree(temp, NULL);
	close(fd);
	free(temp);
	return status;
}

/* A temporary file of a cell, locked; in cells/ and not beside the file that it is for, where no sweep looks. */
static int make_temp_file(const char *cells, const char *id, char **path)
{
	char *stem = pl_asprintf("%s/.%s", cells, id);
	int fd = -1;

	for (unsigned try = 0; try < TEMP_TRIES && (fd = pl_open_beside(stem, 0644, path)) >= 0; try++) {
		if (!flock(fd, LOCK_EX | LOCK_NB) && still_there(*path, fd))
			break;
		close(fd);
		free(*path);
		*path = NULL;
		fd = -1;
		errno = EAGAIN;
	}
	free(stem);
	return fd;
}

enum pl_status ledger_artifacts_rewrite(const char *cells, const char *id, const char *json, struct pl_error *err)
{
	char *dir = pl_asprintf("%s/%s", cells, id), *final = pl_asprintf("%s/cell.json", dir), *temp = NULL;
	int fd = make_temp_file(cells, id, &temp);
	enum pl_status status = PL_OK;

	if (fd < 0)
		status = pl_fail_errno(err, PL_HOST, "%s", final);
	if (status == PL_OK)
		status = write_all(fd, temp, json, strlen(json), err);
	if (status == PL_OK && rename(temp, final))
		status = pl_fail_errno(err, PL_HOST, "renaming %s to %s", temp, final);
	if (status == PL_OK)
		status = sync_dir(dir, err);
	else if (temp)
		unlink(temp);
	if (fd >= 0)
		close(fd);
	free(temp);
	free(final);
	free(dir);
	return status;
}

/* Whoever has the lock still writes; whoever died has let go of it. */
static void sweep_one(const char *cells, const char *name)
{
	char *path = pl_asprintf("%s/%s", cells, name);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			pl_remove_tree(path, NULL);
		close(fd);
	}
	free(path);
}

enum pl_status ledger_artifacts_scan(const char *cells, bool sweep, struct ledger_ids *ids, struct pl_error *err)
{
	struct ledger_ids none = { 0 };
	DIR *dir = opendir(cells);
	struct dirent *entry;

	*ids = none;
	if (!dir && errno == ENOENT)
		return PL_OK;
	if (!dir)
		return pl_fail_errno(err, PL_HOST, "reading %s", cells);
	while ((errno = 0, entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		if (ledger_id_ok(entry->d_name))
			ledger_ids_add(ids, entry->d_name);
		else if (sweep && entry->d_name[0] == '.' && len > 4 && !strcmp(entry->d_name + len - 4, ".tmp"))
			sweep_one(cells, entry->d_name);
	}
	int errnum = errno;
	closedir(dir);
	errno = errnum;
	if (errnum) {
		ledger_ids_free(ids);
		return pl_fail_errno(err, PL_HOST, "reading %s", cells);
	}
	ledger_ids_sort(ids);
	return PL_OK;
}

static const char *unpack(const void *packed, size_t packed_bytes, void **region, size_t *region_bytes)
{
	unsigned long long declared = ZSTD_getFrameContentSize(packed, packed_bytes);

	if (declared == ZSTD_CONTENTSIZE_ERROR || declared == ZSTD_CONTENTSIZE_UNKNOWN)
		return "no zstd frame that says its size";
	if (declared > BLACKBOX_MAX_BYTES)
		return "its frame says that it is larger than 2 GiB";

	/* Not pl_calloc: the size is the file's word, and a lie must not end the program. */
	void *kept = calloc(1, declared ? declared : 1);
	if (!kept)
		return "no memory for the size that its frame says";
	size_t got = ZSTD_decompress(kept, declared, packed, packed_bytes);
	if (ZSTD_isError(got) || got != declared) {
		free(kept);
		return ZSTD_isError(got) ? ZSTD_getErrorName(got) : "shorter than its frame says";
	}

	*region = kept;
	*region_bytes = got;
	return NULL;
}

enum pl_status ledger_artifacts_blackbox(const char *dir, void **region, size_t *region_bytes, struct pl_error *err)
{
	char *path = pl_asprintf("%s/blackbox.zst", dir);
	char *packed = NULL;
	size_t packed_bytes = 0;
	enum pl_status status;

	if (access(path, F_OK) && errno == ENOENT)
		status = pl_fail(err, PL_UNMET, "%s: this cell has no black box", path);
	else
		status = pl_read_file(path, BLACKBOX_MAX_BYTES, &packed, &packed_bytes, err);
	if (status == PL_OK) {
		const char *bad = unpack(packed, packed_bytes, region, region_bytes);
		if (bad)
			status = pl_fail(err, PL_HOST, "%s: damaged: %s: remove the cell's directory to run it again", path, bad);
	}
	free(packed);
	free(path);
	return status;
}
