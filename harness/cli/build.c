// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Runs scripts/kernel-build.sh on the source tree of a kernel, and tells a tree that does not build from a script that
 * failed.
 */
#include "cli/build.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* What kernel-build.sh ends with where it is the tree's fault: it does not compile, or the patches do not apply. */
enum { BUILD_BAD_INPUT = 2, BUILD_FAILED = 3 };

bool pl_is_kernel_tree(const char *dir)
{
	static const char *const files[] = { "Kconfig", "Makefile", "kernel/fork.c" };
	bool all = true;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char *path = pl_asprintf("%s/%s", dir, files[i]);

		all = all && !access(path, R_OK);
		free(path);
	}
	return all;
}

/* Two trees at once must not take each other's link in build/kernels/. */
static char *name_of(const char *dir)
{
	struct pl_sha256 *sha = pl_sha256_new();
	char *path = realpath(dir, NULL), hex[PL_SHA256_HEX];

	pl_sha256_add(sha, path ? path : dir, strlen(path ? path : dir));
	pl_sha256_final(sha, hex);
	free(path);
	return pl_asprintf("tree-%.12s", hex);
}

static enum pl_status run_script(const char *script, const char *const *argv, int *code, struct pl_error *err)
{
	pid_t pid;
	int status, error = posix_spawn(&pid, script, NULL, NULL, (char *const *)argv, environ);

	if (error) {
		errno = error;
		return pl_fail_errno(err, PL_HOST, "%s", script);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return pl_fail_errno(err, PL_HOST, "%s", script);
	if (WIFSIGNALED(status))
		return pl_fail(err, PL_HOST, "%s was ended by signal %d", script, WTERMSIG(status));
	*code = WEXITSTATUS(status);
	if (*code && *code != BUILD_BAD_INPUT && *code != BUILD_FAILED)
		return pl_fail(err, PL_HOST, "%s ended with status %d", script, *code);
	return PL_OK;
}

/*
 * The script of the repository that this program was built in: ROOT/build/plimsoll. Not what lies beside configs/, for
 * --configs may name any folder. NULL: the system does not say where the program is.
 */
static char *find_script(void)
{
	char *exe = realpath("/proc/self/exe", NULL), *script = NULL;
	char *slash = exe ? strrchr(exe, '/') : NULL;

	if (slash)
		script = pl_asprintf("%.*s/../scripts/kernel-build.sh", (int)(slash - exe), exe);
	free(exe);
	return script;
}

/* Have the script build what argv says after its own name, and name is what that is called. Takes name. */
static enum pl_status build(const struct pl_cli *cli, const char **argv, char *name, char **kernel, bool *built,
			    struct pl_error *err)
{
	char *script = find_script();
	int code = 0;

	argv[0] = script;
	setenv("PLIMSOLL_BUILD", cli->paths.build, true);
	fflush(stdout);
	enum pl_status status;

	if (script)
		status = run_script(script, argv, &code, err);
	else
		status = pl_fail_errno(err, PL_HOST, "/proc/self/exe, from where kernel-build.sh is found");

	*built = status == PL_OK && !code;
	*kernel = *built ? name : NULL;
	if (!*built)
		free(name);
	free(script);
	return status;
}

enum pl_status pl_build_tree(const struct pl_cli *cli, const char *dir, char **kernel, bool *built, struct pl_error *err)
{
	char *name = name_of(dir);
	const char *argv[] = { NULL, "--tree", dir, name, NULL };

	return build(cli, argv, name, kernel, built, err);
}

enum pl_status pl_build_commit(const struct pl_cli *cli, const char *repository, const char *commit, const char *name,
			       char **kernel, bool *built, struct pl_error *err)
{
	char *own = pl_strdup(name);
	const char *argv[] = { NULL, "--commit", repository, commit, own, NULL };

	return build(cli, argv, own, kernel, built, err);
}
