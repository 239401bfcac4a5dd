// SPDX-License-Identifier: GPL-3.0-or-later
/* `plimsoll boot`: a shell in a guest, on the terminal of whoever asks. */
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"

int pl_cmd_boot(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.parser = pl_parse_kernel,
		.args_doc = "KERNEL",
		.doc = "Boot a kernel with the guest image and give a shell on its console; `reboot -f` ends it. The clock is the "
		       "host's, since a person types.",
	};
	struct pl_vm_options options = { .core = -1, .extra_args = "quiet", .console_on_stdio = true };
	const char *kernel = NULL;
	struct termios before;
	struct pl_vm_end end;
	struct pl_cell cell;
	struct pl_error err = { 0 };
	struct pl_vm vm;
	bool timed_out;
	int code;

	if (!pl_parse(&argp, argc, argv, &kernel, &code))
		return code;
	if (pl_adhoc_cell(cli, kernel, "plimsoll-cell 1\nshell\n", 0, &cell, &err) != PL_OK)
		return pl_complain(&err);
	cell.machine.clock = PL_CLOCK_REAL;

	/* QEMU puts the terminal into raw mode; if it is killed, nobody but us takes it out again. */
	bool terminal = !tcgetattr(STDIN_FILENO, &before);
	enum pl_status status = pl_boot_once(cli, &cell, &options, -1, &vm, &end, &timed_out, &err);
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	pl_adhoc_free(&cell);
	if (status != PL_OK)
		return pl_complain(&err);
	if (end.status) {
		char complaint[160];

		pl_vm_complaint(&vm, complaint, sizeof(complaint));
		pl_fail(&err, PL_HOST, "QEMU ended with %d: %s", end.status, complaint);
		status = PL_HOST;
	}
	pl_vm_release(&vm);
	return pl_finish(status, &err);
}
