// SPDX-License-Identifier: GPL-3.0-or-later
/* The first bad commit of a kernel's tree: each commit that is asked for is built and run. */
#include <errno.h>
#include <json-c/json.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bisect.h"
#include "cli/build.h"
#include "search/commits.h"

#define MAX_LOG	  ((size_t)64 << 20)
#define NOT_TRIED SIZE_MAX
#define NOT_BUILT (SIZE_MAX - 1)

extern char **environ;

struct commits {
	char **hashes; /* oldest first */
	size_t nr;
	size_t *points; /* of each commit, or one of these */
	char **kernels; /* of each commit, the SHA-256 of its vmlinux; NULL: it was not built */
	const char **built; /* those kernels, each once, in the order in which they were */
	size_t nr_kernels;
	struct pl_commits *engine;
};

/* Run git in the tree; *out is what it printed, if out is not NULL. */
static enum pl_status git(const char *tree, const char *const *words, char **out, struct pl_error *err)
{
	const char *argv[16] = { "git", "-C", tree };
	posix_spawn_file_actions_t actions;
	/* In memory, so that nothing is left behind. */
	int fd = memfd_create("plimsoll-git", MFD_CLOEXEC), wait_status = 0, error;
	size_t nr = 3;
	pid_t pid;

	if (fd < 0)
		return pl_fail_errno(err, PL_HOST, "memfd for what git prints");
	while (*words)
		argv[nr++] = *words++;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	error = posix_spawnp(&pid, "git", &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);

	enum pl_status status = PL_OK;

	errno = error;
	if (error)
		status = pl_fail_errno(err, PL_HOST, "git");
	while (!error && waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
		;
	if (!error && (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status)))
		status = pl_fail(err, PL_BAD_INPUT, "git %s %s failed in %s: expected commits of that repository, the good one an "
				 "ancestor of the bad one", argv[3], argv[4], tree);
	if (status == PL_OK && out) {
		char *path = pl_asprintf("/proc/self/fd/%d", fd);

		status = pl_read_file(path, MAX_LOG, out, NULL, err);
		free(path);
	}
	close(fd);
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

	if (!dots || dots == range || !dots[2] || dots[2] == '.' || *range == '-')
		return pl_fail(err, PL_BAD_INPUT, "--commits %s: expected GOOD..BAD", range);
	good = pl_asprintf("%.*s", (int)(dots - range), range);
	commit = pl_asprintf("%s^{commit}", good);
	const char *const parse[] = { "rev-parse", "--verify", "--quiet", commit, NULL };
	const char *const list[] = { "rev-list", "--first-parent", "--reverse", range, "--", NULL };
	const char *const is_ancestor[] = { "merge-base", "--is-ancestor", good, dots + 2, NULL };
	enum pl_status status = git(tree, parse, &out, err);

	if (status == PL_OK) {
		add_hash(commits, out, strcspn(out, "\n"));
		free(out);
		/* Otherwise git would list all commits back to the first. */
		status = git(tree, is_ancestor, NULL, err);
	}
	if (status == PL_OK)
		status = git(tree, list, &out, err);
	if (status == PL_OK) {
		/* One more than there may be, which the search refuses: a part of the history has no answer. */
		for (const char *at = out; *at && commits->nr <= PL_COMMITS_MAX; at += strcspn(at, "\n"), at += *at == '\n')
			add_hash(commits, at, strcspn(at, "\n"));
		free(out);
		if (commits->nr < 2)
			status = pl_fail(err, PL_BAD_INPUT, "--commits %s: no commits lie between", range);
	}
	free(commit);
	free(good);
	return status;
}

/* Tell the engine which of the kernels that were built are the same. */
static enum pl_status know_kernel(struct pl_bisect *bisect, size_t commit, const char *kernel, struct pl_error *err)
{
	struct commits *commits = bisect->own;
	enum pl_status status = pl_kernel_sha256(bisect->cli, kernel, &commits->kernels[commit], err);
	size_t first = 0;

	if (status != PL_OK)
		return status;
	while (first < commits->nr_kernels && strcmp(commits->built[first], commits->kernels[commit]) != 0)
		first++;
	if (first == commits->nr_kernels) {
		commits->built = pl_realloc_array(commits->built, first + 1, sizeof(*commits->built));
		commits->built[commits->nr_kernels++] = commits->kernels[commit];
	}
	pl_commits_kernel(commits->engine, commit, (unsigned)first + 1);
	return PL_OK;
}

/* A commit's kernel, built when it is first asked for. */
static enum pl_status point(void *ctx, uint64_t what, size_t *number, struct pl_error *err)
{
	struct pl_bisect *bisect = ctx;
	struct commits *commits = bisect->own;
	size_t *known = &commits->points[what];
	const char *hash = commits->hashes[what];

	if (*known == NOT_TRIED) {
		char *name = pl_asprintf("commit-%.12s", hash), *kernel;
		bool built;

		/* What the build has to say stays, and the table is drawn below it. */
		pl_bisect_clear(bisect);

		enum pl_status status = pl_build_commit(bisect->cli, bisect->args->tree, hash, name, &kernel, &built, err);

		free(name);
		if (status != PL_OK)
			return status;
		*known = NOT_BUILT;
		if (built) {
			*known = pl_trials_add(&bisect->trials);
			bisect->trials.points[*known].kernel = kernel;
			status = know_kernel(bisect, what, kernel, err);
			if (status != PL_OK)
				return status;
		}
	}
	*number = *known;
	return *known == NOT_BUILT ? PL_UNMET : PL_OK;
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

static size_t table(FILE *out, struct pl_bisect *bisect)
{
	const struct commits *commits = bisect->own;
	struct pl_commits_result result;
	size_t line = 0, keep = 0;

	pl_commits_result(commits->engine, &result);
	fprintf(out, "commit        bad good other   ?  first bad one with\n");
	for (size_t i = 0; i < commits->nr; i++) {
		struct pl_commits_point seen;

		pl_commits_point(commits->engine, i, &seen);
		if (!seen.tally.bad && !seen.tally.good && !seen.tally.other && !seen.tally.cannot_tell && !seen.skipped)
			continue;
		line++;
		keep = i <= result.last ? line : keep;
		fprintf(out, "%.12s %4zu %4zu %5zu %3zu  %.3f", commits->hashes[i], seen.tally.bad, seen.tally.good,
			seen.tally.other, seen.tally.cannot_tell, seen.probability);
		if (seen.same_as != i)
			fprintf(out, "  kernel of %.12s", commits->hashes[seen.same_as]);
		fprintf(out, "%s\n", seen.skipped ? "  cannot be built" : "");
	}
	fprintf(out, "%u cells of %zu commits; %.2f that it is one of %.12s to %.12s%s\n", result.cells, commits->nr,
		result.probability, commits->hashes[result.first], commits->hashes[result.last],
		result.cannot_tell ? "; ?: cannot tell" : "");
	return keep;
}

static enum pl_status conclude(const struct pl_bisect *bisect, const struct pl_commits_result *result, struct pl_buf *answer)
{
	const struct commits *commits = bisect->own;
	bool first = result->stop == PL_COMMITS_GOOD_END_BAD;

	switch (result->stop) {
	case PL_COMMITS_GOOD_END_BAD:
	case PL_COMMITS_BAD_END_GOOD: {
		struct pl_commits_point seen;
		size_t at = first ? 0 : commits->nr - 1;

		pl_commits_point(commits->engine, at, &seen);
		pl_buf_printf(answer, "Commit %.12s was to be %s and is not: bad in %zu of %zu cells.", commits->hashes[at],
			      first ? "good" : "bad", seen.tally.bad, seen.tally.bad + seen.tally.good);
		return PL_UNMET;
	}
	case PL_COMMITS_FOUND:
	case PL_COMMITS_BUDGET:
		pl_buf_printf(answer, "The first bad commit is ");
		if (result->first == result->last)
			pl_buf_printf(answer, "%s", commits->hashes[result->first]);
		else
			pl_buf_printf(answer, "one of %zu, %.12s to %.12s", result->last - result->first + 1,
				      commits->hashes[result->first], commits->hashes[result->last]);
		pl_buf_printf(answer, ", with %.1f %% probability: P(bad) is %.2f before and %.2f from it on.",
			      100 * result->probability, result->before_rate, result->after_rate);
		if (result->unchanged)
			pl_buf_printf(answer, " %u of the commits tried changed no byte of the kernel: none of these is it.",
				      result->unchanged);
		if (result->stop == PL_COMMITS_FOUND)
			return PL_OK;
		pl_buf_printf(answer, " %u cells were not enough for %.0f %%; --budget gives it more.", result->cells,
			      100 * bisect->args->confidence);
		return PL_UNMET;
	case PL_COMMITS_SAME_KERNEL:
		pl_buf_printf(answer, "No answer: the kernels of %.12s and %.12s are the same, byte for byte: no commit "
			      "between them can be it. What they change is not in configs/kernel/guest.config, or no code.",
			      commits->hashes[0], commits->hashes[commits->nr - 1]);
		return PL_UNMET;
	default:
		pl_buf_printf(answer, "No answer: %s. %u of the commits could not be built; of %u cells %u failed in another way than the one "
			      "sought, and %u say nothing.", pl_commits_stop_text(result->stop), result->skipped, result->cells,
			      result->other, result->cannot_tell);
		return PL_UNMET;
	}
}

static struct json_object *make_json(const struct pl_bisect *bisect, const struct pl_commits_result *result)
{
	const struct commits *commits = bisect->own;
	struct json_object *json = pl_bisect_json(bisect, "commits"), *tried = json_object_new_array();
	bool found = result->stop == PL_COMMITS_FOUND || result->stop == PL_COMMITS_BUDGET;

	json_object_object_add(json, "stop", json_object_new_string(pl_commits_stop_text(result->stop)));
	json_object_object_add(json, "first", found ? json_object_new_string(commits->hashes[result->first]) : NULL);
	json_object_object_add(json, "last", found ? json_object_new_string(commits->hashes[result->last]) : NULL);
	json_object_object_add(json, "probability", json_object_new_double(result->probability));
	json_object_object_add(json, "rate_before", json_object_new_double(result->before_rate));
	json_object_object_add(json, "rate_after", json_object_new_double(result->after_rate));
	for (size_t i = 0; i < commits->nr; i++) {
		struct json_object *commit;
		struct pl_commits_point seen;

		if (commits->points[i] == NOT_TRIED)
			continue;
		pl_commits_point(commits->engine, i, &seen);
		commit = json_object_new_object();
		json_object_object_add(commit, "commit", json_object_new_string(commits->hashes[i]));
		json_object_object_add(commit, "built", json_object_new_boolean(!seen.skipped));
		json_object_object_add(commit, "vmlinux_sha256",
				       commits->kernels[i] ? json_object_new_string(commits->kernels[i]) : NULL);
		const char *same_as = seen.same_as != i ? commits->hashes[seen.same_as] : NULL;

		json_object_object_add(commit, "same_kernel_as", same_as ? json_object_new_string(same_as) : NULL);
		json_object_object_add(commit, "bad", json_object_new_int64((int64_t)seen.tally.bad));
		json_object_object_add(commit, "good", json_object_new_int64((int64_t)seen.tally.good));
		json_object_object_add(commit, "other", json_object_new_int64((int64_t)seen.tally.other));
		json_object_object_add(commit, "cannot_tell", json_object_new_int64((int64_t)seen.tally.cannot_tell));
		json_object_object_add(commit, "probability", json_object_new_double(seen.probability));
		json_object_array_add(tried, commit);
	}
	json_object_object_add(json, "commits", tried);
	return json;
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
	pl_bisect_print_cells(bisect);

	struct json_object *json = make_json(bisect, &result);
	struct pl_buf answer = { 0 };
	enum pl_status found = conclude(bisect, &result, &answer);

	pl_bisect_answer(json, &answer);
	pl_buf_free(&answer);
	status = pl_bisect_write_json(bisect, json, err);
	return status == PL_OK ? found : status;
}

enum pl_status pl_bisect_commits(struct pl_bisect *bisect, struct pl_error *err)
{
	struct commits *commits = pl_calloc(1, sizeof(*commits));

	bisect->own = commits;
	bisect->name = name_commit;
	bisect->table = table;
	bisect->drive.next = next;
	bisect->drive.tell = tell;
	bisect->drive.skip = skip;
	bisect->drive.point = point;
	enum pl_status status = list_commits(commits, bisect->args->commits, bisect->args->tree, err);

	if (status == PL_OK) {
		commits->points = pl_calloc(commits->nr, sizeof(*commits->points));
		commits->kernels = pl_calloc(commits->nr, sizeof(*commits->kernels));
		for (size_t i = 0; i < commits->nr; i++)
			commits->points[i] = NOT_TRIED;
		status = search(bisect, err);
	}
	if (commits->engine)
		pl_commits_free(commits->engine);
	for (size_t i = 0; i < commits->nr; i++) {
		free(commits->hashes[i]);
		if (commits->kernels)
			free(commits->kernels[i]);
	}
	free(commits->hashes);
	free(commits->kernels);
	free(commits->built);
	free(commits->points);
	free(commits);
	return status;
}
