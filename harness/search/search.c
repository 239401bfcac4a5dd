// SPDX-License-Identifier: GPL-3.0-or-later
/* What the engines share: batches of queries, and what is known of a rate. */
#include "search/internal.h"

#include <assert.h>
#include <gsl/gsl_cdf.h>
#include <math.h>

void pl_rate_interval(size_t hits, size_t nr, double credibility, double *low, double *high)
{
	double k = (double)hits, n = (double)nr, tail = (1 - credibility) / 2;

	*low = hits ? gsl_cdf_beta_Pinv(tail, k, n - k + 1) : 0;
	*high = hits < nr ? gsl_cdf_beta_Pinv(1 - tail, k + 1, n - k) : 1;
}

double pl_rate_above(size_t hits, size_t nr, double rate)
{
	return gsl_cdf_beta_Q(rate, (double)hits + 0.5, (double)(nr - hits) + 0.5);
}

void search_batch_add(struct search_batch *batch, uint64_t what, unsigned seed)
{
	assert(batch->nr < PL_SEARCH_MAX_BATCH);
	batch->query[batch->nr++] = (struct search_query){ .what = what, .seed = seed, .answer = SEARCH_OPEN };
}

const struct search_query *search_batch_next(struct search_batch *batch)
{
	return batch->given < batch->nr ? &batch->query[batch->given++] : NULL;
}

bool search_batch_tell(struct search_batch *batch, uint64_t what, unsigned seed, int answer)
{
	size_t i = 0;

	while (i < batch->given && (batch->query[i].what != what || batch->query[i].seed != seed))
		i++;
	assert(i < batch->given && batch->query[i].answer == SEARCH_OPEN);
	batch->query[i].answer = answer;
	return ++batch->told == batch->nr;
}

void search_tally(struct pl_tally *tally, int answer)
{
	tally->bad += answer == PL_ANSWER_BAD;
	tally->good += answer == PL_ANSWER_GOOD;
	tally->other += answer == PL_ANSWER_OTHER;
	tally->cannot_tell += answer == PL_ANSWER_CANNOT_TELL;
}

size_t search_neither(const struct pl_tally *tally)
{
	return tally->other + tally->cannot_tell;
}

double search_entropy(double p)
{
	return p <= 0 || p >= 1 ? 0 : -p * log(p) - (1 - p) * log1p(-p);
}

enum pl_status search_check_common(unsigned max_queries, unsigned batch, struct pl_error *err)
{
	if (max_queries < 1 || max_queries > PL_SEARCH_MAX_QUERIES)
		return pl_fail(err, PL_BAD_INPUT, "a search of at most %u cells: give 1 to %d", max_queries, PL_SEARCH_MAX_QUERIES);
	if (batch < 1 || batch > PL_SEARCH_MAX_BATCH)
		return pl_fail(err, PL_BAD_INPUT, "a search with %u cells at once: give 1 to %d", batch, PL_SEARCH_MAX_BATCH);
	return PL_OK;
}
