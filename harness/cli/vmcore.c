// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Runs a cell again up to the instant of its convoy, writes a core there, and checks by the digest that it was the
 * same run.
 */
#include "cli/vmcore.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/hang.h"
#include "run/run.h"
#include "vm/core.h"

#define MIB ((double)(1 << 20))

enum pl_status pl_vmcore_check(const struct pl_cell *cell, const char *path, struct pl_error *err)
{
	struct stat st;

	if (cell->machine.clock != PL_CLOCK_VIRTUAL)
		return pl_fail(err, PL_BAD_INPUT, "--vmcore: this cell has the real clock, and a second run of it would be another one");
	if (!path)
		return PL_OK;
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return pl_fail(err, PL_BAD_INPUT, "--vmcore: %s is a folder", path);

	char *temp;
	int fd = pl_open_beside(path, 0666, &temp);

	if (fd < 0)
		return pl_fail_errno(err, PL_BAD_INPUT, "--vmcore: %s", path);
	close(fd);
	unlink(temp);
	free(temp);
	return PL_OK;
}

/* "ID.PID-N.tmp" */
static bool is_begun(const char *name, char id[PL_ID_HEX])
{
	const char *end = strrchr(name, '.');

	if (strspn(name, "0123456789abcdef") != PL_ID_HEX - 1 || name[PL_ID_HEX - 1] != '.' || strcmp(end, ".tmp") != 0)
		return false;
	memcpy(id, name, PL_ID_HEX - 1);
	id[PL_ID_HEX - 1] = '\0';
	return true;
}

void pl_vmcore_sweep(const struct pl_cli *cli, struct pl_ledger *ledger)
{
	char *folder = pl_asprintf("%s/vmcores", cli->paths.results);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char id[PL_ID_HEX];
		int claim_fd;

		if (!is_begun(entry->d_name, id) || pl_ledger_claim(ledger, id, &claim_fd, NULL) != PL_OK)
			continue;
		unlinkat(dirfd(dir), entry->d_name, 0);
		close(claim_fd);
	}
	if (dir)
		closedir(dir);
	free(folder);
}

struct taking {
	const struct pl_cell *cell;
	const char *path;
	char *temp;			/* where it is until the run has ended; NULL: nothing is written */
	char digest[PL_SHA256_HEX];	/* what the ledger has */
	bool started, kept;
	size_t stored_bytes;
};

static const struct pl_cell *next_run(void *ctx)
{
	struct taking *taking = ctx;

	if (taking->started)
		return NULL;
	taking->started = true;
	return taking->cell;
}

static enum pl_status write_core(void *ctx, const struct pl_cell *cell, const struct pl_vm *vm, struct pl_error *err)
{
	struct taking *taking = ctx;
	struct pl_core core = { .ram = vm->memory, .ram_bytes = vm->ram_bytes, .vmlinux = cell->vmlinux };

	return pl_core_write(&core, taking->path, &taking->temp, &taking->stored_bytes, err);
}

/* Only a core of the very run that was told of is worth its name. */
static enum pl_status keep_core(void *ctx, const struct pl_outcome *outcome, struct pl_error *err)
{
	struct taking *taking = ctx;

	if (outcome->host_failed)
		return pl_fail(err, PL_HOST, "the run for the core: %s", outcome->message);
	if (strcmp(outcome->row.digest, taking->digest) != 0)
		return pl_fail(err, PL_UNMET, "the run for the core has digest %s, and the ledger %s: no core is kept",
			       outcome->row.digest, taking->digest);
	if (!taking->temp)
		return pl_fail(err, PL_HOST, "the CPUs were never idle again after the convoy was written down: no core");

	if (rename(taking->temp, taking->path))
		return pl_fail_errno(err, PL_HOST, "%s", taking->path);
	taking->kept = true;
	return PL_OK;
}

static enum pl_status run_again(const struct pl_cli *cli, struct taking *taking, uint64_t hold_at, struct pl_error *err)
{
	struct pl_run run = {
		.host = &cli->vm_host,
		.jobs = 1,
		.lockstep = true,
		.nr_jobs_total = 1,
		.hold_at = hold_at,
		.held = write_core,
		.next = next_run,
		.done = keep_core,
		.ctx = taking,
	};
	enum pl_status status = pl_run_all(&run, err);

	if (taking->temp && !taking->kept)
		unlink(taking->temp);
	free(taking->temp);
	taking->temp = NULL;
	return status;
}

static void print_taken(const struct pl_cli *cli, const struct taking *taking)
{
	const char *kernel = taking->cell->kernel;
	char *vmlinux = pl_asprintf("%s/debug/%s/vmlinux", cli->paths.build, kernel);

	pl_print_wrapped(12, "core        %s (%.0f MiB): the guest when the convoy above was written down; the run has the same digest",
			 taking->path, (double)taking->stored_bytes / MIB);
	if (access(vmlinux, R_OK))
		printf("  first     make debug-kernels KERNELS=%s\n"
		       "            (the same kernel with debug information: builds once, some minutes)\n", kernel);
	printf("  drgn      drgn -c %s -s %s\n", taking->path, vmlinux);
	printf("  crash     crash %s %s\n", vmlinux, taking->path);
	free(vmlinux);
}

static enum pl_status take(const struct pl_cli *cli, struct pl_ledger *ledger, struct taking *taking, uint64_t hold_at,
			   struct pl_error *err)
{
	int claim_fd;
	enum pl_status status = pl_ledger_claim(ledger, taking->cell->id, &claim_fd, err);

	if (status == PL_UNMET)
		return pl_fail(err, PL_HOST, "cell %s is being run by another plimsoll; the same command takes the core when it is done",
			       taking->cell->id);
	if (status != PL_OK)
		return status;
	status = run_again(cli, taking, hold_at, err);
	close(claim_fd);
	return status;
}

enum pl_status pl_vmcore(const struct pl_cli *cli, struct pl_ledger *ledger, const struct pl_cell *cell, const char *path,
			 struct pl_error *err)
{
	char *folder = pl_asprintf("%s/vmcores", cli->paths.results), *own_path = pl_asprintf("%s/%s", folder, cell->id);
	struct taking taking = { .cell = cell, .path = path ? path : own_path };
	struct pl_hang hang = { 0 };
	struct pl_row row;
	enum pl_status status = pl_ledger_get(ledger, cell->id, &row, err);

	if (status == PL_OK) {
		memcpy(taking.digest, row.digest, sizeof(taking.digest));
		status = pl_hang_read(cli, ledger, &row, &hang, err);
		pl_row_free(&row);
	}
	if (status == PL_OK && !hang.waits.has_convoy)
		status = pl_fail(err, PL_UNMET, "cell %s: nobody waited 10 s for a lock, so there is no convoy to take a core of", cell->id);
	if (status == PL_OK && !path)
		status = pl_mkdirs(folder, err);
	if (status == PL_OK)
		status = take(cli, ledger, &taking, hang.waits.convoy.log_bytes, err);
	if (status == PL_OK)
		print_taken(cli, &taking);
	pl_hang_free(&hang);
	free(own_path);
	free(folder);
	return status;
}
