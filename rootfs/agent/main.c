// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * PID 1 of a guest: set the guest up as the host's program says, run the workload for its time, say what came of it,
 * restart (which ends the VM). docs/formats.md, section "Agent program", is the contract.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent.h"

#define PREPARE_LIMIT_NS	(300 * NS_PER_S)
#define SETUP_LIMIT_NS		(PREPARE_LIMIT_NS + 60 * NS_PER_S)
#define KILL_TO_END_NS		(1 * NS_PER_S)
#define DEADLINE_MARGIN_NS	(5 * NS_PER_S)

static char text[PROGRAM_MAX_BYTES + 1];
static struct program program;

static bool is_setting(enum verb verb)
{
	return verb != VERB_DISK && verb != VERB_PREPARE && verb != VERB_TASK;
}

static void settings(void)
{
	report_mark("settings");
	mount_data();
	for (size_t i = 0; i < program.nr_steps; i++)
		if (is_setting(program.steps[i].verb))
			apply_setting(&program.steps[i]);
}

/*
 * What prepare wrote is synced, so that it is no debt that the workload pays, but stays cached: a machine that has been
 * up for long has its memory full of files, and on a slow disk an empty one would need minutes to get there. Who wants
 * to begin cold writes to drop_caches as the last command of prepare.
 */
static void prepare(void)
{
	uint64_t deadline_ns = now_ns() + PREPARE_LIMIT_NS;

	report_mark("prepare");
	for (size_t i = 0; i < program.nr_steps; i++)
		if (program.steps[i].verb == VERB_PREPARE)
			tasks_prepare(program.steps[i].value, deadline_ns);
}

static void workload(void)
{
	uint64_t begin_ns, stop_ns;

	probe_start();
	sync();
	for (size_t i = 0; i < program.nr_steps; i++)
		if (program.steps[i].verb == VERB_TASK)
			tasks_add(&program.steps[i]);
	for (size_t i = 0; i < program.nr_steps; i++)
		if (program.steps[i].verb == VERB_DISK)
			apply_setting(&program.steps[i]);

	begin_ns = now_ns();
	stop_ns = begin_ns + program.duration_ms * NS_PER_MS;
	report_deadline(stop_ns + program.grace_ms * NS_PER_MS + DEADLINE_MARGIN_NS);
	start_disk_epoch();
	report_mark("workload");
	probe_begin();
	tasks_release();
	tasks_serve_until(stop_ns);

	report_mark("stop");
	tasks_stop();
	probe_stop();
	tasks_serve_until(stop_ns + program.grace_ms * NS_PER_MS);
	tasks_kill();
	tasks_serve_until(stop_ns + program.grace_ms * NS_PER_MS + KILL_TO_END_NS);
}

int main(int argc, char **argv)
{
	char error[PROGRAM_ERROR_BYTES];
	size_t bytes;

	if (argc == 2 && !strncmp(argv[1], "probe", 5) && getpid() != 1)
		probe_main(argv[1]);

	mount_basics();
	if (!report_open())
		run_shell();
	bytes = report_read_program(text, sizeof(text));
	if (!bytes)
		run_shell();
	report_mark("boot");
	if (program_parse(text, bytes, &program, error))
		give_up("failed", "program: %s", error);
	if (program.shell) {
		mount_data();
		mount_tracing();
		run_shell();
	}
	report_deadline(now_ns() + SETUP_LIMIT_NS);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		give_up("failed", "mlockall: %s", strerror(errno));
	tasks_open();
	settings();
	prepare();
	workload();
	tasks_report();
	probe_report();
	report_mark("end");
	report_end();
}
