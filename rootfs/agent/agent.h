/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PID 1 of a guest: the faces of its parts.
 *
 * The agent has to act on time while the guest thrashes. So all its memory is static and locked, it waits in
 * epoll_wait() alone (which allocates nothing), and it never opens a file of /proc/PID: those that say something
 * about memory take that task's mmap_lock, which may be held for minutes.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "program.h"

#define NS_PER_MS	1000000ULL
#define NS_PER_S	1000000000ULL

#define DATA_DIR	"/data"
#define CGROUP_DIR	"/sys/fs/cgroup/workload"

/* CLOCK_MONOTONIC, the clock of the black box. */
uint64_t now_ns(void);

/* report.c: the black box. Records that find no room are counted there and are no error here. */

/* Returns false if this kernel has no black box. */
bool report_open(void);

/* Read the host's program into @text of @room bytes. Returns its length, 0 if there is none. */
size_t report_read_program(char *text, size_t room);

void report_mark(const char *name);
void report_metric(const char *name, uint64_t value);
void report_text(const char *name, const char *text);
void report_deadline(uint64_t deadline_ns);

/* No record follows: end the log and restart, which ends the VM. */
_Noreturn void report_end(void);

/* Say why (@name is "rejected" or "failed") in the log and on the console, then report_end(). */
_Noreturn void give_up(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* settings.c: what the guest is made of. All give up if something is refused. */

void mount_basics(void);
void mount_data(void);
void mount_tracing(void);			/* for people only: cells do without */
void apply_setting(const struct step *step);	/* DISK, SYSCTL, FILE, MGLRU, SWAP */
void start_disk_epoch(void);

/* tasks.c: processes, their output and their end. */

/* Make the loop, the signals and the cgroup. */
void tasks_open(void);

/* Run one command to its end; gives up if it fails or does not end before @deadline_ns. */
void tasks_prepare(const char *command, uint64_t deadline_ns);

/*
 * Fork all copies of @step. They wait for tasks_release(), so that no fork has to find memory once the first of them
 * has begun to eat it, and all begin at once.
 */
void tasks_add(const struct step *step);
void tasks_release(void);

/* Serve children, output and histograms until @deadline_ns. */
void tasks_serve_until(uint64_t deadline_ns);

void tasks_stop(void);		/* SIGTERM to all groups; what they did until now is their progress */
void tasks_kill(void);		/* SIGKILL to everything that came of them */
void tasks_report(void);	/* the workload_* metrics */

/* Start a shell on the console and restart when it ends. */
_Noreturn void run_shell(void);

/* probe.c: what a bystander feels. */

/* Start both probes, which idle until probe_begin(); returns when they are set up. */
void probe_start(void);
void probe_begin(void);
void probe_stop(void);		/* begin nothing more; what is under way goes on and is counted */
void probe_report(void);

/* Is @pid, which ended with @status, a probe? Gives up if it had no reason to end. */
bool probe_ended(pid_t pid, int status);

/* main() of a probe: argv[1] is its name. */
_Noreturn void probe_main(const char *name);

#endif
