// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Builds the tree of a YAML file with libyaml, refuses what plimsoll does not take, and reads maps and values out of
 * it.
 */
#include "plan/yaml.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

struct pl_quoted pl_quote(const char *text)
{
	struct pl_quoted quoted;
	size_t len = 0;
	const size_t most = sizeof(quoted.text) - sizeof("...\"");

	quoted.text[len++] = '"';
	for (; *text && len < most; text++)
		quoted.text[len++] = (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text;
	/* A character that is cut in half would make the whole line invalid UTF-8. */
	if (*text) {
		while (len > 1 && ((unsigned char)*text & 0xc0) == 0x80) {
			len--;
			text--;
		}
	}
	snprintf(quoted.text + len, sizeof(quoted.text) - len, "%s\"", *text ? "..." : "");
	return quoted;
}

static size_t edits(const char *a, const char *b)
{
	enum { MOST = 96 };
	size_t row[MOST + 1], len_a = strlen(a), len_b = strlen(b);

	if (len_a > MOST || len_b > MOST)
		return SIZE_MAX;
	for (size_t j = 0; j <= len_b; j++)
		row[j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[len_b];
}

const char *pl_nearest(const char *text, const char *const *known, size_t nr_known)
{
	const char *best = NULL;
	size_t fewest = SIZE_MAX;

	for (size_t i = 0; i < nr_known; i++) {
		size_t count = edits(text, known[i]);

		if (count < fewest) {
			fewest = count;
			best = known[i];
		}
	}
	return best && fewest <= 1 + strlen(best) / 3 && fewest < strlen(best) ? best : NULL;
}

struct pl_hint pl_hint(const char *text, const char *const *known, size_t nr_known)
{
	struct pl_hint hint;
	const char *nearest = pl_nearest(text, known, nr_known);
	const size_t room = sizeof(hint.text) - sizeof(", ...");
	size_t len = 0;

	if (nearest)
		len = (size_t)snprintf(hint.text, sizeof(hint.text), "did you mean \"%s\"? ", nearest);
	len += (size_t)snprintf(hint.text + len, sizeof(hint.text) - len, "known: %s", nr_known ? "" : "none");
	for (size_t i = 0; i < nr_known; i++) {
		if (len + strlen(known[i]) + 2 > room) {
			snprintf(hint.text + len, sizeof(hint.text) - len, ", ...");
			break;
		}
		len += (size_t)snprintf(hint.text + len, sizeof(hint.text) - len, "%s%s", i ? ", " : "", known[i]);
	}
	return hint;
}

static enum pl_status fail_at(const char *path, size_t line, size_t column, struct pl_error *err, const char *found,
			      const char *fmt, va_list args)
{
	char text[800];

	vsnprintf(text, sizeof(text), fmt, args);
	return pl_fail(err, PL_BAD_INPUT, "%s:%zu:%zu: %s%s", path, line, column, found, text);
}

static enum pl_status fail_node(const struct pl_yaml *yaml, const struct pl_yaml_node *at, struct pl_error *err,
				const char *found, const char *fmt, va_list args)
{
	char text[700];

	if (!at->origin)
		return fail_at(yaml->path, at->line, at->column, err, found, fmt, args);
	vsnprintf(text, sizeof(text), fmt, args);
	return pl_fail(err, PL_BAD_INPUT, "%.120s: %s%s", at->origin, found, text);
}

enum pl_status pl_yaml_fail(const struct pl_yaml *yaml, const struct pl_yaml_node *at, struct pl_error *err,
			    const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail_node(yaml, at, err, "", fmt, args);
	va_end(args);
	return PL_BAD_INPUT;
}

enum pl_status pl_yaml_expected(const struct pl_yaml *yaml, const struct pl_yaml_node *at, struct pl_error *err,
				const char *fmt, ...)
{
	char found[128];
	va_list args;

	if (at->kind == PL_YAML_MAP)
		snprintf(found, sizeof(found), "found a map, expected ");
	else if (at->kind == PL_YAML_LIST)
		snprintf(found, sizeof(found), "found %s list, expected ", at->nr_items ? "a" : "an empty");
	else if (!*at->text && !at->quoted)
		snprintf(found, sizeof(found), "found nothing, expected ");
	else
		snprintf(found, sizeof(found), "found %s, expected ", pl_quote(at->text).text);
	va_start(args, fmt);
	fail_node(yaml, at, err, found, fmt, args);
	va_end(args);
	return PL_BAD_INPUT;
}

static void free_node(struct pl_yaml_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->nr_items; i++)
		free_node(node->items[i]);
	free_node(node->key);
	free(node->items);
	free(node->origin);
	free(node->text);
	free(node);
}

void pl_yaml_free(struct pl_yaml *yaml)
{
	free_node(yaml->root);
	free(yaml->path);
	*yaml = (struct pl_yaml){ 0 };
}

struct loader {
	struct pl_yaml *yaml;
	yaml_parser_t parser;
	const char *text;
	enum pl_status status; /* why build() and those that it calls gave up */
	struct pl_error *err;
};

static enum pl_status fail_mark(struct loader *loader, yaml_mark_t mark, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail_at(loader->yaml->path, mark.line + 1, mark.column + 1, loader->err, "", fmt, args);
	va_end(args);
	return PL_BAD_INPUT;
}

/* Errors below the scanner (bad UTF-8) come with a byte offset only. */
static yaml_mark_t mark_of_offset(const char *text, size_t offset)
{
	yaml_mark_t mark = { 0 };

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

static enum pl_status next_event(struct loader *loader, yaml_event_t *event)
{
	yaml_parser_t *parser = &loader->parser;

	if (yaml_parser_parse(parser, event))
		return PL_OK;
	if (parser->error == YAML_MEMORY_ERROR)
		return pl_fail(loader->err, PL_HOST, "%s: out of memory on the host", loader->yaml->path);
	if (parser->error == YAML_READER_ERROR)
		return fail_mark(loader, mark_of_offset(loader->text, parser->problem_offset),
				 "not valid YAML: %s, expected UTF-8 text", parser->problem);
	return fail_mark(loader, parser->problem_mark, "not valid YAML: %s%s%s", parser->context ? parser->context : "",
			 parser->context ? ", " : "", parser->problem);
}

static bool read_scalar(struct loader *loader, const yaml_event_t *event, struct pl_yaml_node *node)
{
	const unsigned char *value = event->data.scalar.value;
	size_t len = event->data.scalar.length;

	for (size_t i = 0; i < len; i++) {
		if ((value[i] < 0x20 && value[i] != '\n' && value[i] != '\t') || value[i] == 0x7f) {
			loader->status = fail_mark(loader, event->start_mark,
						   "found control character 0x%02x, expected text", value[i]);
			return false;
		}
	}
	node->kind = PL_YAML_SCALAR;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = pl_strdup((const char *)value);
	return true;
}

/* The node that begins with this event, or NULL and loader->status. */
static struct pl_yaml_node *build(struct loader *loader, const yaml_event_t *event, unsigned depth);

static struct pl_yaml_node *build_next(struct loader *loader, unsigned depth)
{
	struct pl_yaml_node *node = NULL;
	yaml_event_t event;

	loader->status = next_event(loader, &event);
	if (loader->status == PL_OK) {
		node = build(loader, &event, depth);
		yaml_event_delete(&event);
	}
	return node;
}

static bool check_key(struct loader *loader, const struct pl_yaml_node *map, const struct pl_yaml_node *key)
{
	if (key->kind != PL_YAML_SCALAR || !*key->text) {
		loader->status = pl_yaml_expected(loader->yaml, key, loader->err, "a key");
		return false;
	}
	if (map->nr_items == PL_YAML_MAX_KEYS) {
		loader->status = pl_yaml_fail(loader->yaml, key, loader->err, "found more than %d keys in one map",
					      PL_YAML_MAX_KEYS);
		return false;
	}

	const struct pl_yaml_node *other = pl_yaml_get(map, key->text);

	if (other)
		loader->status = pl_yaml_fail(loader->yaml, key, loader->err,
					      "found key %s twice, expected once; the first is in line %zu",
					      pl_quote(key->text).text, other->key->line);
	return !other;
}

/* Item of a list, or key of a map, whose value follows. Takes the node over. */
static bool add_item(struct loader *loader, struct pl_yaml_node *parent, struct pl_yaml_node *node, unsigned depth)
{
	if (parent->kind == PL_YAML_MAP) {
		struct pl_yaml_node *key = node;

		node = check_key(loader, parent, key) ? build_next(loader, depth) : NULL;
		if (!node) {
			free_node(key);
			return false;
		}
		node->key = key;
	} else if (parent->nr_items == PL_YAML_MAX_ITEMS) {
		loader->status = pl_yaml_fail(loader->yaml, node, loader->err, "found more than %d items in one list",
					      PL_YAML_MAX_ITEMS);
		free_node(node);
		return false;
	}
	parent->items = pl_realloc_array(parent->items, parent->nr_items + 1, sizeof(void *));
	parent->items[parent->nr_items++] = node;
	return true;
}

static bool read_items(struct loader *loader, struct pl_yaml_node *parent, unsigned depth)
{
	yaml_event_type_t end = parent->kind == PL_YAML_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;

	for (;;) {
		yaml_event_t event;

		loader->status = next_event(loader, &event);
		if (loader->status != PL_OK)
			return false;

		bool done = event.type == end;
		struct pl_yaml_node *node = done ? NULL : build(loader, &event, depth);

		yaml_event_delete(&event);
		if (done)
			return true;
		if (!node || !add_item(loader, parent, node, depth))
			return false;
	}
}

static struct pl_yaml_node *build(struct loader *loader, const yaml_event_t *event, unsigned depth)
{
	const yaml_char_t *anchor, *tag;
	const char *refused = NULL;

	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	} else {
		anchor = tag = NULL;
		refused = "an alias";
	}
	if (anchor || tag)
		refused = anchor ? "an anchor" : "a tag";
	if (refused) {
		loader->status = fail_mark(loader, event->start_mark,
					   "found %s, expected a plain value: anchors, aliases and tags are not read", refused);
		return NULL;
	}
	if (depth == PL_YAML_MAX_DEPTH) {
		loader->status = fail_mark(loader, event->start_mark, "found more than %d levels, one inside the other",
					   PL_YAML_MAX_DEPTH);
		return NULL;
	}

	struct pl_yaml_node *node = pl_calloc(1, sizeof(*node));

	node->line = event->start_mark.line + 1;
	node->column = event->start_mark.column + 1;
	node->kind = event->type == YAML_MAPPING_START_EVENT ? PL_YAML_MAP : PL_YAML_LIST;
	if (event->type == YAML_SCALAR_EVENT ? read_scalar(loader, event, node) : read_items(loader, node, depth + 1))
		return node;
	free_node(node);
	return NULL;
}

static enum pl_status load_document(struct loader *loader)
{
	yaml_event_type_t type;

	do {
		yaml_event_t event;
		enum pl_status status = next_event(loader, &event);

		if (status != PL_OK)
			return status;
		type = event.type;
		if (type == YAML_DOCUMENT_START_EVENT && loader->yaml->root)
			status = fail_mark(loader, event.start_mark, "found a second document, expected one in a file");
		else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
			 type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT) {
			loader->yaml->root = build(loader, &event, 0);
			status = loader->status;
		}
		yaml_event_delete(&event);
		if (status != PL_OK)
			return status;
	} while (type != YAML_STREAM_END_EVENT);

	if (!loader->yaml->root)
		return fail_mark(loader, (yaml_mark_t){ 0 }, "found an empty file, expected a map");
	if (loader->yaml->root->kind != PL_YAML_MAP)
		return pl_yaml_expected(loader->yaml, loader->yaml->root, loader->err, "a map");
	return PL_OK;
}

enum pl_status pl_yaml_load(const char *path, struct pl_yaml *yaml, struct pl_error *err)
{
	struct stat st;
	char *text;
	size_t len;

	/* Opening a pipe would wait for its writer. */
	if (stat(path, &st))
		return pl_fail_errno(err, PL_BAD_INPUT, "%s", path);
	if (!S_ISREG(st.st_mode))
		return pl_fail(err, PL_BAD_INPUT, "%s: not a file", path);

	enum pl_status status = pl_read_file(path, PL_YAML_MAX_BYTES, &text, &len, err);

	if (status != PL_OK)
		return status;
	*yaml = (struct pl_yaml){ .path = pl_strdup(path) };

	/* An editor's byte order mark is no character of the first line. */
	size_t mark_bytes = len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
	struct loader loader = { .yaml = yaml, .text = text + mark_bytes, .err = err };

	if (yaml_parser_initialize(&loader.parser)) {
		yaml_parser_set_input_string(&loader.parser, (const unsigned char *)loader.text, len - mark_bytes);
		yaml_parser_set_encoding(&loader.parser, YAML_UTF8_ENCODING);
		status = load_document(&loader);
		yaml_parser_delete(&loader.parser);
	} else {
		status = pl_fail(err, PL_HOST, "%s: out of memory on the host", path);
	}
	free(text);
	if (status != PL_OK)
		pl_yaml_free(yaml);
	return status;
}

const struct pl_yaml_node *pl_yaml_get(const struct pl_yaml_node *map, const char *key)
{
	for (size_t i = 0; map && i < map->nr_items; i++)
		if (!strcmp(map->items[i]->key->text, key))
			return map->items[i];
	return NULL;
}

void pl_yaml_unset(struct pl_yaml_node *map, const char *key)
{
	for (size_t i = 0; i < map->nr_items; i++) {
		if (strcmp(map->items[i]->key->text, key) != 0)
			continue;
		free_node(map->items[i]);
		memmove(map->items + i, map->items + i + 1, (map->nr_items - i - 1) * sizeof(void *));
		map->nr_items--;
		return;
	}
}

static struct pl_yaml_node *new_node(const char *text, const char *origin)
{
	struct pl_yaml_node *node = pl_calloc(1, sizeof(*node));

	node->kind = text ? PL_YAML_SCALAR : PL_YAML_MAP;
	node->text = text ? pl_strdup(text) : NULL;
	node->origin = pl_strdup(origin);
	return node;
}

struct pl_yaml_node *pl_yaml_set(struct pl_yaml_node *map, const char *key, const char *text, const char *origin)
{
	struct pl_yaml_node *node = new_node(text, origin);

	node->key = new_node(key, origin);
	pl_yaml_unset(map, key);
	map->items = pl_realloc_array(map->items, map->nr_items + 1, sizeof(void *));
	map->items[map->nr_items++] = node;
	return node;
}

bool pl_yaml_is_name(const char *text)
{
	size_t len = strlen(text);

	if (!len || len > 63 || !isalnum((unsigned char)*text))
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") == len;
}

enum pl_status pl_yaml_i64(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what, int64_t min,
			   int64_t max, int64_t *value, struct pl_error *err)
{
	if (node->kind == PL_YAML_SCALAR) {
		const char *digits = node->text + (*node->text == '-');
		size_t len = strspn(digits, "0123456789");

		/* A leading zero is octal to some readers of YAML: refused rather than guessed. */
		if (len && len <= 18 && !digits[len] && (*digits != '0' || len == 1)) {
			*value = strtoll(node->text, NULL, 10);
			if (*value >= min && *value <= max)
				return PL_OK;
		}
	}
	return pl_yaml_expected(yaml, node, err, "an integer from %" PRId64 " to %" PRId64 " for %s", min, max, what);
}

enum pl_status pl_yaml_u32(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what, uint32_t min,
			   uint32_t max, uint32_t *value, struct pl_error *err)
{
	int64_t wide = 0;
	enum pl_status status = pl_yaml_i64(yaml, node, what, min, max, &wide, err);

	if (status == PL_OK)
		*value = (uint32_t)wide;
	return status;
}

enum pl_status pl_yaml_bool(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what, bool *value,
			    struct pl_error *err)
{
	if (node->kind == PL_YAML_SCALAR && (!strcmp(node->text, "true") || !strcmp(node->text, "false"))) {
		*value = *node->text == 't';
		return PL_OK;
	}
	return pl_yaml_expected(yaml, node, err, "true or false for %s", what);
}

enum pl_status pl_yaml_text(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what,
			    const char **text, struct pl_error *err)
{
	if (node->kind != PL_YAML_SCALAR || (!*node->text && !node->quoted))
		return pl_yaml_expected(yaml, node, err, "text for %s", what);
	*text = node->text;
	return PL_OK;
}

enum pl_status pl_yaml_name(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what,
			    const char **text, struct pl_error *err)
{
	if (node->kind != PL_YAML_SCALAR || !pl_yaml_is_name(node->text))
		return pl_yaml_expected(yaml, node, err, "a name (letters, digits, . _ + -, at most 63) for %s", what);
	*text = node->text;
	return PL_OK;
}

enum pl_status pl_yaml_list(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what,
			    struct pl_error *err)
{
	if (node->kind != PL_YAML_LIST || !node->nr_items)
		return pl_yaml_expected(yaml, node, err, "a list of %s", what);
	return PL_OK;
}

static enum pl_status read_word(const struct pl_yaml *yaml, const struct pl_yaml_node *node,
				const struct pl_yaml_field *field, uint32_t *index, struct pl_error *err)
{
	size_t nr_words = 0;

	while (field->words[nr_words])
		nr_words++;
	for (size_t i = 0; node->kind == PL_YAML_SCALAR && i < nr_words; i++) {
		if (!strcmp(node->text, field->words[i])) {
			*index = (uint32_t)i;
			return PL_OK;
		}
	}

	struct pl_buf list = { 0 };

	for (size_t i = 0; i < nr_words; i++)
		pl_buf_printf(&list, "%s%s", !i ? "" : i + 1 < nr_words ? ", " : " or ", field->words[i]);
	pl_yaml_expected(yaml, node, err, "%s for %s", list.text, field->key);
	pl_buf_free(&list);
	return PL_BAD_INPUT;
}

static enum pl_status read_u64(const struct pl_yaml *yaml, const struct pl_yaml_node *node,
			       const struct pl_yaml_field *field, uint64_t *value, struct pl_error *err)
{
	int64_t number = 0;
	enum pl_status status = pl_yaml_i64(yaml, node, field->key, field->min, field->max, &number, err);

	if (status == PL_OK)
		*value = (uint64_t)number;
	return status;
}

static enum pl_status read_field(const struct pl_yaml *yaml, const struct pl_yaml_node *node,
				 const struct pl_yaml_field *field, void *value, struct pl_error *err)
{
	switch (field->type) {
	case PL_YAML_TEXT:
		return pl_yaml_text(yaml, node, field->key, value, err);
	case PL_YAML_NAME:
		return pl_yaml_name(yaml, node, field->key, value, err);
	case PL_YAML_U32:
		return pl_yaml_u32(yaml, node, field->key, (uint32_t)field->min, (uint32_t)field->max, value, err);
	case PL_YAML_U64:
		return read_u64(yaml, node, field, value, err);
	case PL_YAML_BOOL:
		return pl_yaml_bool(yaml, node, field->key, value, err);
	case PL_YAML_WORD:
		return read_word(yaml, node, field, value, err);
	case PL_YAML_ANY:
		break;
	}
	*(const struct pl_yaml_node **)value = node;
	return PL_OK;
}

enum pl_status pl_yaml_read(const struct pl_yaml *yaml, const struct pl_yaml_node *map,
			    const struct pl_yaml_field *fields, size_t nr_fields, void *into, struct pl_error *err)
{
	const char *known[64];

	if (nr_fields > sizeof(known) / sizeof(*known))
		abort();
	for (size_t i = 0; i < nr_fields; i++)
		known[i] = fields[i].key;
	if (map->kind != PL_YAML_MAP)
		return pl_yaml_expected(yaml, map, err, "a map with %s", pl_hint("", known, nr_fields).text + strlen("known: "));

	for (size_t i = 0; i < map->nr_items; i++) {
		const struct pl_yaml_node *node = map->items[i];
		const struct pl_yaml_field *field = NULL;

		for (size_t j = 0; j < nr_fields; j++)
			if (!strcmp(fields[j].key, node->key->text))
				field = &fields[j];
		if (!field)
			return pl_yaml_fail(yaml, node->key, err, "unknown key %s: %s", pl_quote(node->key->text).text,
					    pl_hint(node->key->text, known, nr_fields).text);

		enum pl_status status = read_field(yaml, node, field, (char *)into + field->offset, err);

		if (status != PL_OK)
			return status;
	}
	for (size_t i = 0; i < nr_fields; i++)
		if (fields[i].required && !pl_yaml_get(map, fields[i].key))
			return pl_yaml_fail(yaml, map, err, "found no key \"%s\", expected it here", fields[i].key);
	return PL_OK;
}
