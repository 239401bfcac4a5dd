// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The search is written as if every subset's verdict were known, and is run from its start after each batch: where it meets a
 * verdict that is not there, it notes what it wants and gives up. What was told makes it come further the next time.
 */
#include "search/minimal.h"
#include "search/internal.h"

#include <stdlib.h>
#include <string.h>

struct subset {
	uint64_t mask;
	struct pl_tally search, confirm;
};

struct want {
	uint64_t mask;
	bool confirm;
};
#define MAX_WANTS (PL_MINIMAL_MAX_DIFFERENCES + 1)

struct pl_minimal {
	struct pl_minimal_options options;
	uint64_t all;
	struct subset *subsets;
	unsigned nr_subsets, room;
	struct want want[MAX_WANTS];
	size_t nr_wants;
	struct pl_minimal_set prevention, necessity;
	unsigned asked, cells, other, cannot_tell, seeds;
	enum pl_minimal_stop stop;
	struct search_batch batch;
};

/* Seeds of confirmations begin here: no search comes so far, see verdict_of(). */
static unsigned fresh(const struct pl_minimal *m)
{
	return 2 * m->options.search.max_cells;
}

enum pl_status pl_minimal_new(const struct pl_minimal_options *options, struct pl_minimal **search, struct pl_error *err)
{
	enum pl_status status;

	*search = NULL;
	if (options->nr_differences < 1 || options->nr_differences > PL_MINIMAL_MAX_DIFFERENCES)
		return pl_fail(err, PL_BAD_INPUT, "%u differences: there must be 1 to %d", options->nr_differences,
			       PL_MINIMAL_MAX_DIFFERENCES);
	if (!options->prevention && !options->necessity)
		return pl_fail(err, PL_BAD_INPUT, "neither what prevents nor what is needed is sought");
	status = pl_sprt_check(&options->search, err);
	status = status ? status : pl_sprt_check(&options->confirm, err);
	status = status ? status : search_check_common(options->max_queries, options->batch, err);
	if (status)
		return status;
	struct pl_minimal *m = pl_calloc(1, sizeof(*m));

	m->options = *options;
	m->all = UINT64_MAX >> (64 - options->nr_differences);
	*search = m;
	return PL_OK;
}

void pl_minimal_free(struct pl_minimal *m)
{
	if (!m)
		return;
	free(m->subsets);
	free(m);
}

static struct subset *find(const struct pl_minimal *m, uint64_t mask)
{
	for (unsigned i = 0; i < m->nr_subsets; i++) {
		if (m->subsets[i].mask == mask)
			return &m->subsets[i];
	}
	return NULL;
}

/* As many cells that were neither as answers are allowed, and the subset is undecided. */
static enum pl_verdict_of_rate verdict_of(const struct pl_sprt_options *sprt, const struct pl_tally *tally)
{
	enum pl_verdict_of_rate verdict = pl_sprt_verdict(sprt, tally->bad, tally->good);

	return verdict == PL_RATE_OPEN && search_neither(tally) >= sprt->max_cells ? PL_RATE_UNDECIDED : verdict;
}

/* The confirmation has the last word, if there is one. */
static enum pl_verdict_of_rate direct(const struct pl_minimal *m, const struct subset *subset, bool *confirmed)
{
	enum pl_verdict_of_rate verdict = verdict_of(&m->options.confirm, &subset->confirm);

	*confirmed = verdict != PL_RATE_OPEN;
	return *confirmed ? verdict : verdict_of(&m->options.search, &subset->search);
}

static void want(struct pl_minimal *m, uint64_t mask, bool confirm)
{
	for (size_t i = 0; i < m->nr_wants; i++) {
		if (m->want[i].mask == mask && m->want[i].confirm == confirm)
			return;
	}
	if (m->nr_wants < MAX_WANTS)
		m->want[m->nr_wants++] = (struct want){ mask, confirm };
}

/* What is known of a subset while searching, by its cells or by those of others; PL_RATE_OPEN: it was noted as wanted. */
static enum pl_verdict_of_rate oracle(struct pl_minimal *m, uint64_t mask)
{
	const struct subset *subset = find(m, mask);
	enum pl_verdict_of_rate verdict = PL_RATE_OPEN;
	bool confirmed;

	if (subset)
		verdict = direct(m, subset, &confirmed);
	if (verdict != PL_RATE_OPEN)
		return verdict;
	for (unsigned i = 0; i < m->nr_subsets; i++) {
		uint64_t other = m->subsets[i].mask;

		verdict = direct(m, &m->subsets[i], &confirmed);
		if ((verdict == PL_RATE_BAD && (mask & ~other) == 0) || (verdict == PL_RATE_GOOD && (other & ~mask) == 0))
			return verdict;
	}
	want(m, mask, false);
	return PL_RATE_OPEN;
}

static enum pl_verdict_of_rate confirmation(struct pl_minimal *m, uint64_t mask)
{
	const struct subset *subset = find(m, mask);
	bool confirmed = false;
	enum pl_verdict_of_rate verdict = subset ? direct(m, subset, &confirmed) : PL_RATE_OPEN;

	if (confirmed)
		return verdict;
	want(m, mask, true);
	return PL_RATE_OPEN;
}

/* What is sought: sets whose subset of differences has this verdict. */
struct goal {
	bool prevention;
	enum pl_verdict_of_rate verdict, opposite;
};

static uint64_t applied(const struct pl_minimal *m, const struct goal *goal, uint64_t set)
{
	return goal->prevention ? set : m->all & ~set;
}

/* The elements of `set` from the first-th up to but without the end-th. */
static uint64_t part(uint64_t set, unsigned first, unsigned end)
{
	uint64_t chosen = 0;

	for (unsigned i = 0; set && i < end; i++) {
		uint64_t lowest = set & -set;

		chosen |= i >= first ? lowest : 0;
		set &= ~lowest;
	}
	return chosen;
}

/* Leave out each of `parts` parts of *set if it is as good without. False: a verdict is missing. */
static bool leave_out(struct pl_minimal *m, const struct goal *goal, unsigned parts, uint64_t *set)
{
	uint64_t whole = *set;
	unsigned size = (unsigned)__builtin_popcountll(whole);

	for (unsigned i = 0; i < parts; i++) {
		uint64_t without = *set & ~part(whole, i * size / parts, (i + 1) * size / parts);
		enum pl_verdict_of_rate verdict = oracle(m, applied(m, goal, without));

		if (verdict == PL_RATE_OPEN)
			return false;
		if (verdict == goal->verdict)
			*set = without;
	}
	return true;
}

/* Halves, quarters ... and, where these would be smaller than two elements, single elements until none can be left out. */
static bool reduce(struct pl_minimal *m, const struct goal *goal, uint64_t *set)
{
	uint64_t before = 0;

	*set = m->all;
	for (unsigned parts = 2;; parts *= 2) {
		unsigned size = (unsigned)__builtin_popcountll(*set);

		if (2 * parts > size)
			break;
		if (!leave_out(m, goal, parts, set))
			return false;
	}
	while (*set != before) {
		before = *set;
		if (!leave_out(m, goal, (unsigned)__builtin_popcountll(*set), set))
			return false;
	}
	return true;
}

/* True: *named is done. */
static bool find_set(struct pl_minimal *m, const struct goal *goal, struct pl_minimal_set *named)
{
	uint64_t set;

	if (!reduce(m, goal, &set))
		return false;
	enum pl_verdict_of_rate verdict = confirmation(m, applied(m, goal, set));

	*named = (struct pl_minimal_set){ .found = true, .elements = set };
	named->confirmed = verdict == goal->verdict;
	named->error = pl_sprt_error(&m->options.confirm, goal->verdict);
	for (uint64_t left = set; left; left &= left - 1) {
		verdict = confirmation(m, applied(m, goal, set & ~(left & -left)));
		named->confirmed &= verdict == goal->opposite;
		named->error += pl_sprt_error(&m->options.confirm, goal->opposite);
	}
	named->found = m->nr_wants == 0;
	return named->found;
}

static enum pl_minimal_stop go_on(struct pl_minimal *m)
{
	static const struct goal prevention = { true, PL_RATE_GOOD, PL_RATE_BAD };
	static const struct goal necessity = { false, PL_RATE_BAD, PL_RATE_GOOD };
	enum pl_verdict_of_rate none = oracle(m, 0), all = oracle(m, m->all);

	if (none == PL_RATE_OPEN || all == PL_RATE_OPEN)
		return PL_MINIMAL_RUNNING;
	if (none != PL_RATE_BAD)
		return PL_MINIMAL_BAD_SIDE_GOOD;
	if (all != PL_RATE_GOOD)
		return PL_MINIMAL_GOOD_SIDE_BAD;
	if (m->options.prevention && !find_set(m, &prevention, &m->prevention))
		return PL_MINIMAL_RUNNING;
	if (m->options.necessity && !find_set(m, &necessity, &m->necessity))
		return PL_MINIMAL_RUNNING;
	return (m->options.prevention && !m->prevention.confirmed) || (m->options.necessity && !m->necessity.confirmed) ?
		       PL_MINIMAL_UNCONFIRMED : PL_MINIMAL_FOUND;
}

/* The cells that a want cannot do without: no verdict can come before the last of them. */
static void ask(struct pl_minimal *m, const struct want *wanted)
{
	struct subset *subset = find(m, wanted->mask);

	if (!subset) {
		if (m->nr_subsets == m->room) {
			m->room = m->room ? 2 * m->room : 16;
			m->subsets = pl_realloc_array(m->subsets, m->room, sizeof(*m->subsets));
		}
		subset = &m->subsets[m->nr_subsets++];
		*subset = (struct subset){ .mask = wanted->mask };
	}
	const struct pl_tally *tally = wanted->confirm ? &subset->confirm : &subset->search;
	const struct pl_sprt_options *sprt = wanted->confirm ? &m->options.confirm : &m->options.search;
	size_t more = pl_sprt_fewest_more(sprt, tally->bad, tally->good);
	unsigned seed = (unsigned)(tally->bad + tally->good + search_neither(tally)) + (wanted->confirm ? fresh(m) : 0);

	/* Side by side no more than what is allowed to be neither. */
	more = more < sprt->max_cells - search_neither(tally) ? more : sprt->max_cells - search_neither(tally);
	for (; more && m->batch.nr < m->options.batch && m->asked < m->options.max_queries; more--) {
		search_batch_add(&m->batch, wanted->mask, seed);
		m->asked++;
		seed++;
		m->seeds = seed > m->seeds ? seed : m->seeds;
	}
}

static void plan(struct pl_minimal *m)
{
	m->batch = (struct search_batch){ 0 };
	m->nr_wants = 0;
	m->prevention = (struct pl_minimal_set){ 0 };
	m->necessity = (struct pl_minimal_set){ 0 };
	m->stop = go_on(m);
	for (size_t i = 0; !m->stop && i < m->nr_wants; i++) {
		if (m->batch.nr < m->options.batch && m->asked < m->options.max_queries)
			ask(m, &m->want[i]);
	}
	if (!m->stop && !m->batch.nr)
		m->stop = PL_MINIMAL_BUDGET;
}

enum pl_ask pl_minimal_next(struct pl_minimal *m, struct pl_minimal_query *query)
{
	if (!m->stop && m->batch.told == m->batch.nr)
		plan(m);
	const struct search_query *next = search_batch_next(&m->batch);

	if (next) {
		*query = (struct pl_minimal_query){ .subset = next->what, .seed = next->seed };
		return PL_ASK_QUERY;
	}
	return m->stop ? PL_ASK_DONE : PL_ASK_WAIT;
}

void pl_minimal_tell(struct pl_minimal *m, const struct pl_minimal_query *query, enum pl_answer answer)
{
	struct subset *subset;

	search_batch_tell(&m->batch, query->subset, query->seed, (int)answer);
	subset = find(m, query->subset);
	search_tally(query->seed >= fresh(m) ? &subset->confirm : &subset->search, (int)answer);
	m->cells++;
	m->other += answer == PL_ANSWER_OTHER;
	m->cannot_tell += answer == PL_ANSWER_CANNOT_TELL;
}

void pl_minimal_result(const struct pl_minimal *m, struct pl_minimal_result *result)
{
	*result = (struct pl_minimal_result){
		.stop = m->stop,
		.prevention = m->prevention,
		.necessity = m->necessity,
		.cells = m->cells,
		.other = m->other,
		.cannot_tell = m->cannot_tell,
		.subsets = m->nr_subsets,
		.seeds = m->seeds,
	};
}

void pl_minimal_subset(const struct pl_minimal *m, unsigned i, struct pl_minimal_subset *out)
{
	const struct subset *subset = &m->subsets[i];

	*out = (struct pl_minimal_subset){ .subset = subset->mask, .search = subset->search, .confirm = subset->confirm };
	out->verdict = direct(m, subset, &out->confirmed);
	out->error = pl_sprt_error(out->confirmed ? &m->options.confirm : &m->options.search, out->verdict);
}

const char *pl_minimal_stop_text(enum pl_minimal_stop stop)
{
	static const char *const texts[] = {
		"still running",
		"found and confirmed",
		"found, but a confirmation came out undecided",
		"the budget of cells is used up",
		"without any of the differences it is not bad",
		"with all of the differences it is not good",
	};

	return texts[stop];
}
