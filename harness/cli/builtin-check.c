// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * `plimsoll check`: runs a scenario with its seeds, and says whether it is bad by the exit codes that `git bisect run`
 * reads.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/build.h"
#include "cli/trials.h"

/* What `git bisect run` asks for. Anything from 128 on ends the bisect, which is what our own failures have to do. */
enum { CHECK_GOOD = 0, CHECK_BAD = 1, CHECK_CANNOT_TELL = 125, CHECK_FAILED = 128 };

struct check_args {
	struct pl_trials_options options;
	const char *seeds_text, *jobs_text, *tree;
	const char **sets;
	size_t nr_sets;
};

enum { OPT_OTHER = 256, OPT_TREE, OPT_SET };

static const struct argp_option options[] = {
	{ "goal", 'g', "EXPR", 0, "what is bad (how the scenario expects its own cells to end)", 0 },
	{ "other", OPT_OTHER, "EXPR", 0, "what is neither good nor bad (`not completed`)", 0 },
	{ "seeds", 's', "N|FROM..TO", 0, "with seeds 1 to N, or FROM to TO (the first of the scenario's)", 0 },
	{ "kernel", 'k', "NAME", 0, "on this kernel (the first that the scenario names)", 0 },
	{ "tree", OPT_TREE, "DIR", 0, "on the kernel of this source tree, which is built first (the current directory, if it is one)", 0 },
	{ "only", 'o', "GLOB", 0, "the first cell of the scenario whose kernel/disk/workload/setting/seed fits", 0 },
	{ "set", OPT_SET, "KNOB=VALUE", 0, "with a knob set otherwise than the scenario says; as often as you like", 0 },
	{ "jobs", 'j', "N", 0, "VMs side by side (one for each core)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check_args *args = state->input;

	switch (key) {
	case 'g':
		args->options.goal = arg;
		return 0;
	case OPT_OTHER:
		args->options.other = arg;
		return 0;
	case 's':
		args->seeds_text = arg;
		return 0;
	case 'k':
		args->options.kernel = arg;
		return 0;
	case OPT_TREE:
		args->tree = arg;
		return 0;
	case 'o':
		args->options.only = arg;
		return 0;
	case OPT_SET:
		if (!strchr(arg, '='))
			argp_error(state, "--set %s: expected KNOB=VALUE", arg);
		args->sets = pl_realloc_array(args->sets, args->nr_sets + 1, sizeof(*args->sets));
		args->sets[args->nr_sets++] = arg;
		return 0;
	case 'j':
		args->jobs_text = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (args->options.scenario)
			argp_error(state, "one scenario, please");
		args->options.scenario = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which scenario? give a name in configs/scenarios/ or a file");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int conclude(const struct pl_trial *list, size_t nr)
{
	size_t counts[PL_NR_JUDGEMENTS] = { 0 };

	for (size_t i = 0; i < nr; i++) {
		counts[list[i].judgement]++;
		printf("seed %u: %s (%s) %s%s%s\n", list[i].seed, pl_judgement_name(list[i].judgement),
		       pl_verdict_name(list[i].verdict), list[i].id, *list[i].why ? ": " : "", list[i].why);
	}
	if (counts[PL_BAD]) {
		printf("bad: %zu of %zu seeds\n", counts[PL_BAD], nr);
		return CHECK_BAD;
	}
	if (counts[PL_GOOD] == nr) {
		printf("good: all of %zu seed%s\n", nr, nr == 1 ? "" : "s");
		return CHECK_GOOD;
	}
	printf("cannot tell: %zu of %zu seeds good, %zu failed in another way, %zu say nothing\n", counts[PL_GOOD], nr,
	       counts[PL_OTHER], counts[PL_CANNOT_TELL]);
	return CHECK_CANNOT_TELL;
}

static enum pl_status check(struct pl_trials *trials, const struct check_args *args, const struct pl_seeds *seeds, int *code,
			    struct pl_error *err)
{
	size_t point = pl_trials_add(trials);

	for (size_t i = 0; i < args->nr_sets; i++) {
		const char *equals = strchr(args->sets[i], '=');
		char *knob = pl_asprintf("%.*s", (int)(equals - args->sets[i]), args->sets[i]);
		char *origin = pl_asprintf("--set %s", args->sets[i]);

		pl_trials_change(trials, point, knob, equals + 1, origin);
		free(origin);
		free(knob);
	}
	enum pl_status status = pl_trials_check(trials, point, err);
	if (status != PL_OK)
		return status;

	uint32_t nr = args->seeds_text ? seeds->count : 1;
	struct pl_trial *list = pl_calloc(nr, sizeof(*list));

	for (uint32_t i = 0; i < nr; i++)
		list[i] = (struct pl_trial){ .point = point, .seed = (args->seeds_text ? seeds->from : trials->first_seed) + i };
	struct pl_lab lab = pl_trials_lab(trials);

	status = lab.run(lab.ctx, list, nr, err);
	if (status == PL_OK)
		*code = conclude(list, nr);
	free(list);
	return status;
}

int pl_cmd_check(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "SCENARIO",
		.doc = "Is it bad? For `git bisect run`: the exit code is 0 if all seeds are good, 1 if any is bad, 125 if nobody can tell, and 128 "
		       "and more if plimsoll itself failed, which ends the bisect.",
	};
	struct check_args args = { 0 };
	struct pl_trials trials = { 0 };
	struct pl_error err = { 0 };
	struct pl_seeds seeds = { 0 };
	unsigned long jobs = 0;
	char *built = NULL;
	int code = CHECK_CANNOT_TELL;

	/* Not pl_parse(): git would take its exit code for a bad commit. */
	argp_err_exit_status = CHECK_FAILED + PL_BAD_INPUT;
	if (argp_parse(&argp, argc, argv, 0, NULL, &args)) {
		free(args.sets);
		return CHECK_FAILED + PL_BAD_INPUT;
	}
	enum pl_status status = PL_OK;
	if (args.jobs_text)
		status = pl_parse_number("--jobs", args.jobs_text, 1, 256, &jobs, &err);
	if (status == PL_OK && args.seeds_text)
		status = pl_parse_seeds(args.seeds_text, &seeds, &err);
	args.options.jobs = (unsigned)jobs;
	if (status == PL_OK && args.tree && args.options.kernel)
		status = pl_fail(&err, PL_BAD_INPUT, "--kernel and --tree: expected one of them");
	if (status == PL_OK && !args.options.kernel && (args.tree || pl_is_kernel_tree("."))) {
		bool built_it;

		status = pl_build_tree(cli, args.tree ? args.tree : ".", &built, &built_it, &err);
		if (status == PL_OK && !built_it) {
			printf("cannot tell: this tree cannot be built\n");
			free(args.sets);
			return CHECK_CANNOT_TELL;
		}
		args.options.kernel = built;
	}
	if (status == PL_OK)
		status = pl_trials_open(&trials, cli, &args.options, &err);
	if (status == PL_OK)
		status = check(&trials, &args, &seeds, &code, &err);
	pl_trials_free(&trials);
	free(built);
	free(args.sets);
	return status == PL_OK ? code : CHECK_FAILED + pl_finish(status, &err);
}
