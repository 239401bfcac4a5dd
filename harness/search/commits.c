// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Hypothesis h of 0 .. nr: commits below h are good, those from h on are bad. 0: all are bad; nr: all are good. All hypotheses
 * between two commits that were run explain the answers equally well, so that the likelihood is computed once for each run of
 * them, and what a query is expected to tell comes from prefix sums: a plan takes time linear in the number of commits.
 */
#include "search/commits.h"
#include "search/internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define END_CELLS 2    /* at each end, before anything else: they teach both rates */
#define MAX_END_CELLS 24 /* while they do not say that the ends differ */
#define LEAST_GAP 0.1  /* of both ends' P(bad): what is less nobody could find between them */
#define NO_GAP	  20.0 /* a Bayes factor: from there on the ends are the same */
#define OUTSIDE	  0.02 /* prior probability that all are bad, and that all are good */
#define MIN_OTHER 5    /* a commit is given up after so many cells that were neither, if they are the most */
#define BESIDE_SKIPPED 0.5 /* worth of a query for each of its next neighbours that were tried if that could not be tested */

/* P(bad) before (a) and after (b) the change: pairs with a < b, all as probable before anything is known. */
static const double rates[] = { 0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.995 };
#define NR_RATES (sizeof(rates) / sizeof(rates[0]))

struct commit {
	struct pl_tally tally;
	double bad, good; /* as tally, and what is expected of queries that are planned */
	bool skipped;
	unsigned kernel;  /* equal numbers: the same bytes; 0: not known */
	size_t same_as;   /* the commit before it of which the kernel is known, if it is this one's; otherwise itself */
	bool unchanged;   /* between two that have the same kernel, with no other one between: nothing changed here */
};

struct hypothesis {
	double probability, before, after; /* means of P(bad) given the hypothesis */
};

struct pl_commits {
	struct pl_commits_options options;
	size_t nr;
	struct commit *commit;
	struct hypothesis *hypothesis; /* nr + 1 */
	unsigned asked, cells, other, cannot_tell, skipped, seeds;
	unsigned end_cells; /* answers wanted of each end */
	enum pl_commits_stop stop;
	struct search_batch batch;
};

/* log of the sum over pairs of rates, and their means. Left and right: counts of answers before and from the change on. */
static double evidence(double left_bad, double left_good, double right_bad, double right_good, struct hypothesis *means)
{
	double a[NR_RATES], b[NR_RATES], best_a = -HUGE_VAL, best_b = -HUGE_VAL, sum = 0, sum_a = 0, sum_b = 0;

	for (size_t i = 0; i < NR_RATES; i++) {
		a[i] = left_bad * log(rates[i]) + left_good * log1p(-rates[i]);
		b[i] = right_bad * log(rates[i]) + right_good * log1p(-rates[i]);
		best_a = fmax(best_a, a[i]);
		best_b = fmax(best_b, b[i]);
	}
	for (size_t i = 0; i < NR_RATES; i++) {
		a[i] = exp(a[i] - best_a);
		b[i] = exp(b[i] - best_b);
	}
	for (size_t i = 0; i < NR_RATES; i++) {
		for (size_t j = i + 1; j < NR_RATES; j++) {
			sum += a[i] * b[j];
			sum_a += a[i] * b[j] * rates[i];
			sum_b += a[i] * b[j] * rates[j];
		}
	}
	/* A pair that nothing speaks for can underflow: then this hypothesis has no part in anything. */
	means->before = sum > 0 ? sum_a / sum : rates[0];
	means->after = sum > 0 ? sum_b / sum : rates[NR_RATES - 1];
	return sum > 0 ? log(sum) + best_a + best_b : -HUGE_VAL;
}

/*
 * How much better one rate explains both ends than two that differ by at least LEAST_GAP do, as the log of a Bayes factor. The
 * search itself must not decide that: ends that are bad nearly always and always are all it can take a sure good end for.
 */
static double ends_alike(const struct pl_commits *s)
{
	const struct pl_tally *first = &s->commit[0].tally, *last = &s->commit[s->nr - 1].tally;
	double a[NR_RATES], b[NR_RATES], same = 0, differ = 0;
	size_t nr_rates = NR_RATES, nr_pairs = 0;

	for (size_t i = 0; i < NR_RATES; i++) {
		a[i] = exp((double)first->bad * log(rates[i]) + (double)first->good * log1p(-rates[i]));
		b[i] = exp((double)last->bad * log(rates[i]) + (double)last->good * log1p(-rates[i]));
		same += a[i] * b[i];
	}
	for (size_t i = 0; i < NR_RATES; i++) {
		for (size_t j = i + 1; j < NR_RATES; j++) {
			if (rates[j] - rates[i] < LEAST_GAP)
				continue;
			differ += a[i] * b[j];
			nr_pairs++;
		}
	}
	/* The likelihoods of many cells underflow: then there is nothing to compare, and the search has long begun. */
	return same > 0 && differ > 0 ? log(same / (double)nr_rates) - log(differ / (double)nr_pairs) : -HUGE_VAL;
}

/* Hypotheses that the kernels rule out: P(bad) does not change where the kernel does not. */
static size_t mark_unchanged(struct pl_commits *s)
{
	size_t nr_changed = s->nr - 1, before = s->nr;

	for (size_t i = 0; i < s->nr; i++) {
		s->commit[i].unchanged = false;
		s->commit[i].same_as = i;
		if (!s->commit[i].kernel)
			continue;
		if (before < i && s->commit[before].kernel == s->commit[i].kernel) {
			s->commit[i].same_as = before;
			for (size_t h = before + 1; h <= i; h++)
				s->commit[h].unchanged = true;
			nr_changed -= i - before;
		}
		before = i;
	}
	return nr_changed;
}

static bool is_possible(const struct pl_commits *s, size_t h)
{
	return h == s->nr || !s->commit[h].unchanged;
}

static void weigh(struct pl_commits *s)
{
	size_t nr_changed = mark_unchanged(s);
	double right_bad = 0, right_good = 0, left_bad = 0, left_good = 0, most = -HUGE_VAL, sum = 0;

	for (size_t i = 0; i < s->nr; i++) {
		right_bad += s->commit[i].bad;
		right_good += s->commit[i].good;
	}
	for (size_t h = 0; h <= s->nr; h++) {
		struct hypothesis *now = &s->hypothesis[h];
		double prior = h && h < s->nr && nr_changed ? (1 - 2 * OUTSIDE) / (double)nr_changed : OUTSIDE;
		bool moved = h && s->commit[h - 1].bad + s->commit[h - 1].good > 0;

		if (moved) {
			left_bad += s->commit[h - 1].bad;
			left_good += s->commit[h - 1].good;
			right_bad = fmax(0, right_bad - s->commit[h - 1].bad);
			right_good = fmax(0, right_good - s->commit[h - 1].good);
		}
		if (h > 1 && !moved && h < s->nr) {
			*now = now[-1];
		} else {
			now->probability = evidence(left_bad, left_good, right_bad, right_good, now) + log(prior);
		}
	}
	for (size_t h = 0; h <= s->nr; h++)
		if (is_possible(s, h))
			most = fmax(most, s->hypothesis[h].probability);
	for (size_t h = 0; h <= s->nr; h++) {
		s->hypothesis[h].probability = is_possible(s, h) ? exp(s->hypothesis[h].probability - most) : 0;
		sum += s->hypothesis[h].probability;
	}
	for (size_t h = 0; h <= s->nr; h++)
		s->hypothesis[h].probability /= sum;
}

enum pl_status pl_commits_new(const struct pl_commits_options *options, struct pl_commits **search, struct pl_error *err)
{
	enum pl_status status = search_check_common(options->max_queries, options->batch, err);

	*search = NULL;
	if (status)
		return status;
	if (options->nr_commits < 2 || options->nr_commits > PL_COMMITS_MAX)
		return pl_fail(err, PL_BAD_INPUT, "%zu commits: there must be 2 to %d", options->nr_commits, PL_COMMITS_MAX);
	if (!(options->confidence >= 0.5 && options->confidence <= 0.9999))
		return pl_fail(err, PL_BAD_INPUT, "a confidence of %g: give 0.5 to 0.9999", options->confidence);
	struct pl_commits *s = pl_calloc(1, sizeof(*s));

	s->options = *options;
	s->nr = options->nr_commits;
	s->end_cells = END_CELLS;
	s->commit = pl_calloc(s->nr, sizeof(*s->commit));
	s->hypothesis = pl_calloc(s->nr + 1, sizeof(*s->hypothesis));
	weigh(s);
	*search = s;
	return PL_OK;
}

void pl_commits_free(struct pl_commits *s)
{
	if (!s)
		return;
	free(s->commit);
	free(s->hypothesis);
	free(s);
}

static bool testable(const struct pl_commits *s, size_t i)
{
	const struct pl_tally *tally = &s->commit[i].tally;

	return !s->commit[i].skipped && (search_neither(tally) < MIN_OTHER || search_neither(tally) <= tally->bad + tally->good);
}

/* The most probable run of hypotheses that no testable commit tells apart. */
static double best_run(const struct pl_commits *s, size_t *first, size_t *last)
{
	double most = -1, sum = 0;
	size_t from = 1;

	for (size_t h = 1; h < s->nr; h++) {
		sum += s->hypothesis[h].probability;
		if (!testable(s, h) && h < s->nr - 1)
			continue;
		if (sum > most) {
			most = sum;
			*first = from;
			*last = h;
		}
		sum = 0;
		from = h + 1;
	}
	return most;
}

static bool tried(const struct commit *commit)
{
	return commit->skipped || commit->bad + commit->good > 0;
}

/* The commit to run next: most expected information about the change, worth less where the neighbours could not be tested. */
static size_t most_telling(const struct pl_commits *s)
{
	double after_bad = 0, after_entropy = 0, before_bad = 0, before_entropy = 0, most = -1;
	const struct commit *left = NULL;
	size_t best = s->nr, right = 0;

	for (size_t h = 0; h <= s->nr; h++) {
		before_bad += s->hypothesis[h].probability * s->hypothesis[h].before;
		before_entropy += s->hypothesis[h].probability * search_entropy(s->hypothesis[h].before);
	}
	for (size_t i = 0; i < s->nr; i++) {
		const struct hypothesis *moves = &s->hypothesis[i];

		/* Commit i is bad if the change is at i or before. */
		after_bad += moves->probability * moves->after;
		after_entropy += moves->probability * search_entropy(moves->after);
		before_bad -= moves->probability * moves->before;
		before_entropy -= moves->probability * search_entropy(moves->before);
		if (right <= i) {
			right = i + 1;
			while (right < s->nr && !tried(&s->commit[right]))
				right++;
		}
		if (testable(s, i)) {
			double told = search_entropy(after_bad + before_bad) - after_entropy - before_entropy;

			if (!tried(&s->commit[i]) && left && left->skipped)
				told *= BESIDE_SKIPPED;
			if (!tried(&s->commit[i]) && right < s->nr && s->commit[right].skipped)
				told *= BESIDE_SKIPPED;
			if (told > most + 1e-12) {
				most = told;
				best = i;
			}
		}
		if (tried(&s->commit[i]))
			left = &s->commit[i];
	}
	return best;
}

static bool room(const struct pl_commits *s)
{
	return s->batch.nr < s->options.batch && s->asked < s->options.max_queries;
}

static void add(struct pl_commits *s, size_t commit)
{
	search_batch_add(&s->batch, commit, s->seeds++);
	s->asked++;
}

/* What is missing at the ends, one seed after another: a few cells, and more while they look alike. */
static bool ask_ends(struct pl_commits *s)
{
	for (; s->end_cells <= MAX_END_CELLS; s->end_cells += END_CELLS) {
		for (unsigned n = 0; n < s->end_cells; n++) {
			for (size_t end = 0; end < s->nr; end += s->nr - 1) {
				if (s->commit[end].tally.bad + s->commit[end].tally.good + n < s->end_cells && room(s))
					add(s, end);
			}
		}
		if (s->batch.nr || s->asked >= s->options.max_queries)
			return s->batch.nr;
		double alike = ends_alike(s);

		if (alike < 0 || alike >= log(NO_GAP))
			return false;
	}
	return false;
}

static enum pl_commits_stop look(const struct pl_commits *s)
{
	size_t first, last;

	if (!testable(s, 0) || !testable(s, s->nr - 1))
		return PL_COMMITS_UNTESTABLE;
	if (ends_alike(s) >= log(NO_GAP)) {
		const struct pl_tally *a = &s->commit[0].tally, *b = &s->commit[s->nr - 1].tally;

		return a->bad + b->bad > a->good + b->good ? PL_COMMITS_GOOD_END_BAD : PL_COMMITS_BAD_END_GOOD;
	}
	if (s->hypothesis[0].probability >= s->options.confidence)
		return PL_COMMITS_GOOD_END_BAD;
	if (s->hypothesis[s->nr].probability >= s->options.confidence)
		return PL_COMMITS_BAD_END_GOOD;
	return best_run(s, &first, &last) >= s->options.confidence ? PL_COMMITS_FOUND : PL_COMMITS_RUNNING;
}

static void plan(struct pl_commits *s)
{
	s->batch = (struct search_batch){ 0 };
	if (s->commit[0].kernel && s->commit[0].kernel == s->commit[s->nr - 1].kernel) {
		s->stop = PL_COMMITS_SAME_KERNEL;
		return;
	}
	if (!testable(s, 0) || !testable(s, s->nr - 1)) {
		s->stop = PL_COMMITS_UNTESTABLE;
		return;
	}
	if (ask_ends(s))
		return;
	weigh(s);
	s->stop = look(s);
	if (s->stop)
		return;
	while (room(s)) {
		size_t commit = most_telling(s);
		double bad = 0;

		add(s, commit);
		if (!room(s))
			break;
		for (size_t h = 0; h <= s->nr; h++)
			bad += s->hypothesis[h].probability * (h <= commit ? s->hypothesis[h].after : s->hypothesis[h].before);
		s->commit[commit].bad += bad;
		s->commit[commit].good += 1 - bad;
		weigh(s);
	}
	for (size_t i = 0; i < s->nr; i++) {
		s->commit[i].bad = (double)s->commit[i].tally.bad;
		s->commit[i].good = (double)s->commit[i].tally.good;
	}
	weigh(s);
	if (!s->batch.nr)
		s->stop = PL_COMMITS_BUDGET;
}

enum pl_ask pl_commits_next(struct pl_commits *s, struct pl_commits_query *query)
{
	if (!s->stop && s->batch.told == s->batch.nr)
		plan(s);
	const struct search_query *next = search_batch_next(&s->batch);

	if (next) {
		*query = (struct pl_commits_query){ .commit = next->what, .seed = next->seed };
		return PL_ASK_QUERY;
	}
	return s->stop ? PL_ASK_DONE : PL_ASK_WAIT;
}

static void tell(struct pl_commits *s, const struct pl_commits_query *query, int answer)
{
	bool last = search_batch_tell(&s->batch, query->commit, query->seed, answer);

	search_tally(&s->commit[query->commit].tally, answer);
	if (answer == SEARCH_SKIPPED && !s->commit[query->commit].skipped) {
		s->commit[query->commit].skipped = true;
		s->skipped++;
	}
	if (!last)
		return;
	for (size_t i = 0; i < s->batch.nr; i++) {
		struct commit *commit = &s->commit[s->batch.query[i].what];

		commit->bad = (double)commit->tally.bad;
		commit->good = (double)commit->tally.good;
	}
	weigh(s);
}

void pl_commits_tell(struct pl_commits *s, const struct pl_commits_query *query, enum pl_answer answer)
{
	s->cells++;
	s->other += answer == PL_ANSWER_OTHER;
	s->cannot_tell += answer == PL_ANSWER_CANNOT_TELL;
	tell(s, query, (int)answer);
}

void pl_commits_kernel(struct pl_commits *s, size_t commit, unsigned kernel)
{
	assert(kernel && commit < s->nr && (!s->commit[commit].kernel || s->commit[commit].kernel == kernel));
	s->commit[commit].kernel = kernel;
}

void pl_commits_skip(struct pl_commits *s, const struct pl_commits_query *query)
{
	tell(s, query, SEARCH_SKIPPED);
}

void pl_commits_result(const struct pl_commits *s, struct pl_commits_result *r)
{
	*r = (struct pl_commits_result){
		.stop = s->stop,
		.first = 1,
		.last = s->nr - 1,
		.cells = s->cells,
		.other = s->other,
		.cannot_tell = s->cannot_tell,
		.skipped = s->skipped,
		.seeds = s->seeds,
	};
	r->probability = best_run(s, &r->first, &r->last);
	while (r->first < r->last && s->commit[r->first].unchanged)
		r->first++;
	while (r->first < r->last && s->commit[r->last].unchanged)
		r->last--;
	for (size_t i = 0; i < s->nr; i++)
		r->unchanged += s->commit[i].same_as != i;
	for (size_t h = 0; h <= s->nr; h++) {
		r->before_rate += s->hypothesis[h].probability * s->hypothesis[h].before;
		r->after_rate += s->hypothesis[h].probability * s->hypothesis[h].after;
	}
}

void pl_commits_point(const struct pl_commits *s, size_t commit, struct pl_commits_point *point)
{
	*point = (struct pl_commits_point){
		.tally = s->commit[commit].tally,
		.skipped = s->commit[commit].skipped,
		.probability = s->hypothesis[commit].probability,
		.same_as = s->commit[commit].same_as,
	};
}

const char *pl_commits_stop_text(enum pl_commits_stop stop)
{
	static const char *const texts[] = {
		"still running",
		"found",
		"the budget of cells is used up",
		"the commit that should be good is as bad as the last",
		"the commit that should be bad is as good as the first",
		"an end of the history could not be tested",
		"the kernels of both ends are the same bytes",
	};

	return texts[stop];
}
