// SPDX-License-Identifier: GPL-3.0-or-later
/* Starts QEMU with its memory and its limits, and waits for it, holds it, kills it and reads what it left. */
#include "vm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "blackbox/format.h"
#include "vm/image.h"

#define MIB ((size_t)1 << 20)

/* A program that only prints its version has no business taking longer. */
#define VERSION_TIMEOUT_MS 10000

struct args {
	char *argv[96];
	size_t count;
};

/* What QEMU inherits of lockstep; -1: nothing. */
struct lockstep {
	int library_fd;	 /* lockstep.so: the loader splits LD_PRELOAD at blanks and colons, which a path may have */
	int evidence_fd; /* memfd with struct pl_lockstep_evidence */
};

static void add_arg(struct args *args, char *text)
{
	if (args->count + 1 >= sizeof(args->argv) / sizeof(args->argv[0]))
		abort();
	args->argv[args->count++] = text;
	args->argv[args->count] = NULL;
}

static void free_args(struct args *args)
{
	for (size_t i = 0; i < args->count; i++)
		free(args->argv[i]);
}

static unsigned log2_of(uint32_t value)
{
	return (unsigned)__builtin_ctz(value);
}

#if defined(__x86_64__)
/* Both clocks at one moment, as far as nothing came between: of some tries, the one that took the shortest. */
static uint64_t tsc_and_ns(uint64_t *ns)
{
	uint64_t shortest = UINT64_MAX, tsc = 0;

	for (int i = 0; i < 10; i++) {
		struct timespec before, after;

		clock_gettime(CLOCK_MONOTONIC_RAW, &before);
		uint64_t now = __rdtsc();
		clock_gettime(CLOCK_MONOTONIC_RAW, &after);
		uint64_t before_ns = (uint64_t)before.tv_sec * 1000000000 + (uint64_t)before.tv_nsec;
		uint64_t took = (uint64_t)after.tv_sec * 1000000000 + (uint64_t)after.tv_nsec - before_ns;
		if (took >= shortest)
			continue;
		shortest = took;
		*ns = before_ns + took / 2;
		tsc = now;
	}
	return tsc;
}

static unsigned host_tsc_khz(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	uint64_t first_ns = 0, last_ns = 0;
	uint64_t first = tsc_and_ns(&first_ns);

	nanosleep(&pause, NULL);
	uint64_t last = tsc_and_ns(&last_ns);
	return (unsigned)((double)(last - first) * 1e6 / (double)(last_ns - first_ns) + 0.5);
}
#else
static unsigned host_tsc_khz(void)
{
	return 0;
}
#endif

/*
 * Boot parameters. Frequencies are those of QEMU's clocks: under -icount TSC and APIC timer count nanoseconds; without
 * it the TSC is the host's (cpus_get_elapsed_ticks in softmmu/cpus.c; hw/intc/apic_common.c). A guest that measured
 * them would spin through translated code, which takes half of its boot, and where the host is busy it would find that
 * both clocks are broken and go on with a tick of 4 ms.
 */
static char *command_line(const struct pl_cell *cell, const struct pl_vm *vm, const struct pl_vm_options *options)
{
	struct pl_buf line = { 0 };
	uint64_t platter_at = vm->ram_bytes, blackbox_at = platter_at + vm->platter_bytes;
	uint64_t root_bytes = vm->platter_bytes - ((size_t)cell->swap_mib + cell->data_mib) * MIB;

	pl_buf_printf(&line, "console=ttyS0 panic=-1 reboot=t nokaslr random.trust_cpu=on no_timer_check tsc=reliable");
	if (cell->machine.clock == PL_CLOCK_VIRTUAL)
		pl_buf_printf(&line, " tsc_early_khz=1000000 lapic_timer_khz=1000000");
	else if (!options->kvm)
		pl_buf_printf(&line, " tsc_early_khz=%u lapic_timer_khz=1000000", host_tsc_khz());
	pl_buf_printf(&line, " root=/dev/mdisk1 rootfstype=erofs ro init=/sbin/agent");
	pl_buf_printf(&line, " memmap=%zuM$%zuM", (vm->platter_bytes + vm->blackbox_bytes) / MIB, vm->ram_bytes / MIB);
	pl_buf_printf(&line, " mdisk.base=%llu mdisk.size=%llu mdisk.depth=%u", (unsigned long long)platter_at,
		      (unsigned long long)vm->platter_bytes, cell->disk_depth);
	pl_buf_printf(&line, " blkdevparts=mdisk:%zuM(root),%uM(swap),-(data)", (size_t)root_bytes / MIB, cell->swap_mib);
	pl_buf_printf(&line, " blackbox.base=%llu blackbox.size=%llu", (unsigned long long)blackbox_at,
		      (unsigned long long)vm->blackbox_bytes);
	if (options->extra_args)
		pl_buf_printf(&line, " %s", options->extra_args);
	return line.text;
}

static void qemu_args(const struct pl_vm_host *host, const struct pl_cell *cell, const struct pl_vm_options *options,
		      const struct pl_vm *vm, struct args *args)
{
	const struct pl_machine *machine = &cell->machine;
	bool virtual_clock = machine->clock == PL_CLOCK_VIRTUAL;

	add_arg(args, pl_strdup(host->qemu));
	add_arg(args, pl_strdup("-name"));
	add_arg(args, pl_strdup("plimsoll,debug-threads=on"));
	add_arg(args, pl_strdup("-machine"));
	add_arg(args, pl_strdup("microvm,acpi=off,pic=on,pit=on,rtc=on,isa-serial=on,auto-kernel-cmdline=off,memory-backend=ram"));
	add_arg(args, pl_strdup("-object"));
	add_arg(args, pl_asprintf("memory-backend-file,id=ram,size=%zu,mem-path=/proc/self/fd/%d,share=on", vm->memory_bytes,
				  vm->memory_fd));
	add_arg(args, pl_strdup("-m"));
	add_arg(args, pl_asprintf("%zu", vm->memory_bytes / MIB));
	add_arg(args, pl_strdup("-accel"));
	add_arg(args, pl_strdup(options->kvm ? "kvm" : virtual_clock ? "tcg,thread=single" : "tcg"));
	add_arg(args, pl_strdup("-cpu"));
	add_arg(args, pl_strdup(options->kvm ? "host" : "qemu64,+rdrand"));
	add_arg(args, pl_strdup("-smp"));
	add_arg(args, pl_asprintf("%u", machine->vcpus));
	add_arg(args, pl_strdup("-rtc"));
	if (virtual_clock) {
		add_arg(args, pl_strdup("base=2020-01-01T00:00:00,clock=vm"));
		add_arg(args, pl_strdup("-icount"));
		add_arg(args, pl_asprintf("shift=%u,sleep=off", log2_of(machine->ns_per_instruction)));
	} else {
		add_arg(args, pl_strdup("base=2020-01-01T00:00:00"));
	}
	add_arg(args, pl_strdup("-seed"));
	add_arg(args, pl_asprintf("%u", (unsigned)(cell->seed & 0x7fffffff)));
	add_arg(args, pl_strdup("-nodefaults"));
	add_arg(args, pl_strdup("-no-user-config"));
	add_arg(args, pl_strdup("-display"));
	add_arg(args, pl_strdup("none"));
	add_arg(args, pl_strdup("-no-reboot"));
	if (options->console_on_stdio) {
		add_arg(args, pl_strdup("-chardev"));
		add_arg(args, pl_strdup("stdio,id=console,signal=off"));
	} else {
		add_arg(args, pl_strdup("-chardev"));
		add_arg(args, pl_asprintf("file,id=console,path=/proc/self/fd/%d", vm->console_fd));
	}
	add_arg(args, pl_strdup("-serial"));
	add_arg(args, pl_strdup("chardev:console"));
	add_arg(args, pl_strdup("-kernel"));
	add_arg(args, pl_strdup(cell->vmlinux));
	add_arg(args, pl_strdup("-append"));
	add_arg(args, command_line(cell, vm, options));
}

/* In the child, between fork and exec: only async-signal-safe calls, and words to stderr if one fails. */
static void child_exec(const struct args *args, const struct pl_vm *vm, pid_t harness, int core,
		       const struct lockstep *lockstep, bool stdio, char *const *envp)
{
	sigset_t none;

	/* QEMU must not outlive the harness, however that dies. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(126);
	/* It may have died before we asked to die with it. */
	if (getppid() != harness)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A terminal's Ctrl-C is for the harness, which then ends its VMs in order. */
	if (!stdio)
		setpgid(0, 0);
	if (core >= 0) {
		cpu_set_t cores;

		CPU_ZERO(&cores);
		CPU_SET((size_t)core, &cores);
		sched_setaffinity(0, sizeof(cores), &cores);
	}
	int keep[] = { vm->memory_fd, vm->console_fd, lockstep->evidence_fd, lockstep->library_fd };
	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		if (keep[i] >= 0 && fcntl(keep[i], F_SETFD, 0))
			_exit(126);
	if (!stdio) {
		int null_fd = open("/dev/null", O_RDWR);

		if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0)
			_exit(126);
	}
	if (dup2(vm->stderr_fd, 2) < 0)
		_exit(126);
	execvpe(args->argv[0], args->argv, envp);
	dprintf(2, "%s: %s\n", args->argv[0], strerror(errno));
	_exit(127);
}

/* What the harness adds to QEMU's environment when it preloads lockstep.so. */
#define NR_LOCKSTEP_VARS 3

/* The environment with lockstep.so preloaded, told what to do and where to write its evidence; or without it. */
static char **lockstep_env(const struct lockstep *lockstep, const struct pl_vm_options *options)
{
	static const char *const ours[] = { "LD_PRELOAD=", PL_LOCKSTEP_FD_ENV "=", PL_LOCKSTEP_MODE_ENV "=" };
	size_t count = 0, to = 0;

	while (environ[count])
		count++;
	char **envp = pl_calloc(count + NR_LOCKSTEP_VARS + 1, sizeof(*envp));
	for (size_t i = 0; i < count; i++) {
		bool replaced = false;

		for (size_t j = 0; j < NR_LOCKSTEP_VARS; j++)
			replaced = replaced || !strncmp(environ[i], ours[j], strlen(ours[j]));
		if (!replaced)
			envp[to++] = environ[i];
	}
	if (lockstep->library_fd >= 0) {
		envp[to++] = pl_asprintf("LD_PRELOAD=/proc/self/fd/%d", lockstep->library_fd);
		envp[to++] = pl_asprintf(PL_LOCKSTEP_FD_ENV "=%d", lockstep->evidence_fd);
		envp[to++] = pl_asprintf(PL_LOCKSTEP_MODE_ENV "=%s%s%s%s", options->lockstep ? "" : "f",
					 options->host_tlb_time ? "t" : "", options->provoke ? "p" : "", options->hurry ? "h" : "");
	}
	return envp;
}

static void free_lockstep_env(char **envp, const struct lockstep *lockstep)
{
	size_t count = 0;

	while (envp[count])
		count++;
	for (size_t i = 1; lockstep->library_fd >= 0 && i <= NR_LOCKSTEP_VARS; i++)
		free(envp[count - i]);
	free(envp);
}

static enum pl_status make_memory(struct pl_vm *vm, struct pl_error *err)
{
	vm->memory_fd = memfd_create("plimsoll-guest", MFD_CLOEXEC);
	if (vm->memory_fd < 0)
		return pl_fail_errno(err, PL_HOST, "memfd for the guest's memory");
	if (ftruncate(vm->memory_fd, (off_t)vm->memory_bytes))
		return pl_fail_errno(err, PL_HOST, "%zu MiB of memory for the guest", vm->memory_bytes / MIB);
	vm->memory = mmap(NULL, vm->memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vm->memory_fd, 0);
	if (vm->memory == MAP_FAILED) {
		vm->memory = NULL;
		return pl_fail_errno(err, PL_HOST, "mapping the guest's memory");
	}
	return PL_OK;
}

static enum pl_status write_input(struct pl_vm *vm, const char *program, struct pl_error *err)
{
	size_t bytes = strlen(program);
	struct bb_input input = { .magic = BB_INPUT_MAGIC, .bytes = (uint32_t)bytes };

	if (bytes > BB_INPUT_MAX_BYTES - sizeof(input))
		return pl_fail(err, PL_BAD_INPUT, "the cell's program has %zu bytes, more than the %zu there is room for", bytes,
			       BB_INPUT_MAX_BYTES - sizeof(input));
	uint8_t *at = vm->memory + vm->ram_bytes + vm->platter_bytes + BB_INPUT_OFFSET;
	memcpy(at, &input, sizeof(input));
	memcpy(at + sizeof(input), program, bytes);
	return PL_OK;
}

static enum pl_status fill_platter(const struct pl_vm_host *host, const struct pl_cell *cell, struct pl_vm *vm,
				   size_t root_bytes, struct pl_error *err)
{
	char *data_image = NULL;
	off_t root_at = (off_t)vm->ram_bytes;
	off_t data_at = root_at + (off_t)(root_bytes + (size_t)cell->swap_mib * MIB);
	enum pl_status status = pl_image_copy(cell->rootfs, vm->memory_fd, root_at, root_bytes, err);

	if (status == PL_OK)
		status = pl_image_data(host->build, cell->data_mib, &data_image, err);
	if (status == PL_OK)
		status = pl_image_copy(data_image, vm->memory_fd, data_at, (size_t)cell->data_mib * MIB, err);
	free(data_image);
	return status;
}

static enum pl_status open_outputs(struct pl_vm *vm, const struct pl_vm_options *options, struct pl_error *err)
{
	vm->stderr_fd = memfd_create("plimsoll-qemu-stderr", MFD_CLOEXEC);
	if (vm->stderr_fd < 0)
		return pl_fail_errno(err, PL_HOST, "memfd for QEMU's messages");
	if (options->console_on_stdio)
		return PL_OK;
	vm->console_fd = memfd_create("plimsoll-console", MFD_CLOEXEC);
	if (vm->console_fd < 0)
		return pl_fail_errno(err, PL_HOST, "memfd for the console");
	return PL_OK;
}

static void close_lockstep(const struct lockstep *lockstep)
{
	if (lockstep->library_fd >= 0)
		close(lockstep->library_fd);
	if (lockstep->evidence_fd >= 0)
		close(lockstep->evidence_fd);
}

/* What is opened on the way is in *lockstep, also if it fails. */
static enum pl_status open_lockstep(const struct pl_vm_host *host, const struct pl_vm_options *options, struct pl_vm *vm,
				    struct lockstep *lockstep, struct pl_error *err)
{
	char *library = pl_asprintf("%s/lockstep.so", host->build);
	enum pl_status status = PL_OK;

	lockstep->library_fd = open(library, O_RDONLY | O_CLOEXEC);
	if (lockstep->library_fd < 0)
		status = pl_fail_errno(err, PL_HOST, "%s (run `make`)", library);
	free(library);
	if (status != PL_OK)
		return status;
	lockstep->evidence_fd = memfd_create("plimsoll-lockstep", MFD_CLOEXEC);
	if (lockstep->evidence_fd < 0 || ftruncate(lockstep->evidence_fd, sizeof(*vm->evidence)))
		return pl_fail_errno(err, PL_HOST, "memfd for lockstep");
	vm->evidence = mmap(NULL, sizeof(*vm->evidence), PROT_READ | PROT_WRITE, MAP_SHARED, lockstep->evidence_fd, 0);
	if (vm->evidence == MAP_FAILED) {
		vm->evidence = NULL;
		return pl_fail_errno(err, PL_HOST, "mapping lockstep's evidence");
	}
	vm->evidence->watch_value = options->hold_at;
	vm->evidence->watch_offset = vm->ram_bytes + vm->platter_bytes + offsetof(struct bb_header, head);
	vm->evidence->watch_fd = vm->memory_fd;
	return PL_OK;
}

static enum pl_status launch(const struct pl_vm_host *host, const struct pl_cell *cell, const struct pl_vm_options *options,
			     struct pl_vm *vm, struct pl_error *err)
{
	struct lockstep lockstep = { .library_fd = -1, .evidence_fd = -1 };
	enum pl_status status = PL_OK;

	if (cell->machine.clock == PL_CLOCK_VIRTUAL)
		status = open_lockstep(host, options, vm, &lockstep, err);
	if (status != PL_OK) {
		close_lockstep(&lockstep);
		return status;
	}

	struct args args = { 0 };
	qemu_args(host, cell, options, vm, &args);
	char **envp = lockstep_env(&lockstep, options);
	pid_t harness = getpid();

	vm->pid = fork();
	if (!vm->pid)
		child_exec(&args, vm, harness, options->core, &lockstep, options->console_on_stdio, envp);
	free_args(&args);
	free_lockstep_env(envp, &lockstep);
	close_lockstep(&lockstep);
	if (vm->pid < 0) {
		status = pl_fail_errno(err, PL_HOST, "starting %s", host->qemu);
		vm->pid = 0;
		return status;
	}
	vm->pidfd = (int)syscall(SYS_pidfd_open, vm->pid, 0);
	if (vm->pidfd < 0) {
		pl_fail_errno(err, PL_HOST, "pidfd_open");
		kill(vm->pid, SIGKILL);
		waitpid(vm->pid, NULL, 0);
		vm->pid = 0;
		return PL_HOST;
	}
	return PL_OK;
}

enum pl_status pl_vm_start(const struct pl_vm_host *host, const struct pl_cell *cell, const struct pl_vm_options *options,
			   struct pl_vm *vm, struct pl_error *err)
{
	struct stat root;

	*vm = (struct pl_vm){ .pidfd = -1, .memory_fd = -1, .console_fd = -1, .stderr_fd = -1, .started_s = pl_now_s() };
	if (stat(cell->rootfs, &root))
		return pl_fail_errno(err, PL_HOST, "%s (run `make rootfs`)", cell->rootfs);

	size_t root_bytes = ((size_t)root.st_size + MIB - 1) / MIB * MIB;
	vm->ram_bytes = cell->machine.ram_mib * MIB;
	vm->platter_bytes = root_bytes + ((size_t)cell->swap_mib + cell->data_mib) * MIB;
	vm->blackbox_bytes = cell->machine.blackbox_mib * MIB;
	vm->memory_bytes = vm->ram_bytes + vm->platter_bytes + vm->blackbox_bytes;

	enum pl_status status = make_memory(vm, err);
	if (status == PL_OK)
		status = open_outputs(vm, options, err);
	if (status == PL_OK)
		status = fill_platter(host, cell, vm, root_bytes, err);
	if (status == PL_OK)
		status = write_input(vm, cell->program, err);
	if (status == PL_OK)
		status = launch(host, cell, options, vm, err);
	if (status != PL_OK)
		pl_vm_release(vm);
	return status;
}

const uint8_t *pl_vm_blackbox(const struct pl_vm *vm)
{
	return vm->memory + vm->ram_bytes + vm->platter_bytes;
}

bool pl_vm_held(const struct pl_vm *vm)
{
	return vm->evidence && __atomic_load_n(&vm->evidence->hold, __ATOMIC_ACQUIRE) == PL_LOCKSTEP_HELD;
}

void pl_vm_go_on(struct pl_vm *vm)
{
	__atomic_store_n(&vm->evidence->hold, PL_LOCKSTEP_GO_ON, __ATOMIC_RELEASE);
	syscall(SYS_futex, &vm->evidence->hold, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void pl_vm_kill(const struct pl_vm *vm)
{
	if (vm->pid > 0)
		kill(vm->pid, SIGKILL);
}

void pl_vm_finish(struct pl_vm *vm, struct pl_vm_end *end)
{
	int status = 0;

	*end = (struct pl_vm_end){ 0 };
	while (wait4(vm->pid, &status, 0, &end->usage) < 0 && errno == EINTR)
		;
	vm->pid = 0;
	end->wall_s = pl_now_s() - vm->started_s;
	end->status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
	end->exact = vm->evidence && vm->evidence->magic == PL_LOCKSTEP_MAGIC && !vm->evidence->free &&
		     vm->evidence->parks > 0 && vm->evidence->turns > 0 && vm->evidence->overlaps == 0;
}

static char *read_memfd(int fd, size_t max_bytes, size_t *len)
{
	struct stat st;
	size_t bytes = 0;

	if (fd >= 0 && !fstat(fd, &st) && st.st_size > 0)
		bytes = (size_t)st.st_size < max_bytes ? (size_t)st.st_size : max_bytes;
	char *text = pl_calloc(bytes + 1, 1);
	size_t done = 0;
	while (done < bytes) {
		ssize_t got = pread(fd, text + done, bytes - done, (off_t)done);
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	text[done] = '\0';
	if (len)
		*len = done;
	return text;
}

char *pl_vm_console(const struct pl_vm *vm, size_t *len)
{
	return read_memfd(vm->console_fd, PL_CONSOLE_MAX_BYTES, len);
}

void pl_vm_complaint(const struct pl_vm *vm, char *text, size_t room)
{
	size_t len;
	char *all = read_memfd(vm->stderr_fd, 1 << 16, &len);

	while (len && all[len - 1] == '\n')
		all[--len] = '\0';
	const char *last = strrchr(all, '\n');
	snprintf(text, room, "%s", last ? last + 1 : all);
	free(all);
}

void pl_vm_release(struct pl_vm *vm)
{
	int *fds[] = { &vm->pidfd, &vm->memory_fd, &vm->console_fd, &vm->stderr_fd };

	if (vm->memory)
		munmap(vm->memory, vm->memory_bytes);
	if (vm->evidence)
		munmap(vm->evidence, sizeof(*vm->evidence));
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (*fds[i] >= 0)
			close(*fds[i]);
	*vm = (struct pl_vm){ .pidfd = -1, .memory_fd = -1, .console_fd = -1, .stderr_fd = -1 };
}

/* The first line that a program prints, stdout and stderr alike. */
static enum pl_status first_line(char *const argv[], char *line, size_t room, struct pl_error *err)
{
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC))
		return pl_fail_errno(err, PL_HOST, "pipe");
	pid_t pid = fork();
	if (!pid) {
		dup2(pipe_fds[1], 1);
		dup2(pipe_fds[1], 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(pipe_fds[1]);
	if (pid < 0) {
		close(pipe_fds[0]);
		return pl_fail_errno(err, PL_HOST, "starting %s", argv[0]);
	}

	double deadline_s = pl_now_s() + VERSION_TIMEOUT_MS / 1000.0;
	char text[1024];
	size_t len = 0;
	struct pollfd poll_fd = { .fd = pipe_fds[0], .events = POLLIN };
	for (;;) {
		int left_ms = (int)((deadline_s - pl_now_s()) * 1000);
		ssize_t got = 0;

		if (left_ms <= 0 || poll(&poll_fd, 1, left_ms) <= 0) {
			kill(pid, SIGKILL);
			break;
		}
		got = read(pipe_fds[0], text + len, sizeof(text) - 1 - len);
		if (got <= 0)
			break;
		len += (size_t)got;
		if (len == sizeof(text) - 1)
			break;
	}
	close(pipe_fds[0]);
	int status;
	waitpid(pid, &status, 0);
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	snprintf(line, room, "%.*s", (int)room - 1, text);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return pl_fail(err, PL_HOST, "%s is not installed (run `make setup`)", argv[0]);
	if (!*line)
		return pl_fail(err, PL_HOST, "%s does not say its version", argv[0]);
	return PL_OK;
}

enum pl_status pl_vm_probe_host(const struct pl_vm_host *host, struct pl_host *versions, struct pl_error *err)
{
	static const char qemu_prefix[] = "QEMU emulator version ", mke2fs_prefix[] = "mke2fs ";
	char line[256];
	char *qemu_argv[] = { (char *)(uintptr_t)host->qemu, (char *)(uintptr_t)"--version", NULL };
	char *mke2fs_argv[] = { (char *)(uintptr_t)PL_MKE2FS, (char *)(uintptr_t)"-V", NULL };

	*versions = (struct pl_host){ 0 };
	if (first_line(qemu_argv, line, sizeof(line), err) != PL_OK)
		return PL_HOST;
	if (strncmp(line, qemu_prefix, strlen(qemu_prefix)) ||
	    sscanf(line + strlen(qemu_prefix), "%u.%u", &versions->qemu_major, &versions->qemu_minor) != 2)
		return pl_fail(err, PL_HOST, "%s does not look like QEMU: it says \"%s\"", host->qemu, line);
	snprintf(versions->qemu_version, sizeof(versions->qemu_version), "%.*s",
		 (int)sizeof(versions->qemu_version) - 1, line + strlen(qemu_prefix));

	if (first_line(mke2fs_argv, line, sizeof(line), err) != PL_OK)
		return PL_HOST;
	if (strncmp(line, mke2fs_prefix, strlen(mke2fs_prefix)))
		return pl_fail(err, PL_HOST, "mke2fs says \"%s\" for a version", line);
	snprintf(versions->mke2fs_version, sizeof(versions->mke2fs_version), "%.*s",
		 (int)strcspn(line + strlen(mke2fs_prefix), " "), line + strlen(mke2fs_prefix));
	return PL_OK;
}
