// SPDX-License-Identifier: GPL-3.0-or-later
/* Knobs: which part of a cell each belongs to, what a variant says of a part, and what two settings files say differently. */
#include <stdlib.h>
#include <string.h>

#include "plan/parts.h"

/* A name of a cell's axis with all that was changed; names are no inputs, so it may be cut. */
#define MAX_LABEL 160

enum pl_knob_part pl_knob_part(const char *knob, const char **key)
{
	static const struct {
		const char *prefix;
		enum pl_knob_part part;
	} prefixes[] = {
		{ "disk.", PL_KNOB_DISK },
		{ "workload.", PL_KNOB_WORKLOAD },
		{ "machine.", PL_KNOB_MACHINE },
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t len = strlen(prefixes[i].prefix);

		if (!strncmp(knob, prefixes[i].prefix, len)) {
			*key = knob + len;
			return prefixes[i].part;
		}
	}
	*key = knob;
	return strcmp(knob, "ram_mib") != 0 ? PL_KNOB_SETTING : PL_KNOB_MACHINE;
}

bool pl_variant_has(const struct pl_variant *variant, enum pl_knob_part part)
{
	const char *key;

	for (size_t i = 0; variant && i < variant->nr_changes; i++)
		if (pl_knob_part(variant->changes[i].knob, &key) == part)
			return true;
	return false;
}

/* "disk", "none", "zram", or "zram:50". */
static void set_swap(struct pl_yaml_node *map, const char *value, const char *origin)
{
	const char *colon = strchr(value, ':');

	if (!colon) {
		pl_yaml_set(map, "swap", value, origin);
		return;
	}

	char *kind = pl_asprintf("%.*s", (int)(colon - value), value);
	struct pl_yaml_node *swap = pl_yaml_set(map, "swap", NULL, origin);

	pl_yaml_set(swap, "kind", kind, origin);
	pl_yaml_set(swap, "percent", colon + 1, origin);
	free(kind);
}

/* Of all knobs only a file's path begins so. */
static bool is_file(const char *knob)
{
	return *knob == '/';
}

/* In the map of files, or in that of sysctls. */
static void set_in_map(struct pl_yaml_node *map, const struct pl_change *change)
{
	const char *key = is_file(change->knob) ? "file" : "sysctl";
	struct pl_yaml_node *values = (struct pl_yaml_node *)pl_yaml_get(map, key);

	if (!values)
		values = pl_yaml_set(map, key, NULL, change->origin);
	/* One that is no map is refused when it is read. */
	if (values->kind != PL_YAML_MAP)
		return;
	if (change->value)
		pl_yaml_set(values, change->knob, change->value, change->origin);
	else
		pl_yaml_unset(values, change->knob);
}

static void apply_setting(struct pl_yaml_node *map, const struct pl_change *change)
{
	bool swap = !strcmp(change->knob, "swap"), zram = !strcmp(change->knob, "zram_percent");

	if (!swap && !zram && strcmp(change->knob, "mglru") != 0 && strcmp(change->knob, "thp") != 0) {
		set_in_map(map, change);
	} else if (!change->value) {
		pl_yaml_unset(map, zram ? "swap" : change->knob);
	} else if (swap) {
		set_swap(map, change->value, change->origin);
	} else if (zram) {
		char *value = pl_asprintf("zram:%s", change->value);

		set_swap(map, value, change->origin);
		free(value);
	} else {
		pl_yaml_set(map, change->knob, change->value, change->origin);
	}
}

void pl_variant_apply(const struct pl_variant *variant, enum pl_knob_part part, struct pl_yaml_node *map)
{
	for (size_t i = 0; variant && i < variant->nr_changes; i++) {
		const struct pl_change *change = &variant->changes[i];
		const char *key;

		if (pl_knob_part(change->knob, &key) != part)
			continue;
		if (part == PL_KNOB_SETTING)
			apply_setting(map, change);
		else if (change->value)
			pl_yaml_set(map, key, change->value, change->origin);
		else
			pl_yaml_unset(map, key);
	}
}

void pl_label_add(struct pl_buf *label, const char *text)
{
	for (const char *c = *text == '/' ? text + 1 : text; *c; c++)
		pl_buf_printf(label, "%c", *c == '/' ? '.' : *c);
}

char *pl_variant_label(const struct pl_variant *variant, enum pl_knob_part part, const char *name)
{
	struct pl_buf label = { 0 };

	pl_buf_printf(&label, "%s", name);
	for (size_t i = 0; i < variant->nr_changes; i++) {
		const struct pl_change *change = &variant->changes[i];
		const char *key;

		if (pl_knob_part(change->knob, &key) != part)
			continue;
		if (label.len + strlen(key) + (change->value ? strlen(change->value) : 0) > MAX_LABEL) {
			pl_buf_printf(&label, "+...");
			break;
		}
		pl_buf_printf(&label, "+");
		pl_label_add(&label, key);
		pl_buf_printf(&label, "=");
		pl_label_add(&label, change->value ? change->value : "");
	}
	return label.text;
}

/* A settings file as a list of knobs and values. */
struct knobs {
	struct pl_yaml yaml;
	struct {
		const char *knob;
		char *value;
		size_t line;
	} *list;
	size_t nr;
};

static void add_knob(struct knobs *knobs, const char *knob, char *value, const struct pl_yaml_node *at)
{
	knobs->list = pl_realloc_array(knobs->list, knobs->nr + 1, sizeof(*knobs->list));
	knobs->list[knobs->nr].knob = knob;
	knobs->list[knobs->nr].value = value;
	knobs->list[knobs->nr++].line = at->line;
}

/* What it says is checked by pl_setting_load first. */
static void read_knobs(struct knobs *knobs)
{
	const struct pl_yaml_node *root = knobs->yaml.root, *swap = pl_yaml_get(root, "swap");
	static const char *const maps[] = { "sysctl", "file" }, *const plain[] = { "mglru", "thp" };

	for (size_t i = 0; i < 2; i++) {
		const struct pl_yaml_node *values = pl_yaml_get(root, maps[i]);

		for (size_t j = 0; values && j < values->nr_items; j++)
			add_knob(knobs, values->items[j]->key->text, pl_strdup(values->items[j]->text), values->items[j]);
	}
	for (size_t i = 0; i < 2; i++) {
		const struct pl_yaml_node *node = pl_yaml_get(root, plain[i]);

		if (node)
			add_knob(knobs, plain[i], pl_strdup(node->text), node);
	}
	if (swap && swap->kind == PL_YAML_SCALAR) {
		add_knob(knobs, "swap", pl_strdup(swap->text), swap);
	} else if (swap) {
		const struct pl_yaml_node *percent = pl_yaml_get(swap, "percent");

		add_knob(knobs, "swap", pl_asprintf("%s%s%s", pl_yaml_get(swap, "kind")->text, percent ? ":" : "",
						    percent ? percent->text : ""), swap);
	}
}

static void free_list(struct knobs *knobs)
{
	for (size_t i = 0; i < knobs->nr; i++)
		free(knobs->list[i].value);
	free(knobs->list);
}

static void free_knobs(struct knobs *knobs)
{
	free_list(knobs);
	pl_yaml_free(&knobs->yaml);
}

/* Does the map say something of the knob, or of one that the kernel would set to 0 for it? */
static bool says(const struct pl_yaml_node *map, const char *knob)
{
	const struct pl_yaml_node *sysctl = pl_yaml_get(map, "sysctl");

	if (pl_yaml_get(map, knob) || pl_yaml_get(sysctl, knob) || pl_yaml_get(pl_yaml_get(map, "file"), knob))
		return true;
	for (size_t i = 0; pl_exclusive_sysctls[i][0]; i++)
		for (size_t side = 0; side < 2; side++)
			if (!strcmp(knob, pl_exclusive_sysctls[i][side]) && pl_yaml_get(sysctl, pl_exclusive_sysctls[i][!side]))
				return true;
	return false;
}

bool pl_setting_underlay(struct pl_yaml_node *map, const struct pl_yaml *below)
{
	struct knobs knobs = { .yaml = *below };

	read_knobs(&knobs);
	bool any = knobs.nr;

	for (size_t i = 0; map && i < knobs.nr; i++) {
		char *origin = pl_asprintf("%s:%zu", below->path, knobs.list[i].line);
		const struct pl_change change = { .knob = knobs.list[i].knob, .value = knobs.list[i].value, .origin = origin };

		if (!says(map, change.knob))
			apply_setting(map, &change);
		free(origin);
	}
	/* The tree is not ours. */
	free_list(&knobs);
	return any;
}

static enum pl_status load_knobs(const char *path, const struct pl_sysctls *sysctls, struct knobs *knobs, struct pl_error *err)
{
	struct pl_setting setting;
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t len = strlen(base);
	char *name = pl_asprintf("%.*s", (int)(len > 5 && !strcmp(base + len - 5, ".yaml") ? len - 5 : len), base);
	enum pl_status status = pl_setting_load(path, name, sysctls, NULL, NULL, &setting, err);

	free(name);
	if (status != PL_OK)
		return status;
	pl_setting_free(&setting);
	status = pl_yaml_load(path, &knobs->yaml, err);
	if (status == PL_OK)
		read_knobs(knobs);
	return status;
}

static const char *value_of(const struct knobs *knobs, const char *knob, size_t *line)
{
	for (size_t i = 0; i < knobs->nr; i++) {
		if (!strcmp(knobs->list[i].knob, knob)) {
			*line = knobs->list[i].line;
			return knobs->list[i].value;
		}
	}
	*line = 1;
	return NULL;
}

static struct pl_change make_change(const struct knobs *knobs, const char *knob)
{
	size_t line;
	const char *value = value_of(knobs, knob, &line);

	return (struct pl_change){
		.knob = pl_strdup(knob),
		.value = value ? pl_strdup(value) : NULL,
		.origin = pl_asprintf("%s:%zu", knobs->yaml.path, line),
	};
}

/* The difference that a knob has to go with, since the kernel takes only one of them; or NULL. */
static struct pl_difference *partner_of(struct pl_difference *differences, size_t nr, const char *knob)
{
	for (size_t i = 0; i < nr; i++)
		for (size_t j = 0; differences[i].nr == 1 && pl_exclusive_sysctls[j][0]; j++)
			for (size_t side = 0; side < 2; side++)
				if (!strcmp(knob, pl_exclusive_sysctls[j][side]) &&
				    !strcmp(differences[i].good[0].knob, pl_exclusive_sysctls[j][!side]))
					return &differences[i];
	return NULL;
}

static void add_difference(struct pl_difference **differences, size_t *nr, const struct knobs *good, const struct knobs *bad,
			   const char *knob)
{
	struct pl_difference *into = partner_of(*differences, *nr, knob);

	if (into) {
		char *name = pl_asprintf("%s/%s", into->name, knob);

		free(into->name);
		into->name = name;
	} else {
		*differences = pl_realloc_array(*differences, *nr + 1, sizeof(**differences));
		into = &(*differences)[(*nr)++];
		*into = (struct pl_difference){ .name = pl_strdup(knob) };
	}
	into->good[into->nr] = make_change(good, knob);
	into->bad[into->nr++] = make_change(bad, knob);
}

enum pl_status pl_settings_compare(const char *good_path, const char *bad_path, const struct pl_paths *paths,
				   struct pl_difference **differences, size_t *nr, struct pl_error *err)
{
	char *sysctls_path = pl_asprintf("%s/sysctls.txt", paths->configs);
	struct knobs good = { 0 }, bad = { 0 };
	struct pl_sysctls sysctls = { 0 };
	size_t line;
	enum pl_status status = pl_sysctls_load(sysctls_path, &sysctls, err);

	*differences = NULL;
	*nr = 0;
	if (status == PL_OK)
		status = load_knobs(good_path, &sysctls, &good, err);
	if (status == PL_OK)
		status = load_knobs(bad_path, &sysctls, &bad, err);
	for (size_t i = 0; status == PL_OK && i < good.nr; i++) {
		const char *other = value_of(&bad, good.list[i].knob, &line);

		if (!other || strcmp(other, good.list[i].value) != 0)
			add_difference(differences, nr, &good, &bad, good.list[i].knob);
	}
	for (size_t i = 0; status == PL_OK && i < bad.nr; i++)
		if (!value_of(&good, bad.list[i].knob, &line))
			add_difference(differences, nr, &good, &bad, bad.list[i].knob);
	if (status == PL_OK && !*nr)
		status = pl_fail(err, PL_BAD_INPUT, "%s and %s say the same, expected settings that differ", good_path, bad_path);
	free_knobs(&good);
	free_knobs(&bad);
	pl_sysctls_free(&sysctls);
	free(sysctls_path);
	return status;
}

static void free_change(struct pl_change *change)
{
	free((char *)change->knob);
	free((char *)change->value);
	free((char *)change->origin);
}

void pl_differences_free(struct pl_difference *differences, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		for (size_t j = 0; j < differences[i].nr; j++) {
			free_change(&differences[i].good[j]);
			free_change(&differences[i].bad[j]);
		}
		free(differences[i].name);
	}
	free(differences);
}
