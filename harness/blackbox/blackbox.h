/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a black box. Whatever it holds is untrusted: every offset and length is checked, nothing outside the given
 * memory is touched, and every walk ends.
 */
#ifndef PL_BLACKBOX_H
#define PL_BLACKBOX_H

#include "base/base.h"
#include "blackbox/format.h"

/* A black box in memory: a mapping of the guest's, or an artifact read back. Holds no resources. */
struct pl_bb {
	const uint8_t *region;
	size_t region_bytes;
	struct bb_header header; /* copied and checked: log_bytes and head are within the region */
};

/*
 * Check the header. PL_UNMET with the reason if there is no usable black box (the kernel never got that far, another
 * version, damaged). The region must stay mapped while the reader is used and may be growing.
 */
enum pl_status pl_bb_open(struct pl_bb *bb, const void *region, size_t region_bytes, struct pl_error *err);

/* Read head again from a region that is growing (a live guest). */
void pl_bb_refresh(struct pl_bb *bb);

enum pl_bb_next {
	PL_BB_RECORD,  /* *rec is the next record, whole */
	PL_BB_END,     /* no more records (yet: if *offset is below header.head, one is being written there) */
	PL_BB_DAMAGED, /* what stands here is no record; nothing after it can be read */
};

/*
 * Walk: start with *offset = 0. *rec points into the region, is at least as long as its type's struct, and is not
 * terminated: its text fields end at their bound or at a NUL. Records of unknown types are given too; skip them.
 * A guest that still runs can change a record after it was checked: copy what you use of it, reading type once.
 */
enum pl_bb_next pl_bb_next(const struct pl_bb *bb, uint64_t *offset, const struct bb_rec **rec);

/* The bytes that count for the digest: header to the end of the log's used part (host-written input included). */
size_t pl_bb_used_bytes(const struct pl_bb *bb);

/* The schema text that the kernel wrote (not terminated), or NULL. */
const char *pl_bb_schema(const struct pl_bb *bb, size_t *len);

/* Does the schema have this type (enum bb_rec_type)? Where it has not, that none is in the log says nothing. */
bool pl_bb_knows(const struct pl_bb *bb, unsigned type);

/* Copy a fixed-size text field of a record as a NUL-terminated printable string. */
void pl_bb_string(char *to, size_t room, const char *field, size_t field_bytes);

/*
 * For people: every record as one line of text, times in seconds, then one line that says how the log stops if it does
 * not stop with its end. Text from the guest is made printable.
 */
enum pl_bb_next pl_bb_print(const struct pl_bb *bb, FILE *out);

/* Is it the mark of this name? */
bool pl_bb_is_mark(const struct bb_rec *rec, const char *name);

/* Names for the enums of format.h: "lock_wait", "swap_in", "mutex" ...; "?" for what is not known. */
const char *pl_bb_type_name(unsigned type);
const char *pl_bb_disk_kind_name(unsigned kind);
/* Which requests read or write what the disk keeps: neither are flushes, and others that no kind is known of. */
bool pl_bb_disk_is_read(unsigned kind);
bool pl_bb_disk_is_write(unsigned kind);
const char *pl_bb_lock_name(unsigned lock_flags); /* "rwsem read", "rwsem write", "mutex", "rtmutex", "percpu rwsem", "semaphore" */

#endif
