// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reads the claim of a matrix's file and refuses what is not known: groups, curves, numbers, conditions, and {numbers}
 * in texts.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "claims/internal.h"

static const char *const over_words[] = { "median", "mean", "min", "max", "sum", "rate", "ratio", "difference", NULL };
static const char *const published_words[] = { "holds", "holds-with-limits", "does-not-hold", NULL };

const char *pl_claim_verdict_text(enum pl_claim_verdict verdict)
{
	static const char *const texts[] = {
		[PL_CLAIM_HOLDS] = "holds",
		[PL_CLAIM_LIMITS] = "holds with limits",
		[PL_CLAIM_FAILS] = "does not hold",
		[PL_CLAIM_CANNOT_TELL] = "cannot tell",
	};

	return texts[verdict];
}

/* A name that an expression can say; a group may have a value behind a dot as well. */
static bool is_number_name(const char *text)
{
	if (!isalpha((unsigned char)*text))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && *text != '_')
			return false;
	return true;
}

static enum pl_status check_key(const struct pl_yaml *yaml, const struct pl_yaml_node *item, const char *what, struct pl_error *err)
{
	if (!is_number_name(item->key->text) || strlen(item->key->text) >= PL_NAME_MAX)
		return pl_yaml_expected(yaml, item->key, err, "a name of a %s: a letter, then letters, digits and _, at most %d", what,
					PL_NAME_MAX - 1);
	return PL_OK;
}

static void add_change(const struct pl_yaml *yaml, struct pl_claim_group *group, const char *knob, const struct pl_yaml_node *value)
{
	group->changes = pl_realloc_array(group->changes, group->nr_changes + 1, sizeof(*group->changes));
	group->changes[group->nr_changes++] = (struct pl_change){
		.knob = knob,
		.value = value->text,
		.origin = pl_asprintf("%s:%zu:%zu", yaml->path, value->line, value->column),
	};
}

static enum pl_status add_set(const struct pl_yaml *yaml, struct pl_claim_group *group, const struct pl_yaml_node *set,
			      struct pl_error *err)
{
	if (!set)
		return PL_OK;
	if (set->kind != PL_YAML_MAP)
		return pl_yaml_expected(yaml, set, err, "knobs and their values for set");
	for (size_t i = 0; i < set->nr_items; i++) {
		if (set->items[i]->kind != PL_YAML_SCALAR)
			return pl_yaml_expected(yaml, set->items[i], err, "a value for %s", set->items[i]->key->text);
		add_change(yaml, group, set->items[i]->key->text, set->items[i]);
	}
	return PL_OK;
}

static struct pl_claim_group *new_group(struct pl_claim *claim, char *name, const char *only, uint32_t seeds,
					const struct pl_yaml_node *at)
{
	claim->groups = pl_realloc_array(claim->groups, claim->nr_groups + 1, sizeof(*claim->groups));
	claim->groups[claim->nr_groups] = (struct pl_claim_group){ .name = name, .only = only, .seeds = seeds, .at = at };
	return &claim->groups[claim->nr_groups++];
}

/* A group or a curve. */
struct group_entry {
	const char *only, *knob;
	const struct pl_yaml_node *set, *values;
	uint32_t seeds;
};
static const struct pl_yaml_field entry_fields[] = {
	{ .key = "only", .type = PL_YAML_TEXT, .offset = offsetof(struct group_entry, only) },
	{ .key = "set", .type = PL_YAML_ANY, .offset = offsetof(struct group_entry, set) },
	{ .key = "seeds", .type = PL_YAML_U32, .offset = offsetof(struct group_entry, seeds), .min = PL_CLAIM_MIN_SEEDS,
	  .max = PL_CLAIM_MAX_SEEDS },
	/* Of curves only; the last. */
	{ .key = "knob", .type = PL_YAML_TEXT, .offset = offsetof(struct group_entry, knob), .required = true },
	{ .key = "values", .type = PL_YAML_ANY, .offset = offsetof(struct group_entry, values), .required = true },
};
enum { NR_GROUP_FIELDS = 3, NR_CURVE_FIELDS = 5 };

static enum pl_status read_curve(struct pl_claim *claim, const struct pl_yaml_node *item, const struct group_entry *entry,
				 struct pl_error *err)
{
	const struct pl_yaml *yaml = &claim->yaml;
	enum pl_status status = pl_yaml_list(yaml, entry->values, "values", err);

	for (size_t i = 0; status == PL_OK && i < entry->values->nr_items; i++) {
		const struct pl_yaml_node *value = entry->values->items[i];

		if (value->kind != PL_YAML_SCALAR || !*value->text)
			return pl_yaml_expected(yaml, value, err, "a value of %s", entry->knob);

		struct pl_claim_group *group =
			new_group(claim, pl_asprintf("%s.%s", item->key->text, value->text), entry->only, entry->seeds, item);

		status = add_set(yaml, group, entry->set, err);
		add_change(yaml, group, entry->knob, value);
	}
	return status;
}

static enum pl_status read_groups(struct pl_claim *claim, const struct pl_yaml_node *map, bool curves, struct pl_error *err)
{
	const struct pl_yaml *yaml = &claim->yaml;
	enum pl_status status = PL_OK;

	if (!map)
		return PL_OK;
	if (map->kind != PL_YAML_MAP)
		return pl_yaml_expected(yaml, map, err, "a map of %s", curves ? "curves" : "groups");
	for (size_t i = 0; status == PL_OK && i < map->nr_items; i++) {
		const struct pl_yaml_node *item = map->items[i];
		struct group_entry entry = { 0 };

		status = check_key(yaml, item, curves ? "curve" : "group", err);
		if (status == PL_OK)
			status = pl_yaml_read(yaml, item, entry_fields, curves ? NR_CURVE_FIELDS : NR_GROUP_FIELDS, &entry, err);
		if (status == PL_OK && curves) {
			status = read_curve(claim, item, &entry, err);
		} else if (status == PL_OK) {
			struct pl_claim_group *group =
				new_group(claim, pl_strdup(item->key->text), entry.only, entry.seeds, item);

			status = add_set(yaml, group, entry.set, err);
		}
		if (status == PL_OK && claim->nr_groups > PL_CLAIM_MAX_GROUPS)
			status = pl_yaml_fail(yaml, item, err, "found more than %d groups", PL_CLAIM_MAX_GROUPS);
	}
	return status;
}

static enum pl_status find_group(const struct pl_claim *claim, const struct pl_yaml_node *node, size_t *group, struct pl_error *err)
{
	const char *names[PL_CLAIM_MAX_GROUPS];

	if (node->kind != PL_YAML_SCALAR)
		return pl_yaml_expected(&claim->yaml, node, err, "the name of a group");
	for (size_t i = 0; i < claim->nr_groups; i++) {
		names[i] = claim->groups[i].name;
		if (!strcmp(names[i], node->text)) {
			*group = i;
			return PL_OK;
		}
	}
	return pl_yaml_fail(&claim->yaml, node, err, "unknown group %s: %s", pl_quote(node->text).text,
			    pl_hint(node->text, names, claim->nr_groups).text);
}

static enum pl_status read_expression(const struct pl_claim *claim, const struct pl_yaml_node *node, const char *what,
				      struct pl_goal **goal, struct pl_error *err)
{
	char *where = pl_asprintf("%s:%zu:%zu: %s", claim->yaml.path, node->line, node->column, what);
	enum pl_status status = pl_goal_parse_number(where, node->text, goal, err);

	free(where);
	if (status == PL_OK && pl_goal_asks_fingerprint(*goal))
		status = pl_yaml_fail(&claim->yaml, node, err, "a claim cannot ask for the fingerprint");
	return status;
}

static enum pl_status read_number(struct pl_claim *claim, const struct pl_yaml_node *item, struct pl_error *err)
{
	struct entry {
		const struct pl_yaml_node *group, *groups;
		const char *of;
		uint32_t over;
	} entry = { 0 };
	static const struct pl_yaml_field fields[] = {
		{ .key = "group", .type = PL_YAML_ANY, .offset = offsetof(struct entry, group) },
		{ .key = "groups", .type = PL_YAML_ANY, .offset = offsetof(struct entry, groups) },
		{ .key = "of", .type = PL_YAML_TEXT, .offset = offsetof(struct entry, of), .required = true },
		{ .key = "over", .type = PL_YAML_WORD, .offset = offsetof(struct entry, over), .words = over_words, .required = true },
	};
	const struct pl_yaml *yaml = &claim->yaml;
	enum pl_status status = check_key(yaml, item, "number", err);

	if (status == PL_OK)
		status = pl_yaml_read(yaml, item, fields, sizeof(fields) / sizeof(*fields), &entry, err);
	if (status != PL_OK)
		return status;

	struct pl_claim_number *number = &claim->numbers[claim->nr_numbers++];
	bool two = entry.over == PL_OVER_RATIO || entry.over == PL_OVER_DIFFERENCE;

	*number = (struct pl_claim_number){ .name = item->key->text, .of_text = entry.of, .over = (enum pl_claim_over)entry.over };
	if (two && (!entry.groups || entry.groups->kind != PL_YAML_LIST || entry.groups->nr_items != 2 || entry.group))
		return pl_yaml_fail(yaml, item, err, "a %s is of two: expected groups: [ first, second ]", over_words[entry.over]);
	if (!two && (!entry.group || entry.groups))
		return pl_yaml_fail(yaml, item, err, "a %s is of one: expected group: NAME", over_words[entry.over]);
	status = find_group(claim, two ? entry.groups->items[0] : entry.group, &number->group, err);
	if (status == PL_OK && two)
		status = find_group(claim, entry.groups->items[1], &number->second, err);
	if (status == PL_OK)
		status = read_expression(claim, pl_yaml_get(item, "of"), "of", &number->of, err);
	return status;
}

static enum pl_status read_numbers(struct pl_claim *claim, const struct pl_yaml_node *map, struct pl_error *err)
{
	enum pl_status status = PL_OK;

	if (map->kind != PL_YAML_MAP || !map->nr_items || map->nr_items > PL_CLAIM_MAX_NUMBERS)
		return pl_yaml_expected(&claim->yaml, map, err, "a map of 1 to %d numbers", PL_CLAIM_MAX_NUMBERS);
	claim->numbers = pl_calloc(map->nr_items, sizeof(*claim->numbers));
	for (size_t i = 0; status == PL_OK && i < map->nr_items; i++)
		status = read_number(claim, map->items[i], err);
	return status;
}

static enum pl_status read_condition(const struct pl_claim *claim, const struct pl_yaml_node *node, const char *what,
				     struct pl_goal **goal, struct pl_error *err)
{
	const char *names[PL_CLAIM_MAX_NUMBERS];

	for (size_t i = 0; i < claim->nr_numbers; i++)
		names[i] = claim->numbers[i].name;
	if (node->kind != PL_YAML_SCALAR)
		return pl_yaml_expected(&claim->yaml, node, err, "an expression over numbers for %s", what);

	char *where = pl_asprintf("%s:%zu:%zu: %s", claim->yaml.path, node->line, node->column, what);
	enum pl_status status = pl_goal_parse_over(where, node->text, names, claim->nr_numbers, goal, err);

	free(where);
	return status;
}

size_t pl_claim_find_number(const struct pl_claim *claim, const char *name, size_t len)
{
	size_t i = 0;

	while (i < claim->nr_numbers && (strlen(claim->numbers[i].name) != len || strncmp(claim->numbers[i].name, name, len) != 0))
		i++;
	return i;
}

/* Every {name} of a text must be a number. */
static enum pl_status check_text(const struct pl_claim *claim, const struct pl_yaml_node *node, struct pl_error *err)
{
	if (node->kind != PL_YAML_SCALAR || !*node->text)
		return pl_yaml_expected(&claim->yaml, node, err, "a text");
	for (const char *at = node->text; (at = strchr(at, '{'));) {
		const char *end = strchr(++at, '}');

		if (!end)
			return pl_yaml_fail(&claim->yaml, node, err, "found {%.20s without its }", at);
		if (pl_claim_find_number(claim, at, (size_t)(end - at)) == claim->nr_numbers)
			return pl_yaml_fail(&claim->yaml, node, err, "found {%.*s}, expected {NAME} with one of its numbers",
					    (int)(end - at), at);
	}
	return PL_OK;
}

/* Needed where the claim does not simply hold. */
static enum pl_status check_instead(struct pl_claim *claim, struct pl_error *err)
{
	const struct pl_yaml_node *instead = claim->instead;
	enum pl_status status = PL_OK;

	for (size_t k = 0; k < claim->nr_kernels && status == PL_OK; k++) {
		const struct pl_yaml_node *text =
			instead && instead->kind == PL_YAML_MAP ? pl_yaml_get(instead, claim->kernels[k]) : instead;
		if (!text && claim->published[k] == PL_CLAIM_HOLDS)
			continue;
		if (!text)
			return pl_yaml_fail(&claim->yaml, claim->yaml.root, err, "expected `instead`: what is true on %s, where it %s",
					    claim->kernels[k], pl_claim_verdict_text(claim->published[k]));
		status = check_text(claim, text, err);
	}
	return status;
}

static enum pl_status read_drawn(struct pl_claim *claim, const struct pl_yaml_node *list, struct pl_error *err)
{
	enum pl_status status = pl_yaml_list(&claim->yaml, list, "expressions for draw", err);

	if (status == PL_OK && list->nr_items > PL_CLAIM_MAX_DRAWN)
		status = pl_yaml_expected(&claim->yaml, list, err, "at most %d expressions for draw", PL_CLAIM_MAX_DRAWN);
	for (size_t i = 0; status == PL_OK && i < list->nr_items; i++) {
		status = pl_yaml_text(&claim->yaml, list->items[i], "draw", &claim->drawn_text[i], err);
		if (status == PL_OK)
			status = read_expression(claim, list->items[i], "draw", &claim->drawn[claim->nr_drawn++], err);
	}
	return status;
}

static enum pl_status read_published(struct pl_claim *claim, const struct pl_yaml_node *map, struct pl_error *err)
{
	struct pl_yaml_field fields[PL_CLAIM_MAX_KERNELS];
	uint32_t published[PL_CLAIM_MAX_KERNELS] = { 0 };

	for (size_t k = 0; k < claim->nr_kernels; k++)
		fields[k] = (struct pl_yaml_field){ .key = claim->kernels[k], .type = PL_YAML_WORD, .offset = k * sizeof(*published),
						    .words = published_words, .required = true };
	enum pl_status status = pl_yaml_read(&claim->yaml, map, fields, claim->nr_kernels, published, err);
	for (size_t k = 0; k < claim->nr_kernels; k++)
		claim->published[k] = (enum pl_claim_verdict)published[k];
	return status;
}

static enum pl_status read_kernels(struct pl_claim *claim, const struct pl_yaml_node *list, struct pl_error *err)
{
	if (!list)
		return pl_yaml_fail(&claim->yaml, claim->yaml.root, err, "expected the key kernels");

	enum pl_status status = pl_yaml_list(&claim->yaml, list, "kernels", err);

	if (status == PL_OK && list->nr_items > PL_CLAIM_MAX_KERNELS)
		status = pl_yaml_expected(&claim->yaml, list, err, "at most %d kernels", PL_CLAIM_MAX_KERNELS);
	for (size_t i = 0; status == PL_OK && i < list->nr_items; i++)
		status = pl_yaml_name(&claim->yaml, list->items[i], "kernel", &claim->kernels[claim->nr_kernels++], err);
	return status;
}

static enum pl_status read_claim(struct pl_claim *claim, const struct pl_yaml_node *map, struct pl_error *err)
{
	struct parts {
		const char *id, *statement, *refuted_by, *decides;
		const struct pl_yaml_node *groups, *curves, *numbers, *holds, *limits, *instead, *mechanism, *today, *draw, *published;
	} parts = { 0 };
	static const struct pl_yaml_field fields[] = {
		{ .key = "id", .type = PL_YAML_NAME, .offset = offsetof(struct parts, id), .required = true },
		{ .key = "statement", .type = PL_YAML_TEXT, .offset = offsetof(struct parts, statement), .required = true },
		{ .key = "refuted_by", .type = PL_YAML_TEXT, .offset = offsetof(struct parts, refuted_by), .required = true },
		{ .key = "groups", .type = PL_YAML_ANY, .offset = offsetof(struct parts, groups) },
		{ .key = "curves", .type = PL_YAML_ANY, .offset = offsetof(struct parts, curves) },
		{ .key = "numbers", .type = PL_YAML_ANY, .offset = offsetof(struct parts, numbers), .required = true },
		{ .key = "holds", .type = PL_YAML_ANY, .offset = offsetof(struct parts, holds), .required = true },
		{ .key = "limits", .type = PL_YAML_ANY, .offset = offsetof(struct parts, limits) },
		{ .key = "decides", .type = PL_YAML_TEXT, .offset = offsetof(struct parts, decides), .required = true },
		{ .key = "instead", .type = PL_YAML_ANY, .offset = offsetof(struct parts, instead) },
		{ .key = "mechanism", .type = PL_YAML_ANY, .offset = offsetof(struct parts, mechanism), .required = true },
		{ .key = "today", .type = PL_YAML_ANY, .offset = offsetof(struct parts, today), .required = true },
		{ .key = "draw", .type = PL_YAML_ANY, .offset = offsetof(struct parts, draw), .required = true },
		{ .key = "published", .type = PL_YAML_ANY, .offset = offsetof(struct parts, published), .required = true },
	};
	const struct pl_yaml *yaml = &claim->yaml;
	enum pl_status status = pl_yaml_read(yaml, map, fields, sizeof(fields) / sizeof(*fields), &parts, err);

	if (status == PL_OK)
		status = read_groups(claim, parts.groups, false, err);
	if (status == PL_OK)
		status = read_groups(claim, parts.curves, true, err);
	if (status == PL_OK)
		status = read_numbers(claim, parts.numbers, err);
	if (status == PL_OK)
		status = read_condition(claim, parts.holds, "holds", &claim->holds, err);
	if (status == PL_OK && parts.limits)
		status = read_condition(claim, parts.limits, "limits", &claim->limits, err);
	if (status == PL_OK)
		claim->decides = pl_claim_find_number(claim, parts.decides, strlen(parts.decides));
	if (status == PL_OK && claim->decides == claim->nr_numbers)
		status = pl_yaml_expected(yaml, pl_yaml_get(map, "decides"), err, "one of the claim's numbers for decides");
	if (status == PL_OK)
		status = read_published(claim, parts.published, err);
	claim->instead = parts.instead;
	if (status == PL_OK)
		status = check_instead(claim, err);
	if (status == PL_OK)
		status = check_text(claim, pl_yaml_get(map, "refuted_by"), err);
	if (status == PL_OK)
		status = check_text(claim, parts.mechanism, err);
	if (status == PL_OK)
		status = check_text(claim, parts.today, err);
	if (status == PL_OK)
		status = read_drawn(claim, parts.draw, err);
	if (status != PL_OK)
		return status;
	claim->id = parts.id;
	claim->statement = parts.statement;
	claim->refuted_by = parts.refuted_by;
	claim->mechanism = parts.mechanism->text;
	claim->today = parts.today->text;
	return PL_OK;
}

enum pl_status pl_claim_load(const char *path, struct pl_claim *claim, struct pl_error *err)
{
	*claim = (struct pl_claim){ 0 };

	enum pl_status status = pl_yaml_load(path, &claim->yaml, err);

	if (status != PL_OK)
		return status;

	const struct pl_yaml_node *root = claim->yaml.root, *name = pl_yaml_get(root, "name"), *map = pl_yaml_get(root, "claim");

	if (!name || !map)
		status = pl_yaml_fail(&claim->yaml, root, err, "expected the keys name and claim: it is no claim without");
	if (status == PL_OK)
		status = pl_yaml_name(&claim->yaml, name, "name", &claim->name, err);
	if (status == PL_OK)
		status = read_kernels(claim, pl_yaml_get(root, "kernels"), err);
	if (status == PL_OK)
		status = read_claim(claim, map, err);
	if (status != PL_OK)
		pl_claim_free(claim);
	return status;
}

void pl_claim_free(struct pl_claim *claim)
{
	for (size_t i = 0; i < claim->nr_groups; i++) {
		struct pl_claim_group *group = &claim->groups[i];

		for (size_t c = 0; c < group->nr_changes; c++)
			free((char *)group->changes[c].origin);
		free(group->changes);
		free(group->name);
	}
	free(claim->groups);
	for (size_t i = 0; i < claim->nr_numbers; i++)
		pl_goal_free(claim->numbers[i].of);
	free(claim->numbers);
	pl_goal_free(claim->holds);
	pl_goal_free(claim->limits);
	for (size_t i = 0; i < claim->nr_drawn; i++)
		pl_goal_free(claim->drawn[i]);
	pl_yaml_free(&claim->yaml);
	*claim = (struct pl_claim){ 0 };
}
