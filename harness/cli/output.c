// SPDX-License-Identifier: GPL-3.0-or-later
/* Writes a file beside its place and puts it there when it is whole; what is no regular file is written directly. */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum pl_status pl_output_open(const char *path, struct pl_output *output, struct pl_error *err)
{
	struct stat there;

	*output = (struct pl_output){ .path = path };
	if (!strcmp(path, "-")) {
		output->out = stdout;
		return PL_OK;
	}
	if (!stat(path, &there) && !S_ISREG(there.st_mode)) {
		output->out = fopen(path, "we");
	} else {
		int fd = pl_open_beside(path, 0666, &output->temporary);

		output->out = fd < 0 ? NULL : fdopen(fd, "w");
		if (!output->out && fd >= 0) {
			close(fd);
			unlink(output->temporary);
		}
	}
	if (output->out)
		return PL_OK;
	free(output->temporary);
	return pl_fail_errno(err, PL_HOST, "%s cannot be written", path);
}

enum pl_status pl_output_close(struct pl_output *output, bool keep, struct pl_error *err)
{
	bool whole = !fflush(output->out) && !ferror(output->out);
	int why = errno;

	if (output->out != stdout) {
		if (output->temporary && keep && whole && fsync(fileno(output->out))) {
			whole = false;
			why = errno;
		}
		if (fclose(output->out) && whole) {
			whole = false;
			why = errno;
		}
	}
	if (output->temporary && keep && whole && rename(output->temporary, output->path)) {
		whole = false;
		why = errno;
	}
	if (output->temporary && !(keep && whole))
		unlink(output->temporary);
	free(output->temporary);
	output->temporary = NULL;
	if (whole || !keep)
		return PL_OK;
	errno = why;
	return pl_fail_errno(err, PL_HOST, "%s could not be written to its end",
			     strcmp(output->path, "-") ? output->path : "standard output");
}
