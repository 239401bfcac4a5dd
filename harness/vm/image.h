/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lies on the platter before the guest starts. */
#ifndef PL_IMAGE_H
#define PL_IMAGE_H

#include <sys/types.h>

#include "base/base.h"

/* By its path: an unprivileged user's PATH has no sbin on Debian. */
#define PL_MKE2FS "/usr/sbin/mke2fs"

/* Copy what an image file holds (holes stay holes) to fd at offset `to`; PL_HOST if it has more than max_bytes. */
enum pl_status pl_image_copy(const char *path, int fd, off_t to, size_t max_bytes, struct pl_error *err);

/*
 * Path of an empty ext4 image of this size under build/images/, made by mke2fs the first time, the same bytes each
 * time. Caller frees *path.
 */
enum pl_status pl_image_data(const char *build, uint32_t data_mib, char **path, struct pl_error *err);

#endif
