// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#include "blackbox/format.h"
#include "agent.h"
#include "report.h"

static int box = -1;

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

bool report_open(void)
{
	box = open("/dev/blackbox", O_RDWR | O_CLOEXEC);
	return box >= 0;
}

size_t report_read_program(char *text, size_t room)
{
	size_t len = 0;

	while (len < room) {
		ssize_t got = read(box, text + len, room - len);

		if (got <= 0)
			break;
		len += (size_t)got;
	}
	return len;
}

void report_record(void *record, enum bb_rec_type type, size_t bytes)
{
	struct bb_rec *head = record;
	ssize_t written;

	head->type = (__u16)type;
	head->bytes = (__u16)bytes;
	do
		written = write(box, record, bytes);
	while (written < 0 && errno == EINTR);
}

void report_mark(const char *name)
{
	struct bb_mark mark = { 0 };

	snprintf(mark.name, sizeof(mark.name), "%s", name);
	report_record(&mark, BB_REC_MARK, sizeof(mark));
}

void report_metric(const char *name, uint64_t value)
{
	struct bb_metric metric = { .value = (__s64)value };

	snprintf(metric.name, sizeof(metric.name), "%s", name);
	report_record(&metric, BB_REC_METRIC, sizeof(metric));
}

void report_text(const char *name, const char *text)
{
	struct {
		struct bb_text head;
		char text[BB_TEXT_MAX_BYTES];
	} record = { 0 };
	size_t len = strnlen(text, sizeof(record.text) - 1);

	snprintf(record.head.name, sizeof(record.head.name), "%s", name);
	memcpy(record.text, text, len);
	/* The NUL belongs to the text, and a record is a multiple of 8 bytes. */
	report_record(&record, BB_REC_TEXT, sizeof(record.head) + ((len + 1 + 7) & ~(size_t)7));
}

void report_deadline(uint64_t deadline_ns)
{
	struct bb_deadline deadline = { .deadline_ns = deadline_ns };

	report_record(&deadline, BB_REC_DEADLINE, sizeof(deadline));
}

static void restart_by_sysrq(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* Does not return, unless this kernel has no SysRq. */
	if (write(fd, "b", 1) < 0)
		close(fd);
}

void report_end(void)
{
	struct bb_end end = { .reason = BB_END_DONE };

	report_record(&end, BB_REC_END, sizeof(end));
	/* The log is closed. By SysRq, as somebody would do who finds it hung: an orderly restart could wait for ever. */
	restart_by_sysrq();
	reboot(RB_AUTOBOOT);
	/* A PID 1 that returns panics the kernel, which restarts it as well (panic=-1). */
	_exit(1);
}

void give_up(const char *name, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	report_text(name, text);
	dprintf(STDERR_FILENO, "agent: %s: %s\n", name, text);
	report_end();
}
