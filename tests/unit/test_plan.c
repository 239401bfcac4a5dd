// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * plan/: a small tree of files is made in a temporary directory, in which each test breaks one thing and looks at the
 * one line that the user gets.
 */
#include "../../rootfs/agent/program.c"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyse/analyse.h"
#include "plan/expr.h"
#include "plan/plan.h"
#include "plan/tasks.h"
#include "plan/yaml.h"

static char temp_dir[] = "/tmp/plimsoll-test-plan.XXXXXX";
static char shipped_configs[PATH_MAX];
static char shipped_ids[PATH_MAX]; /* tests/unit/shipped-ids.tsv */

static const struct pl_paths paths = { .configs = "configs", .build = "build", .results = "results" };
static const struct pl_host host = {
	.qemu_version = "7.2.22 (test)",
	.qemu_major = 7,
	.qemu_minor = 2,
	.mke2fs_version = "1.47.0",
};

static const char good_matrix[] = "name: m\n"
				  "kernels: [ \"6.1\", \"6.12\" ]\n"
				  "disks: [ slow ]\n"
				  "workloads: [ hog, { name: writer, params: { jobs: 8 } } ]\n"
				  "settings: [ plain, early ]\n"
				  "seeds: [ 1, 2 ]\n"
				  "virtual_seconds: 60\n";
static const char good_disk[] = "name: slow\ndepth: 32\nswap_mib: 64\ndata_mib: 128\niops: 500\n";
static const char good_plain[] = "name: plain\n";
static const char good_early[] = "name: early\nsysctl:\n  vm.dirty_background_bytes: 2097152\n";
static const char good_hog[] = "name: hog\nprogress: workload_user_us\nparams: { percent: 120 }\n"
			       "tasks:\n  - { name: hog, command: \"hog {ram_mib * percent / 100} {seed}\" }\n";
static const char good_writer[] = "name: writer\nprogress: workload_write_bytes\nparams: { jobs: 4, size_mib: 16 }\n"
				  "prepare: [ \"mkdir /data/w\" ]\n"
				  "tasks:\n  - name: w\n    copies: \"{jobs}\"\n    command: >-\n      write {size_mib}\n      {{}}\n";
static const char sysctls[] = "# comment\nkernels 6.1 6.12\nkernel.hung_task_timeout_secs\nvm.dirty_background_bytes\n"
			      "vm.dirty_background_ratio\nvm.dirty_bytes\nvm.dirty_ratio\nvm.min_free_kbytes\n"
			      "vm.lowmem_reserve_ratio\nvm.only_new 6.12\n";

#define EARLY "configs/settings/early.yaml:"

static void put(const char *path, const char *text)
{
	struct pl_error err = { 0 };
	char *dir = pl_strdup(path), *slash = strrchr(dir, '/');

	if (slash) {
		*slash = '\0';
		assert_int_equal(pl_mkdirs(dir, &err), PL_OK);
	}
	free(dir);
	assert_int_equal(pl_write_file(path, text, strlen(text), &err), PL_OK);
}

static void put_kernel(const char *name, const char *release, const char *vmlinux)
{
	char hex[PL_SHA256_HEX], *path = pl_asprintf("build/kernels/%s/vmlinux", name);
	char *manifest = pl_asprintf("build/kernels/%s/manifest.json", name);

	put(path, vmlinux);
	assert_int_equal(pl_sha256_file(path, hex, NULL), PL_OK);

	char *json = pl_asprintf("{\"name\":\"%s\",\"release\":\"%s\",\"vmlinux_sha256\":\"%s\"}", name, release, hex);

	put(manifest, json);
	free(json);
	free(manifest);
	free(path);
}

static void put_rootfs(const char *image)
{
	char hex[PL_SHA256_HEX];

	put("build/rootfs/root.img", image);
	assert_int_equal(pl_sha256_file("build/rootfs/root.img", hex, NULL), PL_OK);

	char *json = pl_asprintf("{\"root_sha256\":\"%s\",\"root_mib\":20}", hex);

	put("build/rootfs/manifest.json", json);
	free(json);
}

/* The whole good tree anew, so that no test sees what another one broke. */
static int make_tree(void **state)
{
	(void)state;
	put("m.yaml", good_matrix);
	put("configs/sysctls.txt", sysctls);
	put("configs/disks/slow.yaml", good_disk);
	put("configs/settings/plain.yaml", good_plain);
	put("configs/settings/early.yaml", good_early);
	put("configs/workloads/hog.yaml", good_hog);
	put("configs/workloads/writer.yaml", good_writer);
	put_kernel("6.1", "6.1.192-plimsoll", "kernel 6.1");
	put_kernel("6.12", "6.12.117-plimsoll", "kernel 6.12");
	put_rootfs("root");
	return 0;
}

static enum pl_status load(struct pl_matrix *matrix, struct pl_error *err)
{
	*err = (struct pl_error){ 0 };
	return pl_matrix_load("m.yaml", &paths, &host, NULL, matrix, err);
}

static void load_good(struct pl_matrix *matrix)
{
	struct pl_error err;

	if (load(matrix, &err) != PL_OK)
		fail_msg("%s", err.text);
}

/* "name: m\n..." with one line replaced: the usual way to break a matrix. */
static void put_with_line(const char *path, const char *good, const char *key, const char *line)
{
	const char *at = strstr(good, key);

	assert_non_null(at);

	const char *end = strchr(at, '\n');
	char *text = pl_asprintf("%.*s%s%s", (int)(at - good), good, line, end);

	put(path, text);
	free(text);
}

/* What is built is named by where it really is: make that relative again. */
static void without_cwd(char *text)
{
	char *cwd = realpath(".", NULL), *at;
	size_t len = strlen(cwd) + 1;

	cwd = realloc(cwd, len + 1);
	strcat(cwd, "/");
	while ((at = strstr(text, cwd)))
		memmove(at, at + len, strlen(at + len) + 1);
	free(cwd);
}

static void assert_fails(enum pl_status expected, const char *text)
{
	struct pl_matrix matrix;
	struct pl_error err;
	enum pl_status status = load(&matrix, &err);

	if (status == PL_OK)
		pl_matrix_free(&matrix);
	without_cwd(err.text);
	assert_string_equal(err.text, text);
	assert_int_equal(status, expected);
	assert_int_equal(err.status, expected);
	assert_null(strchr(err.text, '\n'));
}

static void assert_bad_line(const char *key, const char *line, const char *text)
{
	put_with_line("m.yaml", good_matrix, key, line);
	assert_fails(PL_BAD_INPUT, text);
}

static void label_of(const struct pl_matrix *matrix, size_t i, char label[PL_LABEL_MAX])
{
	assert_true(i < matrix->nr_cells);
	pl_cell_label(&matrix->cells[i], label, PL_LABEL_MAX);
}

static void assert_label(const struct pl_matrix *matrix, size_t i, const char *expected)
{
	char label[PL_LABEL_MAX];

	label_of(matrix, i, label);
	assert_string_equal(label, expected);
}

static void expands_in_order(void **state)
{
	struct pl_matrix matrix;

	(void)state;
	load_good(&matrix);
	assert_int_equal(matrix.nr_cells, 2 * 1 * 2 * 2 * 2);
	assert_string_equal(matrix.name, "m");
	assert_null(matrix.note);
	assert_label(&matrix, 0, "6.1/slow/hog/plain/1");
	assert_label(&matrix, 1, "6.1/slow/hog/plain/2");
	assert_label(&matrix, 2, "6.1/slow/hog/early/1");
	assert_label(&matrix, 4, "6.1/slow/writer:jobs=8/plain/1");
	assert_label(&matrix, 8, "6.12/slow/hog/plain/1");
	assert_label(&matrix, 15, "6.12/slow/writer:jobs=8/early/2");
	assert_string_equal(matrix.cells[0].origin, "m.yaml:5");
	assert_true(pl_cell_matches(&matrix.cells[0], "6.1/*"));
	assert_true(pl_cell_matches(&matrix.cells[0], "*/hog/*"));
	assert_false(pl_cell_matches(&matrix.cells[0], "6.12/*"));
	assert_false(pl_cell_matches(&matrix.cells[0], "hog"));
	pl_matrix_free(&matrix);
}

static void writes_the_program(void **state)
{
	struct pl_matrix matrix;

	(void)state;
	load_good(&matrix);
	/* 6.1/slow/writer:jobs=8/early/1 */
	assert_string_equal(matrix.cells[6].program, "plimsoll-cell 1\n"
						     "seed 1\n"
						     "duration_ms 60000\n"
						     "grace_ms 5000\n"
						     "file /sys/kernel/mm/transparent_hugepage/enabled never\n"
						     "mglru off\n"
						     "file /sys/block/mdisk/queue/scheduler none\n"
						     "sysctl kernel.hung_task_check_interval_secs 10\n"
						     "sysctl kernel.hung_task_timeout_secs 120\n"
						     "sysctl kernel.hung_task_warnings -1\n"
						     "sysctl kernel.task_delayacct 1\n"
						     "sysctl vm.dirty_background_bytes 2097152\n"
						     "sysctl vm.oom_dump_tasks 0\n"
						     "swap disk\n"
						     "prepare mkdir /data/w\n"
						     "disk iops 500\n"
						     "disk iops_burst 0\n"
						     "disk iops_peak 0\n"
						     "disk bps 0\n"
						     "disk bps_burst 0\n"
						     "disk bps_peak 0\n"
						     "disk read_cost_pct 100\n"
						     "disk write_cost_pct 100\n"
						     "disk read_lat_us 0\n"
						     "disk write_lat_us 0\n"
						     "disk lat_sigma_milli 0\n"
						     "disk lat_max_us 0\n"
						     "disk flush_us 0\n"
						     "disk seed 1\n"
						     "task w 8 write 16 {}\n");
	assert_string_equal(matrix.cells[6].progress, "workload_write_bytes");
	assert_int_equal(matrix.cells[6].swap_mib, 64);
	assert_int_equal(matrix.cells[6].data_mib, 128);
	assert_int_equal(matrix.cells[6].root_mib, 20);
	assert_int_equal(matrix.cells[6].disk_depth, 32);
	assert_true(matrix.cells[6].hung_task_timeout_s == 120);
	without_cwd(matrix.cells[6].vmlinux);
	assert_string_equal(matrix.cells[6].vmlinux, "build/kernels/6.1/vmlinux");
	assert_non_null(strstr(matrix.cells[1].program, "task hog 1 hog 307 2\n"));
	pl_matrix_free(&matrix);
}

static void settings_reach_the_program(void **state)
{
	struct pl_matrix matrix;

	(void)state;
	put("configs/settings/early.yaml", "name: early\ndescription: d\nmglru: true\nthp: always\n"
					   "swap: { kind: zram, percent: 75 }\nsysctl:\n"
					   "  vm.lowmem_reserve_ratio: \"256\\t 256 32\"\n"
					   "  kernel.hung_task_timeout_secs: 30\n");
	put("configs/disks/slow.yaml", "name: slow\ndepth: 32\nswap_mib: 64\ndata_mib: 128\nscheduler: mq-deadline\n"
				       "nr_requests: 64\nwindows:\n"
				       "  - { from_ms: 0, to_ms: 10, factor_percent: 5000 }\n"
				       "  - { from_ms: 10, to_ms: 20, factor_percent: 100 }\n");
	load_good(&matrix);

	const struct pl_cell *cell = &matrix.cells[2];

	assert_string_equal(cell->setting, "early");
	assert_non_null(strstr(cell->program, "\nfile /sys/kernel/mm/transparent_hugepage/enabled always\nmglru on\n"
					      "file /sys/block/mdisk/queue/scheduler mq-deadline\n"
					      "file /sys/block/mdisk/queue/nr_requests 64\n"));
	assert_non_null(strstr(cell->program, "\nsysctl vm.lowmem_reserve_ratio 256 256 32\n"));
	assert_non_null(strstr(cell->program, "\nsysctl kernel.hung_task_timeout_secs 30\n"));
	assert_null(strstr(cell->program, "hung_task_timeout_secs 120"));
	assert_non_null(strstr(cell->program, "\nswap zram 75\n"));
	assert_non_null(strstr(cell->program, "\ndisk windows 0:10:5000,10:20:100\n"));
	assert_true(cell->hung_task_timeout_s == 30);
	pl_matrix_free(&matrix);
}

/* What may end early is kept with the cell, and is no input of it. */
static void may_end_is_no_input(void **state)
{
	static const struct {
		const char *may_end, *text;
	} cases[] = {
		{ "0", "hog=0" }, { "any", "hog=any" }, { NULL, NULL },
	};
	struct pl_matrix matrix, other;

	(void)state;
	load_good(&matrix);
	assert_null(matrix.cells[0].may_end);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = cases[i].may_end ?
			pl_asprintf("name: hog\nprogress: workload_user_us\nparams: { percent: 120 }\ntasks:\n"
				    "  - { name: hog, command: \"hog {ram_mib * percent / 100} {seed}\", may_end: %s }\n",
				    cases[i].may_end) :
			pl_strdup(good_hog);

		put("configs/workloads/hog.yaml", text);
		load_good(&other);
		assert_string_equal(other.cells[0].workload, "hog");
		assert_string_equal(other.cells[0].id, matrix.cells[0].id);
		assert_int_equal(!other.cells[0].may_end, !cases[i].text);
		if (cases[i].text)
			assert_string_equal(other.cells[0].may_end, cases[i].text);
		pl_matrix_free(&other);
		free(text);
	}
	put("configs/workloads/writer.yaml",
	    "name: writer\nprogress: b.rows\nparams: { jobs: 4, size_mib: 16 }\ntasks:\n"
	    "  - { name: a, may_end: 0, command: a }\n  - { name: b, command: b }\n  - { name: c, command: c, may_end: any }\n");
	load_good(&other);
	assert_string_equal(other.cells[6].may_end, "a=0 c=any");
	assert_string_equal(other.cells[6].progress, "b.rows");
	pl_matrix_free(&other);
	pl_matrix_free(&matrix);
}

/* Before the settings, in a line that the agent takes; included cells as well. */
/* In the order of their paths whatever the file's order is, after the scheduler and before sysctls and swap. */
static void setting_files_reach_the_program(void **state)
{
	static const char lines[] = "mglru on\n"
				    "file /sys/block/mdisk/queue/scheduler none\n"
				    "file /sys/block/mdisk/queue/read_ahead_kb 16\n"
				    "file /sys/kernel/mm/lru_gen/min_ttl_ms 1000\n"
				    "file /sys/kernel/mm/swap/vma_ra_enabled false\n"
				    "file /sys/kernel/mm/transparent_hugepage/defrag defer+madvise\n"
				    "sysctl kernel.hung_task_check_interval_secs 10\n";
	struct pl_matrix matrix;
	char id[PL_ID_HEX];

	put("configs/settings/early.yaml", "name: early\nmglru: true\nfile:\n  /sys/kernel/mm/lru_gen/min_ttl_ms: 1000\n"
					   "  /sys/kernel/mm/transparent_hugepage/defrag: defer+madvise\n"
					   "  /sys/kernel/mm/swap/vma_ra_enabled: false\n"
					   "  /sys/block/mdisk/queue/read_ahead_kb: \"16\\n\"\n");
	load_good(&matrix);
	assert_non_null(strstr(matrix.cells[2].program, lines));
	memcpy(id, matrix.cells[2].id, sizeof(id));
	pl_matrix_free(&matrix);

	put("configs/settings/early.yaml", "name: early\nfile:\n  /sys/kernel/mm/swap/vma_ra_enabled: \"false\"\n"
					   "  /sys/block/mdisk/queue/read_ahead_kb: 16\n"
					   "  /sys/kernel/mm/transparent_hugepage/defrag: defer+madvise\n"
					   "  /sys/kernel/mm/lru_gen/min_ttl_ms: 1000\nmglru: true\n");
	load_good(&matrix);
	assert_string_equal(matrix.cells[2].id, id);
	pl_matrix_free(&matrix);
	/* No file is no line, so that older ids stay. */
	put("configs/settings/early.yaml", "name: early\nfile: {}\n");
	load_good(&matrix);
	assert_non_null(strstr(matrix.note, "6.1/slow/hog/early/1 is by its content the same cell as 6.1/slow/hog/plain/1"));
	pl_matrix_free(&matrix);
	(void)state;
}

static void bad_setting_file(void **state)
{
#define BDI_NAME "expected it by its name below /sys/block/NAME/bdi/, " \
		 "and read_ahead_kb as /sys/block/NAME/queue/read_ahead_kb"
#define PLAIN_PATH "expected a path of at most 255 letters, digits and _ - . : /, without //, /. and a / at its end"
	static const struct {
		const char *path, *error;
	} cases[] = {
		{ "sys/kernel/mm/x", "found \"sys/kernel/mm/x\", expected the path of a file in /proc or /sys" },
		{ "/etc/passwd", "found \"/etc/passwd\", expected the path of a file in /proc or /sys" },
		{ "/sys", "found \"/sys\", expected the path of a file in /proc or /sys" },
		{ "/sys/", "found \"/sys/\", " PLAIN_PATH },
		{ "/sys/../etc/passwd", "found \"/sys/../etc/passwd\", " PLAIN_PATH },
		{ "/sys/kernel//mm/x", "found \"/sys/kernel//mm/x\", " PLAIN_PATH },
		{ "/sys/kernel/./mm", "found \"/sys/kernel/./mm\", " PLAIN_PATH },
		{ "/sys/a b", "found \"/sys/a b\", " PLAIN_PATH },
		{ "/proc/sys/vm/dirty_bytes", "found \"/proc/sys/vm/dirty_bytes\", expected vm.dirty_bytes under sysctl in its place" },
		{ "/sys/kernel/mm/lru_gen/enabled", "found \"/sys/kernel/mm/lru_gen/enabled\", expected mglru: true or false in its place" },
		{ "/sys/kernel/mm/transparent_hugepage/enabled",
		  "found \"/sys/kernel/mm/transparent_hugepage/enabled\", expected thp: never, madvise or always in its place" },
		{ "/sys/block/zram0/disksize",
		  "found \"/sys/block/zram0/disksize\", expected swap: { kind: zram, percent: 50 } in its place" },
		{ "/sys/block/mdisk/queue/scheduler",
		  "found \"/sys/block/mdisk/queue/scheduler\", expected scheduler in the disk's file in its place" },
		{ "/sys/class/block/mdisk/queue/scheduler",
		  "found \"/sys/class/block/mdisk/queue/scheduler\", expected it by its name below /sys/block/" },
		{ "/sys/block/mdisk/bdi/read_ahead_kb",
		  "found \"/sys/block/mdisk/bdi/read_ahead_kb\", expected /sys/block/mdisk/queue/read_ahead_kb in its place" },
		{ "/sys/class/bdi/254:0/read_ahead_kb", "found \"/sys/class/bdi/254:0/read_ahead_kb\", " BDI_NAME },
		{ "/sys/devices/virtual/bdi/254:0/max_ratio", "found \"/sys/devices/virtual/bdi/254:0/max_ratio\", " BDI_NAME },
		{ "/sys/module/mdisk/parameters/iops_burst",
		  "found \"/sys/module/mdisk/parameters/iops_burst\", expected burst_requests in the disk's file in its place" },
		{ "/sys/module/mdisk/parameters/seed",
		  "found \"/sys/module/mdisk/parameters/seed\", expected a key of the disk's file in its place" },
		{ "/sys/module/blackbox/parameters/holders",
		  "found \"/sys/module/blackbox/parameters/holders\", expected holders: true in the matrix in its place" },
		{ "/proc/self/oom_score_adj",
		  "found \"/proc/self/oom_score_adj\", expected a file of the whole machine: this is one of the agent's own" },
		{ "/proc/1/oom_score_adj",
		  "found \"/proc/1/oom_score_adj\", expected a file of the whole machine: this is a process's own" },
	};
	struct pl_buf text = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *error = pl_asprintf(EARLY "3:3: %s", cases[i].error);

		text.len = 0;
		pl_buf_printf(&text, "name: early\nfile:\n  \"%s\": 1\n", cases[i].path);
		put("configs/settings/early.yaml", text.text);
		assert_fails(PL_BAD_INPUT, error);
		free(error);
	}
	put("configs/settings/early.yaml", "name: early\nfile: { /sys/kernel/mm/lru_gen/min_ttl_ms: }\n");
	assert_fails(PL_BAD_INPUT, EARLY "2:44: found nothing, expected 1 to 255 characters for /sys/kernel/mm/lru_gen/min_ttl_ms");
	put("configs/settings/early.yaml", "name: early\nfile: [ 1 ]\n");
	assert_fails(PL_BAD_INPUT, EARLY "2:7: found a list, expected a map of at most 64 paths in /proc or /sys and their values");

	text.len = 0;
	pl_buf_printf(&text, "name: early\nfile:\n");
	for (int i = 0; i < 65; i++)
		pl_buf_printf(&text, "  /sys/%d: 1\n", i);
	put("configs/settings/early.yaml", text.text);
	pl_buf_free(&text);
	assert_fails(PL_BAD_INPUT, EARLY "3:3: found a map, expected a map of at most 64 paths in /proc or /sys and their values");
}

static void holders_come_first(void **state)
{
	static const char line[] = "plimsoll-cell 1\nseed 1\nduration_ms 60000\ngrace_ms 5000\n"
				   "file /sys/module/blackbox/parameters/holders Y\n"
				   "file /sys/kernel/mm/transparent_hugepage/enabled never\n";
	static struct program program;
	char error[PROGRAM_ERROR_BYTES];
	struct pl_matrix matrix;

	(void)state;
	put_with_line("m.yaml", good_matrix, "seeds:",
		      "seeds: [ 1 ]\nholders: true\ninclude: [ { workload: { name: hog, params: { percent: 1 } } } ]");
	load_good(&matrix);
	assert_int_equal(matrix.nr_cells, 8 + 4);
	for (size_t i = 0; i < matrix.nr_cells; i++)
		assert_memory_equal(matrix.cells[i].program, line, strlen(line));
	if (program_parse(matrix.cells[0].program, strlen(matrix.cells[0].program), &program, error))
		fail_msg("%s", error);
	pl_matrix_free(&matrix);

	put_with_line("m.yaml", good_matrix, "name:", "name: m\nholders: false");
	load_good(&matrix);
	assert_null(strstr(matrix.cells[0].program, "holders"));
	pl_matrix_free(&matrix);
}

static void includes_and_excludes(void **state)
{
	struct pl_matrix matrix;
	char *text;

	(void)state;
	text = pl_asprintf("%sexclude:\n"
			   "  - { kernel: \"6.1\", workload: writer }\n"
			   "  - { setting: early, seed: 2 }\n"
			   "include:\n"
			   "  - { kernel: \"6.1\", workload: writer, setting: early, virtual_seconds: 5 }\n"
			   "  - { kernel: \"6.12\", workload: hog, setting: plain }\n"
			   "  - { kernel: \"6.12\", workload: { name: hog, params: { percent: 50 } }, setting: plain, seed: 9 }\n",
			   good_matrix);
	put("m.yaml", text);
	free(text);
	load_good(&matrix);
	/* 16 - 4 (6.1 writers) - 3 (early with seed 2, of which one is gone already) + 2 + 0 (known) + 1 */
	assert_int_equal(matrix.nr_cells, 12);
	assert_null(matrix.note);
	assert_label(&matrix, 0, "6.1/slow/hog/plain/1");
	assert_label(&matrix, 2, "6.1/slow/hog/early/1");
	assert_label(&matrix, 3, "6.12/slow/hog/plain/1");
	assert_label(&matrix, 9, "6.1/slow/writer/early/1");
	assert_int_equal(matrix.cells[9].virtual_seconds, 5);
	assert_non_null(strstr(matrix.cells[9].program, "\nduration_ms 5000\n"));
	assert_non_null(strstr(matrix.cells[9].program, "\ntask w 4 write 16 {}\n"));
	assert_string_equal(matrix.cells[9].origin, "m.yaml:12");
	assert_label(&matrix, 11, "6.12/slow/hog:percent=50/plain/9");
	pl_matrix_free(&matrix);

	text = pl_asprintf("%sexclude: [ { disk: slow } ]\n", good_matrix);
	put("m.yaml", text);
	free(text);
	assert_fails(PL_BAD_INPUT, "m.yaml:1:1: found no cells, expected at least one: everything is excluded");
}

static enum pl_status load_only(const char *kernel, const char *only, struct pl_matrix *matrix, struct pl_error *err)
{
	*err = (struct pl_error){ 0 };

	enum pl_status status = pl_matrix_load_only("m.yaml", &paths, &host, NULL, kernel, only, matrix, err);

	/* What a cell that nobody needs lacks is not why something else fails later. */
	if (status == PL_OK)
		assert_string_equal(err->text, "");
	return status;
}

/* So many cells fit, or this is why one that fits cannot be made. */
static void assert_only(const char *kernel, const char *only, size_t nr, const char *error)
{
	struct pl_matrix matrix;
	struct pl_error err;
	size_t fit = 0;

	if (load_only(kernel, only, &matrix, &err) != PL_OK) {
		assert_string_equal(err.text, error);
		return;
	}
	assert_string_equal(error, "");
	for (size_t i = 0; i < matrix.nr_cells; i++)
		fit += (!kernel || !strcmp(kernel, matrix.cells[i].kernel)) &&
		       (!only || pl_cell_matches(&matrix.cells[i], only));
	assert_int_equal(fit, nr);
	assert_int_equal(matrix.first_seed, 1);
	pl_matrix_free(&matrix);
}

static void needs_only_what_is_selected(void **state)
{
	static const struct {
		const char *file, *fits, *error; /* what is removed, a pattern without it, what is said with it */
	} missing[] = {
		{ "build/kernels/6.12/manifest.json", "6.1/*",
		  "m.yaml:2:19: kernel \"6.12\" is not built: did you mean \"6.1\"? known: 6.1; "
		  "`make kernels` builds those of Debian" },
		{ "configs/workloads/hog.yaml", "*/writer:jobs=8/*",
		  "m.yaml:4:14: unknown workload \"hog\": known: writer" },
		{ "configs/workloads/writer.yaml", "*/hog/*", "m.yaml:4:27: unknown workload \"writer\": known: hog" },
		{ "configs/settings/early.yaml", "*/plain/*", "m.yaml:5:20: unknown setting \"early\": known: plain" },
	};
	struct pl_matrix matrix;
	struct pl_error err;

	for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
		make_tree(state);
		assert_int_equal(unlink(missing[i].file), 0);
		assert_fails(PL_BAD_INPUT, missing[i].error);
		assert_only(NULL, "*", 0, missing[i].error);
		assert_only(NULL, missing[i].fits, 8, "");
		assert_only(NULL, "*/2", 0, missing[i].error);
		assert_only(NULL, "", 0, "");
	}
	make_tree(state);
	unlink("build/kernels/6.12/manifest.json");
	assert_only("6.1", NULL, 8, "");
	assert_only("6.1", "*/1", 4, "");
	assert_only("6.12", NULL, 0, missing[0].error);
	/* An expectation of what is missing is none of what is there. */
	put_with_line("m.yaml", good_matrix, "virtual_seconds:",
		      "virtual_seconds: 60\nexpect: [ { kernel: \"6.12\", verdict: hung } ]");
	assert_only(NULL, "6.1/*", 8, "");

	/* A disk that nobody selects may be missing, be no disk, or be too large. */
	make_tree(state);
	put_with_line("m.yaml", good_matrix, "disks:", "disks: [ other, slow ]");
	assert_only(NULL, "*/slow/*", 16, "");
	assert_only(NULL, "*/hog/*", 0, "m.yaml:3:10: unknown disk \"other\": known: slow");
	put("configs/disks/other.yaml", "name: other\nspeed: 3\n");
	assert_only(NULL, "*/slow/*", 16, "");
	assert_int_equal(load_only(NULL, "*/other/*", &matrix, &err), PL_BAD_INPUT);
	assert_non_null(strstr(err.text, "configs/disks/other.yaml:2:1: unknown key \"speed\""));
	put("configs/disks/other.yaml", "name: other\ndepth: 32\nswap_mib: 2048\ndata_mib: 2048\niops: 500\n");
	assert_only(NULL, "*/slow/*", 16, "");

	/* One combination needs no more, and not even the matrix's kernels if it has one of its own. */
	make_tree(state);
	unlink("build/kernels/6.1/manifest.json");
	unlink("configs/settings/early.yaml");
	const struct pl_variant first = { 0 }, own = { .kernel = "6.12" }, unbuilt = { .kernel = "6.1" };

	assert_int_equal(pl_matrix_load_variant("m.yaml", &paths, &host, NULL, &first, &matrix, &err), PL_BAD_INPUT);
	assert_non_null(strstr(err.text, "m.yaml:2:12: kernel \"6.1\" is not built"));
	assert_int_equal(pl_matrix_load_variant("m.yaml", &paths, &host, NULL, &unbuilt, &matrix, &err), PL_BAD_INPUT);
	assert_int_equal(pl_matrix_load_variant("m.yaml", &paths, &host, NULL, &own, &matrix, &err), PL_OK);
	pl_matrix_free(&matrix);
	unlink("build/kernels/6.12/manifest.json");
	put_kernel("tree", "7.0", "a kernel of somebody's");
	const struct pl_variant tree = { .kernel = "tree" };

	assert_int_equal(pl_matrix_load_variant("m.yaml", &paths, &host, NULL, &tree, &matrix, &err), PL_OK);
	assert_int_equal(matrix.nr_cells, 2);
	pl_matrix_free(&matrix);
	unlink("build/kernels/tree/manifest.json");
	unlink("configs/disks/other.yaml");
}

static void byte_order_mark(void **state)
{
	struct pl_matrix with, without;
	char *marked = pl_asprintf("\xef\xbb\xbf%s", good_matrix);

	(void)state;
	load_good(&without);
	put("m.yaml", marked);
	free(marked);
	load_good(&with);
	assert_string_equal(with.name, without.name);
	assert_int_equal(with.nr_cells, without.nr_cells);
	for (size_t i = 0; i < with.nr_cells; i++)
		assert_string_equal(with.cells[i].id, without.cells[i].id);
	pl_matrix_free(&with);
	pl_matrix_free(&without);
}

static void seeds_as_range(void **state)
{
	struct pl_matrix matrix;

	(void)state;
	put_with_line("m.yaml", good_matrix, "seeds:", "seeds: { from: 4294967290, count: 6 }");
	load_good(&matrix);
	assert_int_equal(matrix.nr_cells, 48);
	assert_true(matrix.cells[0].seed == 4294967290);
	assert_true(matrix.cells[5].seed == 4294967295);
	pl_matrix_free(&matrix);
	assert_bad_line("seeds:", "seeds: { from: 4294967290, count: 7 }",
			"m.yaml:6:16: found a last seed of 4294967296, expected at most 4294967295");
}

static enum pl_status load_seeds(uint32_t from, uint32_t count, struct pl_matrix *matrix, struct pl_error *err)
{
	const struct pl_seeds seeds = { .from = from, .count = count };

	return pl_matrix_load("m.yaml", &paths, &host, &seeds, matrix, err);
}

static void seeds_of_the_caller(void **state)
{
	static const uint32_t bad[][2] = { { 1, 0 }, { 0, 100001 }, { 4294967295, 2 } };
	struct pl_matrix matrix;
	struct pl_error err;
	char id[PL_ID_HEX];

	(void)state;
	put_with_line("m.yaml", good_matrix, "seeds:",
		      "seeds: [ 1, 2 ]\nexclude: [ { setting: early, seed: 8 } ]\n"
		      "include:\n  - { workload: writer, setting: plain }\n  - { workload: writer, setting: early, seed: 2 }");
	load_good(&matrix);
	assert_int_equal(matrix.nr_cells, 16 + 4 + 2);
	assert_label(&matrix, 17, "6.1/slow/writer/plain/2");
	memcpy(id, matrix.cells[17].id, sizeof(id));
	pl_matrix_free(&matrix);

	assert_int_equal(load_seeds(2, 7, &matrix, &err), PL_OK);
	/* Excludes count as ever, an include follows, and one with its own seed keeps that. */
	assert_int_equal(matrix.nr_cells, 8 * 7 - 4 + 2 * 7 + 2);
	assert_label(&matrix, 0, "6.1/slow/hog/plain/2");
	assert_label(&matrix, 6, "6.1/slow/hog/plain/8");
	assert_label(&matrix, 13, "6.1/slow/writer:jobs=8/plain/2");
	assert_label(&matrix, 52, "6.1/slow/writer/plain/2");
	assert_string_equal(matrix.cells[52].id, id);
	assert_label(&matrix, 66, "6.1/slow/writer/early/2");
	pl_matrix_free(&matrix);

	assert_int_equal(load_seeds(4294967295, 1, &matrix, &err), PL_OK);
	assert_true(matrix.cells[0].seed == 4294967295);
	pl_matrix_free(&matrix);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *text = pl_asprintf("m.yaml: found %u seeds from %u on, expected 1 to 100000, the last at most 4294967295",
					 bad[i][1], bad[i][0]);

		assert_int_equal(load_seeds(bad[i][0], bad[i][1], &matrix, &err), PL_BAD_INPUT);
		assert_string_equal(err.text, text);
		free(text);
	}

	/* A bad list in the file is an error all the same. */
	put_with_line("m.yaml", good_matrix, "seeds:", "seeds: [ 1, 1 ]");
	assert_int_equal(load_seeds(1, 2, &matrix, &err), PL_BAD_INPUT);
	assert_string_equal(err.text, "m.yaml:6:13: found seed 1 twice, expected once");
}

/* The good matrix with one of its settings only in an include, as a scenario has its negative controls. */
#define SCENARIO                                                                       \
	"name: s\nkernels: [ \"6.1\", \"6.12\" ]\ndisks: [ slow ]\n"                    \
	"workloads: [ hog, { name: writer, params: { jobs: 8 } } ]\nsettings: [ plain ]\n" \
	"seeds: [ 1, 2, 3 ]\nvirtual_seconds: 60\n"                                    \
	"include: [ { workload: writer, setting: early }, { kernel: \"6.1\", workload: hog, setting: early, seed: 9 } ]\n"

static const struct pl_expect *expect_of(const struct pl_matrix *matrix, const char *label)
{
	for (size_t i = 0; i < matrix->nr_cells; i++)
		if (pl_cell_matches(&matrix->cells[i], label))
			return matrix->cells[i].expect;
	fail_msg("no cell %s", label);
	return NULL;
}

static void expectations(void **state)
{
	static const char good[] = SCENARIO
		"expect:\n"
		"  - { kernel: \"6.1\", workload: hog, setting: plain, verdict: hung, convoy: \"rwsem: io <- fault\",\n"
		"      except: [ 3, 1 ] }\n"
		"  - { setting: early, verdict: completed }\n"
		"  - { disk: slow, workload: writer, verdict: oom }\n";
	struct pl_matrix matrix;
	struct pl_error err;

	(void)state;
	put("m.yaml", good);
	load_good(&matrix);
	assert_int_equal(matrix.nr_cells, 2 * 2 * 3 + 2 * 3 + 1);
	assert_int_equal(matrix.nr_expects, 3);

	const struct pl_expect *hung = &matrix.expects[0], *completed = &matrix.expects[1], *oom = &matrix.expects[2];

	assert_int_equal(hung->verdict, PL_HUNG);
	assert_string_equal(hung->convoy, "rwsem: io <- fault");
	assert_int_equal(hung->nr_except, 2);
	assert_true(pl_expect_excepts(hung, 1));
	assert_false(pl_expect_excepts(hung, 2));
	assert_true(pl_expect_excepts(hung, 3));
	assert_string_equal(hung->origin, "m.yaml:10");
	assert_int_equal(hung->nr_cells, 3);
	assert_int_equal(completed->verdict, PL_COMPLETED);
	assert_null(completed->convoy);
	assert_int_equal(completed->nr_except, 0);
	assert_false(pl_expect_excepts(completed, 1));
	assert_int_equal(completed->nr_cells, 7);
	/* A plain name fits a workload with any parameters; the included writers are the entry's before. */
	assert_int_equal(oom->nr_cells, 6);
	assert_ptr_equal(expect_of(&matrix, "6.1/slow/hog/plain/1"), hung);
	assert_ptr_equal(expect_of(&matrix, "6.1/slow/hog/plain/2"), hung);
	assert_null(expect_of(&matrix, "6.12/slow/hog/plain/1"));
	assert_ptr_equal(expect_of(&matrix, "6.12/slow/writer:jobs=8/plain/3"), oom);
	assert_ptr_equal(expect_of(&matrix, "6.12/slow/writer/early/3"), completed);
	assert_ptr_equal(expect_of(&matrix, "6.1/slow/hog/early/9"), completed);
	pl_matrix_free(&matrix);

	/* Exceptions are of the file's seeds, whichever are run. */
	assert_int_equal(load_seeds(3, 2, &matrix, &err), PL_OK);
	hung = expect_of(&matrix, "6.1/slow/hog/plain/4");
	assert_ptr_equal(hung, &matrix.expects[0]);
	assert_int_equal(hung->nr_cells, 2);
	assert_int_equal(hung->nr_except, 2);
	assert_true(pl_expect_excepts(hung, 3));
	assert_false(pl_expect_excepts(hung, 4));
	pl_matrix_free(&matrix);

	/* No cell that is not excepted, and no cell at all. */
	assert_int_equal(load_seeds(1, 1, &matrix, &err), PL_OK);
	assert_int_equal(matrix.expects[0].nr_cells, 1);
	pl_matrix_free(&matrix);
	put("m.yaml", SCENARIO "exclude: [ { kernel: \"6.1\", seed: 4 } ]\n"
			       "expect: [ { kernel: \"6.1\", setting: plain, verdict: oom } ]\n");
	assert_int_equal(load_seeds(4, 1, &matrix, &err), PL_OK);
	assert_int_equal(matrix.expects[0].nr_cells, 0);
	pl_matrix_free(&matrix);

	/* Nothing expected, and no word of it in what the id is of. */
	put("m.yaml", SCENARIO);
	load_good(&matrix);
	assert_int_equal(matrix.nr_expects, 0);
	assert_null(matrix.cells[0].expect);

	struct pl_matrix with;

	put("m.yaml", good);
	load_good(&with);
	assert_string_equal(with.cells[0].id, matrix.cells[0].id);
	pl_matrix_free(&with);
	pl_matrix_free(&matrix);
}

static void bad_expectations(void **state)
{
#define NO_CELL "found no cell for this entry, expected one that no entry before it fits"
	static const struct {
		const char *lines, *error;
	} cases[] = {
		{ "expect: { verdict: hung }", "m.yaml:9:9: found a map, expected a list of maps for expect" },
		{ "expect: [ hung ]",
		  "m.yaml:9:11: found \"hung\", expected a map with kernel, disk, workload, setting, verdict, convoy, except" },
		{ "expect: [ { kernel: \"6.1\" } ]", "m.yaml:9:11: found no key \"verdict\", expected it here" },
		{ "expect: [ { verdict: hang } ]",
		  "m.yaml:9:22: found \"hang\", expected completed, hung, oom, frozen or panic for verdict" },
		{ "expect: [ { verdict: incomplete } ]",
		  "m.yaml:9:22: found \"incomplete\", expected completed, hung, oom, frozen or panic for verdict" },
		{ "expect: [ { verdict: hung, seed: 1 } ]",
		  "m.yaml:9:28: unknown key \"seed\": known: kernel, disk, workload, setting, verdict, convoy, except" },
		{ "expect: [ { verdict: hung, kernel: \"6.6\" } ]",
		  "m.yaml:9:36: kernel \"6.6\" is none of this matrix: did you mean \"6.1\"? known: 6.1, 6.12" },
		{ "expect: [ { verdict: hung, setting: erly } ]",
		  "m.yaml:9:37: setting \"erly\" is none of this matrix: did you mean \"early\"? known: plain, early" },
		{ "expect: [ { verdict: hung, workload: \"writer:jobs=9\" } ]",
		  "m.yaml:9:38: workload \"writer:jobs=9\" is none of this matrix: did you mean \"writer:jobs=8\"? known: hog, "
		  "writer:jobs=8, writer" },
		{ "expect: [ { verdict: hung, disk: [ slow ] } ]", "m.yaml:9:34: found a list, expected text for disk" },
		{ "expect: [ { verdict: hung, convoy: [] } ]", "m.yaml:9:36: found an empty list, expected text for convoy" },
		{ "expect: [ { verdict: hung, convoy: \"\" } ]",
		  "m.yaml:9:36: found \"\", expected a fingerprint for convoy, or no such key: it is not compared then" },
		{ "expect: [ { verdict: hung, except: 1 } ]", "m.yaml:9:36: found \"1\", expected a list of seeds for except" },
		{ "expect: [ { verdict: hung, except: [] } ]", "m.yaml:9:36: found an empty list, expected a list of seeds for except" },
		{ "expect: [ { verdict: hung, except: [ x ] } ]",
		  "m.yaml:9:38: found \"x\", expected an integer from 0 to 4294967295 for a seed" },
		{ "expect: [ { verdict: hung, except: [ 1, 1 ] } ]", "m.yaml:9:41: found seed 1 twice, expected once" },
		{ "expect: [ { verdict: hung, except: [ 1, 4 ] } ]",
		  "m.yaml:9:41: found \"4\", expected one of this file's seeds for except" },
		{ "expect: [ { verdict: hung, setting: plain, except: [ 1, 2, 3 ] } ]",
		  "m.yaml:9:52: found every seed excepted, expected at least one that is not" },
		/* Both are somewhere in the file, but not together. */
		{ "expect:\n  - { kernel: \"6.12\", workload: hog, setting: early, verdict: oom }", "m.yaml:10:5: " NO_CELL },
		{ "expect:\n  - { verdict: hung }\n  - { kernel: \"6.1\", verdict: oom }", "m.yaml:11:5: " NO_CELL },
		{ "exclude: [ { kernel: \"6.1\" } ]\nexpect: [ { kernel: \"6.1\", setting: plain, verdict: oom } ]",
		  "m.yaml:10:11: " NO_CELL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = pl_asprintf(SCENARIO "%s\n", cases[i].lines);

		put("m.yaml", text);
		free(text);
		assert_fails(PL_BAD_INPUT, cases[i].error);
	}
	/* An include's only seed. */
	put_with_line("m.yaml", SCENARIO "expect: [ { kernel: \"6.1\", workload: hog, setting: early, verdict: oom, except: [ 9 ] } ]\n",
		      "seeds:", "seeds: [ 8, 9 ]");
	assert_fails(PL_BAD_INPUT, "m.yaml:9:81: found every seed excepted, expected at least one that is not");
}

static void same_content_runs_once(void **state)
{
	struct pl_matrix matrix;

	(void)state;
	put("configs/settings/early.yaml", "name: early\nthp: never\nswap: disk\n");
	load_good(&matrix);
	assert_int_equal(matrix.nr_cells, 8);
	assert_string_equal(matrix.note, "6.1/slow/hog/early/1 is by its content the same cell as 6.1/slow/hog/plain/1 and "
					 "runs once, as the latter; so are 7 more");
	pl_matrix_free(&matrix);
}

static void first_id(char id[PL_ID_HEX])
{
	struct pl_matrix matrix;

	load_good(&matrix);
	memcpy(id, matrix.cells[0].id, PL_ID_HEX);
	pl_matrix_free(&matrix);
}

static void ids_are_of_contents(void **state)
{
	char first[PL_ID_HEX], id[PL_ID_HEX];
	struct pl_matrix matrix;

	first_id(first);
	assert_int_equal(strlen(first), PL_ID_HEX - 1);
	first_id(id);
	assert_string_equal(id, first);

	/* Order, comments, names, descriptions and what the cell does not use change nothing. */
	put("configs/disks/slow.yaml", "# another\niops: 500\ndescription: x\ndata_mib: 128\nswap_mib: 64\ndepth: 32\nname: slow\n");
	put("configs/settings/early.yaml", "name: early\n");
	put_with_line("m.yaml", good_matrix, "name: m", "name: other\nmachine: { ram_mib: 256 }\nholders: false");
	first_id(id);
	assert_string_equal(id, first);
	put("configs/settings/otherwise.yaml", "name: otherwise\n");
	put_with_line("m.yaml", good_matrix, "settings:", "settings: [ otherwise ]");
	first_id(id);
	assert_string_equal(id, first);

	/* Every input changes it. */
	static const struct {
		const char *path, *good, *key, *line;
	} changes[] = {
		{ "m.yaml", good_matrix, "seeds:", "seeds: [ 3 ]" },
		{ "m.yaml", good_matrix, "virtual_seconds:", "virtual_seconds: 61" },
		{ "m.yaml", good_matrix, "name: m", "name: m\nmachine: { ram_mib: 257 }" },
		{ "m.yaml", good_matrix, "name: m", "name: m\nmachine: { ns_per_instruction: 8 }" },
		{ "m.yaml", good_matrix, "name: m", "name: m\nmachine: { blackbox_mib: 65 }" },
		{ "m.yaml", good_matrix, "name: m", "name: m\nmachine: { clock: real }" },
		{ "m.yaml", good_matrix, "name: m", "name: m\nmachine: { clock: real, vcpus: 2 }" },
		{ "m.yaml", good_matrix, "name: m", "name: m\nholders: true" },
		{ "m.yaml", good_matrix, "workloads:", "workloads: [ { name: hog, params: { percent: 121 } } ]" },
		{ "configs/disks/slow.yaml", good_disk, "depth:", "depth: 33" },
		{ "configs/disks/slow.yaml", good_disk, "swap_mib:", "swap_mib: 65" },
		{ "configs/disks/slow.yaml", good_disk, "data_mib:", "data_mib: 129" },
		{ "configs/disks/slow.yaml", good_disk, "iops:", "iops: 501" },
		{ "configs/settings/plain.yaml", good_plain, "name:", "name: plain\nmglru: true" },
		{ "configs/settings/plain.yaml", good_plain, "name:", "name: plain\nsysctl: { vm.min_free_kbytes: 9 }" },
		{ "configs/settings/plain.yaml", good_plain, "name:", "name: plain\nfile: { /sys/kernel/mm/lru_gen/min_ttl_ms: 9 }" },
		{ "configs/workloads/hog.yaml", good_hog, "params:", "params: { percent: 119 }" },
	};
	char seen[sizeof(changes) / sizeof(*changes)][PL_ID_HEX];

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		make_tree(state);
		put_with_line(changes[i].path, changes[i].good, changes[i].key, changes[i].line);
		first_id(seen[i]);
		assert_string_not_equal(seen[i], first);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(seen[i], seen[j]);
	}
	make_tree(state);
	put_kernel("6.1", "6.1.192-plimsoll", "another kernel");
	first_id(id);
	assert_string_not_equal(id, first);
	make_tree(state);
	put_rootfs("another root");
	first_id(id);
	assert_string_not_equal(id, first);

	make_tree(state);
	for (int i = 0; i < 2; i++) {
		struct pl_host other = host;
		struct pl_error err;

		snprintf(i ? other.mke2fs_version : other.qemu_version, 8, "other");
		assert_int_equal(pl_matrix_load("m.yaml", &paths, &other, NULL, &matrix, &err), PL_OK);
		assert_string_not_equal(matrix.cells[0].id, first);
		pl_matrix_free(&matrix);
	}
}

static void id_is_the_hash_of_canonical_json(void **state)
{
	static const char expected[] =
		"{\"disk\":{\"data_mib\":128,\"depth\":32,\"root_mib\":20,\"swap_mib\":64},\"format\":1,"
		"\"hung_task_timeout_s\":120,\"machine\":{\"blackbox_mib\":64,\"clock\":\"virtual\",\"ns_per_instruction\":4,"
		"\"ram_mib\":256,\"vcpus\":1},\"mke2fs_version\":\"1.47.0\",\"program\":\"plimsoll-cell 1\\nseed 1\\n";
	struct pl_matrix matrix;
	char hex[PL_SHA256_HEX];

	(void)state;
	load_good(&matrix);
	assert_memory_equal(matrix.cells[0].inputs_json, expected, strlen(expected));
	put("inputs", matrix.cells[0].inputs_json);
	assert_int_equal(pl_sha256_file("inputs", hex, NULL), PL_OK);
	assert_memory_equal(hex, matrix.cells[0].id, PL_ID_HEX - 1);
	pl_matrix_free(&matrix);
}

static enum pl_status again(const struct pl_cell *cell, const struct pl_host *on, struct pl_matrix *matrix,
			    struct pl_error *err)
{
	return pl_matrix_from_inputs(cell->id, cell->inputs_json, cell->kernel, cell->disk, cell->workload, cell->setting,
				     &paths, on, matrix, err);
}

static void comes_back_from_its_inputs(void **state)
{
	struct pl_matrix matrix, copy;
	struct pl_host other = host;
	struct pl_error err = { 0 };

	(void)state;
	put_with_line("m.yaml", good_matrix, "name: m", "name: m\nmachine: { ram_mib: 300, ns_per_instruction: 2, blackbox_mib: 9 }");
	load_good(&matrix);

	struct pl_cell *cell = &matrix.cells[7];

	assert_int_equal(again(cell, &host, &copy, &err), PL_OK);
	assert_int_equal(copy.nr_cells, 1);
	assert_string_equal(copy.cells[0].id, cell->id);
	assert_string_equal(copy.cells[0].program, cell->program);
	assert_string_equal(copy.cells[0].inputs_json, cell->inputs_json);
	assert_string_equal(copy.cells[0].vmlinux, cell->vmlinux);
	assert_string_equal(copy.cells[0].rootfs, cell->rootfs);
	assert_memory_equal(&copy.cells[0].machine, &cell->machine, sizeof(cell->machine));
	assert_int_equal(copy.cells[0].seed, cell->seed);
	assert_int_equal(copy.cells[0].virtual_seconds, 60);
	assert_int_equal(copy.cells[0].swap_mib, 64);
	assert_int_equal(copy.cells[0].root_mib, 20);
	assert_true(copy.cells[0].hung_task_timeout_s == 120);
	pl_matrix_free(&copy);

	snprintf(other.qemu_version, sizeof(other.qemu_version), "10.0.2");
	assert_int_equal(again(cell, &other, &copy, &err), PL_BAD_INPUT);
	assert_non_null(strstr(err.text, "was run with QEMU \"7.2.22 (test)\" and here is \"10.0.2\""));

	put_kernel("6.1", "6.1.193", "newer");
	assert_int_equal(again(cell, &host, &copy, &err), PL_BAD_INPUT);
	assert_non_null(strstr(err.text, "was run with kernel"));

	cell->inputs_json[strlen(cell->inputs_json) - 2] ^= 1;
	assert_int_equal(again(cell, &host, &copy, &err), PL_BAD_INPUT);
	assert_non_null(strstr(err.text, "they are not what the id is the hash of"));
	pl_matrix_free(&matrix);
}

/* One broken file each: which, with what, and the whole message. */
static void bad_yaml(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "", "m.yaml:1:1: found an empty file, expected a map" },
		{ "# only a comment\n", "m.yaml:1:1: found an empty file, expected a map" },
		{ "- a\n", "m.yaml:1:1: found a list, expected a map" },
		{ "name: m\n---\nname: n\n", "m.yaml:2:1: found a second document, expected one in a file" },
		{ "name: &a m\n", "m.yaml:1:7: found an anchor, expected a plain value: anchors, aliases and tags are not read" },
		{ "name: *a\n", "m.yaml:1:7: found an alias, expected a plain value: anchors, aliases and tags are not read" },
		{ "name: !!str m\n", "m.yaml:1:7: found a tag, expected a plain value: anchors, aliases and tags are not read" },
		{ "name: m\nname: n\n", "m.yaml:2:1: found key \"name\" twice, expected once; the first is in line 1" },
		{ "name: m\n? [ a ]\n: b\n", "m.yaml:2:3: found a list, expected a key" },
		{ "name: [ a\n", "m.yaml:2:1: not valid YAML: while parsing a flow sequence, did not find expected ',' or ']'" },
		{ "name: \"a\\x01\"\n", "m.yaml:1:7: found control character 0x01, expected text" },
		{ "name: m\nx: \xff\n", "m.yaml:2:4: not valid YAML: invalid leading UTF-8 octet, expected UTF-8 text" },
		{ "a: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]\n",
		  "m.yaml:1:19: found more than 16 levels, one inside the other" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put("m.yaml", cases[i].text);
		assert_fails(PL_BAD_INPUT, cases[i].error);

		/* No place is another for it. */
		char *marked = pl_asprintf("\xef\xbb\xbf%s", cases[i].text);

		put("m.yaml", marked);
		assert_fails(PL_BAD_INPUT, cases[i].error);
		free(marked);
	}
	put("m.yaml", "\xef\xbb");
	assert_fails(PL_BAD_INPUT, "m.yaml:1:1: not valid YAML: incomplete UTF-8 octet sequence, expected UTF-8 text");
	unlink("m.yaml");
	assert_fails(PL_BAD_INPUT, "m.yaml: No such file or directory");
	mkdir("m.yaml", 0755);
	assert_fails(PL_BAD_INPUT, "m.yaml: not a file");
	rmdir("m.yaml");
	mkfifo("m.yaml", 0600);
	assert_fails(PL_BAD_INPUT, "m.yaml: not a file");
	unlink("m.yaml");

	char *big = pl_calloc(PL_YAML_MAX_BYTES + 2, 1);

	memset(big, '#', PL_YAML_MAX_BYTES + 1);
	put("m.yaml", big);
	free(big);
	assert_fails(PL_BAD_INPUT, "m.yaml: larger than the 1048576 bytes allowed");
}

static void too_much_yaml(void **state)
{
	struct pl_buf text = { 0 };

	(void)state;
	pl_buf_printf(&text, "%sexclude: [", good_matrix);
	for (int i = 0; i < 4097; i++)
		pl_buf_printf(&text, "{seed: 1},");
	pl_buf_printf(&text, "]\n");
	put("m.yaml", text.text);
	assert_fails(PL_BAD_INPUT, "m.yaml:8:40971: found more than 4096 items in one list");
	pl_buf_free(&text);
	for (int i = 0; i < 513; i++)
		pl_buf_printf(&text, "k%d: 1\n", i);
	put("m.yaml", text.text);
	assert_fails(PL_BAD_INPUT, "m.yaml:513:1: found more than 512 keys in one map");
	pl_buf_free(&text);

	/* As many open brackets as fit: must neither overflow the stack nor take long. */
	char *deep = pl_calloc(PL_YAML_MAX_BYTES, 1);

	memset(deep, '[', PL_YAML_MAX_BYTES - 1);
	put("m.yaml", deep);
	free(deep);
	assert_fails(PL_BAD_INPUT, "m.yaml:1:17: found more than 16 levels, one inside the other");
}

static void bad_matrix(void **state)
{
	static const struct {
		const char *key, *line, *error;
	} cases[] = {
		{ "kernels:", "kernals: [ \"6.1\" ]",
		  "m.yaml:2:1: unknown key \"kernals\": did you mean \"kernels\"? known: name, description, kernels, machine, holders, "
		  "disks, workloads, settings, seeds, virtual_seconds, exclude, include, expect, claim" },
		{ "seeds:", "# none", "m.yaml:1:1: found no key \"seeds\", expected it here" },
		{ "name:", "name: a/b", "m.yaml:1:7: found \"a/b\", expected a name (letters, digits, . _ + -, at most 63) for name" },
		{ "name:", "name:", "m.yaml:1:6: found nothing, expected a name (letters, digits, . _ + -, at most 63) for name" },
		{ "kernels:", "kernels: 6.1", "m.yaml:2:10: found \"6.1\", expected a list of kernels" },
		{ "kernels:", "kernels: []", "m.yaml:2:10: found an empty list, expected a list of kernels" },
		{ "kernels:", "kernels: [ 6.1, 6.6 ]",
		  "m.yaml:2:17: kernel \"6.6\" is not built: did you mean \"6.1\"? known: 6.1, 6.12; `make kernels` builds those of "
		  "Debian" },
		{ "kernels:", "kernels: [ 6.1, 6.1 ]", "m.yaml:2:17: found kernel \"6.1\" twice, expected once" },
		{ "disks:", "disks: [ slwo ]", "m.yaml:3:10: unknown disk \"slwo\": did you mean \"slow\"? known: slow" },
		{ "disks:", "disks: [ ../slow ]",
		  "m.yaml:3:10: found \"../slow\", expected a name (letters, digits, . _ + -, at most 63) for disk" },
		{ "workloads:", "workloads: [ tree ]", "m.yaml:4:14: unknown workload \"tree\": known: hog, writer" },
		{ "workloads:", "workloads: [ { nam: hog } ]", "m.yaml:4:16: unknown key \"nam\": did you mean \"name\"? known: name, params" },
		{ "workloads:", "workloads: [ { name: hog, params: { percnt: 1 } } ]",
		  "m.yaml:4:37: unknown parameter \"percnt\" of workload hog: did you mean \"percent\"? known: percent" },
		{ "workloads:", "workloads: [ { name: hog, params: { percent: many } } ]",
		  "m.yaml:4:46: found \"many\", expected an integer from -1000000000000 to 1000000000000 for percent" },
		{ "workloads:", "workloads: [ { name: hog, params: 3 } ]",
		  "m.yaml:4:35: found \"3\", expected a map of parameters and values" },
		{ "settings:", "settings: [ plain, [ early ] ]",
		  "m.yaml:5:20: found a list, expected a name (letters, digits, . _ + -, at most 63) for setting" },
		{ "seeds:", "seeds: 1", "m.yaml:6:8: found \"1\", expected a list of seeds or { from: 1, count: 20 }" },
		{ "seeds:", "seeds: [ 1, 01 ]", "m.yaml:6:13: found \"01\", expected an integer from 0 to 4294967295 for a seed" },
		{ "seeds:", "seeds: [ -1 ]", "m.yaml:6:10: found \"-1\", expected an integer from 0 to 4294967295 for a seed" },
		{ "seeds:", "seeds: [ 99999999999999999999 ]",
		  "m.yaml:6:10: found \"99999999999999999999\", expected an integer from 0 to 4294967295 for a seed" },
		{ "seeds:", "seeds: [ 1, 1 ]", "m.yaml:6:13: found seed 1 twice, expected once" },
		{ "seeds:", "seeds: { from: 1, count: 0 }",
		  "m.yaml:6:26: found \"0\", expected an integer from 1 to 100000 for count" },
		{ "seeds:", "seeds: { from: 1, count: 100000 }",
		  "m.yaml:1:1: found 800000 cells, excluded ones counted, expected at most 100000" },
		{ "virtual_seconds:", "virtual_seconds: 1.5",
		  "m.yaml:7:18: found \"1.5\", expected an integer from 1 to 86400 for virtual_seconds" },
		{ "virtual_seconds:", "virtual_seconds: 86401",
		  "m.yaml:7:18: found \"86401\", expected an integer from 1 to 86400 for virtual_seconds" },
		{ "name:", "name: m\nmachine: { ram_mib: 63 }",
		  "m.yaml:2:21: found \"63\", expected an integer from 64 to 2048 for ram_mib" },
		{ "name:", "name: m\nmachine: { ns_per_instruction: 3 }",
		  "m.yaml:2:32: found \"3\", expected a power of two from 1 to 128 for ns_per_instruction" },
		{ "name:", "name: m\nmachine: { clock: wall }", "m.yaml:2:19: found \"wall\", expected virtual or real for clock" },
		{ "name:", "name: m\nholders: Y", "m.yaml:2:10: found \"Y\", expected true or false for holders" },
		{ "name:", "name: m\nmachine: { vcpus: 2 }",
		  "m.yaml:2:19: found \"2\", expected 1 vCPU: more than one under the virtual clock need QEMU 8.1, and this is 7.2" },
		{ "name:", "name: m\nmachine: { ram_mib: 2048, blackbox_mib: 900 }",
		  "m.yaml:4:10: with disk slow a guest takes RAM 2048 + root 20 + swap 64 + data 128 + black box 900 = 3160 MiB, "
		  "expected at most 3072" },
		{ "seeds:", "seeds: [ 1 ]\nexclude: [ { kernel: \"6.6\" } ]",
		  "m.yaml:7:22: kernel \"6.6\" is none of this matrix: did you mean \"6.1\"? known: 6.1, 6.12" },
		{ "seeds:", "seeds: [ 1 ]\nexclude: [ { virtual_seconds: 1 } ]",
		  "m.yaml:7:14: unknown key \"virtual_seconds\": known: kernel, disk, workload, setting, seed" },
		{ "seeds:", "seeds: [ 1 ]\nexclude: [ {} ]",
		  "m.yaml:7:12: found a map, expected at least one axis: this would exclude everything" },
		{ "seeds:", "seeds: [ 1 ]\nexclude: { seed: 1 }", "m.yaml:7:10: found a map, expected a list of maps for exclude" },
		{ "seeds:", "seeds: [ 1 ]\ninclude: [ { disk: fast } ]", "m.yaml:7:20: unknown disk \"fast\": known: slow" },
		{ "seeds:", "seeds: [ 1 ]\ninclude: [ { virtual_seconds: 0 } ]",
		  "m.yaml:7:31: found \"0\", expected an integer from 1 to 86400 for virtual_seconds" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		make_tree(state);
		assert_bad_line(cases[i].key, cases[i].line, cases[i].error);
	}
}

static void newer_qemu_may_have_more_vcpus(void **state)
{
	struct pl_host newer = host;
	struct pl_matrix matrix;
	struct pl_error err;

	(void)state;
	newer.qemu_major = 8;
	newer.qemu_minor = 1;
	put_with_line("m.yaml", good_matrix, "name:", "name: m\nmachine: { vcpus: 2 }");
	assert_int_equal(pl_matrix_load("m.yaml", &paths, &newer, NULL, &matrix, &err), PL_OK);
	pl_matrix_free(&matrix);
	newer.qemu_minor = 0;
	assert_int_equal(pl_matrix_load("m.yaml", &paths, &newer, NULL, &matrix, &err), PL_BAD_INPUT);
}

static void bad_disk(void **state)
{
	static const struct {
		const char *key, *line, *error;
	} cases[] = {
		{ "name:", "name: fast", "configs/disks/slow.yaml:1:7: found \"fast\", expected \"slow\", as the file is called" },
		{ "iops:", "iop: 5",
		  "configs/disks/slow.yaml:5:1: unknown key \"iop\": did you mean \"iops\"? known: name, description, depth, swap_mib, "
		  "data_mib, scheduler, nr_requests, windows, iops, burst_requests, peak_iops, bytes_per_s, burst_bytes, "
		  "peak_bytes_per_s, read_cost_percent, write_cost_percent, read_latency_us, write_latency_us, "
		  "latency_sigma_milli, latency_max_us, flush_us" },
		{ "data_mib:", "data_mib: 32",
		  "configs/disks/slow.yaml:4:11: found \"32\", expected an integer from 33 to 3072 for data_mib" },
		{ "iops:", "bytes_per_s: 8589934593",
		  "configs/disks/slow.yaml:5:14: found \"8589934593\", expected an integer from 0 to 8589934592 for bytes_per_s" },
		{ "iops:", "burst_requests: 5",
		  "configs/disks/slow.yaml:5:17: burst_requests without iops, expected both: without a rate there is no credit" },
		{ "iops:", "iops: 5\npeak_iops: 9",
		  "configs/disks/slow.yaml:6:12: peak_iops without burst_requests, expected both: the peak lasts as long as the credit" },
		{ "iops:", "bytes_per_s: 50\nburst_bytes: 9\npeak_bytes_per_s: 40",
		  "configs/disks/slow.yaml:7:19: found \"40\", expected at least bytes_per_s, 50" },
		{ "iops:", "nr_requests: 64",
		  "configs/disks/slow.yaml:5:14: found \"64\", expected at most depth, 32: only a scheduler can queue more" },
		{ "iops:", "scheduler: bfq", "configs/disks/slow.yaml:5:12: found \"bfq\", expected none or mq-deadline for scheduler" },
		{ "iops:", "windows: [ { from_ms: 5, to_ms: 5, factor_percent: 200 } ]",
		  "configs/disks/slow.yaml:5:33: found \"5\", expected more than from_ms, 5" },
		{ "iops:", "windows: [ { from_ms: 0, to_ms: 5, factor_percent: 50 } ]",
		  "configs/disks/slow.yaml:5:52: found \"50\", expected an integer from 100 to 100000 for factor_percent" },
		{ "iops:",
		  "windows: [ { from_ms: 0, to_ms: 5, factor_percent: 200 }, { from_ms: 4, to_ms: 9, factor_percent: 200 } ]",
		  "configs/disks/slow.yaml:5:70: found \"4\", expected at least 5, the end of the window before" },
		{ "iops:", "windows: [ 1,2,3,4,5,6,7,8,9 ]", "configs/disks/slow.yaml:5:10: found 9 windows, expected at most 8" },
		{ "iops:", "windows: [ 1 ]",
		  "configs/disks/slow.yaml:5:12: found \"1\", expected a map with from_ms, to_ms, factor_percent" },
		{ "swap_mib:", "swap_mib: 0",
		  "configs/disks/slow.yaml:3:11: found \"0\", expected an integer from 1 to 3072 for swap_mib" },
		{ "depth:", "# no depth", "configs/disks/slow.yaml:1:1: found no key \"depth\", expected it here" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put_with_line("configs/disks/slow.yaml", good_disk, cases[i].key, cases[i].line);
		assert_fails(PL_BAD_INPUT, cases[i].error);
	}
}

static void bad_setting(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "name: late\n", EARLY "1:7: found \"late\", expected \"early\", as the file is called" },
		{ "name: early\nsysctls: {}\n", EARLY "2:1: unknown key \"sysctls\": did you mean \"sysctl\"? known: name, description, "
						"sysctl, file, swap, mglru, thp" },
		{ "name: early\nsysctl: [ 1 ]\n", EARLY "2:9: found a list, expected a map of sysctl names and values" },
		{ "name: early\nsysctl:\n  vm.dirty_byte: 1\n",
		  EARLY "3:3: unknown sysctl \"vm.dirty_byte\": did you mean \"vm.dirty_bytes\"? All are in configs/sysctls.txt" },
		{ "name: early\nsysctl:\n  min_free_kbytes: 1\n",
		  EARLY "3:3: unknown sysctl \"min_free_kbytes\": did you mean \"vm.min_free_kbytes\"? All are in configs/sysctls.txt" },
		{ "name: early\nsysctl:\n  net.core.somaxconn: 1\n",
		  EARLY "3:3: unknown sysctl \"net.core.somaxconn\", expected one of those in configs/sysctls.txt" },
		{ "name: early\nsysctl:\n  ../../etc/passwd: 1\n",
		  EARLY "3:3: found \"../../etc/passwd\", expected the name of a sysctl such as vm.dirty_bytes" },
		{ "name: early\nsysctl: { vm.dirty_bytes: true }\n",
		  EARLY "2:27: found \"true\", expected a number or text for vm.dirty_bytes: sysctls are 0 and 1, not words" },
		{ "name: early\nsysctl: { vm.dirty_bytes: }\n", EARLY "2:27: found nothing, expected 1 to 255 characters for vm.dirty_bytes" },
		{ "name: early\nsysctl: { vm.dirty_bytes: [ 1 ] }\n",
		  EARLY "2:27: found a list, expected a number or text for vm.dirty_bytes" },
		{ "name: early\nsysctl: { vm.dirty_ratio: 5, vm.dirty_bytes: 5 }\n",
		  EARLY "2:11: vm.dirty_ratio besides vm.dirty_bytes, expected one of them: the kernel sets one to 0 when the other is "
			"written" },
		{ "name: early\nsysctl: { vm.dirty_bytes: 5, vm.dirty_bytes: 6 }\n",
		  EARLY "2:30: found key \"vm.dirty_bytes\" twice, expected once; the first is in line 2" },
		{ "name: early\nsysctl: { kernel.hung_task_timeout_secs: soon }\n",
		  EARLY "2:42: found \"soon\", expected an integer from 0 to 1000000 for kernel.hung_task_timeout_secs" },
		{ "name: early\nsysctl: { vm.only_new: 1 }\n",
		  EARLY "2:11: vm.only_new is not in kernel 6.1, expected a sysctl that is: exclude the setting there" },
		{ "name: early\nswap: floppy\n", EARLY "2:7: found \"floppy\", expected disk, zram, none or { kind: zram, percent: 50 } for swap" },
		{ "name: early\nswap: { kind: disk, percent: 5 }\n",
		  EARLY "2:30: percent with kind disk, expected it with zram only: the disk's file says its swap_mib" },
		{ "name: early\nswap: { percent: 5 }\n", EARLY "2:7: found no key \"kind\", expected it here" },
		{ "name: early\nswap: { kind: zram, percent: 0 }\n", EARLY "2:30: found \"0\", expected an integer from 1 to 400 for percent" },
		{ "name: early\nmglru: yes\n", EARLY "2:8: found \"yes\", expected true or false for mglru" },
		{ "name: early\nthp: sometimes\n", EARLY "2:6: found \"sometimes\", expected never, madvise or always for thp" },
	};
	struct pl_matrix matrix;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put("configs/settings/early.yaml", cases[i].text);
		assert_fails(PL_BAD_INPUT, cases[i].error);
	}

	/* A sysctl of one kernel is fine where the setting is excluded on the other, and on one that nobody listed. */
	put("configs/settings/early.yaml", "name: early\nsysctl: { vm.only_new: 1 }\n");
	text = pl_asprintf("%sexclude: [ { kernel: \"6.1\", setting: early } ]\n", good_matrix);
	put("m.yaml", text);
	free(text);
	load_good(&matrix);
	assert_int_equal(matrix.nr_cells, 12);
	pl_matrix_free(&matrix);
	put("m.yaml", good_matrix);
	put_kernel("6.1", "6.13.2", "newer than the list");
	load_good(&matrix);
	pl_matrix_free(&matrix);
}

static enum pl_status load_variant(const struct pl_variant *variant, uint32_t count, struct pl_matrix *matrix, struct pl_error *err)
{
	const struct pl_seeds seeds = { .from = 3, .count = count };

	*err = (struct pl_error){ 0 };
	return pl_matrix_load_variant("m.yaml", &paths, &host, &seeds, variant, matrix, err);
}

#define TEXT "expected 1 to 63 letters, digits and _ - . : / + % @ "
#define SHELL ": the guest's shell reads it"

static const char text_hog[] = "name: hog\nprogress: samples\nparams: { rw: randread, jobs: 4, size: \"8k\" }\n"
			       "tasks: [ { name: t, command: \"f --rw={rw} '{size}' {jobs * 2} {rw}\" } ]\n";

static void text_parameters(void **state)
{
	static const struct {
		const char *line, *error;
	} bad[] = {
		{ "{ rw: \"a b\" }", "found \"a b\"" }, { "{ rw: \"a'b\" }", "found \"a'b\"" }, { "{ rw: a;b }", "found \"a;b\"" },
		{ "{ rw: \"a\\nb\" }", "found \"a?b\"" }, { "{ rw: $HOME }", "found \"$HOME\"" }, { "{ rw: \"`ls`\" }", "found \"`ls`\"" },
		{ "{ rw: a\\b }", "found \"a\\b\"" }, { "{ rw: \"a{b}\" }", "found \"a{b}\"" }, { "{ rw: a=b }", "found \"a=b\"" },
		{ "{ rw: \"a,b\" }", "found \"a,b\"" }, { "{ rw: \"*\" }", "found \"*\"" }, { "{ rw: \"~\" }", "found \"~\"" },
		{ "{ rw: \"\" }", "found \"\"" }, { "{ rw: }", "found nothing" }, { "{ rw: [ a ] }", "found a list" },
		{ "{ rw: \303\244 }", "found \"\303\244\"" },
	};
	struct pl_matrix matrix;
	struct pl_error err;

	(void)state;
	put("configs/workloads/hog.yaml", text_hog);
	put_with_line("m.yaml", good_matrix, "workloads:",
		      "workloads: [ hog, { name: hog, params: { jobs: 1, rw: write } }, { name: hog, params: { rw: 16 } } ]");
	load_good(&matrix);
	assert_label(&matrix, 0, "6.1/slow/hog/plain/1");
	assert_non_null(strstr(matrix.cells[0].program, "task t 1 f --rw=randread '8k' 8 randread\n"));
	assert_label(&matrix, 4, "6.1/slow/hog:rw=write,jobs=1/plain/1");
	assert_non_null(strstr(matrix.cells[4].program, "task t 1 f --rw=write '8k' 2 write\n"));
	assert_label(&matrix, 8, "6.1/slow/hog:rw=16/plain/1");
	assert_non_null(strstr(matrix.cells[8].program, "task t 1 f --rw=16 '8k' 8 16\n"));
	pl_matrix_free(&matrix);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *line = pl_asprintf("workloads: [ { name: hog, params: %s } ]", bad[i].line);
		char *error = pl_asprintf("m.yaml:4:41: %s, %s", bad[i].error, TEXT "for rw" SHELL);

		put_with_line("m.yaml", good_matrix, "workloads:", line);
		assert_fails(PL_BAD_INPUT, error);
		free(error);
		free(line);
	}
	/* Slashes are between the names of a cell, and in none of them. */
	put_with_line("m.yaml", good_matrix, "workloads:",
		      "workloads: [ { name: hog, params: { rw: /data/x/1 } }, { name: hog, params: { rw: a/b } } ]");
	load_good(&matrix);
	assert_label(&matrix, 0, "6.1/slow/hog:rw=data.x.1/plain/1");
	assert_non_null(strstr(matrix.cells[0].program, "task t 1 f --rw=/data/x/1 '8k' 8 /data/x/1\n"));
	assert_label(&matrix, 4, "6.1/slow/hog:rw=a.b/plain/1");
	pl_matrix_free(&matrix);
	put_with_line("m.yaml", good_matrix, "workloads:",
		      "workloads: [ { name: hog, params: { rw: a/b } }, { name: hog, params: { rw: a.b } } ]");
	assert_fails(PL_BAD_INPUT, "m.yaml:4:50: found hog:rw=a.b, as another workload of this matrix would be called: a name has "
				   "no slashes, put one of the two into a workload file of its own");
	/* And none in that of one which is not there, so that --only means the same. */
	put_with_line("m.yaml", good_matrix, "workloads:",
		      "workloads: [ writer, { name: other, params: { rw: /data/x/1 } } ]");
	assert_only(NULL, "6.1/slow/writer/plain/1", 1, "");
	assert_only(NULL, "6.1/slow/other:rw=data.x.1/plain/1", 0,
		    "m.yaml:4:30: unknown workload \"other\": known: hog, writer");
	put_with_line("m.yaml", good_matrix, "workloads:", "workloads: [ { name: hog, params: { jobs: many } } ]");
	assert_fails(PL_BAD_INPUT, "m.yaml:4:43: found \"many\", expected an integer from -1000000000000 to 1000000000000 for jobs");

	/* As a knob: any text by itself, and none of a range. */
	struct pl_change change = { .knob = "workload.rw", .value = "100", .origin = "--knob workload.rw=100" };
	const struct pl_variant variant = { .changes = &change, .nr_changes = 1 };

	put("m.yaml", good_matrix);
	assert_int_equal(load_variant(&variant, 1, &matrix, &err), PL_OK);
	assert_label(&matrix, 0, "6.1/slow/hog:rw=100/plain/3");
	assert_non_null(strstr(matrix.cells[0].program, "task t 1 f --rw=100 '8k' 8 100\n"));
	pl_matrix_free(&matrix);
	change.of_range = true;
	assert_int_equal(load_variant(&variant, 1, &matrix, &err), PL_BAD_INPUT);
	assert_string_equal(err.text, "--knob workload.rw=100: parameter rw of workload hog is a text, expected one that is a "
				      "number: a text has no range");
	change = (struct pl_change){ .knob = "workload.rw", .value = "a b", .origin = "--set x" };
	assert_int_equal(load_variant(&variant, 1, &matrix, &err), PL_BAD_INPUT);
	assert_string_equal(err.text, "--set x: found \"a b\", " TEXT "for rw" SHELL);
}

static void bad_workload(void **state)
{
#define HOG  "configs/workloads/hog.yaml:"
#define HEAD "name: hog\nprogress: samples\n"
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "name: hog\ntasks: [ { name: t, command: c } ]\n", HOG "1:1: found no key \"progress\", expected it here" },
		{ "name: hog\nprogress: workload_write_byts\ntasks: [ { name: t, command: c } ]\n",
		  HOG "2:11: found \"workload_write_byts\", expected a metric for progress: did you mean \"workload_write_bytes\"?; "
		      "`plimsoll metrics` lists them" },
		{ "name: hog\nprogress: rows\ntasks: [ { name: t, command: c } ]\n",
		  HOG "2:11: found \"rows\", expected a metric for progress; `plimsoll metrics` lists them" },
		{ "name: hog\nprogress: workload_progress\ntasks: [ { name: t, command: c } ]\n",
		  HOG "2:11: found \"workload_progress\", expected a metric for progress: did you mean \"workload_user_us\"?; "
		      "`plimsoll metrics` lists them" },
		{ HEAD "tasks: []\n", HOG "3:8: found an empty list, expected a list of tasks" },
		{ HEAD "tasks: [ { name: t } ]\n", HOG "3:10: found no key \"command\", expected it here" },
		{ HEAD "tasks: [ { name: a.b, command: c } ]\n",
		  HOG "3:18: found \"a.b\", expected a task's name (letters, digits, _ and -, at most 15)" },
		{ "name: hog\nprogress: u.rows\ntasks: [ { name: a, command: c }, { name: t, command: c } ]\n",
		  HOG "2:11: found \"u.rows\", expected TASK.KEY for progress with a task of this workload, as in a.KEY" },
		{ "name: hog\nprogress: t.1\ntasks: [ { name: t, command: c } ]\n",
		  HOG "2:11: found \"t.1\", expected a metric for progress, or TASK.KEY (letters, digits and _, at most 31)" },
		{ HEAD "tasks: [ { name: failed, command: c } ]\n",
		  HOG "3:18: found \"failed\", expected another name: the agent says things of its own under this one" },
		{ HEAD "tasks: [ { name: t, command: c, may_end: soon } ]\n",
		  HOG "3:42: found \"soon\", expected 0 or any for may_end: the log does not tell other statuses apart" },
		{ HEAD "tasks: [ { name: t, command: c, may_end: 3 } ]\n",
		  HOG "3:42: found \"3\", expected 0 or any for may_end: the log does not tell other statuses apart" },
		{ HEAD "tasks: [ { name: t, command: c, may_end: [ 0 ] } ]\n",
		  HOG "3:42: found a list, expected 0 or any for may_end: the log does not tell other statuses apart" },
		{ HEAD "tasks: [ { name: t, command: c }, { name: t, command: d } ]\n",
		  HOG "3:43: found task \"t\" twice, expected once" },
		{ HEAD "tasks: [ { name: t, command: \"c {x}\" } ]\n",
		  HOG "3:30: \"{x}\": unknown variable \"x\": known: seed, ram_mib, vcpus, virtual_seconds in a command of workload hog" },
		{ HEAD "tasks: [ { name: t, command: \"c {ram_mb}\" } ]\n",
		  HOG "3:30: \"{ram_mb}\": unknown variable \"ram_mb\": did you mean \"ram_mib\"? known: seed, ram_mib, vcpus, "
		      "virtual_seconds in a command of workload hog" },
		{ HEAD "tasks: [ { name: t, command: \"c {1 / (vcpus - 1)}\" } ]\n",
		  HOG "3:30: \"{1 / (vcpus - 1)}\": division by zero in a command of workload hog" },
		{ HEAD "tasks: [ { name: t, command: \"c ${HOME\" } ]\n",
		  HOG "3:30: found { without its }, expected {expression}; for the character write {{ in a command of workload hog" },
		{ HEAD "tasks: [ { name: t, command: \"a } b\" } ]\n",
		  HOG "3:30: found } without its {, expected {expression}; for the character write }} in a command of workload hog" },
		{ HEAD "tasks:\n  - name: t\n    command: |\n      a\n      b\n",
		  HOG "5:14: found \"a?b?\", expected a command in one line, without tabs or blanks before it: fold a long one with >-" },
		{ HEAD "tasks: [ { name: t, command: \"\" } ]\n",
		  HOG "3:30: found \"\", expected a command in one line, without tabs or blanks before it: fold a long one with >-" },
		{ HEAD "tasks: [ { name: t, command: [ c ] } ]\n", HOG "3:30: found a list, expected a command" },
		{ HEAD "tasks: [ { name: t, copies: 0, command: c } ]\n",
		  HOG "3:29: found \"0\" copies of task t, expected an integer from 1 to 128" },
		{ HEAD "tasks: [ { name: t, copies: many, command: c } ]\n",
		  HOG "3:29: found \"many\" copies of task t, expected an integer from 1 to 128" },
		{ HEAD "tasks: [ { name: t, copies: 100, command: c }, { name: u, copies: 29, command: c } ]\n",
		  HOG "3:48: 29 copies of task u, expected at most 128 of all tasks together" },
		{ HEAD "params: { seed: 1 }\ntasks: [ { name: t, command: c } ]\n",
		  HOG "3:11: found \"seed\", expected another name: seed is the cell's own" },
		{ HEAD "params: { A: 1 }\ntasks: [ { name: t, command: c } ]\n",
		  HOG "3:11: found \"A\", expected a parameter's name (a-z, 0-9, _, at most 32)" },
		{ HEAD "params: { a: 1000000000001 }\ntasks: [ { name: t, command: c } ]\n",
		  HOG "3:14: found \"1000000000001\", expected an integer from -1000000000000 to 1000000000000 for a" },
		{ HEAD "params: { a: [ x ] }\ntasks: [ { name: t, command: c } ]\n",
		  HOG "3:14: found a list, expected an integer from -1000000000000 to 1000000000000 for a" },
		{ HEAD "params: { a: \"x'\" }\ntasks: [ { name: t, command: c } ]\n", HOG "3:14: found \"x'\", " TEXT "for a" SHELL },
		{ HEAD "params: { a: x }\ntasks: [ { name: t, command: \"c {a * 2}\" } ]\n",
		  HOG "4:30: \"{a * 2}\": a is the text \"x\", expected a number: a text stands alone, as {a} in a command of workload hog" },
		{ HEAD "params: { a: x }\ntasks: [ { name: t, copies: \"{a}\", command: c } ]\n",
		  HOG "4:29: found \"x\" copies of task t, expected an integer from 1 to 128" },
		{ HEAD "prepare: ls\ntasks: [ { name: t, command: c } ]\n", HOG "3:10: found \"ls\", expected a list of commands" },
	};
	struct pl_buf text = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put("configs/workloads/hog.yaml", cases[i].text);
		assert_fails(PL_BAD_INPUT, cases[i].error);
	}

	pl_buf_printf(&text, HEAD "tasks:\n");
	for (int i = 0; i < 32; i++)
		pl_buf_printf(&text, "  - { name: t%d, command: \"%01600d\" }\n", i, i);
	put("configs/workloads/hog.yaml", text.text);
	pl_buf_free(&text);
	assert_fails(PL_BAD_INPUT, "configs/workloads/hog.yaml: with setting plain the agent would be told 59 lines, 52177 bytes; "
				   "expected at most 512 and 49136");
}

static void bad_build(void **state)
{
	struct pl_matrix matrix;
	struct pl_error err;

	put("build/kernels/6.1/vmlinux", "replaced");
	assert_fails(PL_HOST, "build/kernels/6.1/vmlinux: is not the file that build/kernels/6.1/manifest.json describes: remove "
			      "both and build again");
	put("build/kernels/6.1/manifest.json", "[");
	assert_fails(PL_HOST, "build/kernels/6.1/manifest.json: not a JSON object: remove its folder and build again");
	put("build/kernels/6.1/manifest.json", "{}");
	assert_fails(PL_HOST, "build/kernels/6.1/manifest.json: has no \"release\": remove its folder and build again");
	make_tree(state);
	unlink("build/kernels/6.1/vmlinux");
	assert_fails(PL_HOST, "build/kernels/6.1/vmlinux: No such file or directory");
	make_tree(state);
	unlink("build/rootfs/manifest.json");
	assert_fails(PL_HOST, "build/rootfs/manifest.json: the guests' root image is not built: run `make rootfs`");
	put("build/rootfs/manifest.json", "{\"root_sha256\":\"0\",\"root_mib\":-4}");
	assert_fails(PL_HOST, "build/rootfs/manifest.json: \"root_mib\" is not 1 to 3072");
	make_tree(state);
	unlink("configs/sysctls.txt");
	assert_int_equal(load(&matrix, &err), PL_HOST);
	put("configs/sysctls.txt", "kernels 6.1\nvm.x 6.2\n");
	assert_fails(PL_BAD_INPUT,
		     "configs/sysctls.txt:2:1: expected a sysctl and series of the line \"kernels\", at most 4096 of them");
}

/* A file that was read once is not read again as long as nobody writes it: not even one byte of as many. */
/* `make rootfs` asks for a lock of its own before it removes an image. */
static void image_is_held(void **state)
{
	struct pl_matrix matrix;

	(void)state;
	put_rootfs("an image that is planned with");
	int fd = open("build/rootfs/root.img", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(flock(fd, LOCK_UN), 0);
	load_good(&matrix);
	pl_matrix_free(&matrix);
	/* Also when the matrix is gone: its cells may have been handed on. */
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	close(fd);
}

static void replaced_after_it_was_read(void **state)
{
	struct pl_matrix matrix;
	struct pl_error err;
	char *text;

	(void)state;
	/* So old that it need not be written again within the same tick of the file system's clock. */
	sleep(3);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(load(&matrix, &err), PL_OK);
		pl_matrix_free(&matrix);
	}
	assert_int_equal(pl_read_file("build/kernels/6.1/vmlinux", 1 << 20, &text, NULL, NULL), PL_OK);
	text[0] ^= 1;
	put("build/kernels/6.1/vmlinux", text);
	free(text);
	assert_fails(PL_HOST, "build/kernels/6.1/vmlinux: is not the file that build/kernels/6.1/manifest.json describes: remove "
			      "both and build again");
}

static void expressions(void **state)
{
	static const struct pl_var vars[] = {
		{ .name = "a", .value = 7 },
		{ .name = "max", .value = INT64_MAX },
		{ .name = "min", .value = INT64_MIN },
		{ .name = "ram_mib", .value = 256 },
	};
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{ "1", 1 }, { " 2 + 3 * 4 ", 14 }, { "(2 + 3) * 4", 20 }, { "2 - 3 - 4", -5 }, { "100 / 7 / 2", 7 },
		{ "100 % 7", 2 }, { "-7 / 2", -3 }, { "-7 % 2", -1 }, { "--a", 7 }, { "-(a)*-1", 7 }, { "a*a", 49 },
		{ "max", INT64_MAX }, { "min + max", -1 }, { "9223372036854775807", INT64_MAX }, { "ram_mib*3/4", 192 },
		{ "((((((((((((((((1))))))))))))))))", 1 },
	};
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "it ends where a number, a variable, ( or - was expected" },
		{ "1 +", "it ends where a number, a variable, ( or - was expected" },
		{ "1 2", "found '2', expected an operator" },
		{ "1 $ 2", "found '$', expected an operator" },
		{ "+1", "found '+', expected a number, a variable, ( or -" },
		{ "(1", "expected )" },
		{ "1)", "found ')', expected an operator" },
		{ "1 / 0", "division by zero" },
		{ "1 % (a - 7)", "division by zero" },
		{ "max + 1", "the result of + is too large for 64 bits" },
		{ "min - 1", "the result of - is too large for 64 bits" },
		{ "max * 2", "the result of * is too large for 64 bits" },
		{ "-min", "the result of - is too large for 64 bits" },
		{ "min / -1", "the result of / is too large for 64 bits" },
		{ "min % -1", "the result of % is too large for 64 bits" },
		{ "9223372036854775808", "a number is too large for 64 bits" },
		{ "b", "unknown variable \"b\": known: a, max, min, ram_mib" },
		{ "ram_mb", "unknown variable \"ram_mb\": did you mean \"ram_mib\"? known: a, max, min, ram_mib" },
	};
	const size_t nr_vars = sizeof(vars) / sizeof(*vars);
	struct pl_expr_error why;
	int64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		if (!pl_expr_eval(good[i].text, strlen(good[i].text), vars, nr_vars, &value, &why))
			fail_msg("%s: %s", good[i].text, why.text);
		assert_true(value == good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(pl_expr_eval(bad[i].text, strlen(bad[i].text), vars, nr_vars, &value, &why));
		assert_string_equal(why.text, bad[i].why);
	}

	char deep[3000];

	memset(deep, '(', sizeof(deep));
	assert_false(pl_expr_eval(deep, sizeof(deep), vars, nr_vars, &value, &why));
	assert_string_equal(why.text, "more than 32 levels");
	memset(deep, '-', sizeof(deep));
	assert_false(pl_expr_eval(deep, sizeof(deep), vars, nr_vars, &value, &why));
	assert_string_equal(why.text, "more than 32 levels");
}

static void templates(void **state)
{
	static const struct pl_var vars[] = { { .name = "a", .value = 7 }, { .name = "rw", .text = "randread" } };
	struct pl_expr_error why;
	struct pl_buf out = { 0 };

	(void)state;
	assert_true(pl_expr_expand("x{a}{a+1}{{a}}{{{a}}} $", vars, 1, &out, &why));
	assert_string_equal(out.text, "x78{a}{7} $");
	assert_false(pl_expr_expand("{a{a}}", vars, 1, &out, &why));
	assert_string_equal(why.text, "found { without its }, expected {expression}; for the character write {{");
	assert_false(pl_expr_expand("{}", vars, 1, &out, &why));
	assert_string_equal(why.text, "\"{}\": it ends where a number, a variable, ( or - was expected");
	out.len = 0;
	assert_true(pl_expr_expand("{rw}:{ rw }{a}{{rw}}", vars, 2, &out, &why));
	assert_string_equal(out.text, "randread:randread7{rw}");
	assert_false(pl_expr_expand("{rw + 1}", vars, 2, &out, &why));
	assert_string_equal(why.text, "\"{rw + 1}\": rw is the text \"randread\", expected a number: a text stands alone, as {rw}");
	pl_buf_free(&out);
}

static void messages_stay_one_printable_line(void **state)
{
	char text[300];

	(void)state;
	assert_string_equal(pl_quote("a\nb\x7f").text, "\"a?b?\"");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(pl_quote(text).text), sizeof(struct pl_quoted) - 1);
	assert_string_equal(pl_quote(text).text + sizeof(struct pl_quoted) - 6, "x...\"");
	/* Two bytes each, so that the cut falls into a character at every other length. */
	for (size_t shift = 0; shift < 2; shift++) {
		memset(text, 'x', shift);
		for (size_t i = shift; i + 2 < sizeof(text); i += 2)
			memcpy(text + i, "\xc3\xa4", 3);

		const char *quoted = pl_quote(text).text, *dots = strstr(quoted, "...");

		assert_non_null(dots);
		assert_int_equal((unsigned char)dots[-1], 0xa4);
		assert_int_equal((unsigned char)dots[-2], 0xc3);
	}
}

/* What ships must load, and hold what it promises. */
/* The names of the matrices in a folder of configs/ that the fixture's kernels can be planned for. */
static void load_shipped(const char *folder, struct pl_buf *names)
{
	struct pl_paths shipped = { .configs = shipped_configs, .build = "build", .results = "results" };
	char *pattern = pl_asprintf("%s/%s/*.yaml", shipped_configs, folder);
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct pl_matrix matrix;
		struct pl_error err;

		if (pl_matrix_load(found.gl_pathv[i], &shipped, &host, NULL, &matrix, &err) != PL_OK)
			fail_msg("%s", err.text);
		assert_null(matrix.note);
		pl_buf_printf(names, "%s ", matrix.name);
		if (!strcmp(matrix.name, "default"))
			assert_in_range(matrix.nr_cells, 24, 100);
		/* A scenario says of each kind of its cells how it ends. */
		for (size_t c = 0; c < matrix.nr_cells && !strcmp(folder, "scenarios"); c++)
			assert_non_null(matrix.cells[c].expect);
		pl_matrix_free(&matrix);
	}
	globfree(&found);
	free(pattern);
}

static void shipped_matrices(void **state)
{
	struct pl_buf names = { 0 };

	(void)state;
	load_shipped("matrices", &names);
	load_shipped("scenarios", &names);
	assert_non_null(strstr(names.text, "default "));
	assert_non_null(strstr(names.text, "cvm-rwsem-hang "));
	pl_buf_free(&names);
}

/* A line of tests/unit/shipped-ids.tsv for each file of a folder: the file, its number of cells, and the hash of their ids. */
static void add_ids(const char *folder, struct pl_buf *lines)
{
	struct pl_paths shipped = { .configs = shipped_configs, .build = "build", .results = "results" };
	char *pattern = pl_asprintf("%s/%s/*.yaml", shipped_configs, folder);
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct pl_sha256 *sha = pl_sha256_new();
		char hex[PL_SHA256_HEX];
		struct pl_matrix matrix;
		struct pl_error err;

		if (pl_matrix_load(found.gl_pathv[i], &shipped, &host, NULL, &matrix, &err) != PL_OK)
			fail_msg("%s", err.text);
		for (size_t c = 0; c < matrix.nr_cells; c++)
			pl_sha256_add(sha, matrix.cells[c].id, sizeof(matrix.cells[c].id));
		pl_sha256_final(sha, hex);
		pl_buf_printf(lines, "%s%s\t%zu\t%.16s\n", folder, strrchr(found.gl_pathv[i], '/'), matrix.nr_cells, hex);
		pl_matrix_free(&matrix);
	}
	globfree(&found);
	free(pattern);
}

/*
 * What ships keeps its ids, since everything that was published hangs on them. The kernels and the image are the fixture's,
 * so that a change of these makes no difference here: it is the matrices, the parts that they name and the planner that count.
 */
static void shipped_cells_keep_their_ids(void **state)
{
	struct pl_buf lines = { 0 };
	struct pl_error err;
	char *known;

	(void)state;
	pl_buf_printf(&lines, "# SPDX-License-Identifier: GPL-3.0-or-later\n# file of configs/\tcells\thash of their ids\n");
	add_ids("claims", &lines);
	add_ids("matrices", &lines);
	add_ids("scenarios", &lines);
	assert_int_equal(pl_read_file(shipped_ids, 1 << 20, &known, NULL, &err), PL_OK);
	if (strcmp(known, lines.text) != 0) {
		/* Longer than what a message of cmocka has room for. */
		fprintf(stderr, "%s", lines.text);
		fail_msg("%s", "ids of shipped cells differ from tests/unit/shipped-ids.tsv: above is what they are");
	}
	free(known);
	pl_buf_free(&lines);
}

static void list_shipped(struct pl_buf *matrix, const char *folder)
{
	char *pattern = pl_asprintf("%s/%s/*.yaml", shipped_configs, folder);
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	pl_buf_printf(matrix, "%s: [", folder);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = strrchr(found.gl_pathv[i], '/') + 1;

		pl_buf_printf(matrix, "%s%.*s", i ? "," : "", (int)(strlen(name) - strlen(".yaml")), name);
	}
	pl_buf_printf(matrix, "]\n");
	globfree(&found);
	free(pattern);
}

/* Every disk, workload and setting that ships, with each other: the agent takes the program, and no two are the same. */
static void shipped_parts(void **state)
{
	struct pl_paths shipped = { .configs = shipped_configs, .build = "build", .results = "results" };
	static struct program program;
	struct pl_buf text = { 0 };
	struct pl_matrix matrix;
	struct pl_error err;

	(void)state;
	pl_buf_printf(&text, "name: all\nkernels: [ 6.1, 6.12 ]\nseeds: [ 4294967295 ]\nvirtual_seconds: 86400\n");
	list_shipped(&text, "disks");
	list_shipped(&text, "workloads");
	list_shipped(&text, "settings");
	put("m.yaml", text.text);
	pl_buf_free(&text);
	if (pl_matrix_load("m.yaml", &shipped, &host, NULL, &matrix, &err) != PL_OK)
		fail_msg("%s", err.text);
	if (matrix.note)
		fail_msg("%s", matrix.note);
	for (size_t i = 0; i < matrix.nr_cells; i++) {
		const struct pl_cell *cell = &matrix.cells[i];
		size_t len = strlen(cell->program);
		char error[PROGRAM_ERROR_BYTES], *copy = pl_calloc(len + 1, 1);

		memcpy(copy, cell->program, len);
		if (program_parse(copy, len, &program, error))
			fail_msg("%s: %s", cell->workload, error);
		assert_int_equal(program.seed, 4294967295);
		assert_int_equal(program.duration_ms, 86400000);
		if (pl_metric_index(cell->progress) < 0 &&
		    (!pl_task_metric_name_ok(cell->progress) ||
		     pl_program_check_metric(cell->program, cell->progress, "progress", cell->workload, &err) != PL_OK))
			fail_msg("%s: no metric %s", cell->workload, cell->progress);
		free(copy);
	}
	pl_matrix_free(&matrix);
}

static int remove_temp(void **state)
{
	(void)state;
	return chdir("/") || pl_remove_tree(temp_dir, NULL) != PL_OK;
}

static int make_temp(void **state)
{
	(void)state;
	/* Tests run from the top of the repository. */
	return !realpath("configs", shipped_configs) || !realpath("tests/unit/shipped-ids.tsv", shipped_ids) ||
	       !mkdtemp(temp_dir) || chdir(temp_dir);
}

static void load_changed(const char *knob, const char *value, struct pl_matrix *matrix)
{
	const struct pl_change change = { .knob = knob, .value = value, .origin = "--knob" };
	const struct pl_variant variant = { .changes = &change, .nr_changes = 1 };
	struct pl_error err;

	if (load_variant(&variant, 1, matrix, &err) != PL_OK)
		fail_msg("%s", err.text);
	assert_int_equal(matrix->nr_cells, 1);
}

static void variants(void **state)
{
	static const struct {
		const char *knob, *value, *label, *line;
	} cases[] = {
		{ "vm.min_free_kbytes", "9000", "6.1/slow/hog/plain+vm.min_free_kbytes=9000/3", "\nsysctl vm.min_free_kbytes 9000\n" },
		{ "disk.iops", "77", "6.1/slow+iops=77/hog/plain/3", "\ndisk iops 77\n" },
		{ "disk.swap_mib", "65", "6.1/slow+swap_mib=65/hog/plain/3", "\nswap disk\n" },
		{ "workload.percent", "50", "6.1/slow/hog:percent=50/plain/3", "hog 128 3\n" },
		{ "ram_mib", "512", "6.1/slow/hog/plain/3", "hog 614 3\n" },
		{ "machine.ram_mib", "512", "6.1/slow/hog/plain/3", "hog 614 3\n" },
		{ "swap", "none", "6.1/slow/hog/plain+swap=none/3", "\nswap none\n" },
		{ "swap", "zram:80", "6.1/slow/hog/plain+swap=zram:80/3", "\nswap zram 80\n" },
		{ "zram_percent", "90", "6.1/slow/hog/plain+zram_percent=90/3", "\nswap zram 90\n" },
		{ "mglru", "true", "6.1/slow/hog/plain+mglru=true/3", "\nmglru on\n" },
		{ "/sys/kernel/mm/x", "/data/x", "6.1/slow/hog/plain+sys.kernel.mm.x=data.x/3",
		  "\nfile /sys/kernel/mm/x /data/x\n" },
		{ "thp", "always", "6.1/slow/hog/plain+thp=always/3", "enabled always\n" },
		{ "/sys/block/mdisk/queue/read_ahead_kb", "32", "6.1/slow/hog/plain+sys.block.mdisk.queue.read_ahead_kb=32/3",
		  "\nfile /sys/block/mdisk/queue/read_ahead_kb 32\n" },
	};
	struct pl_matrix matrix;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		load_changed(cases[i].knob, cases[i].value, &matrix);
		assert_label(&matrix, 0, cases[i].label);
		assert_non_null(strstr(matrix.cells[0].program, cases[i].line));
		pl_matrix_free(&matrix);
	}
}

/* A value that the file has anyway makes the same cell. */
static void variants_are_their_contents(void **state)
{
	struct pl_matrix matrix, varied;
	struct pl_error err;

	(void)state;
	assert_int_equal(load_seeds(3, 1, &matrix, &err), PL_OK);
	load_changed("disk.iops", "500", &varied);
	assert_string_equal(varied.cells[0].id, matrix.cells[0].id);
	pl_matrix_free(&varied);
	load_changed("disk.iops", "501", &varied);
	assert_string_not_equal(varied.cells[0].id, matrix.cells[0].id);
	pl_matrix_free(&varied);
	pl_matrix_free(&matrix);
}

static void variants_choose(void **state)
{
	struct pl_variant variant = { .only = "*/writer*/early/*" };
	struct pl_matrix matrix;
	struct pl_error err;

	(void)state;
	assert_int_equal(load_variant(&variant, 3, &matrix, &err), PL_OK);
	assert_int_equal(matrix.nr_cells, 3);
	assert_label(&matrix, 0, "6.1/slow/writer:jobs=8/early/3");
	assert_label(&matrix, 2, "6.1/slow/writer:jobs=8/early/5");
	pl_matrix_free(&matrix);

	/* One that the matrix does not name, as those of a bisect of commits are. */
	put_kernel("commit-1", "6.12.3-plimsoll", "kernel commit");
	variant = (struct pl_variant){ .kernel = "commit-1", .setting_path = "configs/settings/early.yaml" };
	assert_int_equal(load_variant(&variant, 1, &matrix, &err), PL_OK);
	assert_label(&matrix, 0, "commit-1/slow/hog/early/3");
	pl_matrix_free(&matrix);

	/* Laid over the matrix's own setting: what the file does not say stays, but for what the kernel would set to 0. */
	static const struct pl_change none = { .knob = "vm.min_free_kbytes", .value = NULL, .origin = "x" };

	put("configs/settings/plain.yaml", "name: plain\nswap: { kind: zram, percent: 70 }\n"
	    "sysctl: { vm.dirty_ratio: 33, vm.min_free_kbytes: 4444 }\n");
	put("over.yaml", "name: over\nsysctl: { vm.dirty_bytes: 8192, vm.min_free_kbytes: 5555 }\n");
	variant = (struct pl_variant){ .only = "*/plain/*", .setting_path = "over.yaml" };
	assert_int_equal(load_variant(&variant, 1, &matrix, &err), PL_OK);
	assert_label(&matrix, 0, "6.1/slow/hog/plain+over/3");
	assert_non_null(strstr(matrix.cells[0].program, "sysctl vm.dirty_bytes 8192\n"));
	assert_non_null(strstr(matrix.cells[0].program, "sysctl vm.min_free_kbytes 5555\n"));
	assert_null(strstr(matrix.cells[0].program, "vm.dirty_ratio"));
	assert_non_null(strstr(matrix.cells[0].program, "zram"));
	pl_matrix_free(&matrix);
	/* What a change takes out of the file comes from below. */
	variant.changes = &none;
	variant.nr_changes = 1;
	assert_int_equal(load_variant(&variant, 1, &matrix, &err), PL_OK);
	assert_non_null(strstr(matrix.cells[0].program, "sysctl vm.min_free_kbytes 4444\n"));
	pl_matrix_free(&matrix);
	/* A file that names no sysctl is laid over one that does, and the files of both count. */
	put("configs/settings/plain.yaml", "name: plain\nsysctl: { vm.min_free_kbytes: 4444 }\n"
	    "file: { /sys/kernel/mm/x: 1, /sys/kernel/mm/y: 1 }\n");
	put("over.yaml", "name: over\nfile: { /sys/kernel/mm/y: 2 }\n");
	variant = (struct pl_variant){ .only = "*/plain/*", .setting_path = "over.yaml" };
	assert_int_equal(load_variant(&variant, 1, &matrix, &err), PL_OK);
	assert_non_null(strstr(matrix.cells[0].program, "sysctl vm.min_free_kbytes 4444\n"));
	assert_non_null(strstr(matrix.cells[0].program, "file /sys/kernel/mm/x 1\nfile /sys/kernel/mm/y 2\nsysctl"));
	pl_matrix_free(&matrix);
	put("configs/settings/plain.yaml", good_plain);
	assert_int_equal(pl_remove_tree("build/kernels/commit-1", &err), PL_OK);

	variant = (struct pl_variant){ .kernel = "9.9" };
	assert_int_equal(load_variant(&variant, 1, &matrix, &err), PL_BAD_INPUT);
	assert_non_null(strstr(err.text, "--kernel 9.9: it is not built"));
	variant = (struct pl_variant){ .only = "nothing" };
	assert_int_equal(load_variant(&variant, 1, &matrix, &err), PL_BAD_INPUT);
	assert_string_equal(err.text, "m.yaml: it has no cell \"nothing\" (kernel/disk/workload/setting/seed)");
}

static void variants_refused(void **state)
{
	static const struct {
		const char *knob, *value, *text;
	} cases[] = {
		{ "vm.min_free_kbyte", "1", "--set x: unknown sysctl \"vm.min_free_kbyte\": did you mean \"vm.min_free_kbytes\"?" },
		{ "vm.only_new", "1", "--set x: vm.only_new is not in kernel 6.1" },
		{ "disk.iops", "many", "--set x: found \"many\", expected an integer from 0 to 10000000 for iops" },
		{ "disk.iop", "1", "--set x: unknown key \"iop\": did you mean \"iops\"?" },
		{ "workload.jobs", "1", "--set x: unknown parameter \"jobs\" of workload hog" },
		{ "workload.percent", "x", "--set x: found \"x\", expected an integer" },
		{ "machine.ram", "1", "--set x: unknown key \"ram\"" },
		{ "ram_mib", "1", "--set x: found \"1\", expected an integer from 64 to 2048 for ram_mib" },
		{ "swap", "tape", "--set x: found \"tape\", expected disk, zram, none" },
		{ "swap", "disk:50", "--set x: percent with kind disk" },
		{ "/sys/kernel/mm/lru_gen/enabled", "1", "--set x: found \"/sys/kernel/mm/lru_gen/enabled\", expected mglru" },
		{ "/etc/passwd", "1", "--set x: found \"/etc/passwd\", expected the path of a file in /proc or /sys" },
	};
	struct pl_matrix matrix;
	struct pl_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct pl_change change = { .knob = cases[i].knob, .value = cases[i].value, .origin = "--set x" };
		const struct pl_variant variant = { .changes = &change, .nr_changes = 1 };

		assert_int_equal(load_variant(&variant, 1, &matrix, &err), PL_BAD_INPUT);
		if (strncmp(err.text, cases[i].text, strlen(cases[i].text)) != 0)
			fail_msg("found:    %s\nexpected: %s", err.text, cases[i].text);
	}
}

static void settings_compared(void **state)
{
	struct pl_difference *differences;
	struct pl_error err = { 0 };
	size_t nr;

	(void)state;
	put("good.yaml", "name: good\nswap: none\nsysctl:\n  vm.dirty_bytes: 4096\n  vm.min_free_kbytes: 5\n");
	put("bad.yaml", "name: bad\nmglru: true\nsysctl:\n  vm.min_free_kbytes: 5\n  vm.dirty_ratio: 40\n");
	if (pl_settings_compare("good.yaml", "bad.yaml", &paths, &differences, &nr, &err) != PL_OK)
		fail_msg("%s", err.text);
	assert_int_equal(nr, 3);
	/* The kernel takes only one of the two, so they go together. */
	assert_string_equal(differences[0].name, "vm.dirty_bytes/vm.dirty_ratio");
	assert_int_equal(differences[0].nr, 2);
	assert_string_equal(differences[0].good[0].value, "4096");
	assert_null(differences[0].bad[0].value);
	assert_null(differences[0].good[1].value);
	assert_string_equal(differences[0].bad[1].value, "40");
	assert_string_equal(differences[1].name, "swap");
	assert_null(differences[1].bad[0].value);
	assert_string_equal(differences[2].name, "mglru");
	assert_string_equal(differences[2].bad[0].origin, "bad.yaml:2");
	pl_differences_free(differences, nr);

	/* Files are differences as any other. */
	put("good.yaml", "name: good\nfile: { /sys/kernel/mm/lru_gen/min_ttl_ms: 1000, /sys/kernel/mm/x: 1 }\n");
	put("bad.yaml", "name: bad\nfile: { /sys/kernel/mm/x: 1, /sys/kernel/mm/lru_gen/min_ttl_ms: 0 }\n");
	assert_int_equal(pl_settings_compare("good.yaml", "bad.yaml", &paths, &differences, &nr, &err), PL_OK);
	assert_int_equal(nr, 1);
	assert_string_equal(differences[0].name, "/sys/kernel/mm/lru_gen/min_ttl_ms");
	assert_string_equal(differences[0].good[0].value, "1000");
	assert_string_equal(differences[0].bad[0].value, "0");
	assert_string_equal(differences[0].bad[0].origin, "bad.yaml:2");
	pl_differences_free(differences, nr);

	assert_int_equal(pl_settings_compare("good.yaml", "good.yaml", &paths, &differences, &nr, &err), PL_BAD_INPUT);
	assert_string_equal(err.text, "good.yaml and good.yaml say the same, expected settings that differ");
	put("bad.yaml", "name: bad\nswop: none\n");
	assert_int_equal(pl_settings_compare("good.yaml", "bad.yaml", &paths, &differences, &nr, &err), PL_BAD_INPUT);
	assert_non_null(strstr(err.text, "bad.yaml:2:1: unknown key \"swop\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(expands_in_order, make_tree),
		cmocka_unit_test_setup(writes_the_program, make_tree),
		cmocka_unit_test_setup(settings_reach_the_program, make_tree),
		cmocka_unit_test_setup(setting_files_reach_the_program, make_tree),
		cmocka_unit_test_setup(bad_setting_file, make_tree),
		cmocka_unit_test_setup(may_end_is_no_input, make_tree),
		cmocka_unit_test_setup(holders_come_first, make_tree),
		cmocka_unit_test_setup(includes_and_excludes, make_tree),
		cmocka_unit_test_setup(needs_only_what_is_selected, make_tree),
		cmocka_unit_test_setup(byte_order_mark, make_tree),
		cmocka_unit_test_setup(seeds_as_range, make_tree),
		cmocka_unit_test_setup(seeds_of_the_caller, make_tree),
		cmocka_unit_test_setup(variants, make_tree),
		cmocka_unit_test_setup(variants_are_their_contents, make_tree),
		cmocka_unit_test_setup(variants_choose, make_tree),
		cmocka_unit_test_setup(variants_refused, make_tree),
		cmocka_unit_test_setup(settings_compared, make_tree),
		cmocka_unit_test_setup(expectations, make_tree),
		cmocka_unit_test_setup(bad_expectations, make_tree),
		cmocka_unit_test_setup(same_content_runs_once, make_tree),
		cmocka_unit_test_setup(ids_are_of_contents, make_tree),
		cmocka_unit_test_setup(id_is_the_hash_of_canonical_json, make_tree),
		cmocka_unit_test_setup(comes_back_from_its_inputs, make_tree),
		cmocka_unit_test_setup(bad_yaml, make_tree),
		cmocka_unit_test_setup(too_much_yaml, make_tree),
		cmocka_unit_test_setup(bad_matrix, make_tree),
		cmocka_unit_test_setup(newer_qemu_may_have_more_vcpus, make_tree),
		cmocka_unit_test_setup(bad_disk, make_tree),
		cmocka_unit_test_setup(bad_setting, make_tree),
		cmocka_unit_test_setup(text_parameters, make_tree),
		cmocka_unit_test_setup(bad_workload, make_tree),
		cmocka_unit_test_setup(bad_build, make_tree),
		cmocka_unit_test_setup(replaced_after_it_was_read, make_tree),
		cmocka_unit_test_setup(image_is_held, make_tree),
		cmocka_unit_test(expressions),
		cmocka_unit_test(templates),
		cmocka_unit_test(messages_stay_one_printable_line),
		cmocka_unit_test_setup(shipped_matrices, make_tree),
		cmocka_unit_test_setup(shipped_cells_keep_their_ids, make_tree),
		cmocka_unit_test_setup(shipped_parts, make_tree),
	};

	return cmocka_run_group_tests(tests, make_temp, remove_temp);
}
