// SPDX-License-Identifier: GPL-3.0-or-later
/* The page's scripts name metrics as texts, which no compiler checks. Run from the top of the source tree. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <glob.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "words/metrics.h"

/* Every text in `from` up to `end` is the name of a metric. */
static size_t check_names(const char *path, const char *from, const char *end)
{
	size_t nr = 0;

	for (const char *begin; (begin = strchr(from, '"')) && begin < end; from = strchr(begin + 1, '"') + 1, nr++) {
		char *name = strndup(begin + 1, strcspn(begin + 1, "\""));

		if (pl_metric_index(name) < 0)
			fail_msg("%s: no metric \"%s\"", path, name);
		free(name);
	}
	return nr;
}

static void metrics_of_the_page(void **state)
{
	/* indexOf("NAME"), of(LINE, "NAME"), and the list MAIN = ["NAME", ...]. */
	static const char pattern[] = "indexOf\\(\"[^\"]*\"\\)|[^A-Za-z]of\\([^\"()]*\"[^\"]*\"\\)|MAIN = \\[[^]]*\\]";
	size_t nr = 0;
	regex_t regex;
	glob_t files;

	(void)state;
	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED), 0);
	assert_int_equal(glob("harness/report/web/*.js", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *text;
		regmatch_t match;

		assert_int_equal(pl_read_file(files.gl_pathv[i], 1 << 20, &text, NULL, NULL), PL_OK);
		for (const char *at = text; !regexec(&regex, at, 1, &match, 0); at += match.rm_eo)
			nr += check_names(files.gl_pathv[i], at + match.rm_so, at + match.rm_eo);
		free(text);
	}
	/* At least those that were there when this was written: a pattern that fits nothing finds nothing wrong. */
	assert_true(nr >= 17);
	globfree(&files);
	regfree(&regex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_of_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
