// SPDX-License-Identifier: GPL-3.0-or-later
/* `plimsoll bisect`: its options, which of the kinds of search they ask for, and whether what that needs is given. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bisect.h"

enum {
	OPT_OTHER = 256, OPT_GOOD, OPT_BAD, OPT_EFFECTS, OPT_COMMITS, OPT_LARGEST, OPT_WIDTH, OPT_BUDGET, OPT_JSON, OPT_SVG,
	OPT_SEED, OPT_TRAJECTORIES,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What is sought, one of:", 1 },
	{ "knob", 'K', "NAME=FROM..TO", 0, "the smallest value of a knob at which bad is rare", 1 },
	{ "largest", OPT_LARGEST, NULL, 0, "the largest one", 1 },
	{ "good", OPT_GOOD, "FILE", 0, "which differences of this settings file ...", 1 },
	{ "bad", OPT_BAD, "FILE", 0, "... and this one turn bad into good", 1 },
	{ "effects", OPT_EFFECTS, "METRIC", 0, "with --good and --bad: how much each difference moves a metric", 1 },
	{ "commits", OPT_COMMITS, "GOOD..BAD", 0, "the first bad commit of KERNEL_TREE", 1 },
	{ NULL, 0, NULL, 0, "How:", 2 },
	{ "goal", 'g', "EXPR", 0, "what is bad (how the scenario expects its own cells to end)", 2 },
	{ "other", OPT_OTHER, "EXPR", 0, "what is neither good nor bad (`not completed`)", 2 },
	{ "kernel", 'k', "NAME", 0, "on this kernel (the first that the scenario names)", 2 },
	{ "only", 'o', "GLOB", 0, "the first cell of the scenario whose kernel/disk/workload/setting/seed fits", 2 },
	{ "p", 'p', "RATE", 0, "P(bad) that is still good enough (0.1)", 2 },
	{ "width", OPT_WIDTH, "FACTOR", 0, "how narrow the answer's interval is to be (1.3)", 2 },
	{ "budget", OPT_BUDGET, "N", 0, "at most N cells (200)", 2 },
	{ "trajectories", OPT_TRAJECTORIES, "N", 0, "of --effects (10)", 2 },
	{ "seed", OPT_SEED, "N", 0, "the first seed (the scenario's)", 2 },
	{ "jobs", 'j', "N", 0, "VMs side by side (one for each core)", 2 },
	{ "json", OPT_JSON, "FILE", 0, "write the answer and all cells", 2 },
	{ "svg", OPT_SVG, "FILE", 0, "draw P(bad) against the knob", 2 },
	{ 0 },
};

struct parsed {
	struct pl_bisect_args args;
	const char *p_text, *width_text, *budget_text, *seed_text, *jobs_text, *trajectories_text;
	const char *operands[2];
	unsigned nr_operands;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct parsed *parsed = state->input;
	struct pl_bisect_args *args = &parsed->args;
	struct {
		int key;
		const char **into;
	} texts[] = {
		{ 'K', &args->knob }, { OPT_GOOD, &args->good }, { OPT_BAD, &args->bad }, { OPT_EFFECTS, &args->effects },
		{ OPT_COMMITS, &args->commits }, { 'g', &args->options.goal }, { OPT_OTHER, &args->options.other },
		{ 'k', &args->options.kernel }, { 'o', &args->options.only }, { 'p', &parsed->p_text },
		{ OPT_WIDTH, &parsed->width_text }, { OPT_BUDGET, &parsed->budget_text }, { OPT_SEED, &parsed->seed_text },
		{ OPT_TRAJECTORIES, &parsed->trajectories_text }, { 'j', &parsed->jobs_text }, { OPT_JSON, &args->json_path },
		{ OPT_SVG, &args->svg_path },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (key == texts[i].key) {
			*texts[i].into = arg;
			return 0;
		}
	}
	switch (key) {
	case OPT_LARGEST:
		args->largest = true;
		return 0;
	case ARGP_KEY_ARG:
		if (parsed->nr_operands == 2)
			argp_error(state, "one scenario, please");
		parsed->operands[parsed->nr_operands++] = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which scenario? give a name in configs/scenarios/ or a file");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static enum pl_status parse_real(const char *option, const char *text, double min, double max, double *value, struct pl_error *err)
{
	char *end;
	double number;

	if (!text)
		return PL_OK;
	number = strtod(text, &end);
	if (end == text || *end || !(number >= min && number <= max))
		return pl_fail(err, PL_BAD_INPUT, "%s: \"%s\" is not a number from %g to %g", option, text, min, max);
	*value = number;
	return PL_OK;
}

static enum pl_status parse_count(const char *option, const char *text, unsigned long min, unsigned long max, unsigned *value,
				  struct pl_error *err)
{
	unsigned long number = *value;
	enum pl_status status = text ? pl_parse_number(option, text, min, max, &number, err) : PL_OK;

	*value = (unsigned)number;
	return status;
}

/* What is asked for, and whether all that it needs is there. */
static enum pl_status complete(struct parsed *parsed, struct pl_error *err)
{
	struct pl_bisect_args *args = &parsed->args;
	int nr_kinds = !!args->knob + (args->good || args->bad) + !!args->commits;

	if (nr_kinds != 1)
		return pl_fail(err, PL_BAD_INPUT, "what is sought? give one of --knob, --good with --bad, and --commits");
	if (!args->good != !args->bad)
		return pl_fail(err, PL_BAD_INPUT, "--good and --bad: expected both");
	if (args->effects && !args->good)
		return pl_fail(err, PL_BAD_INPUT, "--effects: expected --good and --bad besides it");
	if (args->largest && !args->knob)
		return pl_fail(err, PL_BAD_INPUT, "--largest: expected --knob besides it");
	if (args->svg_path && !args->knob)
		return pl_fail(err, PL_BAD_INPUT, "--svg: expected --knob besides it");
	if (parsed->nr_operands != (args->commits ? 2 : 1))
		return pl_fail(err, PL_BAD_INPUT, args->commits ? "--commits: expected KERNEL_TREE and SCENARIO" : "one scenario, please");
	args->tree = args->commits ? parsed->operands[0] : NULL;
	args->options.scenario = parsed->operands[parsed->nr_operands - 1];
	args->options.metric = args->effects;
	/* Effects are of a metric: nothing has to be bad. */
	if (args->effects && !args->options.goal)
		args->options.goal = "false";
	enum pl_status status = parse_real("--p", parsed->p_text, 0.001, 0.9, &args->p, err);
	if (status == PL_OK)
		status = parse_real("--width", parsed->width_text, 1.01, 100, &args->width, err);
	if (status == PL_OK)
		status = parse_count("--budget", parsed->budget_text, 1, 100000, &args->budget, err);
	if (status == PL_OK)
		status = parse_count("--trajectories", parsed->trajectories_text, 2, 1000, &args->trajectories, err);
	if (status == PL_OK)
		status = parse_count("--jobs", parsed->jobs_text, 1, 256, &args->options.jobs, err);
	if (status == PL_OK)
		status = parse_count("--seed", parsed->seed_text, 0, UINT32_MAX / 2, &args->first_seed, err);
	args->seed_given = parsed->seed_text;
	return status;
}

int pl_cmd_bisect(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[KERNEL_TREE] SCENARIO",
		.doc = "Find the value, the settings or the commit that decides whether a scenario is bad, and say how sure that is. Cells that "
		       "are finished are not run again.",
	};
	struct parsed parsed = { .args = { .p = 0.1, .width = 1.3, .confidence = 0.95, .budget = 200, .trajectories = 10 } };
	struct pl_bisect bisect = { .cli = cli, .args = &parsed.args, .started_s = pl_now_s() };
	struct pl_error err = { 0 };
	int code;

	if (!pl_parse(&argp, argc, argv, &parsed, &code))
		return code;
	enum pl_status status = complete(&parsed, &err);
	if (status == PL_OK) {
		bisect.terminal = isatty(STDERR_FILENO);
		/* Each answer has a line of its own, but for --effects, which judges nothing. */
		parsed.args.options.quiet = !bisect.terminal && !parsed.args.effects;
		status = pl_trials_open(&bisect.trials, cli, &parsed.args.options, &err);
		if (status == PL_OK)
			status = parsed.args.knob    ? pl_bisect_knob(&bisect, &err) :
				 parsed.args.effects ? pl_bisect_effects(&bisect, &err) :
				 parsed.args.commits ? pl_bisect_commits(&bisect, &err) :
						       pl_bisect_settings(&bisect, &err);
		pl_drive_free(&bisect.drive);
		pl_trials_free(&bisect.trials);
	}
	/* No answer is an answer as well, and has been given. */
	if (status == PL_UNMET && !*err.text)
		return PL_UNMET;
	return pl_finish(status, &err);
}
