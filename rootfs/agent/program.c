// SPDX-License-Identifier: GPL-3.0-or-later
#include "program.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct parser {
	struct program *program;
	char *error;
	unsigned int line;
	unsigned int tasks;
	uint64_t processes;
	bool have_seed, have_duration, have_grace;
};

__attribute__((format(printf, 2, 3)))
static int refuse(const struct parser *p, const char *fmt, ...)
{
	va_list args;
	int at = snprintf(p->error, PROGRAM_ERROR_BYTES, "line %u: ", p->line);

	va_start(args, fmt);
	vsnprintf(p->error + at, PROGRAM_ERROR_BYTES - (size_t)at, fmt, args);
	va_end(args);
	return -1;
}

/* Cut the first word off *rest; NULL if there is none. One blank separates words, so that a value keeps its own. */
static char *next_word(char **rest)
{
	char *word = *rest, *end;

	if (!word || !*word || *word == ' ')
		return NULL;
	end = strchr(word, ' ');
	if (end)
		*end++ = '\0';
	*rest = end;
	return word;
}

static bool consists_of(const char *word, const char *extra, size_t max)
{
	size_t len = strlen(word);

	if (!len || len > max)
		return false;
	for (; *word; word++) {
		bool alnum = (*word >= 'a' && *word <= 'z') || (*word >= 'A' && *word <= 'Z') ||
			     (*word >= '0' && *word <= '9');

		if (!alnum && !strchr(extra, *word))
			return false;
	}
	return true;
}

static bool parse_number(const char *word, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;

	if (!word || !*word)
		return false;
	for (; *word; word++) {
		unsigned int digit = (unsigned int)(*word - '0');

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*number = n;
	return n <= max;
}

static int scalar(struct parser *p, const char *verb, char *rest, uint64_t min, uint64_t max, bool *have,
		  uint64_t *number)
{
	if (*have)
		return refuse(p, "%s appears twice", verb);
	*have = true;
	if (!parse_number(rest, max, number) || *number < min)
		return refuse(p, "%s: expected a number from %llu to %llu", verb, (unsigned long long)min,
			    (unsigned long long)max);
	return 0;
}

static int named_value(struct parser *p, const char *verb, char *rest, struct step *step, const char *extra)
{
	step->name = next_word(&rest);
	if (!step->name || !consists_of(step->name, extra, 255) || strstr(step->name, ".."))
		return refuse(p, "%s: expected a name", verb);
	if (step->verb == VERB_FILE && strncmp(step->name, "/proc/", 6) != 0 &&
	    strncmp(step->name, "/sys/", 5) != 0)
		return refuse(p, "file: %s lies neither in /proc nor in /sys", step->name);
	if (!rest || !*rest)
		return refuse(p, "%s %s: expected a value", verb, step->name);
	step->value = rest;
	return 0;
}

static int parse_swap(struct parser *p, char *rest, struct step *step)
{
	step->name = next_word(&rest);
	if (step->name && !strcmp(step->name, "zram")) {
		if (!parse_number(rest, PROGRAM_MAX_ZRAM_PCT, &step->number) || !step->number)
			return refuse(p, "swap zram: expected percent of RAM, 1 to %d", PROGRAM_MAX_ZRAM_PCT);
		return 0;
	}
	if (!step->name || rest || (strcmp(step->name, "none") != 0 && strcmp(step->name, "disk") != 0))
		return refuse(p, "swap: expected none, disk or zram PERCENT");
	return 0;
}

static int parse_task(struct parser *p, char *rest, struct step *step)
{
	const char *copies;

	step->name = next_word(&rest);
	if (!step->name || !consists_of(step->name, "_-", PROGRAM_NAME_MAX))
		return refuse(p, "task: expected a name of at most %d letters, digits, _ or -", PROGRAM_NAME_MAX);
	copies = next_word(&rest);
	if (!parse_number(copies, PROGRAM_MAX_PROCESSES, &step->number) || !step->number)
		return refuse(p, "task %s: expected a number of copies, 1 to %d", step->name, PROGRAM_MAX_PROCESSES);
	if (!rest || !*rest)
		return refuse(p, "task %s: expected a command", step->name);
	step->value = rest;
	if (++p->tasks > PROGRAM_MAX_TASKS)
		return refuse(p, "more than %d tasks", PROGRAM_MAX_TASKS);
	p->processes += step->number;
	if (p->processes > PROGRAM_MAX_PROCESSES)
		return refuse(p, "more than %d copies of tasks", PROGRAM_MAX_PROCESSES);
	return 0;
}

static int parse_step(struct parser *p, const char *verb, char *rest, struct step *step)
{
	if (!strcmp(verb, "disk")) {
		step->verb = VERB_DISK;
		return named_value(p, verb, rest, step, "_");
	}
	if (!strcmp(verb, "sysctl")) {
		step->verb = VERB_SYSCTL;
		return named_value(p, verb, rest, step, "_-.");
	}
	if (!strcmp(verb, "file")) {
		step->verb = VERB_FILE;
		return named_value(p, verb, rest, step, "_-.:/");
	}
	if (!strcmp(verb, "mglru")) {
		step->verb = VERB_MGLRU;
		if (!rest || (strcmp(rest, "on") != 0 && strcmp(rest, "off") != 0))
			return refuse(p, "mglru: expected on or off");
		step->number = !strcmp(rest, "on");
		return 0;
	}
	if (!strcmp(verb, "swap")) {
		step->verb = VERB_SWAP;
		return parse_swap(p, rest, step);
	}
	if (!strcmp(verb, "prepare")) {
		step->verb = VERB_PREPARE;
		if (!rest || !*rest)
			return refuse(p, "prepare: expected a command");
		step->value = rest;
		return 0;
	}
	if (!strcmp(verb, "task")) {
		step->verb = VERB_TASK;
		return parse_task(p, rest, step);
	}
	return refuse(p, "unknown verb %.32s", verb);
}

static int parse_line(struct parser *p, char *line)
{
	struct program *program = p->program;
	struct step step = { .line = p->line };
	char *rest = line;
	const char *verb = next_word(&rest);

	if (!verb)
		return refuse(p, "expected a verb");
	if (!strcmp(verb, "seed"))
		return scalar(p, verb, rest, 0, UINT64_MAX, &p->have_seed, &program->seed);
	if (!strcmp(verb, "duration_ms"))
		return scalar(p, verb, rest, 1, PROGRAM_MAX_DURATION_MS, &p->have_duration, &program->duration_ms);
	if (!strcmp(verb, "grace_ms"))
		return scalar(p, verb, rest, 0, PROGRAM_MAX_GRACE_MS, &p->have_grace, &program->grace_ms);
	if (!strcmp(verb, "shell")) {
		if (rest)
			return refuse(p, "shell: expected nothing after it");
		program->shell = true;
		return 0;
	}
	if (parse_step(p, verb, rest, &step))
		return -1;
	program->steps[program->nr_steps++] = step;
	return 0;
}

int program_parse(char *text, size_t bytes, struct program *program, char error[PROGRAM_ERROR_BYTES])
{
	struct parser p = { .program = program, .error = error, .line = 1 };
	char *line = text, *end = text + bytes;

	memset(program, 0, sizeof(*program));
	if (bytes > PROGRAM_MAX_BYTES)
		return refuse(&p, "more than %d bytes", PROGRAM_MAX_BYTES);
	*end = '\0';
	for (; line < end; p.line++) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		char *stop = newline ? newline : end;

		if (p.line > PROGRAM_MAX_LINES)
			return refuse(&p, "more than %d lines", PROGRAM_MAX_LINES);
		for (const char *c = line; c < stop; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				return refuse(&p, "control character 0x%02x", (unsigned int)(unsigned char)*c);
		*stop = '\0';
		if (p.line == 1) {
			if (strcmp(line, "plimsoll-cell 1") != 0)
				return refuse(&p, "expected \"plimsoll-cell 1\"");
		} else if (parse_line(&p, line)) {
			return -1;
		}
		line = stop + 1;
	}
	if (p.line == 1)
		return refuse(&p, "the program is empty");
	if (!program->shell && !p.have_duration)
		return refuse(&p, "duration_ms is missing");
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static const char *skip_space(const char *text)
{
	while (is_space(*text))
		text++;
	return text;
}

static bool same_words(const char *a, const char *b, const char *b_end)
{
	a = skip_space(a);
	b = skip_space(b);
	while (*a && b < b_end && *b) {
		if (is_space(*a) && is_space(*b)) {
			a = skip_space(a);
			b = skip_space(b);
		} else if (*a++ != *b++) {
			return false;
		}
	}
	a = skip_space(a);
	if (b < b_end)
		b = skip_space(b);
	return !*a && (b >= b_end || !*b);
}

bool value_matches(const char *wrote, const char *reads_back)
{
	const char *open = strchr(reads_back, '['), *close = open ? strchr(open, ']') : NULL;

	if (same_words(wrote, reads_back, reads_back + strlen(reads_back)))
		return true;
	return close && same_words(wrote, open + 1, close);
}
