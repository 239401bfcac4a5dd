// SPDX-License-Identifier: GPL-3.0-or-later
/* `plimsoll doctor`: checks one by one what runs need of this host, and says what is missing. */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "blackbox/blackbox.h"
#include "cli/cli.h"
#include "run/run.h"

#define BOOT_TIMEOUT_MS 60000
/* A guest under working KVM is up in a second; one that hangs after the firmware never is. */
#define KVM_TIMEOUT_MS	15000
#define FREE_MIB_WANTED 2048

struct doctor {
	const struct pl_cli *cli;
	unsigned failed;
};

static void say(struct doctor *doctor, bool good, bool needed, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static void say(struct doctor *doctor, bool good, bool needed, const char *what, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *text = pl_vasprintf(fmt, args);
	va_end(args);
	pl_print_wrapped(24, "%-6s %-16s %s", good ? "ok" : needed ? "FAILED" : "no", what, text);
	free(text);
	doctor->failed += !good && needed;
}

/* The kernels in build/kernels, in the order of readdir made stable. */
static int is_kernel(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Did the agent come up and end the cell by itself? */
static bool reached_end(const struct pl_vm *vm)
{
	const struct bb_rec *rec;
	uint64_t offset = 0;
	struct pl_bb bb;

	if (pl_bb_open(&bb, pl_vm_blackbox(vm), vm->blackbox_bytes, NULL) != PL_OK)
		return false;
	while (pl_bb_next(&bb, &offset, &rec) == PL_BB_RECORD)
		if (rec->type == BB_REC_END)
			return true;
	return false;
}

static void check_boot(struct doctor *doctor, const char *kernel, bool kvm)
{
	struct pl_vm_options options = { .lockstep = !kvm, .kvm = kvm, .core = -1 };
	struct pl_vm_end end;
	struct pl_cell cell;
	struct pl_error err = { 0 };
	struct pl_vm vm;
	bool timed_out;
	char what[32];

	snprintf(what, sizeof(what), kvm ? "kvm" : "kernel %.20s", kernel);
	if (pl_adhoc_cell(doctor->cli, kernel, "plimsoll-cell 1\nseed 1\nduration_ms 10\ngrace_ms 10\n", 1, &cell, &err) != PL_OK) {
		say(doctor, false, true, what, "%s", err.text);
		return;
	}
	if (kvm)
		cell.machine.clock = PL_CLOCK_REAL;
	if (pl_boot_once(doctor->cli, &cell, &options, kvm ? KVM_TIMEOUT_MS : BOOT_TIMEOUT_MS, &vm, &end, &timed_out, &err) != PL_OK) {
		say(doctor, false, !kvm, what, "%s", err.text);
		pl_adhoc_free(&cell);
		return;
	}
	bool up = reached_end(&vm);
	if (up && kvm)
		say(doctor, true, false, what, "a guest booted in %.1f s: the real clock can use it", end.wall_s);
	else if (kvm)
		say(doctor, false, false, what, "no guest comes up under it on this host; the real clock uses plain TCG");
	else if (!up)
		say(doctor, false, true, what, "did not come up%s", timed_out ? " in time" : "");
	else
		say(doctor, end.exact, true, what, "boots and ends in %.1f s of wall time, %s", end.wall_s,
		    end.exact ? "in lockstep" : "but NOT in lockstep: its cells would not be exact");
	pl_vm_release(&vm);
	pl_adhoc_free(&cell);
}

static void check_kernels(struct doctor *doctor, char *first, size_t room)
{
	char *dir = pl_asprintf("%s/kernels", doctor->cli->paths.build);
	struct dirent **names = NULL;
	int count = scandir(dir, &names, is_kernel, versionsort);

	*first = '\0';
	if (count <= 0)
		say(doctor, false, true, "kernels", "none is built; `make kernels` builds them");
	for (int i = 0; i < count; i++) {
		if (!i)
			snprintf(first, room, "%s", names[i]->d_name);
		check_boot(doctor, names[i]->d_name, false);
		free(names[i]);
	}
	free(names);
	free(dir);
}

static void check_space(struct doctor *doctor, const char *path, const char *what)
{
	struct statvfs fs;

	if (statvfs(path, &fs) && statvfs(".", &fs)) {
		say(doctor, false, true, what, "cannot be looked at");
		return;
	}
	unsigned long long free_mib = (unsigned long long)fs.f_bavail * fs.f_frsize >> 20;
	say(doctor, free_mib >= FREE_MIB_WANTED, false, what, "%llu MiB free (%d MiB or more are good to have)", free_mib, FREE_MIB_WANTED);
}

static void check_memory(struct doctor *doctor)
{
	unsigned long long free_mib = (unsigned long long)sysconf(_SC_AVPHYS_PAGES) * (unsigned long long)sysconf(_SC_PAGESIZE) >> 20;
	unsigned cores = pl_nr_cores();

	/* A cell of the default machine touches at most 256 MiB of RAM and 1.5 GiB of disk. */
	say(doctor, free_mib >= 2048ull * cores, false, "memory", "%llu MiB free for %u VMs side by side", free_mib, cores);
}

int pl_cmd_doctor(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.doc = "Say what this host can do. KVM counts only after a guest has booted under it. Exit code 3 if something is "
		       "missing that every job needs.",
	};
	struct doctor doctor = { .cli = cli };
	struct pl_host versions;
	struct pl_error err = { 0 };
	char kernel[NAME_MAX + 1];
	int code;

	if (!pl_parse(&argp, argc, argv, NULL, &code))
		return code;
	bool qemu = pl_vm_probe_host(&cli->vm_host, &versions, &err) == PL_OK;
	if (!qemu)
		say(&doctor, false, true, "qemu", "%s", err.text);
	else
		say(&doctor, true, true, "qemu", "%s: %s under the virtual clock", versions.qemu_version,
		    versions.qemu_major > 8 || (versions.qemu_major == 8 && versions.qemu_minor >= 1) ? "several vCPUs" : "one vCPU");
	say(&doctor, true, true, "cores", "%u: as many cells run side by side", pl_nr_cores());
	check_memory(&doctor);
	check_space(&doctor, cli->paths.results, "results");
	if (qemu) {
		check_kernels(&doctor, kernel, sizeof(kernel));
		if (access("/dev/kvm", R_OK | W_OK))
			say(&doctor, false, false, "kvm", "/dev/kvm is not there or not ours; the real clock uses plain TCG");
		else if (*kernel)
			check_boot(&doctor, kernel, true);
	}
	return doctor.failed ? PL_HOST : PL_OK;
}
