// SPDX-License-Identifier: GPL-3.0-or-later
/* The first bad commit of a kernel's tree: each commit that is asked for is checked out, built and run. */
#include <errno.h>
#include <json-c/json.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bisect.h"
#include "cli/build.h"
#include "search/commits.h"

#define COMMIT_HEX 40
#define MAX_LOG	   ((size_t)64 << 20)

extern char **environ;

struct commits {
	char **hashes; /* oldest first */
	size_t nr;
	size_t *points; /* of each commit: SIZE_MAX not tried, SIZE_MAX - 1 cannot be built */
	char *checkout; /* a work tree of our own: the user's is not touched */
	struct pl_commits *engine;
};

/* Run git in the tree; *out is what it printed, if out is not NULL. */
static enum pl_status git(const char *tree, const char *const *words, char **out, struct pl_error *err)
{
	const char *argv[16] = { "git", "-C", tree };
	char path[] = "/tmp/plimsoll-git.XXXXXX";
	posix_spawn_file_actions_t actions;
	int fd = mkstemp(path), wait_status = 0, error;
	size_t nr = 3;
	pid_t pid;

	if (fd < 0)
		return pl_fail_errno(err, PL_HOST, "%s", path);
	while (*words)
		argv[nr++] = *words++;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	error = posix_spawnp(&pid, "git", &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fd);

	enum pl_status status = PL_OK;

	errno = error;
	if (error)
		status = pl_fail_errno(err, PL_HOST, "git");
	while (!error && waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
		;
	if (!error && (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status)))
		status = pl_fail(err, PL_BAD_INPUT, "git %s in %s failed", argv[3], tree);
	if (status == PL_OK && out)
		status = pl_read_file(path, MAX_LOG, out, NULL, err);
	unlink(path);
	return status;
}

static void add_hash(struct commits *commits, const char *hash, size_t len)
{
	commits->hashes = pl_realloc_array(commits->hashes, commits->nr + 1, sizeof(*commits->hashes));
	commits->hashes[commits->nr++] = pl_asprintf("%.*s", (int)len, hash);
}

/* The good one, and all after it along first parents up to the bad one. */
static enum pl_status list_commits(struct commits *commits, const char *range, const char *tree, struct pl_error *err)
{
	const char *dots = strstr(range, "..");
	char *good, *commit, *out = NULL;

	if (!dots || dots == range || !dots[2] || *range == '-')
		return pl_fail(err, PL_BAD_INPUT, "--commits %s: expected GOOD..BAD", range);
	good = pl_asprintf("%.*s", (int)(dots - range), range);
	commit = pl_asprintf("%s^{commit}", good);
	const char *const parse[] = { "rev-parse", "--verify", "--quiet", commit, NULL };
	const char *const list[] = { "rev-list", "--first-parent", "--reverse", range, "--", NULL };
	enum pl_status status = git(tree, parse, &out, err);

	if (status == PL_OK) {
		add_hash(commits, out, strcspn(out, "\n"));
		free(out);
		status = git(tree, list, &out, err);
	}
	if (status == PL_OK) {
		for (const char *at = out; *at && commits->nr < PL_COMMITS_MAX; at += strcspn(at, "\n"), at += *at == '\n')
			add_hash(commits, at, strcspn(at, "\n"));
		free(out);
		if (commits->nr < 2)
			status = pl_fail(err, PL_BAD_INPUT, "--commits %s: no commits lie between", range);
	}
	free(commit);
	free(good);
	return status;
}

/* A commit's kernel, built when it is first asked for. */
static enum pl_status point(void *ctx, uint64_t what, size_t *number, struct pl_error *err)
{
	struct pl_bisect *bisect = ctx;
	struct commits *commits = bisect->own;
	size_t *known = &commits->points[what];
	const char *hash = commits->hashes[what];
	const char *const words[] = { "checkout", "--quiet", "--force", "--detach", hash, NULL };
	char *name, *kernel;
	bool built;

	if (*known == SIZE_MAX) {
		enum pl_status status = git(commits->checkout, words, NULL, err);

		if (status != PL_OK)
			return status;
		name = pl_asprintf("commit-%.12s", hash);
		fprintf(stderr, "commit %.12s: building\n", hash);
		status = pl_build_tree(bisect->cli, commits->checkout, name, &kernel, &built, err);
		free(name);
		if (status != PL_OK)
			return status;
		*known = SIZE_MAX - 1;
		if (built) {
			*known = pl_trials_add(&bisect->trials);
			bisect->trials.points[*known].kernel = kernel;
		}
	}
	*number = *known;
	return *known == SIZE_MAX - 1 ? PL_UNMET : PL_OK;
}

static enum pl_ask next(void *engine, uint64_t *what, unsigned *seed)
{
	struct pl_commits_query query;
	enum pl_ask ask = pl_commits_next(engine, &query);

	if (ask == PL_ASK_QUERY) {
		*what = query.commit;
		*seed = query.seed;
	}
	return ask;
}

static void tell(void *engine, uint64_t what, unsigned seed, enum pl_answer answer)
{
	const struct pl_commits_query query = { .commit = (size_t)what, .seed = seed };

	pl_commits_tell(engine, &query, answer);
}

static void skip(void *engine, uint64_t what, unsigned seed)
{
	const struct pl_commits_query query = { .commit = (size_t)what, .seed = seed };

	pl_commits_skip(engine, &query);
}

static void name_commit(const struct pl_bisect *bisect, uint64_t what, char *text, size_t room)
{
	const struct commits *commits = bisect->own;

	snprintf(text, room, "commit %.12s", commits->hashes[what]);
}

static unsigned table(FILE *out, struct pl_bisect *bisect)
{
	const struct commits *commits = bisect->own;
	unsigned lines = 1;

	fprintf(out, "commit        bad good other  first bad one with\n");
	for (size_t i = 0; i < commits->nr; i++) {
		struct pl_commits_point seen;

		pl_commits_point(commits->engine, i, &seen);
		if (!seen.tally.bad && !seen.tally.good && !seen.tally.other && !seen.skipped)
			continue;
		fprintf(out, "%.12s %4zu %4zu %5zu  %.3f%s\n", commits->hashes[i], seen.tally.bad, seen.tally.good, seen.tally.other,
			seen.probability, seen.skipped ? "  cannot be built" : "");
		lines++;
	}
	return lines;
}

static enum pl_status conclude(const struct pl_bisect *bisect, const struct pl_commits_result *result, struct pl_error *err)
{
	const struct commits *commits = bisect->own;

	if (result->stop == PL_COMMITS_GOOD_END_BAD)
		return pl_fail(err, PL_UNMET, "commit %.12s was to be good and is not", commits->hashes[0]);
	if (result->stop == PL_COMMITS_BAD_END_GOOD)
		return pl_fail(err, PL_UNMET, "commit %.12s was to be bad and is not", commits->hashes[commits->nr - 1]);
	if (result->stop == PL_COMMITS_FOUND || result->stop == PL_COMMITS_BUDGET) {
		printf("The first bad commit is ");
		if (result->first == result->last)
			printf("%s", commits->hashes[result->first]);
		else
			printf("one of %.12s to %.12s", commits->hashes[result->first], commits->hashes[result->last]);
		printf(", with %.1f %% probability: P(bad) is %.2f before and %.2f from it on.\n", 100 * result->probability,
		       result->before_rate, result->after_rate);
	}
	if (result->stop == PL_COMMITS_FOUND)
		return PL_OK;
	return pl_fail(err, PL_UNMET, "no certain answer: %s", pl_commits_stop_text(result->stop));
}

static enum pl_status write_json(const struct pl_bisect *bisect, const struct pl_commits_result *result, struct pl_error *err)
{
	const struct commits *commits = bisect->own;
	struct json_object *json = pl_bisect_json(bisect, "commits");
	bool found = result->stop == PL_COMMITS_FOUND || result->stop == PL_COMMITS_BUDGET;

	json_object_object_add(json, "stop", json_object_new_string(pl_commits_stop_text(result->stop)));
	json_object_object_add(json, "first", found ? json_object_new_string(commits->hashes[result->first]) : NULL);
	json_object_object_add(json, "last", found ? json_object_new_string(commits->hashes[result->last]) : NULL);
	json_object_object_add(json, "probability", json_object_new_double(result->probability));
	json_object_object_add(json, "rate_before", json_object_new_double(result->before_rate));
	json_object_object_add(json, "rate_after", json_object_new_double(result->after_rate));
	return pl_bisect_write_json(bisect, json, err);
}

static enum pl_status search(struct pl_bisect *bisect, struct pl_error *err)
{
	struct commits *commits = bisect->own;
	const struct pl_commits_options options = {
		.nr_commits = commits->nr,
		.confidence = bisect->args->confidence,
		.max_queries = bisect->args->budget,
		/* Of one commit at a time: a build costs more than a cell. */
		.batch = 1,
	};
	struct pl_commits_result result;
	enum pl_status status = pl_commits_new(&options, &commits->engine, err);

	if (status != PL_OK)
		return status;
	bisect->drive.engine = commits->engine;
	status = pl_bisect_run(bisect, err);
	if (status != PL_OK)
		return status;
	pl_commits_result(commits->engine, &result);
	table(stdout, bisect);
	pl_bisect_print_cells(bisect);
	status = write_json(bisect, &result, err);
	return status == PL_OK ? conclude(bisect, &result, err) : status;
}

enum pl_status pl_bisect_commits(struct pl_bisect *bisect, struct pl_error *err)
{
	struct commits *commits = pl_calloc(1, sizeof(*commits));
	const char *tree = bisect->args->tree;
	char dir[] = "/tmp/plimsoll-commits.XXXXXX";

	bisect->own = commits;
	bisect->name = name_commit;
	bisect->table = table;
	bisect->drive.next = next;
	bisect->drive.tell = tell;
	bisect->drive.skip = skip;
	bisect->drive.point = point;
	enum pl_status status = list_commits(commits, bisect->args->commits, tree, err);

	if (status == PL_OK && !mkdtemp(dir))
		status = pl_fail_errno(err, PL_HOST, "%s", dir);
	if (status == PL_OK) {
		commits->checkout = pl_asprintf("%s/tree", dir);
		const char *const add[] = { "worktree", "add", "--quiet", "--force", "--detach", commits->checkout,
					    commits->hashes[0], NULL };
		const char *const drop[] = { "worktree", "remove", "--force", commits->checkout, NULL };

		commits->points = pl_calloc(commits->nr, sizeof(*commits->points));
		for (size_t i = 0; i < commits->nr; i++)
			commits->points[i] = SIZE_MAX;
		status = git(tree, add, NULL, err);
		if (status == PL_OK) {
			status = search(bisect, err);
			git(tree, drop, NULL, NULL);
		}
		rmdir(dir);
	}
	if (commits->engine)
		pl_commits_free(commits->engine);
	for (size_t i = 0; i < commits->nr; i++)
		free(commits->hashes[i]);
	free(commits->hashes);
	free(commits->points);
	free(commits->checkout);
	free(commits);
	return status;
}
