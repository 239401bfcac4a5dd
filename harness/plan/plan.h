/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the user's YAML to cells. A cell holds everything that decides its result, by content and not by name; its id
 * is the hash of that. A scenario is a matrix that says how its cells are known to end. Nothing here starts a VM.
 */
#ifndef PL_PLAN_H
#define PL_PLAN_H

#include "base/base.h"
#include "words/verdicts.h"

#define PL_ID_HEX	   17 /* 16 hex digits and NUL: the first 64 bits of the SHA-256 of the inputs */
#define PL_MAX_CELLS	   100000
#define PL_NAME_MAX	   64
#define PL_LABEL_MAX	   512

/*
 * Part of every id. Raise it when something that decides a log and is in no input changes: QEMU's arguments, the kernel
 * command line, how the data partition is made. Cells of older formats then count as other cells.
 */
#define PL_CELL_FORMAT	   1

/* Where things are. Plain paths, no trailing slash. */
struct pl_paths {
	const char *configs; /* configs/: disks/ workloads/ settings/ matrices/ scenarios/ */
	const char *build;   /* build/: kernels/NAME/{vmlinux,manifest.json}  rootfs/{root.img,manifest.json} */
	const char *results; /* results/: ledger.db cells/ */
};

#define PL_MAX_NS_PER_INSTRUCTION 128

enum pl_clock {
	PL_CLOCK_VIRTUAL, /* icount: exact */
	PL_CLOCK_REAL,	  /* KVM where it works, else TCG: statistical */
};

struct pl_machine {
	uint32_t ram_mib;	     /* 64 .. 2048 */
	uint32_t vcpus;		     /* 1 .. 8 */
	uint32_t ns_per_instruction; /* 1, 2, 4 ... PL_MAX_NS_PER_INSTRUCTION: QEMU's icount shift is its logarithm */
	uint32_t blackbox_mib;	     /* 1 .. 1024 */
	enum pl_clock clock;
};

/* How some of a matrix's cells are known to end. Owned by the matrix. */
struct pl_expect {
	enum pl_verdict verdict;
	char *convoy;	     /* fingerprint; NULL: not compared */
	uint32_t *except;    /* seeds of the file that are known to end otherwise */
	size_t nr_except;
	char *origin;	     /* for messages: file and line */
	size_t nr_cells;     /* cells of the matrix it is about; 0 only if the caller chose the seeds */
};

/* Is this one of the seeds that are known to end otherwise? */
bool pl_expect_excepts(const struct pl_expect *expect, uint64_t seed);

/*
 * A cell: its axes (names, for people and reports) and its inputs (contents). Owned by its matrix.
 */
struct pl_cell {
	char id[PL_ID_HEX];
	/* axes */
	char *kernel, *disk, *workload, *setting;
	uint64_t seed;
	uint32_t virtual_seconds;
	struct pl_machine machine;
	/* inputs */
	char *vmlinux;		/* path of the ELF kernel */
	char *vmlinux_sha256;
	char *rootfs;		/* path of the root image */
	char *rootfs_sha256;
	uint32_t root_mib;	/* partition sizes of the modelled disk */
	uint32_t swap_mib;
	uint32_t data_mib;
	uint32_t disk_depth;	/* queue depth, given to the kernel at boot */
	char *program;		/* what the agent is told: lines, see docs/formats.md */
	char *progress;		/* which counter is this workload's progress: the name of a metric, or TASK.KEY */
	char *may_end;		/* NULL, or which tasks may end before `stop`, with which status: "loop=0 a=any" */
	double hung_task_timeout_s;
	char *inputs_json;	/* canonical JSON that the id is the hash of */
	/* where it came from, for messages: matrix file and line */
	char *origin;
	const struct pl_expect *expect; /* NULL: none */
};

struct pl_matrix {
	char *name;
	char *path;
	struct pl_cell *cells;
	size_t nr_cells;
	struct pl_expect *expects; /* in the file's order */
	size_t nr_expects;
	char *note; /* NULL, or one line for the user: cells that are the same by content and therefore run once */
	uint32_t first_seed; /* of the first cell that the file asks for, also where that could not be made */
};

/* Versions that are inputs of every cell; the caller finds them out once (see vm/). */
struct pl_host {
	char qemu_version[64];	     /* as `qemu-system-x86_64 --version` prints it, e.g. "7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)" */
	unsigned qemu_major, qemu_minor;
	char mke2fs_version[32];
};

/* The seeds from, from + 1 ... */
struct pl_seeds {
	uint32_t from;
	uint32_t count; /* 1 .. PL_MAX_CELLS */
};

/*
 * Read and check a matrix and everything it names (kernels built, disks, workloads, settings, sysctl names) and expand
 * it into cells, in the order kernel, disk, workload, setting, seed, include entries last, duplicates removed.
 * seeds take the place of the file's, unless they are NULL; an include that names a seed of its own keeps it.
 * Errors are PL_BAD_INPUT with file:line:column and what was expected.
 */
enum pl_status pl_matrix_load(const char *path, const struct pl_paths *paths, const struct pl_host *host,
			      const struct pl_seeds *seeds, struct pl_matrix *matrix, struct pl_error *err);
void pl_matrix_free(struct pl_matrix *matrix);

/*
 * The same for a caller who takes only cells of this kernel whose label fits this pattern (NULL: any): what is missing
 * or does not fit together is an error only where such a cell needs it. Of the others, the matrix has those that can be
 * made. The pattern "" fits none, and asks for what the file itself says.
 */
enum pl_status pl_matrix_load_only(const char *path, const struct pl_paths *paths, const struct pl_host *host,
				   const struct pl_seeds *seeds, const char *kernel, const char *only,
				   struct pl_matrix *matrix, struct pl_error *err);

/*
 * A knob is anything of a cell that one value can be given for: a sysctl ("vm.dirty_bytes"), a file of /proc or /sys by its
 * path ("/sys/kernel/mm/lru_gen/min_ttl_ms"), mglru, thp, swap ("disk", "none", "zram" or "zram:PERCENT"), zram_percent, a key
 * of the disk ("disk.iops"), a parameter of the workload ("workload.jobs"), or of the machine ("machine.ram_mib", or ram_mib
 * for short).
 */
struct pl_change {
	const char *knob;
	const char *value;  /* NULL: as if no file named it */
	const char *origin; /* for messages: the option or file that says so */
	bool of_range;	    /* value is one of a range of numbers: refused where the knob is a text */
};

/* One combination of a matrix's axes, with something of it changed. Everything may be NULL or none. */
struct pl_variant {
	const char *kernel;	  /* this one, whether the matrix names it or not */
	const char *only;	  /* the first cell whose label fits; NULL: the first */
	const char *setting_path; /* a settings file that is laid over the matrix's: what it does not say stays */
	const struct pl_change *changes;
	size_t nr_changes;
};

/*
 * The cells of a variant, one for each seed, in their order; what else the matrix names may be missing. What is changed
 * is also in the cells' names. Errors name the place in a file as those of pl_matrix_load do, or the change's origin.
 */
enum pl_status pl_matrix_load_variant(const char *path, const struct pl_paths *paths, const struct pl_host *host,
				      const struct pl_seeds *seeds, const struct pl_variant *variant, struct pl_matrix *matrix,
				      struct pl_error *err);

/* What two settings files say differently. Free with pl_differences_free. */
struct pl_difference {
	char *name; /* the knob, or two that exclude each other: "vm.dirty_bytes/vm.dirty_ratio" */
	struct pl_change good[2], bad[2]; /* value NULL: not named there */
	size_t nr;  /* of each */
};
enum pl_status pl_settings_compare(const char *good, const char *bad, const struct pl_paths *paths,
				   struct pl_difference **differences, size_t *nr, struct pl_error *err);
void pl_differences_free(struct pl_difference *differences, size_t nr);

/*
 * The cell that an inputs_json describes, with the axes that the ledger kept of it, as a matrix of one cell. Fails with
 * PL_BAD_INPUT if this host's QEMU, mke2fs, kernel or root image are not those that the cell was made from.
 * progress and may_end are NULL: they are no inputs.
 */
enum pl_status pl_matrix_from_inputs(const char *id, const char *inputs_json, const char *kernel, const char *disk,
				     const char *workload, const char *setting, const struct pl_paths *paths,
				     const struct pl_host *host, struct pl_matrix *matrix, struct pl_error *err);

/* "kernel/disk/workload/setting/seed", cut to the room there is. */
void pl_cell_label(const struct pl_cell *cell, char *label, size_t room);

/* Does the label fit a shell pattern (fnmatch, * matches / too)? */
bool pl_cell_matches(const struct pl_cell *cell, const char *glob);

#endif
