/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent's program: what the host wants done in this boot. docs/formats.md, section "Agent program", is its
 * definition. Pure C without a system call, so that it is tested on the host as well.
 */
#ifndef AGENT_PROGRAM_H
#define AGENT_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAM_MAX_BYTES	49152
#define PROGRAM_MAX_LINES	512
#define PROGRAM_MAX_TASKS	32	/* `task` lines */
#define PROGRAM_MAX_PROCESSES	128	/* copies of all tasks together */
#define PROGRAM_MAX_DURATION_MS	86400000
#define PROGRAM_MAX_GRACE_MS	600000
#define PROGRAM_MAX_ZRAM_PCT	400
#define PROGRAM_NAME_MAX	15	/* of a task: room of bb_text.name less its NUL */
#define PROGRAM_ERROR_BYTES	256

enum verb {
	VERB_DISK,	/* name, value */
	VERB_SYSCTL,	/* name, value */
	VERB_FILE,	/* name is the path, value */
	VERB_MGLRU,	/* number: 0 off, 1 on */
	VERB_SWAP,	/* name: none, disk or zram; number: percent of RAM for zram */
	VERB_PREPARE,	/* value is the command */
	VERB_TASK,	/* name, number of copies, value is the command */
};

/* One line. The strings lie in the text that was parsed. */
struct step {
	enum verb verb;
	unsigned int line;
	uint64_t number;
	const char *name;
	const char *value;
};

struct program {
	uint64_t seed;
	uint64_t duration_ms;
	uint64_t grace_ms;
	bool shell;	/* a shell on the console and nothing else */
	size_t nr_steps;
	struct step steps[PROGRAM_MAX_LINES];
};

/*
 * Parse @text of @bytes bytes in place; there must be room for one more. Returns 0, or -1 with one line in @error
 * ("line 3: ..."). @program points into @text afterwards.
 */
int program_parse(char *text, size_t bytes, struct program *program, char error[PROGRAM_ERROR_BYTES]);

/*
 * Does @reads_back mean what was written? Runs of white space are one blank, those at the ends nothing, and a choice
 * ("always [madvise] never") is its bracketed word.
 */
bool value_matches(const char *wrote, const char *reads_back);

#endif
