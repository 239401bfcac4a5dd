// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define LINE_BYTES		512
#define LINES_LOGGED		200
#define PREPARE_LAST_READS	64
#define HISTOGRAM_PERIOD_NS	(10 * NS_PER_S)
#define SECTOR_BYTES		512

/* What all copies of a task, or the commands of prepare, say on stdout and stderr. */
struct output {
	const char *name;
	int fd;
	unsigned int lines;
	size_t len;
	char line[LINE_BYTES];
};

struct process {
	pid_t pid;
	bool running;
};

static int loop = -1, signals = -1, timer = -1, cpu_stat = -1, kill_file = -1, procs_file = -1, devnull = -1;
static int barrier[2] = { -1, -1 };

static struct output outputs[PROGRAM_MAX_TASKS + 1];
static unsigned int nr_outputs;
static struct process processes[PROGRAM_MAX_PROCESSES];
static unsigned int nr_processes;

static pid_t prepare_pid;
static int prepare_status;

static bool workload_runs;	/* between release and stop */
static uint64_t next_histogram_ns = UINT64_MAX;

static struct {
	uint64_t user_us, system_us, minor_faults, major_faults, read_bytes, write_bytes, exited_early, failed;
} totals;

static char *const environment[] = { "PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/tmp", "TMPDIR=/tmp", "TERM=linux", NULL };

static int must(int fd, const char *what)
{
	if (fd < 0)
		give_up("failed", "%s: %s", what, strerror(errno));
	return fd;
}

static void watch(int fd, struct output *output)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = output };

	must(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

/* The start of a file of the cgroup, NUL-terminated; static, so that the next call overwrites it. */
static const char *read_whole(int fd)
{
	static char text[8192];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	text[got < 0 ? 0 : got] = '\0';
	return text;
}

void tasks_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	loop = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
	signals = must(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
	timer = must(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create");
	/* Neither has output; which of them is ready is found out by asking both. */
	watch(signals, NULL);
	watch(timer, NULL);
	devnull = must(open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null");
	must(pipe2(barrier, O_CLOEXEC), "pipe2");

	/*
	 * The cgroup has no controller enabled: it counts CPU time, also that of processes that never end, and it
	 * knows all that came of the tasks, but it changes nothing in how memory is managed.
	 */
	must(mkdir(CGROUP_DIR, 0755), CGROUP_DIR);
	cpu_stat = must(open(CGROUP_DIR "/cpu.stat", O_RDONLY | O_CLOEXEC), "cpu.stat");
	kill_file = must(open(CGROUP_DIR "/cgroup.kill", O_WRONLY | O_CLOEXEC), "cgroup.kill");
	procs_file = must(open(CGROUP_DIR "/cgroup.procs", O_RDWR | O_CLOEXEC), "cgroup.procs");
	/* The first read of such a file allocates a buffer that it keeps: now, and not when memory is short. */
	read_whole(cpu_stat);
	read_whole(procs_file);
}

static struct output *output_open(const char *name, int *write_end)
{
	struct output *output = &outputs[nr_outputs++];
	int ends[2];

	must(pipe2(ends, O_CLOEXEC), "pipe2");
	must(fcntl(ends[0], F_SETFL, O_NONBLOCK), "fcntl");
	output->name = name;
	output->fd = ends[0];
	*write_end = ends[1];
	watch(ends[0], output);
	return output;
}

static void output_line(struct output *output)
{
	output->line[output->len] = '\0';
	if (output->len && output->lines < LINES_LOGGED) {
		output->lines++;
		report_text(output->name, output->line);
	}
	output->len = 0;
}

/* One read only: a task that never stops talking must not keep the agent from the clock. False if there was nothing. */
static bool output_serve(struct output *output)
{
	static char bytes[4096];
	ssize_t got = read(output->fd, bytes, sizeof(bytes));

	if (got < 0)
		return false;
	for (ssize_t i = 0; i < got; i++) {
		if (bytes[i] == '\n')
			output_line(output);
		else if (output->len < sizeof(output->line) - 1)
			output->line[output->len++] = bytes[i];
	}
	if (!got) {
		output_line(output);
		epoll_ctl(loop, EPOLL_CTL_DEL, output->fd, NULL);
		close(output->fd);
		output->fd = -1;
	}
	return got > 0;
}

/* In the child: become the command, in a process group of its own. */
static _Noreturn void become(const char *command, int out)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(devnull, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execle("/bin/sh", "sh", "-c", command, (char *)NULL, environment);
	dprintf(STDERR_FILENO, "/bin/sh: %s\n", strerror(errno));
	_exit(127);
}

static void account(pid_t pid, int status, const struct rusage *usage)
{
	if (pid == prepare_pid) {
		prepare_pid = 0;
		prepare_status = status;
		return;
	}
	if (probe_ended(pid, status))
		return;
	/* Children of tasks that outlived them end here as well. */
	totals.minor_faults += (uint64_t)usage->ru_minflt;
	totals.major_faults += (uint64_t)usage->ru_majflt;
	totals.read_bytes += (uint64_t)usage->ru_inblock * SECTOR_BYTES;
	totals.write_bytes += (uint64_t)usage->ru_oublock * SECTOR_BYTES;
	for (unsigned int i = 0; i < nr_processes; i++) {
		if (processes[i].pid != pid || !processes[i].running)
			continue;
		processes[i].running = false;
		if (workload_runs) {
			totals.exited_early++;
			totals.failed += status != 0;
		}
	}
}

static void reap(void)
{
	struct signalfd_siginfo info;
	struct rusage usage;
	int status;
	pid_t pid;

	while (read(signals, &info, sizeof(info)) == sizeof(info))
		;
	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
		account(pid, status, &usage);
}

static void arm(uint64_t at_ns)
{
	struct itimerspec when = {
		.it_value.tv_sec = (time_t)(at_ns / NS_PER_S),
		.it_value.tv_nsec = (long)(at_ns % NS_PER_S),
	};

	timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* Serve what is ready; sleep until something is, but not beyond @deadline_ns. */
static void serve_once(uint64_t deadline_ns)
{
	struct epoll_event events[8];
	int ready;

	arm(deadline_ns < next_histogram_ns ? deadline_ns : next_histogram_ns);
	ready = epoll_wait(loop, events, 8, -1);
	for (int i = 0; i < ready; i++) {
		if (events[i].data.ptr)
			output_serve(events[i].data.ptr);
		else
			reap();
	}
	if (now_ns() >= next_histogram_ns) {
		probe_report();
		next_histogram_ns += HISTOGRAM_PERIOD_NS;
	}
}

void tasks_serve_until(uint64_t deadline_ns)
{
	while (now_ns() < deadline_ns)
		serve_once(deadline_ns);
}

void tasks_prepare(const char *command, uint64_t deadline_ns)
{
	static struct output *output;
	static int out = -1;
	pid_t pid;

	if (!output)
		output = output_open("prepare", &out);
	pid = must(fork(), "prepare: fork");
	if (!pid) {
		setpgid(0, 0);
		become(command, out);
	}
	setpgid(pid, pid);
	prepare_pid = pid;
	while (prepare_pid) {
		if (now_ns() >= deadline_ns) {
			kill(-pid, SIGKILL);
			give_up("failed", "prepare: out of time: %.200s", command);
		}
		serve_once(deadline_ns);
	}
	/* Nothing of it may run on into the workload. */
	kill(-pid, SIGKILL);
	for (int reads = 0; reads < PREPARE_LAST_READS && output_serve(output); reads++)
		;
	if (prepare_status)
		give_up("failed", "prepare: status 0x%x: %.200s", (unsigned int)prepare_status, command);
}

void tasks_add(const struct step *step)
{
	static char command[PROGRAM_MAX_BYTES + 8];
	int out;

	snprintf(command, sizeof(command), "exec %s", step->value);
	output_open(step->name, &out);
	for (uint64_t i = 0; i < step->number; i++) {
		char number[16], go;
		pid_t pid = must(fork(), "task: fork");

		if (!pid) {
			setpgid(0, 0);
			close(barrier[1]);
			while (read(barrier[0], &go, 1) < 0 && errno == EINTR)
				;
			become(command, out);
		}
		setpgid(pid, pid);
		snprintf(number, sizeof(number), "%d", (int)pid);
		if (write(procs_file, number, strlen(number)) < 0)
			give_up("failed", "task %s: cgroup.procs: %s", step->name, strerror(errno));
		processes[nr_processes++] = (struct process){ .pid = pid, .running = true };
	}
	close(out);
}

void tasks_release(void)
{
	workload_runs = true;
	next_histogram_ns = now_ns() + HISTOGRAM_PERIOD_NS;
	close(barrier[1]);
	close(barrier[0]);
}

static uint64_t field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void signal_groups(int number)
{
	for (unsigned int i = 0; i < nr_processes; i++)
		kill(-processes[i].pid, number);
}

void tasks_stop(void)
{
	const char *stat = read_whole(cpu_stat);

	workload_runs = false;
	totals.user_us = field(stat, "user_usec ");
	totals.system_us = field(stat, "system_usec ");
	signal_groups(SIGTERM);
}

void tasks_kill(void)
{
	/* The cgroup finds those that left their group, but has to allocate; the signals do not and set memory free. */
	signal_groups(SIGKILL);
	if (write(kill_file, "1", 1) != 1)
		report_text("agent", "cgroup.kill failed");
}

static uint64_t count_living(void)
{
	uint64_t lines = 0;

	for (const char *c = read_whole(procs_file); *c; c++)
		lines += *c == '\n';
	return lines;
}

void tasks_report(void)
{
	report_metric("workload_user_us", totals.user_us);
	report_metric("workload_sys_us", totals.system_us);
	report_metric("workload_minor_faults", totals.minor_faults);
	report_metric("workload_major_faults", totals.major_faults);
	report_metric("workload_read_bytes", totals.read_bytes);
	report_metric("workload_write_bytes", totals.write_bytes);
	report_metric("workload_exited_early", totals.exited_early);
	report_metric("workload_failed", totals.failed);
	report_metric("workload_unreaped", count_living());
}

void run_shell(void)
{
	pid_t pid = fork(), ended;

	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execle("/bin/setsid", "setsid", "cttyhack", "sh", "-l", (char *)NULL, environment);
		dprintf(STDERR_FILENO, "agent: /bin/setsid: %s\n", strerror(errno));
		_exit(127);
	}
	do
		ended = wait(NULL);
	while (ended >= 0 ? ended != pid : errno == EINTR);
	sync();
	reboot(RB_AUTOBOOT);
	_exit(1);
}
