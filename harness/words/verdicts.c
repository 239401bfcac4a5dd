// SPDX-License-Identifier: GPL-3.0-or-later
/* Names and definitions of verdicts and flags. */
#include "words/verdicts.h"

#include <assert.h>
#include <string.h>

struct named {
	const char *name;
	const char *definition;
};

static const struct named verdicts[PL_NR_VERDICTS] = {
#define VERDICT(verdict, name, definition) [verdict] = { name, definition },
	PL_VERDICTS(VERDICT)
#undef VERDICT
};

const char *const pl_expect_words[PL_NR_VERDICTS] = {
#define WORD(verdict, name, definition) [verdict] = (verdict) == PL_INCOMPLETE ? NULL : (name),
	PL_VERDICTS(WORD)
#undef WORD
};
static_assert(PL_INCOMPLETE == PL_NR_VERDICTS - 1, "the words that may be expected end where incomplete would be");

static const struct named flags_table[] = {
#define FLAG(flag, bit, name, definition) [bit] = { name, definition },
	PL_FLAGS(FLAG)
#undef FLAG
};
#define NR_FLAGS (sizeof(flags_table) / sizeof(*flags_table))

const char *pl_verdict_name(enum pl_verdict verdict)
{
	return (unsigned)verdict < PL_NR_VERDICTS ? verdicts[verdict].name : "?";
}

const char *pl_verdict_definition(enum pl_verdict verdict)
{
	return (unsigned)verdict < PL_NR_VERDICTS ? verdicts[verdict].definition : "?";
}

bool pl_verdict_from_name(const char *name, enum pl_verdict *verdict)
{
	for (unsigned i = 0; i < PL_NR_VERDICTS; i++) {
		if (strcmp(verdicts[i].name, name))
			continue;
		*verdict = (enum pl_verdict)i;
		return true;
	}
	return false;
}

const char *pl_flag_name(unsigned bit)
{
	return bit < NR_FLAGS ? flags_table[bit].name : NULL;
}

const char *pl_flag_definition(unsigned bit)
{
	return bit < NR_FLAGS ? flags_table[bit].definition : NULL;
}

void pl_flags_text(uint32_t flags, char *text, size_t room)
{
	size_t len = 0;

	if (!room)
		return;
	*text = '\0';
	for (unsigned i = 0; i < NR_FLAGS; i++) {
		if (!(flags & 1u << i) || !flags_table[i].name)
			continue;
		int wrote = snprintf(text + len, room - len, "%s%s", len ? "," : "", flags_table[i].name);

		if (wrote < 0 || (size_t)wrote >= room - len)
			return;
		len += (size_t)wrote;
	}
}
