/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The user's YAML files as trees that remember where everything stood, and a walker that reads a map into a struct by
 * a table of fields. Every error is PL_BAD_INPUT and one line: file:line:column: what was found, what was expected.
 *
 * Less than YAML on purpose: one document, no anchors, aliases or tags, no duplicate keys. Scalars stay text, so that
 * `6.10` is a name and not the number 6.1.
 */
#ifndef PL_PLAN_YAML_H
#define PL_PLAN_YAML_H

#include "base/base.h"

#define PL_YAML_MAX_BYTES ((size_t)1 << 20)
#define PL_YAML_MAX_DEPTH 16
#define PL_YAML_MAX_KEYS  512  /* of one map */
#define PL_YAML_MAX_ITEMS 4096 /* of one list */

enum pl_yaml_kind { PL_YAML_SCALAR, PL_YAML_LIST, PL_YAML_MAP };

struct pl_yaml_node {
	enum pl_yaml_kind kind;
	size_t line, column; /* from 1; columns count characters */
	char *origin;	     /* NULL; or what said so in the file's stead, for messages */
	bool quoted;	     /* scalar in quotes or a block */
	char *text;	     /* scalar; no control characters but newline and tab */
	struct pl_yaml_node *key; /* of a map's item */
	struct pl_yaml_node **items;
	size_t nr_items;
};

struct pl_yaml {
	char *path;
	struct pl_yaml_node *root; /* a map */
};

/* Read a file whose root is a map. yaml need not be freed after a failure. */
enum pl_status pl_yaml_load(const char *path, struct pl_yaml *yaml, struct pl_error *err);
void pl_yaml_free(struct pl_yaml *yaml);

/* Fill *err with "file:line:column: " and the text; PL_BAD_INPUT. */
enum pl_status pl_yaml_fail(const struct pl_yaml *yaml, const struct pl_yaml_node *at, struct pl_error *err,
			    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same as "found X, expected <text>", with X as the node has it. */
enum pl_status pl_yaml_expected(const struct pl_yaml *yaml, const struct pl_yaml_node *at, struct pl_error *err,
				const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Say in a file's stead: set a map's key to a text, or to an empty map if text is NULL, which is returned. origin takes the
 * place of file, line and column in messages.
 */
struct pl_yaml_node *pl_yaml_set(struct pl_yaml_node *map, const char *key, const char *text, const char *origin);
/* As if the file did not name it. */
void pl_yaml_unset(struct pl_yaml_node *map, const char *key);

/* Value of a map's key, or NULL; no map (NULL) has none. */
const struct pl_yaml_node *pl_yaml_get(const struct pl_yaml_node *map, const char *key);

enum pl_yaml_type {
	PL_YAML_ANY,  /* const struct pl_yaml_node *: the caller looks inside */
	PL_YAML_TEXT, /* const char *, owned by the tree */
	PL_YAML_NAME, /* const char *: a name, see pl_yaml_name() */
	PL_YAML_U32,  /* uint32_t, min .. max */
	PL_YAML_U64,  /* uint64_t, min .. max */
	PL_YAML_BOOL, /* bool: true or false */
	PL_YAML_WORD, /* uint32_t: index of one of words */
};

struct pl_yaml_field {
	const char *key;
	enum pl_yaml_type type;
	bool required;
	size_t offset; /* in the struct that is filled */
	int64_t min, max;
	const char *const *words; /* NULL-terminated */
};

/* Fill what the map names; what it does not name keeps its value. Unknown and missing keys are errors. */
enum pl_status pl_yaml_read(const struct pl_yaml *yaml, const struct pl_yaml_node *map,
			    const struct pl_yaml_field *fields, size_t nr_fields, void *into, struct pl_error *err);

/* One value, checked as a field is; `what` is its name in messages. */
enum pl_status pl_yaml_u32(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what, uint32_t min,
			   uint32_t max, uint32_t *value, struct pl_error *err);
enum pl_status pl_yaml_i64(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what, int64_t min,
			   int64_t max, int64_t *value, struct pl_error *err);
enum pl_status pl_yaml_bool(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what, bool *value,
			    struct pl_error *err);
enum pl_status pl_yaml_text(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what,
			    const char **text, struct pl_error *err);

/* A name is a file name, an axis value and a word of a command line: letters, digits and ._+- , at most 63. */
bool pl_yaml_is_name(const char *text);
enum pl_status pl_yaml_name(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what,
			    const char **text, struct pl_error *err);

/* A list with at least one item. */
enum pl_status pl_yaml_list(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what,
			    struct pl_error *err);

/* How messages show foreign text: in quotes, printable, cut when long. */
struct pl_quoted {
	char text[96];
};
struct pl_quoted pl_quote(const char *text);

/* The known name that was probably meant, or NULL: fewest edits, at most a third of its letters. */
const char *pl_nearest(const char *text, const char *const *known, size_t nr_known);

/* "did you mean "x"? known: a, b, c" for the end of a message. */
struct pl_hint {
	char text[400];
};
struct pl_hint pl_hint(const char *text, const char *const *known, size_t nr_known);

#endif
