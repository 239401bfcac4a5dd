// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Inside, values are at positions that go from the bad end to the good one: P(bad) falls with the position. The threshold is
 * the lowest position with P(bad) <= rate: 0 (all are good enough) .. nr (none is).
 */
#include "search/threshold.h"
#include "search/internal.h"

#include <assert.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COARSE_VALUES 7
#define COARSE_SEEDS  3
#define COARSE_LOOKS  3	   /* each on twice the seeds of the one before */
#define END_SEEDS     24   /* at most, while an end does not look like what it should be */
#define END_ERROR     0.01 /* probability at which an end is refused */
#define NOT_MONOTONE  0.01 /* noise alone may be called that so often, over all looks */
#define RESAMPLES     1000
#define MIN_OTHER     5	   /* a value is given up after so many cells that were neither, if they are the most */
#define OUTSIDE	      0.02 /* prior probability that no value is good enough, and that all are */
#define NEGLIGIBLE    1e-5 /* thresholds less probable than that do not matter for what to ask next */

/* Factors of the knob over which P(bad) goes from 90 % to 10 % of its way. */
static const double widths[] = { 1.02, 1.15, 1.35, 1.6, 2, 2.6, 3.5, 6, 12 };
/* How far P(bad) stays below 1 at the bad end, as a share of 1 - rate, and above 0 at the good one, as a share of rate. */
static const double bad_lapses[] = { 0.01, 0.1, 0.3, 0.6 };
static const double good_lapses[] = { 0.05, 0.2, 0.5 };

#define NR(array) (sizeof(array) / sizeof((array)[0]))
enum { NR_SHAPES = NR(widths) * NR(bad_lapses) * NR(good_lapses) };
static_assert(NR_SHAPES % 2 == 0, "most_telling() takes them in pairs");

struct pl_threshold {
	struct pl_threshold_options options;
	double *values;
	size_t nr, nr_states; /* values; (threshold, shape) */
	double *at;	      /* [position]: logarithm of the value, negative if positions descend */
	double *p_bad;	      /* [position][threshold][shape] */
	double *posterior;    /* [threshold][shape] */
	double *scratch;
	struct pl_tally *tally;
	unsigned *target;     /* [position]: answers wanted in phase 1 */
	bool searching;	      /* phase 2 */
	unsigned looks, cells, other, cannot_tell, asked, seeds;
	double monotone_p;
	enum pl_threshold_stop stop;
	struct pl_threshold_island *islands;
	size_t nr_islands;
	struct search_batch batch;
};

static size_t position_of(const struct pl_threshold *s, size_t value)
{
	return s->options.side == PL_THRESHOLD_SMALLEST ? value : s->nr - 1 - value;
}

static size_t answers(const struct pl_tally *tally)
{
	return tally->bad + tally->good;
}

static bool usable(const struct pl_threshold *s, size_t i)
{
	return search_neither(&s->tally[i]) < MIN_OTHER || search_neither(&s->tally[i]) <= answers(&s->tally[i]);
}

static enum pl_status check(const struct pl_threshold_options *o, struct pl_error *err)
{
	if (o->nr_values < PL_THRESHOLD_MIN_VALUES || o->nr_values > PL_THRESHOLD_MAX_VALUES)
		return pl_fail(err, PL_BAD_INPUT, "a grid of %zu values: give %d to %d", o->nr_values, PL_THRESHOLD_MIN_VALUES,
			       PL_THRESHOLD_MAX_VALUES);
	for (size_t i = 0; i < o->nr_values; i++) {
		if (!(o->values[i] > 0 && o->values[i] < HUGE_VAL) || (i && !(o->values[i] > o->values[i - 1])))
			return pl_fail(err, PL_BAD_INPUT, "value %zu of the grid is %g: values must be above 0 and ascend", i + 1,
				       o->values[i]);
	}
	if (!(o->rate >= 0.001 && o->rate <= 0.9))
		return pl_fail(err, PL_BAD_INPUT, "a rate of %g: give 0.001 to 0.9", o->rate);
	if (!(o->width > 1))
		return pl_fail(err, PL_BAD_INPUT, "an interval of a factor of %g: give more than 1", o->width);
	if (!(o->credibility >= 0.5 && o->credibility <= 0.999))
		return pl_fail(err, PL_BAD_INPUT, "a credibility of %g: give 0.5 to 0.999", o->credibility);
	return search_check_common(o->max_queries, o->batch, err);
}

/* P(bad) at every position for one threshold and shape; rate is reached between the position before the threshold and it. */
static void fill_curve(struct pl_threshold *s, size_t threshold, size_t shape)
{
	double bad_lapse = (1 - s->options.rate) * bad_lapses[shape % NR(bad_lapses)];
	double good_lapse = s->options.rate * good_lapses[shape / NR(bad_lapses) % NR(good_lapses)];
	double scale = log(widths[shape / NR(bad_lapses) / NR(good_lapses)]) / (2 * log(9));
	double share = (s->options.rate - good_lapse) / (1 - good_lapse - bad_lapse);
	double reached;

	if (threshold == 0)
		reached = s->at[0] - (s->at[1] - s->at[0]) / 2;
	else if (threshold == s->nr)
		reached = s->at[s->nr - 1] + (s->at[s->nr - 1] - s->at[s->nr - 2]) / 2;
	else
		reached = (s->at[threshold - 1] + s->at[threshold]) / 2;
	double centre = reached - scale * log((1 - share) / share);

	for (size_t i = 0; i < s->nr; i++)
		s->p_bad[i * s->nr_states + threshold * NR_SHAPES + shape] =
			good_lapse + (1 - good_lapse - bad_lapse) / (1 + exp((s->at[i] - centre) / scale));
}

enum pl_status pl_threshold_new(const struct pl_threshold_options *options, struct pl_threshold **search, struct pl_error *err)
{
	enum pl_status status = check(options, err);
	size_t nr = options->nr_values;

	*search = NULL;
	if (status)
		return status;
	struct pl_threshold *s = pl_calloc(1, sizeof(*s));

	s->options = *options;
	s->nr = nr;
	s->nr_states = (nr + 1) * NR_SHAPES;
	s->monotone_p = 1;
	s->values = pl_calloc(nr, sizeof(*s->values));
	memcpy(s->values, options->values, nr * sizeof(*s->values));
	s->options.values = s->values;
	s->at = pl_calloc(nr, sizeof(*s->at));
	s->tally = pl_calloc(nr, sizeof(*s->tally));
	s->target = pl_calloc(nr, sizeof(*s->target));
	s->islands = pl_calloc(nr, sizeof(*s->islands));
	s->p_bad = pl_calloc(nr * s->nr_states, sizeof(*s->p_bad));
	s->posterior = pl_calloc(s->nr_states, sizeof(*s->posterior));
	s->scratch = pl_calloc(s->nr_states, sizeof(*s->scratch));
	for (size_t v = 0; v < nr; v++) {
		double logarithm = log(s->values[v]);

		s->at[position_of(s, v)] = options->side == PL_THRESHOLD_SMALLEST ? logarithm : -logarithm;
	}
	for (size_t k = 0; k <= nr; k++) {
		double inside = k && k < nr ? (s->at[k] - s->at[k - 1]) / (s->at[nr - 1] - s->at[0]) : 0;
		double prior = k && k < nr ? inside * (1 - 2 * OUTSIDE) : OUTSIDE;

		for (size_t j = 0; j < NR_SHAPES; j++) {
			s->posterior[k * NR_SHAPES + j] = prior / NR_SHAPES;
			fill_curve(s, k, j);
		}
	}
	size_t coarse = nr < COARSE_VALUES ? nr : COARSE_VALUES;

	for (size_t j = 0; j < coarse; j++)
		s->target[(j * (nr - 1) + (coarse - 1) / 2) / (coarse - 1)] = COARSE_SEEDS;
	*search = s;
	return PL_OK;
}

void pl_threshold_free(struct pl_threshold *s)
{
	if (!s)
		return;
	free(s->values);
	free(s->at);
	free(s->tally);
	free(s->target);
	free(s->islands);
	free(s->p_bad);
	free(s->posterior);
	free(s->scratch);
	free(s);
}

/* ---- Is it monotone? --------------------------------------------------------------------------------------------- */

/* The rates that fit best among those that never rise: pool adjacent violators (Ayer et al. 1955). */
static void fit_monotone(const size_t *bad, const size_t *nr, size_t n, double *fit)
{
	size_t blocks = 0;
	struct {
		size_t bad, nr, first;
	} block[PL_THRESHOLD_MAX_VALUES] = { 0 };

	for (size_t i = 0; i < n; i++) {
		block[blocks].bad = bad[i];
		block[blocks].nr = nr[i];
		block[blocks++].first = i;
		while (blocks > 1 && block[blocks - 1].bad * block[blocks - 2].nr > block[blocks - 2].bad * block[blocks - 1].nr) {
			block[blocks - 2].bad += block[blocks - 1].bad;
			block[blocks - 2].nr += block[blocks - 1].nr;
			blocks--;
		}
	}
	for (size_t b = 0; b < blocks; b++) {
		for (size_t i = block[b].first; i < (b + 1 < blocks ? block[b + 1].first : n); i++)
			fit[i] = (double)block[b].bad / (double)block[b].nr;
	}
}

static double log_likelihood(size_t bad, size_t nr, double rate)
{
	double sum = 0;

	if (bad)
		sum += (double)bad * log(rate);
	if (bad < nr)
		sum += (double)(nr - bad) * log1p(-rate);
	return sum;
}

/* How much better free rates fit than rates that never rise: 0 if the free ones never rise. Fills fit. */
static double excess(const size_t *bad, const size_t *nr, size_t n, double *fit)
{
	double sum = 0;

	fit_monotone(bad, nr, n, fit);
	for (size_t i = 0; i < n; i++)
		sum += log_likelihood(bad[i], nr[i], (double)bad[i] / (double)nr[i]) - log_likelihood(bad[i], nr[i], fit[i]);
	return sum;
}

/*
 * How often as much excess comes about when the monotone fit is the truth: parametric bootstrap, from a fixed seed so that
 * the same answers always give the same. Positions in doubt, those that the fit had to pool, are marked.
 */
static double monotone_p(const struct pl_threshold *s, bool *doubt)
{
	size_t bad[PL_THRESHOLD_MAX_VALUES] = { 0 }, nr[PL_THRESHOLD_MAX_VALUES] = { 0 }, place[PL_THRESHOLD_MAX_VALUES], n = 0;
	size_t drawn[PL_THRESHOLD_MAX_VALUES];
	double fit[PL_THRESHOLD_MAX_VALUES], refit[PL_THRESHOLD_MAX_VALUES];
	unsigned as_much = 0;

	for (size_t i = 0; i < s->nr; i++) {
		if (!answers(&s->tally[i]))
			continue;
		bad[n] = s->tally[i].bad;
		nr[n] = answers(&s->tally[i]);
		place[n++] = i;
	}
	double seen = excess(bad, nr, n, fit);

	if (seen <= 1e-9)
		return 1;
	for (size_t i = 0; i < n; i++)
		doubt[place[i]] = (i && fit[i - 1] == fit[i]) || (i + 1 < n && fit[i + 1] == fit[i]) ?
					  fabs(fit[i] - (double)bad[i] / (double)nr[i]) > 1e-9 : false;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	gsl_rng_set(rng, 1);
	for (unsigned round = 0; round < RESAMPLES; round++) {
		for (size_t i = 0; i < n; i++)
			drawn[i] = gsl_ran_binomial(rng, fit[i], (unsigned)nr[i]);
		as_much += excess(drawn, nr, n, refit) >= seen - 1e-9;
	}
	gsl_rng_free(rng);
	return (as_much + 1.0) / (RESAMPLES + 1.0);
}

/* Runs of values that are bad, or are not, by their own cells. */
static void find_islands(struct pl_threshold *s)
{
	s->nr_islands = 0;
	for (size_t v = 0; v < s->nr; v++) {
		const struct pl_tally *tally = &s->tally[position_of(s, v)];
		struct pl_threshold_island *last = s->nr_islands ? &s->islands[s->nr_islands - 1] : NULL;

		if (!answers(tally))
			continue;
		bool bad = (double)tally->bad > s->options.rate * (double)answers(tally);

		if (!last || last->bad != bad) {
			last = &s->islands[s->nr_islands++];
			*last = (struct pl_threshold_island){ .from = v, .bad = bad };
		}
		last->to = v;
		last->tally.bad += tally->bad;
		last->tally.good += tally->good;
		last->tally.other += tally->other;
		last->tally.cannot_tell += tally->cannot_tell;
	}
}

/* ---- The posterior ----------------------------------------------------------------------------------------------- */

static double sum_of(const double *weights, size_t nr)
{
	double sum = 0;

	for (size_t i = 0; i < nr; i++)
		sum += weights[i];
	return sum;
}

static double weight(const double *posterior, size_t threshold)
{
	return sum_of(posterior + threshold * NR_SHAPES, NR_SHAPES);
}

static void normalise(double *posterior, size_t nr)
{
	double sum = sum_of(posterior, nr);

	for (size_t i = 0; i < nr; i++)
		posterior[i] /= sum;
}

static void learn(struct pl_threshold *s, size_t position, bool bad)
{
	const double *p = s->p_bad + position * s->nr_states;

	for (size_t i = 0; i < s->nr_states; i++)
		s->posterior[i] *= bad ? p[i] : 1 - p[i];
	normalise(s->posterior, s->nr_states);
}

/* Before a query that is out is answered: what its answer will teach on average, as the mean of the log likelihoods. */
static void expect(const struct pl_threshold *s, size_t position, double *posterior)
{
	const double *p = s->p_bad + position * s->nr_states;
	double mean = 0;

	for (size_t i = 0; i < s->nr_states; i++)
		mean += posterior[i] * p[i];
	for (size_t i = 0; i < s->nr_states; i++) {
		if (posterior[i] > NEGLIGIBLE / NR_SHAPES)
			posterior[i] *= exp(mean * log(p[i]) + (1 - mean) * log1p(-p[i]));
	}
	normalise(posterior, s->nr_states);
}

/* The position whose answer is expected to say most about the threshold: mutual information. nr: there is no usable one. */
static size_t most_telling(const struct pl_threshold *s, const double *posterior)
{
	size_t best = s->nr;
	double most = -1, of_threshold[PL_THRESHOLD_MAX_VALUES + 1];

	for (size_t k = 0; k <= s->nr; k++)
		of_threshold[k] = weight(posterior, k);
	for (size_t i = 0; i < s->nr; i++) {
		double mean = 0, left = 0, mass = 0;

		if (!usable(s, i))
			continue;
		for (size_t k = 0; k <= s->nr; k++) {
			const double *p = s->p_bad + i * s->nr_states + k * NR_SHAPES, *w = posterior + k * NR_SHAPES;
			double bad = 0, odd = 0;

			if (of_threshold[k] < NEGLIGIBLE)
				continue;
			/* Two sums side by side: this loop is where the time goes. */
			for (size_t j = 0; j < NR_SHAPES; j += 2) {
				bad += w[j] * p[j];
				odd += w[j + 1] * p[j + 1];
			}
			bad += odd;
			mean += bad;
			mass += of_threshold[k];
			left += of_threshold[k] * search_entropy(bad / of_threshold[k]);
		}
		double told = search_entropy(mean / mass) - left / mass;

		if (told > most + 1e-12) {
			most = told;
			best = i;
		}
	}
	return best;
}

/* The narrowest run of thresholds from..to that has the probability asked for; false: it takes those outside the grid. */
static bool narrowest(const struct pl_threshold *s, size_t *from, size_t *to)
{
	double narrow = HUGE_VAL, of_threshold[PL_THRESHOLD_MAX_VALUES + 1];

	for (size_t k = 0; k <= s->nr; k++)
		of_threshold[k] = weight(s->posterior, k);
	for (size_t low = 1; low < s->nr; low++) {
		double mass = 0;

		for (size_t high = low; high < s->nr; high++) {
			mass += of_threshold[high];
			if (mass < s->options.credibility)
				continue;
			if (s->at[high] - s->at[low] < narrow - 1e-12) {
				narrow = s->at[high] - s->at[low];
				*from = low;
				*to = high;
			}
			break;
		}
	}
	if (narrow < HUGE_VAL)
		return true;

	double tail = (1 - s->options.credibility) / 2, mass = 0;

	*from = s->nr - 1;
	*to = s->nr - 1;
	for (size_t k = 0; k < s->nr; k++) {
		if (mass <= tail)
			*from = k;
		mass += of_threshold[k];
		if (mass >= 1 - tail) {
			*to = k;
			break;
		}
	}
	return false;
}

/* ---- What to ask ------------------------------------------------------------------------------------------------- */

static void end(struct pl_threshold *s, enum pl_threshold_stop stop)
{
	s->stop = stop;
	if (stop == PL_THRESHOLD_NOT_MONOTONE)
		find_islands(s);
}

static bool room(const struct pl_threshold *s)
{
	return s->batch.nr < s->options.batch && s->asked < s->options.max_queries;
}

static void add(struct pl_threshold *s, size_t position, unsigned seed)
{
	search_batch_add(&s->batch, position, seed);
	s->asked++;
	if (seed >= s->seeds)
		s->seeds = seed + 1;
}

/* Phase 1: what is missing, the same seeds at all values, one seed after another. */
static void ask_coarse(struct pl_threshold *s)
{
	bool any = true;

	for (unsigned more = 0; any; more++) {
		any = false;
		for (size_t i = 0; i < s->nr; i++) {
			if (answers(&s->tally[i]) + more >= s->target[i] || !usable(s, i))
				continue;
			if (!room(s))
				return;
			any = true;
			add(s, i, (unsigned)(answers(&s->tally[i]) + search_neither(&s->tally[i])) + more);
		}
	}
}

/* Nothing is missing: look at it. True: more was asked for, or the search has ended. */
static bool look_at_ends(struct pl_threshold *s)
{
	const struct pl_tally *first = &s->tally[0], *last = &s->tally[s->nr - 1];
	bool more = false;

	if (!usable(s, 0) || !usable(s, s->nr - 1)) {
		end(s, PL_THRESHOLD_NO_ANSWERS);
		return true;
	}
	if (pl_rate_above(first->bad, answers(first), s->options.rate) < END_ERROR) {
		end(s, PL_THRESHOLD_BAD_END_GOOD);
		return true;
	}
	if (pl_rate_above(last->bad, answers(last), s->options.rate) > 1 - END_ERROR) {
		end(s, PL_THRESHOLD_GOOD_END_BAD);
		return true;
	}
	if ((double)first->bad <= s->options.rate * (double)answers(first) && s->target[0] < END_SEEDS) {
		s->target[0] += COARSE_SEEDS;
		more = true;
	}
	if ((double)last->bad > s->options.rate * (double)answers(last) && s->target[s->nr - 1] < END_SEEDS) {
		s->target[s->nr - 1] += COARSE_SEEDS;
		more = true;
	}
	return more;
}

static bool look_at_order(struct pl_threshold *s)
{
	bool doubt[PL_THRESHOLD_MAX_VALUES] = { 0 };

	if (s->looks == COARSE_LOOKS)
		return false;
	s->monotone_p = monotone_p(s, doubt);
	s->looks++;
	if (s->monotone_p == 1)
		return false;
	find_islands(s);
	/* Rates that rise and fall but stay on one side are no obstacle. */
	if (s->nr_islands <= 2) {
		s->nr_islands = 0;
		return false;
	}
	if (s->monotone_p < NOT_MONOTONE / COARSE_LOOKS) {
		end(s, PL_THRESHOLD_NOT_MONOTONE);
		return true;
	}
	s->nr_islands = 0;
	if (s->looks == COARSE_LOOKS)
		return false;
	for (size_t i = 0; i < s->nr; i++) {
		if (doubt[i])
			s->target[i] *= 2;
	}
	return true;
}

static void begin_search(struct pl_threshold *s)
{
	s->searching = true;
	for (size_t i = 0; i < s->nr; i++) {
		for (size_t n = 0; n < s->tally[i].bad; n++)
			learn(s, i, true);
		for (size_t n = 0; n < s->tally[i].good; n++)
			learn(s, i, false);
	}
}

static void ask_search(struct pl_threshold *s)
{
	size_t from = 0, to = 0;
	bool inside = narrowest(s, &from, &to);

	if (inside && exp(s->at[to] - s->at[from]) <= s->options.width * (1 + 1e-9)) {
		end(s, PL_THRESHOLD_FOUND);
		return;
	}
	if (weight(s->posterior, 0) >= s->options.credibility) {
		end(s, PL_THRESHOLD_BAD_END_GOOD);
		return;
	}
	if (weight(s->posterior, s->nr) >= s->options.credibility) {
		end(s, PL_THRESHOLD_GOOD_END_BAD);
		return;
	}
	memcpy(s->scratch, s->posterior, s->nr_states * sizeof(*s->scratch));
	while (room(s)) {
		size_t position = most_telling(s, s->scratch);

		if (position == s->nr)
			break;
		add(s, position, s->seeds);
		if (room(s))
			expect(s, position, s->scratch);
	}
	if (!s->batch.nr && s->asked < s->options.max_queries)
		end(s, PL_THRESHOLD_NO_ANSWERS);
}

static void plan(struct pl_threshold *s)
{
	s->batch = (struct search_batch){ 0 };
	while (!s->searching && !s->stop && !s->batch.nr) {
		ask_coarse(s);
		if (s->batch.nr || s->asked >= s->options.max_queries)
			break;
		if (!look_at_ends(s) && !look_at_order(s))
			begin_search(s);
	}
	if (s->searching && !s->stop)
		ask_search(s);
	if (!s->stop && !s->batch.nr) {
		if (!s->searching)
			begin_search(s);
		end(s, PL_THRESHOLD_BUDGET);
	}
}

enum pl_ask pl_threshold_next(struct pl_threshold *s, struct pl_threshold_query *query)
{
	if (!s->stop && s->batch.told == s->batch.nr)
		plan(s);
	const struct search_query *next = search_batch_next(&s->batch);

	if (next) {
		*query = (struct pl_threshold_query){ .value = position_of(s, next->what), .seed = next->seed };
		return PL_ASK_QUERY;
	}
	return s->stop ? PL_ASK_DONE : PL_ASK_WAIT;
}

void pl_threshold_tell(struct pl_threshold *s, const struct pl_threshold_query *query, enum pl_answer answer)
{
	size_t position = position_of(s, query->value);
	bool last = search_batch_tell(&s->batch, position, query->seed, (int)answer);

	search_tally(&s->tally[position], (int)answer);
	s->cells++;
	s->other += answer == PL_ANSWER_OTHER;
	s->cannot_tell += answer == PL_ANSWER_CANNOT_TELL;
	if (!last || !s->searching)
		return;
	for (size_t i = 0; i < s->batch.nr; i++) {
		int answered = s->batch.query[i].answer;

		if (answered == PL_ANSWER_BAD || answered == PL_ANSWER_GOOD)
			learn(s, s->batch.query[i].what, answered == PL_ANSWER_BAD);
	}
}

/* ---- What is known ----------------------------------------------------------------------------------------------- */

void pl_threshold_result(struct pl_threshold *s, struct pl_threshold_result *r)
{
	size_t from = 0, to = 0, middle;
	double all = weight(s->posterior, 0), none = weight(s->posterior, s->nr), mass = all;

	narrowest(s, &from, &to);
	for (middle = 1; middle < s->nr - 1; middle++) {
		mass += weight(s->posterior, middle);
		if (mass - all >= (1 - all - none) / 2)
			break;
	}
	middle = middle < from ? from : middle > to ? to : middle;
	size_t a = position_of(s, from), b = position_of(s, to);

	*r = (struct pl_threshold_result){
		.stop = s->stop,
		.low = a < b ? a : b,
		.high = a < b ? b : a,
		.estimate = position_of(s, middle),
		.none = none,
		.all = all,
		.cells = s->cells,
		.other = s->other,
		.cannot_tell = s->cannot_tell,
		.seeds = s->seeds,
		.monotone_p = s->monotone_p,
		.islands = s->islands,
		.nr_islands = s->nr_islands,
	};
	r->ratio = s->values[r->high] / s->values[r->low];
}

struct weighted {
	double p, weight;
};

static int by_p(const void *a, const void *b)
{
	const struct weighted *x = a, *y = b;

	return (x->p > y->p) - (x->p < y->p);
}

void pl_threshold_point(struct pl_threshold *s, size_t value, struct pl_threshold_point *point)
{
	size_t i = position_of(s, value);
	const double *p = s->p_bad + i * s->nr_states;
	double tail = (1 - s->options.credibility) / 2, mass = 0;
	struct weighted *states = pl_calloc(s->nr_states, sizeof(*states));

	*point = (struct pl_threshold_point){ .tally = s->tally[i], .fit_low = 0, .fit_high = 1 };
	pl_rate_interval(s->tally[i].bad, answers(&s->tally[i]), s->options.credibility, &point->low, &point->high);
	for (size_t j = 0; j < s->nr_states; j++) {
		states[j] = (struct weighted){ p[j], s->posterior[j] };
		point->fit += p[j] * s->posterior[j];
	}
	qsort(states, s->nr_states, sizeof(*states), by_p);
	for (size_t j = 0; j < s->nr_states; j++) {
		if (mass <= tail)
			point->fit_low = states[j].p;
		mass += states[j].weight;
		if (mass >= 1 - tail) {
			point->fit_high = states[j].p;
			break;
		}
	}
	free(states);
}

const char *pl_threshold_stop_text(enum pl_threshold_stop stop)
{
	static const char *const texts[] = {
		"still running",
		"the interval is narrow enough",
		"the budget of cells is used up",
		"the end that should be bad is good enough",
		"the end that should be good is not good enough",
		"bad does not go one way with the value",
		"too many cells were neither good nor bad",
	};

	return texts[stop];
}
