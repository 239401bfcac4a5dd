// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads the file of a workload, and writes the agent's lines for it with the parameters that a matrix gives. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/parts.h"
#include "words/metrics.h"

#define MAX_PARAM    INT64_C(1000000000000)
#define MAX_PREPARE  64
#define NR_VARS	     (PL_MAX_PARAMS + 4)
#define TEXT_MAX      63
/*
 * What means the same to the guest's shell whether it stands alone, in single or in double quotes, so that no text can end a
 * quotation or a command; and neither the comma nor the equals sign, which part the parameters in a use's label.
 */
#define TEXT_LETTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/+%@"

/* What an expression may use besides the parameters. */
static const char *const builtins[] = { "seed", "ram_mib", "vcpus", "virtual_seconds" };

struct workload_file {
	struct pl_workload workload; /* first: its fields have the same offsets in both */
	const struct pl_yaml_node *params;
};

struct task {
	const char *name;
	const struct pl_yaml_node *copies;
	const struct pl_yaml_node *command;
	const struct pl_yaml_node *may_end;
};

static const struct pl_yaml_field task_fields[] = {
	{ .key = "name", .type = PL_YAML_TEXT, .offset = offsetof(struct task, name), .required = true },
	{ .key = "copies", .type = PL_YAML_ANY, .offset = offsetof(struct task, copies) },
	{ .key = "command", .type = PL_YAML_ANY, .offset = offsetof(struct task, command), .required = true },
	{ .key = "may_end", .type = PL_YAML_ANY, .offset = offsetof(struct task, may_end) },
};

static bool is_identifier(const char *text)
{
	return *text && !strchr("0123456789", *text) && strlen(text) <= 32 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

static enum pl_status read_text(const struct pl_yaml *yaml, const struct pl_yaml_node *node, const char *what, const char **text,
				struct pl_error *err)
{
	size_t len = node->kind == PL_YAML_SCALAR ? strlen(node->text) : 0;

	*text = node->text;
	if (len && len <= TEXT_MAX && strspn(node->text, TEXT_LETTERS) == len)
		return PL_OK;
	return pl_yaml_expected(yaml, node, err, "1 to %d letters, digits and _ - . : / + %% @ for %s: the guest's shell reads it",
				TEXT_MAX, what);
}

/* What looks like a number is meant as one, be it one or not. */
static bool is_number(const struct pl_yaml_node *node)
{
	return node->kind != PL_YAML_SCALAR || strspn(node->text, "-0123456789") == strlen(node->text);
}

static enum pl_status read_param(const struct pl_yaml *yaml, const struct pl_yaml_node *node, struct pl_param *param,
				 struct pl_error *err)
{
	param->name = node->key->text;
	if (!is_number(node))
		return read_text(yaml, node, param->name, &param->text, err);
	return pl_yaml_i64(yaml, node, param->name, -MAX_PARAM, MAX_PARAM, &param->value, err);
}

static enum pl_status read_params(struct pl_workload *workload, const struct pl_yaml_node *map, struct pl_error *err)
{
	const struct pl_yaml *yaml = &workload->yaml;

	if (map->kind != PL_YAML_MAP || map->nr_items > PL_MAX_PARAMS)
		return pl_yaml_expected(yaml, map, err, "a map of at most %d parameters and their defaults", PL_MAX_PARAMS);
	for (size_t i = 0; i < map->nr_items; i++) {
		const struct pl_yaml_node *node = map->items[i];

		if (!is_identifier(node->key->text))
			return pl_yaml_expected(yaml, node->key, err, "a parameter's name (a-z, 0-9, _, at most 32)");
		for (size_t j = 0; j < sizeof(builtins) / sizeof(*builtins); j++)
			if (!strcmp(node->key->text, builtins[j]))
				return pl_yaml_expected(yaml, node->key, err, "another name: %s is the cell's own", builtins[j]);

		enum pl_status status = read_param(yaml, node, &workload->params[workload->nr_params], err);

		if (status != PL_OK)
			return status;
		workload->nr_params++;
	}
	return PL_OK;
}

/* The log says of an end whether its status was 0, and nothing more. */
static enum pl_status check_may_end(const struct pl_yaml *yaml, const struct pl_yaml_node *node, struct pl_error *err)
{
	if (node->kind == PL_YAML_SCALAR && (!strcmp(node->text, "0") || !strcmp(node->text, "any")))
		return PL_OK;
	return pl_yaml_expected(yaml, node, err, "0 or any for may_end: the log does not tell other statuses apart");
}

/* Texts of these names are not what a task says. */
static bool is_agents_own(const char *name)
{
	static const char *const names[] = { "agent", "failed", "prepare", "rejected" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static enum pl_status read_task(const struct pl_workload *workload, const struct pl_yaml_node *node, struct task *task,
				struct pl_error *err)
{
	*task = (struct task){ 0 };

	enum pl_status status = pl_yaml_read(&workload->yaml, node, task_fields, sizeof(task_fields) / sizeof(*task_fields),
					     task, err);

	if (status == PL_OK && (!pl_yaml_is_name(task->name) || strlen(task->name) > PL_TASK_NAME_MAX ||
				strpbrk(task->name, ".+")))
		status = pl_yaml_expected(&workload->yaml, pl_yaml_get(node, "name"), err,
					  "a task's name (letters, digits, _ and -, at most %d)", PL_TASK_NAME_MAX);
	if (status == PL_OK && is_agents_own(task->name))
		status = pl_yaml_expected(&workload->yaml, pl_yaml_get(node, "name"), err,
					  "another name: the agent says things of its own under this one");
	if (status == PL_OK && task->may_end)
		status = check_may_end(&workload->yaml, task->may_end, err);
	return status;
}

/* Before anything runs: in a finished cell a misspelt metric would look like one that the run does not say. */
static enum pl_status check_progress(const struct pl_workload *workload, struct pl_error *err)
{
	const char *known[PL_MAX_METRICS], *nearest;
	size_t nr = 0;

	/* One that is its own progress would be unknown for ever. */
	for (size_t i = 0; i < pl_nr_metrics; i++)
		if (i != M_workload_progress)
			known[nr++] = pl_metrics[i].name;
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(known[i], workload->progress))
			return PL_OK;
	nearest = pl_nearest(workload->progress, known, nr);
	return pl_yaml_expected(&workload->yaml, pl_yaml_get(workload->yaml.root, "progress"), err,
				"a metric for progress%s%s%s; `plimsoll metrics` lists them", nearest ? ": did you mean \"" : "",
				nearest ? nearest : "", nearest ? "\"?" : "");
}

/* TASK.KEY: what the task will say nobody knows, but there has to be one of that name. */
static enum pl_status check_task_progress(const struct pl_workload *workload, struct pl_error *err)
{
	size_t len = strcspn(workload->progress, ".");

	for (size_t i = 0; i < workload->tasks->nr_items; i++) {
		const char *name = pl_yaml_get(workload->tasks->items[i], "name")->text;

		if (strlen(name) == len && !memcmp(name, workload->progress, len))
			return PL_OK;
	}
	return pl_yaml_expected(&workload->yaml, pl_yaml_get(workload->yaml.root, "progress"), err,
				"TASK.KEY for progress with a task of this workload, as in %s.KEY",
				pl_yaml_get(workload->tasks->items[0], "name")->text);
}

static enum pl_status check_workload(const struct pl_workload *workload, const char *name, struct pl_error *err)
{
	const struct pl_yaml *yaml = &workload->yaml;
	enum pl_status status;

	if (strcmp(workload->name, name) != 0)
		return pl_yaml_expected(yaml, pl_yaml_get(yaml->root, "name"), err, "\"%s\", as the file is called", name);
	/* Of the tasks below. */
	if (!strchr(workload->progress, '.'))
		status = check_progress(workload, err);
	else if (!pl_task_metric_name_ok(workload->progress))
		status = pl_yaml_expected(yaml, pl_yaml_get(yaml->root, "progress"), err,
					  "a metric for progress, or TASK.KEY (letters, digits and _, at most %d)",
					  PL_TASK_METRIC_KEY_MAX);
	else
		status = PL_OK;
	if (status != PL_OK)
		return status;
	if (workload->prepare) {
		status = pl_yaml_list(yaml, workload->prepare, "commands", err);
		if (status != PL_OK)
			return status;
		if (workload->prepare->nr_items > MAX_PREPARE)
			return pl_yaml_fail(yaml, workload->prepare, err, "found %zu commands, expected at most %d",
					    workload->prepare->nr_items, MAX_PREPARE);
	}
	status = pl_yaml_list(yaml, workload->tasks, "tasks", err);
	if (status == PL_OK && workload->tasks->nr_items > PL_MAX_TASKS)
		status = pl_yaml_fail(yaml, workload->tasks, err, "found %zu tasks, expected at most %d",
				      workload->tasks->nr_items, PL_MAX_TASKS);
	for (size_t i = 0; status == PL_OK && i < workload->tasks->nr_items; i++) {
		struct task task, other;

		status = read_task(workload, workload->tasks->items[i], &task, err);
		for (size_t j = 0; status == PL_OK && j < i; j++) {
			status = read_task(workload, workload->tasks->items[j], &other, err);
			if (status == PL_OK && !strcmp(task.name, other.name))
				status = pl_yaml_fail(yaml, pl_yaml_get(workload->tasks->items[i], "name"), err,
						      "found task \"%s\" twice, expected once", task.name);
		}
	}
	return status == PL_OK && strchr(workload->progress, '.') ? check_task_progress(workload, err) : status;
}

enum pl_status pl_workload_load(const char *path, const char *name, struct pl_workload *workload, struct pl_error *err)
{
	static const struct pl_yaml_field fields[] = {
		{ .key = "name", .type = PL_YAML_NAME, .offset = offsetof(struct pl_workload, name), .required = true },
		{ .key = "description", .type = PL_YAML_TEXT, .offset = offsetof(struct pl_workload, description) },
		{ .key = "params", .type = PL_YAML_ANY, .offset = offsetof(struct workload_file, params) },
		{ .key = "progress", .type = PL_YAML_NAME, .offset = offsetof(struct pl_workload, progress),
		  .required = true },
		{ .key = "prepare", .type = PL_YAML_ANY, .offset = offsetof(struct pl_workload, prepare) },
		{ .key = "tasks", .type = PL_YAML_ANY, .offset = offsetof(struct pl_workload, tasks), .required = true },
	};
	struct workload_file file = { 0 };
	enum pl_status status = pl_yaml_load(path, &file.workload.yaml, err);

	if (status != PL_OK)
		return status;
	status = pl_yaml_read(&file.workload.yaml, file.workload.yaml.root, fields, sizeof(fields) / sizeof(*fields),
			      &file, err);
	if (status == PL_OK && file.params)
		status = read_params(&file.workload, file.params, err);
	if (status == PL_OK)
		status = check_workload(&file.workload, name, err);
	if (status != PL_OK)
		pl_workload_free(&file.workload);
	*workload = file.workload;
	return status;
}

char *pl_workload_may_end(const struct pl_workload *workload)
{
	struct pl_buf text = { 0 };

	for (size_t i = 0; i < workload->tasks->nr_items; i++) {
		struct task task;

		if (read_task(workload, workload->tasks->items[i], &task, NULL) != PL_OK || !task.may_end)
			continue;
		pl_buf_printf(&text, "%s%s=%s", text.len ? " " : "", task.name, task.may_end->text);
	}
	return text.text;
}

void pl_workload_free(struct pl_workload *workload)
{
	pl_yaml_free(&workload->yaml);
	*workload = (struct pl_workload){ 0 };
}

/* In the order of the workload's file, so that the order in a matrix makes no new label. */
static char *make_label(const struct pl_use *use)
{
	struct pl_buf label = { 0 };
	size_t nr_given = 0;

	pl_buf_printf(&label, "%s", use->workload->name);
	for (size_t i = 0; i < use->workload->nr_params; i++) {
		if (!use->given[i])
			continue;
		pl_buf_printf(&label, "%c%s=", nr_given++ ? ',' : ':', use->workload->params[i].name);
		if (use->texts[i])
			pl_label_add(&label, use->texts[i]);
		else
			pl_buf_printf(&label, "%" PRId64, use->values[i]);
	}
	return label.text;
}

static void set_text(struct pl_use *use, size_t param, const char *text)
{
	free(use->texts[param]);
	use->texts[param] = pl_strdup(text);
}

/* A text stays a text whatever a matrix gives for it, and a number a number. */
static enum pl_status give_param(struct pl_use *use, size_t param, const struct pl_yaml *matrix,
				 const struct pl_yaml_node *node, struct pl_error *err)
{
	const char *name = use->workload->params[param].name, *text;
	enum pl_status status;

	use->given[param] = true;
	if (!use->workload->params[param].text)
		return pl_yaml_i64(matrix, node, name, -MAX_PARAM, MAX_PARAM, &use->values[param], err);
	status = read_text(matrix, node, name, &text, err);
	if (status == PL_OK)
		set_text(use, param, text);
	return status;
}

enum pl_status pl_use_init(struct pl_use *use, const struct pl_workload *workload, const struct pl_yaml *matrix,
			   const struct pl_yaml_node *params, struct pl_error *err)
{
	const char *known[PL_MAX_PARAMS] = { 0 };

	*use = (struct pl_use){ .workload = workload };
	for (size_t i = 0; i < workload->nr_params; i++) {
		known[i] = workload->params[i].name;
		use->values[i] = workload->params[i].value;
		if (workload->params[i].text)
			set_text(use, i, workload->params[i].text);
	}
	if (params && params->kind != PL_YAML_MAP)
		return pl_yaml_expected(matrix, params, err, "a map of parameters and values");
	for (size_t i = 0; params && i < params->nr_items; i++) {
		const struct pl_yaml_node *node = params->items[i];
		bool found = false;

		for (size_t j = 0; j < workload->nr_params; j++)
			found = found || !strcmp(known[j], node->key->text);
		if (!found)
			return pl_yaml_fail(matrix, node->key, err, "unknown parameter %s of workload %s: %s",
					    pl_quote(node->key->text).text, workload->name,
					    pl_hint(node->key->text, known, workload->nr_params).text);
	}
	for (size_t i = 0; params && i < workload->nr_params; i++) {
		const struct pl_yaml_node *node = pl_yaml_get(params, known[i]);

		if (node && give_param(use, i, matrix, node, err) != PL_OK)
			return PL_BAD_INPUT;
	}
	use->label = make_label(use);
	/* Four names and a seed besides it must fit into a cell's label. */
	if (strlen(use->label) > PL_LABEL_MAX / 2)
		return pl_yaml_fail(matrix, params, err, "found a workload's label of %zu characters, expected at most %d: "
				    "put the parameters into a workload file of their own", strlen(use->label), PL_LABEL_MAX / 2);
	return PL_OK;
}

void pl_use_init_unknown(struct pl_use *use, const char *name, const struct pl_yaml_node *params)
{
	struct pl_buf label = { 0 };

	pl_buf_printf(&label, "%.*s", PL_NAME_MAX, name);
	for (size_t i = 0; params && i < params->nr_items && label.len < PL_LABEL_MAX / 4; i++) {
		const struct pl_yaml_node *node = params->items[i];

		if (!node->key || node->kind != PL_YAML_SCALAR)
			continue;

		char *text = pl_asprintf("%.*s", PL_NAME_MAX, node->text);

		pl_buf_printf(&label, "%c%.*s=", i ? ',' : ':', PL_NAME_MAX, node->key->text);
		pl_label_add(&label, text);
		free(text);
	}
	*use = (struct pl_use){ .label = label.text };
}

bool pl_use_equal(const struct pl_use *a, const struct pl_use *b)
{
	if (a->workload != b->workload)
		return false;
	for (size_t i = 0; i < a->workload->nr_params; i++)
		if (a->workload->params[i].text ? strcmp(a->texts[i], b->texts[i]) != 0 : a->values[i] != b->values[i])
			return false;
	return true;
}

/* A text has no values between two others. */
static enum pl_status refuse_ranges(const struct pl_workload *workload, const struct pl_variant *variant, struct pl_error *err)
{
	for (size_t i = 0; i < variant->nr_changes; i++) {
		const struct pl_change *change = &variant->changes[i];
		const char *key;

		if (!change->of_range || pl_knob_part(change->knob, &key) != PL_KNOB_WORKLOAD)
			continue;
		for (size_t j = 0; j < workload->nr_params; j++)
			if (workload->params[j].text && !strcmp(key, workload->params[j].name))
				return pl_fail(err, PL_BAD_INPUT,
					       "%s: parameter %s of workload %s is a text, expected one that is a number: a text has no range",
					       change->origin, key, workload->name);
	}
	return PL_OK;
}

enum pl_status pl_use_vary(struct pl_use *use, const struct pl_use *from, const struct pl_variant *variant, struct pl_error *err)
{
	struct pl_yaml_node map = { .kind = PL_YAML_MAP };
	struct pl_use varied = { 0 };
	enum pl_status status = refuse_ranges(from->workload, variant, err);

	pl_variant_apply(variant, PL_KNOB_WORKLOAD, &map);
	if (status == PL_OK)
		status = pl_use_init(&varied, from->workload, &from->workload->yaml, &map, err);
	*use = *from;
	use->label = NULL;
	for (size_t i = 0; i < from->workload->nr_params; i++)
		use->texts[i] = from->texts[i] ? pl_strdup(from->texts[i]) : NULL;
	for (size_t i = 0; status == PL_OK && i < from->workload->nr_params; i++) {
		if (!varied.given[i])
			continue;
		use->given[i] = true;
		use->values[i] = varied.values[i];
		if (varied.texts[i])
			set_text(use, i, varied.texts[i]);
	}
	if (status == PL_OK)
		use->label = make_label(use);
	pl_use_free(&varied);
	while (map.nr_items)
		pl_yaml_unset(&map, map.items[0]->key->text);
	free(map.items);
	return status;
}

void pl_use_free(struct pl_use *use)
{
	free(use->label);
	for (size_t i = 0; i < PL_MAX_PARAMS; i++)
		free(use->texts[i]);
	*use = (struct pl_use){ 0 };
}

static size_t make_vars(const struct pl_use *use, const struct pl_machine *machine, uint64_t seed,
			uint32_t virtual_seconds, struct pl_var vars[NR_VARS])
{
	size_t nr = 0;

	vars[nr++] = (struct pl_var){ .name = "seed", .value = (int64_t)seed };
	vars[nr++] = (struct pl_var){ .name = "ram_mib", .value = machine->ram_mib };
	vars[nr++] = (struct pl_var){ .name = "vcpus", .value = machine->vcpus };
	vars[nr++] = (struct pl_var){ .name = "virtual_seconds", .value = virtual_seconds };
	for (size_t i = 0; i < use->workload->nr_params; i++)
		vars[nr++] = (struct pl_var){
			.name = use->workload->params[i].name,
			.value = use->values[i],
			.text = use->texts[i],
		};
	return nr;
}

/* A scalar with its expressions replaced, one line, which the caller frees; or NULL and *err. */
static char *expand(const struct pl_use *use, const struct pl_yaml_node *node, const char *what,
		    const struct pl_var *vars, size_t nr_vars, struct pl_error *err)
{
	const struct pl_yaml *yaml = &use->workload->yaml;
	struct pl_expr_error why = { 0 };
	struct pl_buf text = { 0 };

	if (node->kind != PL_YAML_SCALAR) {
		pl_yaml_expected(yaml, node, err, "a %s", what);
		return NULL;
	}
	if (!pl_expr_expand(node->text, vars, nr_vars, &text, &why)) {
		pl_yaml_fail(yaml, node, err, "%s in a %s of workload %s", why.text, what, use->label);
		pl_buf_free(&text);
		return NULL;
	}
	while (text.len && strchr(" \n", text.text[text.len - 1]))
		text.text[--text.len] = '\0';
	if (!text.len || strpbrk(text.text, "\n\t") || *text.text == ' ') {
		pl_yaml_expected(yaml, node, err,
				 "a %s in one line, without tabs or blanks before it: fold a long one with >-", what);
		pl_buf_free(&text);
		return NULL;
	}
	return text.text;
}

enum pl_status pl_use_prepare_lines(const struct pl_use *use, const struct pl_machine *machine, uint64_t seed,
				    uint32_t virtual_seconds, struct pl_buf *program, struct pl_error *err)
{
	const struct pl_yaml_node *list = use->workload->prepare;
	struct pl_var vars[NR_VARS];
	size_t nr_vars = make_vars(use, machine, seed, virtual_seconds, vars);

	for (size_t i = 0; list && i < list->nr_items; i++) {
		char *command = expand(use, list->items[i], "prepare command", vars, nr_vars, err);

		if (!command)
			return PL_BAD_INPUT;
		pl_buf_printf(program, "prepare %s\n", command);
		free(command);
	}
	return PL_OK;
}

static enum pl_status count_copies(const struct pl_use *use, const struct task *task, const struct pl_var *vars,
				   size_t nr_vars, int64_t *copies, struct pl_error *err)
{
	enum pl_status status = PL_OK;
	struct pl_expr_error why;
	char *text;

	*copies = 1;
	if (!task->copies)
		return PL_OK;
	text = expand(use, task->copies, "number of copies", vars, nr_vars, err);
	if (!text)
		return PL_BAD_INPUT;
	if (!pl_expr_eval(text, strlen(text), NULL, 0, copies, &why) || *copies < 1)
		status = pl_yaml_fail(&use->workload->yaml, task->copies, err,
				      "found %s copies of task %s, expected an integer from 1 to %d", pl_quote(text).text,
				      task->name, PL_MAX_PROCESSES);
	free(text);
	return status;
}

enum pl_status pl_use_task_lines(const struct pl_use *use, const struct pl_machine *machine, uint64_t seed,
				 uint32_t virtual_seconds, struct pl_buf *program, struct pl_error *err)
{
	const struct pl_yaml_node *list = use->workload->tasks;
	struct pl_var vars[NR_VARS];
	size_t nr_vars = make_vars(use, machine, seed, virtual_seconds, vars);
	int64_t processes = 0;

	for (size_t i = 0; i < list->nr_items; i++) {
		struct task task;
		int64_t copies;
		enum pl_status status = read_task(use->workload, list->items[i], &task, err);

		if (status == PL_OK)
			status = count_copies(use, &task, vars, nr_vars, &copies, err);
		if (status != PL_OK)
			return status;
		if (copies > PL_MAX_PROCESSES || (processes += copies) > PL_MAX_PROCESSES)
			return pl_yaml_fail(&use->workload->yaml, list->items[i], err,
					    "%" PRId64 " copies of task %s, expected at most %d of all tasks together", copies,
					    task.name, PL_MAX_PROCESSES);

		char *command = expand(use, task.command, "command", vars, nr_vars, err);

		if (!command)
			return PL_BAD_INPUT;
		pl_buf_printf(program, "task %s %" PRId64 " %s\n", task.name, copies, command);
		free(command);
	}
	return PL_OK;
}
