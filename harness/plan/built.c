// SPDX-License-Identifier: GPL-3.0-or-later
/* What `make kernels rootfs` left in build/, and whether it still is what its manifest says. */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "plan/parts.h"

#define MANIFEST_MAX_BYTES ((size_t)64 << 10)

static enum pl_status read_manifest(const char *path, struct json_object **manifest, struct pl_error *err)
{
	char *text;
	enum pl_status status = pl_read_file(path, MANIFEST_MAX_BYTES, &text, NULL, err);

	if (status != PL_OK)
		return status;
	*manifest = json_tokener_parse(text);
	free(text);
	if (json_object_is_type(*manifest, json_type_object))
		return PL_OK;
	json_object_put(*manifest);
	return pl_fail(err, PL_HOST, "%s: not a JSON object: remove its folder and build again", path);
}

static enum pl_status manifest_text(const char *path, struct json_object *manifest, const char *key, char **text,
				    struct pl_error *err)
{
	struct json_object *value;

	if (!json_object_object_get_ex(manifest, key, &value) || !json_object_is_type(value, json_type_string))
		return pl_fail(err, PL_HOST, "%s: has no \"%s\": remove its folder and build again", path, key);
	*text = pl_strdup(json_object_get_string(value));
	return PL_OK;
}

/* Files that this process has read to their end: hundreds of cells share a kernel and an image of tens of MiB. */
static struct hashed {
	struct stat st;
	char hex[PL_SHA256_HEX];
} hashed[16];

static bool unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       !memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) && !memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim));
}

static enum pl_status hash_file(const char *path, char hex[PL_SHA256_HEX], struct pl_error *err)
{
	static size_t next;
	struct stat st;
	time_t now = time(NULL);

	if (stat(path, &st))
		return pl_fail_errno(err, PL_HOST, "%s", path);
	for (size_t i = 0; i < sizeof(hashed) / sizeof(*hashed); i++) {
		if (*hashed[i].hex && unchanged(&hashed[i].st, &st)) {
			memcpy(hex, hashed[i].hex, PL_SHA256_HEX);
			return PL_OK;
		}
	}
	enum pl_status status = pl_sha256_file(path, hex, err);

	/* What was written just now may be written again without a change of its time. */
	if (status == PL_OK && st.st_ctim.tv_sec < now - 1) {
		hashed[next].st = st;
		memcpy(hashed[next].hex, hex, PL_SHA256_HEX);
		next = (next + 1) % (sizeof(hashed) / sizeof(*hashed));
	}
	return status;
}

/* An id must not promise contents that somebody has replaced since. */
static enum pl_status check_sha256(const char *path, const char *manifest, const char *expected, struct pl_error *err)
{
	char hex[PL_SHA256_HEX];
	enum pl_status status = hash_file(path, hex, err);

	if (status == PL_OK && strcmp(hex, expected) != 0)
		status = pl_fail(err, PL_HOST, "%s: is not the file that %s describes: remove both and build again", path,
				 manifest);
	return status;
}

enum pl_status pl_kernel_load(const char *dir, const char *name, struct pl_kernel *kernel, struct pl_error *err)
{
	struct json_object *json;
	/* The entry of the cache, which is named by its content, and not the link that the next `make kernels` may move. */
	char *entry = realpath(dir, NULL);
	char *manifest = pl_asprintf("%s/manifest.json", entry ? entry : dir);
	enum pl_status status = read_manifest(manifest, &json, err);

	*kernel = (struct pl_kernel){ .name = pl_strdup(name), .vmlinux = pl_asprintf("%s/vmlinux", entry ? entry : dir) };
	free(entry);
	if (status == PL_OK) {
		status = manifest_text(manifest, json, "release", &kernel->release, err);
		if (status == PL_OK)
			status = manifest_text(manifest, json, "vmlinux_sha256", &kernel->vmlinux_sha256, err);
		if (status == PL_OK)
			status = check_sha256(kernel->vmlinux, manifest, kernel->vmlinux_sha256, err);
		json_object_put(json);
	}
	free(manifest);
	if (status != PL_OK)
		pl_kernel_free(kernel);
	return status;
}

void pl_kernel_free(struct pl_kernel *kernel)
{
	free(kernel->name);
	free(kernel->release);
	free(kernel->vmlinux);
	free(kernel->vmlinux_sha256);
	*kernel = (struct pl_kernel){ 0 };
}

/*
 * The cells that are planned with an image run long after, and `make rootfs` removes old ones: but none that somebody
 * has a lock on, as this process has until it ends. Where it gets none, a cell will say that its image is gone.
 */
static void hold_image(const char *path)
{
	static struct stat held;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (fstat(fd, &st) || (st.st_dev == held.st_dev && st.st_ino == held.st_ino) || flock(fd, LOCK_SH | LOCK_NB))
		close(fd);
	else
		held = st;
}

enum pl_status pl_rootfs_load(const struct pl_paths *paths, struct pl_rootfs *rootfs, struct pl_error *err)
{
	struct json_object *json = NULL, *mib;
	char *manifest = pl_asprintf("%s/rootfs/manifest.json", paths->build);
	char *link = pl_asprintf("%s/rootfs/root.img", paths->build);
	/* The image itself and not the link that the next `make rootfs` may move. */
	char *image = realpath(link, NULL);
	enum pl_status status;

	*rootfs = (struct pl_rootfs){ .image = pl_strdup(image ? image : link) };
	hold_image(rootfs->image);
	free(image);
	free(link);
	if (access(manifest, F_OK))
		status = pl_fail(err, PL_HOST, "%s: the guests' root image is not built: run `make rootfs`", manifest);
	else
		status = read_manifest(manifest, &json, err);
	if (status == PL_OK) {
		int64_t value = json_object_object_get_ex(json, "root_mib", &mib) ? json_object_get_int64(mib) : 0;

		if (value < 1 || value > PL_MAX_MEMORY_MIB)
			status = pl_fail(err, PL_HOST, "%s: \"root_mib\" is not 1 to %d", manifest, PL_MAX_MEMORY_MIB);
		else
			rootfs->mib = (uint32_t)value;
		if (status == PL_OK)
			status = manifest_text(manifest, json, "root_sha256", &rootfs->sha256, err);
		if (status == PL_OK)
			status = check_sha256(rootfs->image, manifest, rootfs->sha256, err);
		json_object_put(json);
	}
	free(manifest);
	if (status != PL_OK)
		pl_rootfs_free(rootfs);
	return status;
}

void pl_rootfs_free(struct pl_rootfs *rootfs)
{
	free(rootfs->image);
	free(rootfs->sha256);
	*rootfs = (struct pl_rootfs){ 0 };
}
