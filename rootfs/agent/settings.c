// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "agent.h"

#define MDISK_PARAMETERS	"/sys/module/mdisk/parameters/"
#define PAGE_BYTES		4096
#define VALUE_BYTES		4096
#define MIN_SWAP_BYTES		65536

/* include/linux/swap.h, union swap_header: the part that swapon(2) reads. */
struct swap_info {
	char bootbits[1024];
	uint32_t version;
	uint32_t last_page;
	uint32_t nr_badpages;
	unsigned char uuid[16];
	char label[16];
	char unused[PAGE_BYTES - 1024 - 3 * 4 - 2 * 16 - 10];
	char magic[10];
};

_Static_assert(sizeof(struct swap_info) == PAGE_BYTES, "the signature ends its page");

static void mount_at(const char *source, const char *target, const char *type, unsigned long flags,
		     const char *options)
{
	/* EBUSY: the kernel has mounted it already (devtmpfs). */
	if (mount(source, target, type, flags, options) && errno != EBUSY)
		give_up("failed", "mount %s on %s: %s", type, target, strerror(errno));
}

void mount_basics(void)
{
	mount_at("dev", "/dev", "devtmpfs", MS_NOSUID, NULL);
	mount_at("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_at("sys", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_at("cgroup", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_at("tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,mode=1777");
	mount_at("run", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755");
	/* Commands expect to be somewhere where they can write. */
	if (chdir("/tmp"))
		give_up("failed", "chdir /tmp: %s", strerror(errno));
}

void mount_data(void)
{
	/* noinit_itable: what the disk does is to come from the workload, not from the age of the file system. */
	mount_at("/dev/mdisk3", DATA_DIR, "ext4", MS_NOSUID | MS_NODEV, "noinit_itable");
}

void mount_tracing(void)
{
	/* Not mount_at(): a kernel without tracepoints has a shell all the same. */
	mount("tracefs", "/sys/kernel/tracing", "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* Returns NULL or what failed. */
static const char *write_value(const char *path, const char *value)
{
	size_t len = strlen(value);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;

	if (fd < 0)
		return strerror(errno);
	written = write(fd, value, len);
	if (written < 0) {
		const char *why = strerror(errno);

		close(fd);
		return why;
	}
	close(fd);
	return (size_t)written == len ? NULL : "written in part only";
}

static const char *read_value(const char *path, char value[VALUE_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return strerror(errno);
	got = read(fd, value, VALUE_BYTES - 1);
	if (got < 0) {
		const char *why = strerror(errno);

		close(fd);
		return why;
	}
	close(fd);
	value[got] = '\0';
	while (got > 0 && value[got - 1] == '\n')
		value[--got] = '\0';
	return NULL;
}

static void set_value(const char *verb, const char *name, const char *path, const char *value)
{
	static char reads_back[VALUE_BYTES];
	const char *why = write_value(path, value);

	if (why)
		give_up("rejected", "%s %s: cannot write %s: %s", verb, name, value, why);
	why = read_value(path, reads_back);
	if (why)
		give_up("rejected", "%s %s: wrote %s, cannot read it back: %s", verb, name, value, why);
	if (!value_matches(value, reads_back))
		give_up("rejected", "%s %s: wrote %s, reads back %s", verb, name, value, reads_back);
}

static void set_sysctl(const struct step *step)
{
	char path[320];

	snprintf(path, sizeof(path), "/proc/sys/%s", step->name);
	for (char *c = path; *c; c++)
		if (*c == '.')
			*c = '/';
	set_value("sysctl", step->name, path, step->value);
}

static void set_mglru(bool on)
{
	static const char path[] = "/sys/kernel/mm/lru_gen/enabled";
	static char reads_back[VALUE_BYTES];
	const char *why;

	/* A kernel without it has it off. */
	if (!on && access(path, F_OK))
		return;
	why = write_value(path, on ? "y" : "n");
	if (!why)
		why = read_value(path, reads_back);
	if (why)
		give_up("rejected", "mglru %s: %s", on ? "on" : "off", why);
	/* It reads as a bit mask; which bits there are depends on the CPU. */
	if (!strcmp(reads_back, "0x0000") == on)
		give_up("rejected", "mglru %s: reads back %s", on ? "on" : "off", reads_back);
}

static void swap_on(const char *step, const char *device)
{
	static struct swap_info info;
	int fd = open(device, O_RDWR | O_CLOEXEC);
	off_t bytes;

	if (fd < 0)
		give_up("rejected", "swap %s: %s: %s", step, device, strerror(errno));
	bytes = lseek(fd, 0, SEEK_END);
	if (bytes < MIN_SWAP_BYTES)
		give_up("rejected", "swap %s: %s has %lld bytes only", step, device, (long long)bytes);
	info.version = 1;
	info.last_page = (uint32_t)(bytes / PAGE_BYTES - 1);
	memcpy(info.magic, "SWAPSPACE2", sizeof(info.magic));
	if (pwrite(fd, &info, sizeof(info), 0) != sizeof(info) || fsync(fd))
		give_up("rejected", "swap %s: %s: %s", step, device, strerror(errno));
	close(fd);
	if (swapon(device, 0))
		give_up("rejected", "swap %s: swapon %s: %s", step, device, strerror(errno));
}

static void set_swap(const struct step *step)
{
	struct sysinfo info;
	char bytes[32];

	if (!strcmp(step->name, "disk"))
		swap_on("disk", "/dev/mdisk2");
	if (strcmp(step->name, "zram") != 0)
		return;
	sysinfo(&info);
	snprintf(bytes, sizeof(bytes), "%llu",
		 (unsigned long long)info.totalram * info.mem_unit * step->number / 100 & ~(PAGE_BYTES - 1ULL));
	set_value("swap", "zram", "/sys/block/zram0/disksize", bytes);
	swap_on("zram", "/dev/zram0");
}

void apply_setting(const struct step *step)
{
	char path[320];

	switch (step->verb) {
	case VERB_DISK:
		snprintf(path, sizeof(path), MDISK_PARAMETERS "%s", step->name);
		set_value("disk", step->name, path, step->value);
		break;
	case VERB_SYSCTL:
		set_sysctl(step);
		break;
	case VERB_FILE:
		set_value("file", step->name, step->name, step->value);
		break;
	case VERB_MGLRU:
		set_mglru(step->number);
		break;
	case VERB_SWAP:
		set_swap(step);
		break;
	case VERB_PREPARE:
	case VERB_TASK:
		break;
	}
}

void start_disk_epoch(void)
{
	const char *why = write_value(MDISK_PARAMETERS "epoch", "1");

	if (why)
		give_up("rejected", "disk epoch: %s", why);
}
