/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a cell is made of, each from its own file; private to plan/. */
#ifndef PL_PLAN_PARTS_H
#define PL_PLAN_PARTS_H

#include "plan/expr.h"
#include "plan/plan.h"
#include "plan/tasks.h"
#include "plan/yaml.h"

/* What rootfs/agent accepts: docs/formats.md, "Agent program". In the black box a struct bb_input comes before it. */
#define PL_PROGRAM_MAX_BYTES (49152 - 16)
#define PL_PROGRAM_MAX_LINES 512
#define PL_MAX_PROCESSES     128
#define PL_MAX_PARAMS	     32

/* The agent's SIGTERM to SIGKILL, in virtual time: long enough for fio to write its summary on a slow disk. */
#define PL_GRACE_MS 5000

/* microvm maps its devices from 3 GiB up, and guest memory must be one range for a memmap= at its end. */
#define PL_MAX_MEMORY_MIB 3072

/* What a change is about. */
enum pl_knob_part { PL_KNOB_SETTING, PL_KNOB_DISK, PL_KNOB_WORKLOAD, PL_KNOB_MACHINE };

/* Which part a knob belongs to, and its name there: "disk.iops" is iops of the disk, and "vm.dirty_bytes" is itself. */
enum pl_knob_part pl_knob_part(const char *knob, const char **key);
/* Does a variant say anything of a part? variant may be NULL. */
bool pl_variant_has(const struct pl_variant *variant, enum pl_knob_part part);
/* Write what a variant says of a part into its file's map, or the file's map of machine. */
void pl_variant_apply(const struct pl_variant *variant, enum pl_knob_part part, struct pl_yaml_node *map);
/* Put into a setting's map what another settings file says and it does not; does that say anything? map may be NULL. */
bool pl_setting_underlay(struct pl_yaml_node *map, const struct pl_yaml *below);
/*
 * Add a text to a name of a cell: without the slash that it begins with, and with dots for the others, which would look like
 * those between a cell's names.
 */
void pl_label_add(struct pl_buf *label, const char *text);
/* "name+knob=value ...": what the part is called then. Caller frees. */
char *pl_variant_label(const struct pl_variant *variant, enum pl_knob_part part, const char *name);

/* A kernel that has been built: build/kernels/NAME/. */
struct pl_kernel {
	char *name;
	char *release; /* as uname -r says it */
	char *vmlinux;
	char *vmlinux_sha256;
};
enum pl_status pl_kernel_load(const char *dir, const char *name, struct pl_kernel *kernel, struct pl_error *err);
void pl_kernel_free(struct pl_kernel *kernel);

/* The guests' root image: build/rootfs/. */
struct pl_rootfs {
	char *image;
	char *sha256;
	uint32_t mib;
};
enum pl_status pl_rootfs_load(const struct pl_paths *paths, struct pl_rootfs *rootfs, struct pl_error *err);
void pl_rootfs_free(struct pl_rootfs *rootfs);

/* configs/sysctls.txt. */
struct pl_sysctl {
	char *name;
	uint32_t series; /* bit i: exists in pl_sysctls.series[i]; 0: in all */
};
#define PL_MAX_SERIES 8
struct pl_sysctls {
	char *path;
	char *series[PL_MAX_SERIES];
	size_t nr_series;
	struct pl_sysctl *list;
	size_t nr_list;
};
enum pl_status pl_sysctls_load(const char *path, struct pl_sysctls *sysctls, struct pl_error *err);
void pl_sysctls_free(struct pl_sysctls *sysctls);
const struct pl_sysctl *pl_sysctls_find(const struct pl_sysctls *sysctls, const char *name);
/* The name that was probably meant, or NULL: a wrong spelling, or the right end without its beginning. */
const char *pl_sysctls_nearest(const struct pl_sysctls *sysctls, const char *name);
/* A series that is not listed has them all: only its guest can know. */
bool pl_sysctls_exists(const struct pl_sysctls *sysctls, const struct pl_sysctl *sysctl, const char *release);

/* configs/disks/NAME.yaml. Zero means no limit, or none of it, unless said. */
struct pl_disk {
	struct pl_yaml yaml;
	const char *name, *description;
	uint32_t depth, swap_mib, data_mib;
	uint32_t scheduler, nr_requests; /* nr_requests 0: the kernel's own choice */
	uint64_t iops, burst_requests, peak_iops;
	uint64_t bytes_per_s, burst_bytes, peak_bytes_per_s;
	uint64_t read_cost_percent, write_cost_percent;
	uint64_t read_latency_us, write_latency_us, latency_sigma_milli, latency_max_us, flush_us;
	char windows[256]; /* as mdisk takes them; "" none */
};
enum pl_status pl_disk_load(const char *path, const char *name, const struct pl_variant *variant, struct pl_disk *disk,
			    struct pl_error *err);
void pl_disk_free(struct pl_disk *disk);
/* The key of a disk's file that a parameter of the kernel's mdisk is set by, or NULL. */
const char *pl_disk_key(const char *parameter);
/* Lines of the agent's program: the block queue's settings, and the disk's profile. */
void pl_disk_queue_lines(const struct pl_disk *disk, struct pl_buf *program);
void pl_disk_lines(const struct pl_disk *disk, uint64_t seed, struct pl_buf *program);

/* Writing one of a pair makes the kernel set the other to 0. Ends with NULLs. */
extern const char *const pl_exclusive_sysctls[][2];

/* configs/settings/NAME.yaml, on top of the base. */
struct pl_setting_value {
	const char *name; /* of a sysctl, or the path of a file */
	char *value;
	const struct pl_yaml_node *at; /* NULL: of the base */
};
struct pl_setting_values {
	struct pl_setting_value *list; /* sorted by name */
	size_t nr;
};
struct pl_setting {
	struct pl_yaml yaml;
	const char *name, *description;
	struct pl_setting_values sysctls, files;
	uint32_t swap; /* index of pl_swap_words */
	uint32_t zram_percent;
	bool mglru;
	uint32_t thp;
	uint32_t hung_task_timeout_s;
};
/* below: what neither the file nor the variant says is taken from this setting's file; or NULL. */
enum pl_status pl_setting_load(const char *path, const char *name, const struct pl_sysctls *sysctls,
			       const struct pl_variant *variant, const struct pl_yaml *below, struct pl_setting *setting,
			       struct pl_error *err);
void pl_setting_free(struct pl_setting *setting);
/* Are all its sysctls in this kernel? */
enum pl_status pl_setting_check(const struct pl_setting *setting, const struct pl_sysctls *sysctls,
				const struct pl_kernel *kernel, struct pl_error *err);
void pl_setting_lines(const struct pl_setting *setting, const struct pl_disk *disk, struct pl_buf *program);
/* May a setting write the file whose path this key of its map is? If it has another key, that is named. */
enum pl_status pl_setting_file_check(const struct pl_yaml *yaml, const struct pl_yaml_node *key, struct pl_error *err);

/* configs/workloads/NAME.yaml. */
struct pl_param {
	const char *name;
	int64_t value;
	const char *text; /* NULL: it is a number */
};
struct pl_workload {
	struct pl_yaml yaml;
	const char *name, *description, *progress;
	struct pl_param params[PL_MAX_PARAMS];
	size_t nr_params;
	const struct pl_yaml_node *prepare; /* NULL or a list of commands */
	const struct pl_yaml_node *tasks;
};
enum pl_status pl_workload_load(const char *path, const char *name, struct pl_workload *workload,
				struct pl_error *err);
void pl_workload_free(struct pl_workload *workload);
/* As pl_cell has it; caller frees. */
char *pl_workload_may_end(const struct pl_workload *workload);

/* A workload with the parameters that a matrix gives it. */
struct pl_use {
	const struct pl_workload *workload;
	char *label; /* "dirty-writer", or "dirty-writer:jobs=8" */
	int64_t values[PL_MAX_PARAMS];
	char *texts[PL_MAX_PARAMS]; /* of those parameters that are texts */
	bool given[PL_MAX_PARAMS];  /* not the workload's own */
};
/* One of a workload that could not be loaded: all it has is a label, with the parameters in the order of params. */
void pl_use_init_unknown(struct pl_use *use, const char *name, const struct pl_yaml_node *params);

/* params may be NULL. The use must be freed after a failure too. */
enum pl_status pl_use_init(struct pl_use *use, const struct pl_workload *workload, const struct pl_yaml *matrix,
			   const struct pl_yaml_node *params, struct pl_error *err);
/* The same use, but for what a variant says of its parameters, which has its own label. */
enum pl_status pl_use_vary(struct pl_use *use, const struct pl_use *from, const struct pl_variant *variant, struct pl_error *err);
/* Are both one workload with the same values of all parameters? Both must have been loaded. */
bool pl_use_equal(const struct pl_use *a, const struct pl_use *b);
void pl_use_free(struct pl_use *use);

/* The prepare lines, or the task lines. Errors are at the command's place in the workload's file. */
enum pl_status pl_use_prepare_lines(const struct pl_use *use, const struct pl_machine *machine, uint64_t seed,
				    uint32_t virtual_seconds, struct pl_buf *program, struct pl_error *err);
enum pl_status pl_use_task_lines(const struct pl_use *use, const struct pl_machine *machine, uint64_t seed,
				 uint32_t virtual_seconds, struct pl_buf *program, struct pl_error *err);

/* Everything of one cell. */
struct pl_parts {
	const struct pl_host *host;
	const struct pl_rootfs *rootfs;
	const struct pl_machine *machine;
	const struct pl_kernel *kernel;
	const struct pl_disk *disk;
	const struct pl_use *use;
	const struct pl_setting *setting;
	uint64_t seed;
	uint32_t virtual_seconds;
	bool holders; /* the recorder is told who holds which lock */
};
/* Fill everything of the cell but its origin. */
enum pl_status pl_cell_init(struct pl_cell *cell, const struct pl_parts *parts, struct pl_error *err);
void pl_cell_free(struct pl_cell *cell);

#endif
