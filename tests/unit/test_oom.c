// SPDX-License-Identifier: GPL-3.0-or-later
/* What is told of OOM kills: from logs that are built here, and consoles as 6.1 and 6.12 print them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "analyse/analyse.h"
#include "analyse/gfp.h"
#include "analyse/oom.h"
#include "bb_builder.h"

static struct bbb box;
static struct pl_oom oom;

static int set_up(void **state)
{
	struct bb_sample *sample;
	struct bb_zone *zone;

	(void)state;
	bbb_new(&box);
	oom = (struct pl_oom){ 0 };
	bbb_mark(&box, 1.0, "workload");
	sample = bbb_sample(&box, 10.0);
	sample->nr_free_pages = 512;
	sample->nr_inactive_file = 100;
	sample->nr_active_file = 156;
	sample->nr_inactive_anon = 1000;
	sample->nr_active_anon = 24;
	sample->nr_dirty = 1;
	sample->nr_writeback = 2;
	sample->nr_slab_reclaimable = 256;
	sample->nr_swap_total = 1024;
	sample->nr_swap_free = 300;
	zone = bbb_zone(&box, 10.0);
	zone->min = 500;
	zone->low = 600;
	zone->boost = 12;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pl_oom_free(&oom);
	bbb_free(&box);
	return 0;
}

static void kill_of(double t_s, uint32_t asker, uint32_t victim, uint64_t anon_kib)
{
	struct bb_oom_kill *kill = bbb_add(&box, BB_REC_OOM_KILL, sizeof(*kill), t_s);

	kill->head.pid = asker;
	kill->pid = victim;
	kill->anon_rss_kib = anon_kib;
	kill->swap_free_pages = 256;
	bbb_name(kill->comm, sizeof(kill->comm), "hog");
}

static void stall(double t_s, uint32_t pid, uint32_t order, uint32_t gfp)
{
	struct bb_stall_begin *begin = bbb_add(&box, BB_REC_STALL_BEGIN, sizeof(*begin), t_s);

	begin->head.pid = pid;
	begin->free = 256;
	begin->min = 500;
	begin->boost = 12;
	begin->order = order;
	begin->gfp = gfp;
}

static void read_oom(const char *console)
{
	struct pl_bb bb;

	pl_oom_free(&oom);
	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
	pl_oom_read(&bb, console, &oom);
}

static void assert_line(const char *expected)
{
	char line[PL_OOM_LINE_MAX];

	pl_oom_line(&oom.kills[0], line);
	assert_string_equal(line, expected);
}

/* include/linux/gfp_types.h of 6.1 and of 6.12; the first was printed by a guest of either. */
static void gfp_has_the_kernels_names(void **state)
{
	static const struct {
		uint32_t gfp;
		const char *text;
	} cases[] = {
		{ 0x140dca, "GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO" },
		{ 0xcc0, "GFP_KERNEL" },
		{ 0xc40, "GFP_NOFS" },
		{ 0xc00, "GFP_NOIO" },
		{ 0x400cc0, "GFP_KERNEL_ACCOUNT" },
		{ 0x152c4a, "GFP_NOFS|__GFP_HIGHMEM|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP|__GFP_HARDWALL|"
			    "__GFP_MOVABLE" },
		{ 0x4000dc0, "GFP_KERNEL|__GFP_ZERO|0x4000000" },
		{ 0, "" },
	};
	char text[160], small[12];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pl_gfp_text(cases[i].gfp, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
	pl_gfp_text(0x140dca, small, sizeof(small));
	assert_string_equal(small, "GFP_HIGHUSE");
}

static void a_log_alone(void **state)
{
	struct bb_stall_end *end;
	char rule[64];

	(void)state;
	/* Stalls of a task nest: it is the inner one that asks. */
	stall(5.0, 40, 1, 0xcc0);
	stall(12.3, 40, 0, 0x140dca);
	stall(12.4, 41, 3, 0xcc0);
	kill_of(13.5, 40, 61, 118 * 1024);
	end = bbb_stall_end(&box, 14.0, 40, 1.7);
	memset(end->comm, 0, sizeof(end->comm));
	bbb_name(end->comm, sizeof(end->comm), "fio");
	kill_of(15.0, 42, 42, 1024);
	read_oom(NULL);
	assert_int_equal(oom.nr_kills, 2);

	const struct pl_oom_kill *kill = &oom.kills[0];

	assert_float_equal(kill->at_s, 12.5, 1e-9);
	assert_int_equal(kill->victim, 61);
	assert_string_equal(kill->victim_comm, "hog");
	assert_int_equal(kill->anon_kib, 118 * 1024);
	assert_int_equal(kill->file_kib, PL_OOM_UNKNOWN);
	assert_string_equal(kill->asker_comm, "fio");
	assert_float_equal(kill->stall_s, 1.2, 1e-9);
	assert_float_equal(kill->stall_free_mib, 1.0, 1e-9);
	assert_float_equal(kill->stall_min_mib, 2.0, 1e-9);
	assert_true(kill->request.known);
	assert_false(kill->request.of_console);
	assert_int_equal(kill->request.order, 0);
	assert_string_equal(kill->request.gfp_text, "GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO");
	assert_false(kill->memory.of_console);
	assert_float_equal(kill->memory.age_s, 3.5, 1e-9);
	assert_int_equal(kill->memory.free_kib, 2048);
	assert_int_equal(kill->memory.min_kib, 2048);
	assert_int_equal(kill->memory.low_kib, 612 * 4);
	assert_int_equal(kill->memory.file_kib, 1024);
	assert_int_equal(kill->memory.anon_kib, 4096);
	assert_int_equal(kill->memory.slab_reclaimable_kib, 1024);
	/* Of the kill, and not of the sample. */
	assert_int_equal(kill->memory.swap_free_kib, 1024);
	assert_int_equal(kill->memory.swap_total_kib, 4096);
	pl_oom_rule_text(&kill->rule, rule, sizeof(rule));
	assert_string_equal(rule, "not in the log");
	assert_line("killed hog 61 (118 MiB anon) at 12.5 s, asked by fio: order 0, GFP_HIGHUSER_MOVABLE, "
		    "after a stall of 1.2 s; free 2 MiB (MIN 2 MiB), file 1 MiB, anon 4 MiB, swap free 1 MiB");

	/* The task that asked was the one that was chosen; its name is known from that. */
	assert_string_equal(oom.kills[1].asker_comm, "hog");
	assert_true(isnan(oom.kills[1].stall_s));
	assert_false(oom.kills[1].request.known);
}

static void kills_before_the_workload_and_too_many(void **state)
{
	(void)state;
	bbb_restart(&box);
	kill_of(0.5, 40, 60, 1);
	bbb_mark(&box, 1.0, "workload");
	for (uint32_t i = 0; i < PL_OOM_MAX_KILLS + 3; i++)
		kill_of(2.0 + i, 40, 100 + i, UINT64_MAX);
	bbb_add(&box, BB_REC_END, sizeof(struct bb_end), 200.0);
	kill_of(201.0, 40, 60, 1);
	read_oom(NULL);
	assert_int_equal(oom.nr_kills, PL_OOM_MAX_KILLS);
	assert_int_equal(oom.more, 3);
	assert_int_equal(oom.kills[0].victim, 100);
	/* No sample, no stall, and a size that cannot be. */
	assert_int_equal(oom.kills[0].anon_kib, PL_OOM_UNKNOWN);
	assert_int_equal(oom.kills[0].memory.free_kib, PL_OOM_UNKNOWN);
	assert_line("killed hog 100 at 1 s, asked by ?, swap free 1 MiB");
}

static void count(double t_s, uint64_t kills)
{
	bbb_sample(&box, t_s)->oom_kill = kills;
}

/* A thread of a victim asks while it ends, and is marked as a victim too. The kernel's counter knows better. */
static void who_ends_anyway_is_not_killed(void **state)
{
	const struct pl_run_facts facts = { .exact = true };
	struct pl_analysis analysis;
	struct pl_bb bb;

	(void)state;
	bbb_restart(&box);
	count(0.5, 5);
	kill_of(0.6, 70, 70, 1);
	bbb_mark(&box, 1.0, "workload");
	/* That one was a kill, and no other of this sample's is. */
	kill_of(1.5, 71, 71, 1);
	count(2.0, 6);
	kill_of(2.1, 40, 61, 1);
	kill_of(2.2, 62, 62, 1);
	kill_of(2.3, 63, 63, 1);
	count(3.0, 7);
	/* One of two was chosen itself. */
	kill_of(3.1, 64, 64, 1);
	kill_of(3.2, 65, 65, 1);
	count(4.0, 8);
	count(5.0, 8);
	kill_of(5.1, 66, 66, 1);
	count(6.0, 8);
	for (uint32_t i = 0; i < PL_OOM_MAX_KILLS; i++) {
		kill_of(6.1, 40, 200, 1);
		kill_of(6.2, 300, 300, 1);
	}
	count(7.0, 8 + PL_OOM_MAX_KILLS + 2);
	read_oom(NULL);
	assert_int_equal(oom.kills[0].victim, 61);
	assert_int_equal(oom.kills[1].victim, 64);
	assert_int_equal(oom.kills[2].victim, 200);
	for (size_t i = 2; i < oom.nr_kills; i++)
		assert_true(oom.kills[i].victim == 200 || i < 6);
	assert_int_equal(oom.nr_kills + oom.more, 2 + PL_OOM_MAX_KILLS + 2);
	assert_int_equal(oom.ending, 1 + 2 + 1 + 1 + PL_OOM_MAX_KILLS - 2);

	/* And one that was ending anyway makes no verdict. */
	bbb_restart(&box);
	count(0.5, 5);
	bbb_mark(&box, 1.0, "workload");
	kill_of(1.5, 71, 71, 1);
	count(2.0, 5);
	bbb_mark(&box, 20.0, "stop");
	((struct bb_end *)bbb_add(&box, BB_REC_END, sizeof(struct bb_end), 21.0))->reason = BB_END_DONE;
	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
	pl_analyse(&bb, &facts, &analysis);
	assert_int_equal(analysis.verdict, PL_COMPLETED);
	assert_float_equal(analysis.value[M_oom_kills], 0, 0);
	assert_true(isnan(analysis.value[M_first_oom_s]));
}

/* As 6.12 prints it; 6.1 has no "UID: 0 " in the line of the CPU. */
#define INVOKED(comm, pid) \
	"[   12.604994] " comm " invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), " \
	"order=2, oom_score_adj=-1000\r\n" \
	"[   12.605047] CPU: 0 UID: 0 PID: " pid " Comm: " comm " Not tainted 6.12.117 #1 \r\n" \
	"[   12.605075] Call Trace:\r\n" \
	"[   12.605155]  oom_kill_process+0xe9/0x1c0\r\n"
#define MEMORY \
	"[   12.605684] Mem-Info:\r\n" \
	"[   12.606032] active_anon:3 inactive_anon:1 isolated_anon:0\r\n" \
	"[   12.606032]  active_file:65 inactive_file:0 isolated_file:0\r\n" \
	"[   12.606032]  unevictable:710 dirty:7 writeback:9\r\n" \
	"[   12.606032]  slab_reclaimable:213 slab_unreclaimable:1417\r\n" \
	"[   12.606032]  free:220 free_pcp:0 free_cma:0\r\n" \
	"[   12.606160] Node 0 active_anon:0kB inactive_anon:0kB active_file:260kB inactive_file:0kB dirty:4kB\r\n" \
	"[   12.606278] DMA free:80kB boost:0kB min:60kB low:100kB high:140kB present:15992kB managed:15360kB\r\n" \
	"[   12.606278] Node 0 DMA32 free:800kB boost:0kB min:1900kB low:2400kB high:2936kB managed:243828kB\r\n" \
	"[   12.606444] DMA32: 9*4kB (UM) 9*8kB (UM) = 892kB\r\n" \
	"[   12.606710] Free swap  = 503384kB\r\n" \
	"[   12.606732] Total swap = 731480kB\r\n"
#define KILLED(message, pid) \
	"[   12.606923] " message ": Killed process " pid " (hog) total-vm:293004kB, anon-rss:256kB, file-rss:596kB, " \
	"shmem-rss:12kB, UID:0 pgtables:604kB oom_score_adj:7\r\n"

static void what_the_console_adds(void **state)
{
	static const char console[] =
		"[    0.000000] Linux version 6.12.117\r\n"
		INVOKED("old one", "39") MEMORY KILLED("Out of memory", "60")
		INVOKED("f i o", "40") MEMORY
		"[   12.606818] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task_memcg=/box,"
		"task=hog,pid=61,uid=0\r\n"
		KILLED("Out of memory", "61") KILLED("Out of memory", "62");
	const struct pl_oom_kill *kill;
	char rule[64];

	(void)state;
	stall(12.3, 40, 0, 0xcc0);
	kill_of(13.5, 40, 61, 100);
	kill_of(14.5, 40, 62, 100);
	read_oom(console);
	kill = &oom.kills[0];
	assert_string_equal(kill->asker_comm, "f i o");
	assert_true(kill->request.of_console);
	assert_int_equal(kill->request.order, 2);
	assert_int_equal(kill->request.gfp, 0x140dca);
	assert_string_equal(kill->request.gfp_text, "GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO");
	assert_true(kill->has_asker_adj);
	assert_int_equal(kill->asker_adj, -1000);
	assert_true(kill->has_victim_adj);
	assert_int_equal(kill->victim_adj, 7);
	assert_int_equal(kill->anon_kib, 100);
	assert_int_equal(kill->file_kib, 596);
	assert_int_equal(kill->shmem_kib, 12);
	assert_int_equal(kill->total_vm_kib, 293004);
	assert_int_equal(kill->pgtables_kib, 604);
	assert_true(kill->memory.of_console);
	assert_int_equal(kill->memory.free_kib, 880);
	assert_int_equal(kill->memory.min_kib, 1960);
	assert_int_equal(kill->memory.low_kib, 2500);
	assert_int_equal(kill->memory.file_kib, 260);
	assert_int_equal(kill->memory.anon_kib, 16);
	assert_int_equal(kill->memory.dirty_kib, 28);
	assert_int_equal(kill->memory.writeback_kib, 36);
	assert_int_equal(kill->memory.slab_reclaimable_kib, 852);
	assert_int_equal(kill->memory.swap_free_kib, 503384);
	assert_int_equal(kill->memory.swap_total_kib, 731480);
	assert_float_equal(kill->stall_s, 1.2, 1e-9);
	assert_string_equal(kill->rule.victim_memcg, "/box");
	pl_oom_rule_text(&kill->rule, rule, sizeof(rule));
	assert_string_equal(rule, "the whole machine");
	/* The kernel bounds the rate of its reports: a kill without one has what the log says. */
	assert_int_equal(oom.kills[1].file_kib, 596);
	assert_false(oom.kills[1].memory.of_console);
	assert_int_equal(oom.kills[1].request.gfp, 0xcc0);
	pl_oom_rule_text(&oom.kills[1].rule, rule, sizeof(rule));
	assert_string_equal(rule, "not in the log");
}

static void the_limit_of_a_cgroup(void **state)
{
	static const char console[] =
		INVOKED("hog", "61")
		"[   12.6] memory: usage 20480kB, limit 20480kB, failcnt 37\r\n"
		"[   12.6] swap: usage 0kB, limit 9007199254740988kB, failcnt 0\r\n"
		"[   12.6] Memory cgroup stats for /a,b/box:\r\n"
		"[   12.6] anon 4018176\r\n"
		"[   12.6] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
		"oom_memcg=/a,b/box,task_memcg=/a,b/box/in,task=hog,pid=61,uid=0\r\n"
		KILLED("Memory cgroup out of memory", "61");
	char rule[PL_OOM_PATH_MAX + 80];

	(void)state;
	kill_of(13.5, 61, 61, 19 * 1024);
	read_oom(console);
	assert_string_equal(oom.kills[0].rule.memcg, "/a,b/box");
	assert_string_equal(oom.kills[0].rule.victim_memcg, "/a,b/box/in");
	assert_int_equal(oom.kills[0].rule.usage_kib, 20480);
	/* The kernel's word for no limit. */
	assert_int_equal(oom.kills[0].rule.swap_limit_kib, PL_OOM_UNKNOWN);
	/* The kernel does not report the machine's memory then. */
	assert_false(oom.kills[0].memory.of_console);
	pl_oom_rule_text(&oom.kills[0].rule, rule, sizeof(rule));
	assert_string_equal(rule, "memory.max of /a,b/box, 20.0 of 20.0 MiB");
	assert_line("killed hog 61 (19 MiB anon) at 12.5 s, asked by hog: order 2, GFP_HIGHUSER_MOVABLE; "
		    "free 2 MiB (MIN 2 MiB), file 1 MiB, anon 4 MiB, swap free 1 MiB; "
		    "memory.max of /a,b/box, 20.0 of 20.0 MiB");
}

/* A guest may print what it likes. */
static void a_console_that_lies(void **state)
{
	static const char *const consoles[] = {
		/* of another task than the log says, */
		INVOKED("liar", "99") MEMORY KILLED("Out of memory", "61"),
		/* that ends anywhere, */
		"x invoked oom-killer: ", "[", "[]", "[[[[", "CPU: 0 PID: 40",
		" invoked oom-killer: gfp_mask=0x140dca(",
		"x invoked oom-killer: gfp_mask=, order=\nCPU: 0 PID: 40 \noom-kill:constraint=",
		/* and whose numbers are none. */
		"x invoked oom-killer: gfp_mask=-1(\x01\x1b[31m), order=0, oom_score_adj=\nCPU: 0 PID: -40 Comm\n"
		"Killed process 61 (",
		"x invoked oom-killer: gfp_mask=0x1(), order=99999999999999999999\nCPU: 0 PID: 40\nMem-Info:\n"
		" free:99999999999999999999 dirty:\nFree swap  = -1kB\n"
		"Killed process 61 total-vm:9223372036854775807kB",
		"Killed process 99999999999999999999999999", "Killed process ", "Killed process 61",
	};
	char line[PL_OOM_LINE_MAX];

	(void)state;
	stall(12.3, 40, 0, 0xcc0);
	kill_of(13.5, 40, 61, 100);
	for (size_t i = 0; i < sizeof(consoles) / sizeof(*consoles); i++) {
		read_oom(consoles[i]);
		assert_int_equal(oom.nr_kills, 1);
		assert_false(oom.kills[0].memory.of_console);
		assert_int_equal(oom.kills[0].memory.free_kib, 2048);
		assert_string_not_equal(oom.kills[0].asker_comm, "liar");
		pl_oom_line(&oom.kills[0], line);
		for (const char *c = line; *c; c++)
			assert_in_range((unsigned char)*c, ' ', '~');
	}
	/* A line of any length. */
	char *flood = pl_calloc(1, 1 << 20);

	memset(flood, 'a', (1 << 20) - 1);
	memcpy(flood + (1 << 19), " invoked oom-killer: ", 21);
	read_oom(flood);
	free(flood);
	assert_int_equal(oom.nr_kills, 1);
}

static void metrics_and_reason(void **state)
{
	const struct pl_run_facts facts = { .exact = true };
	struct pl_analysis analysis;
	struct pl_bb bb;

	(void)state;
	stall(12.0, 40, 4, 0xcc0);
	stall(12.3, 40, 1, 0xcc0);
	stall(12.4, 41, 3, 0xcc0);
	kill_of(13.5, 40, 61, 118 * 1024);
	kill_of(15.0, 42, 42, 1024);
	bbb_mark(&box, 20.0, "stop");
	((struct bb_end *)bbb_add(&box, BB_REC_END, sizeof(struct bb_end), 21.0))->reason = BB_END_DONE;
	bbb_header(&box)->sample_period_ns = 100000000000;
	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
	pl_analyse(&bb, &facts, &analysis);
	assert_int_equal(analysis.verdict, PL_OOM);
	assert_string_equal(analysis.reason, "killed hog 61 (118 MiB anon) at 12.5 s, asked by ?: order 1, GFP_KERNEL, "
			    "after a stall of 1.2 s; free 2 MiB (MIN 2 MiB), file 1 MiB, anon 4 MiB, swap free 1 MiB");
	assert_float_equal(analysis.value[M_oom_kills], 2, 0);
	assert_float_equal(analysis.value[M_first_oom_s], 12.5, 1e-9);
	assert_float_equal(analysis.value[M_oom_victim_mib], 118, 0);
	assert_float_equal(analysis.value[M_oom_stall_s], 1.2, 1e-9);
	assert_float_equal(analysis.value[M_oom_order], 1, 0);
	assert_float_equal(analysis.value[M_oom_free_mib], 2, 0);
	assert_float_equal(analysis.value[M_oom_anon_mib], 4, 0);
	assert_float_equal(analysis.value[M_oom_file_mib], 1, 0);
}

/* "swap-free" is a reproach to the kernel where swap was to be had, and none where a cgroup may have no more. */
static void swap_of_a_cgroup(void **state)
{
	static const struct {
		const char *swap;
		bool free;
	} cases[] = {
		{ "swap: usage 0kB, limit 0kB, failcnt 0\r\n", false },
		{ "swap: usage 40kB, limit 40kB, failcnt 0\r\n", false },
		{ "swap: usage 40kB, limit 41kB, failcnt 0\r\n", true },
		{ "swap: usage 40kB, limit 9007199254740988kB, failcnt 0\r\n", true },
		{ "", true },
	};
	struct pl_analysis analysis;
	struct pl_bb bb;

	(void)state;
	kill_of(13.5, 61, 61, 19 * 1024);
	bbb_mark(&box, 20.0, "stop");
	((struct bb_end *)bbb_add(&box, BB_REC_END, sizeof(struct bb_end), 21.0))->reason = BB_END_DONE;
	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *console = pl_asprintf(INVOKED("hog", "61") "%soom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/box,"
					    "task_memcg=/box,task=hog\n" KILLED("Memory cgroup out of memory", "61"),
					    cases[i].swap);
		const struct pl_run_facts facts = { .exact = true, .console = console };

		pl_analyse(&bb, &facts, &analysis);
		assert_int_equal(analysis.verdict, PL_OOM);
		assert_int_equal(!!(analysis.flags & PL_FLAG_SWAP_FREE), cases[i].free);
		free(console);
	}
}

static void no_kill_no_word(void **state)
{
	const struct pl_run_facts facts = { .exact = true };
	struct pl_analysis analysis;
	struct pl_bb bb;

	(void)state;
	bbb_mark(&box, 20.0, "stop");
	((struct bb_end *)bbb_add(&box, BB_REC_END, sizeof(struct bb_end), 21.0))->reason = BB_END_DONE;
	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
	pl_analyse(&bb, &facts, &analysis);
	assert_string_equal(analysis.reason, "");
	assert_true(isnan(analysis.value[M_first_oom_s]));
	assert_true(isnan(analysis.value[M_oom_order]));
	assert_float_equal(analysis.value[M_oom_kills], 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gfp_has_the_kernels_names),
		cmocka_unit_test_setup_teardown(a_log_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_before_the_workload_and_too_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_ends_anyway_is_not_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_the_console_adds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_limit_of_a_cgroup, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_console_that_lies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(metrics_and_reason, set_up, tear_down),
		cmocka_unit_test_setup_teardown(swap_of_a_cgroup, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_kill_no_word, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
