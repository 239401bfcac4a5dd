// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reads a matrix, loads the parts that it names, and multiplies its axes out into cells, those of includes, excludes
 * and variants as well; and the expectations of a scenario.
 */
#include <dirent.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan/parts.h"

#define MAX_KNOWN	256
#define MAX_SEED	UINT32_MAX
#define MAX_SECONDS	86400 /* what the agent takes */
#define MAX_CELLS_BYTES ((size_t)1 << 30)

enum { KERNEL, DISK, WORKLOAD, SETTING, NR_AXES };

static const struct {
	const char *one, *many;
	const char *folder; /* of configs/ */
} kinds[NR_AXES] = {
	[KERNEL] = { "kernel", "kernels", NULL },
	[DISK] = { "disk", "disks", "disks" },
	[WORKLOAD] = { "workload", "workloads", "workloads" },
	[SETTING] = { "setting", "settings", "settings" },
};

/* One value of an axis; the part is a pl_kernel, pl_disk, pl_use or pl_setting. */
struct value {
	const char *name;
	void *part;
	const struct pl_yaml_node *at;
	struct pl_error *problem; /* why it could not be loaded, which matters where a cell needs it; NULL: it was */
};

struct axis {
	struct value *values;
	size_t nr;
};

struct seed_list {
	uint32_t *seeds;
	size_t nr;
};

struct product {
	struct axis axes[NR_AXES];
	struct seed_list seeds;
	uint32_t virtual_seconds;
	bool included; /* excludes do not apply */
	const struct pl_yaml_node *at;
};

struct exclusion {
	const char *names[NR_AXES]; /* NULL: any */
	const struct pl_yaml_node *seed_at;
	uint32_t seed;
};

/* What is known of a pl_expect on the way only. */
struct expectation {
	const char *names[NR_AXES]; /* NULL: any */
	const struct pl_yaml_node *at;
	size_t nr_kept; /* cells that no exception is about */
};

/* Everything loaded on the way, each file once. The lists own what their values point at. */
struct planner {
	struct pl_yaml yaml;
	const struct pl_paths *paths;
	const struct pl_host *host;
	struct pl_machine machine;
	bool holders;
	struct pl_rootfs rootfs;
	struct pl_sysctls sysctls;
	struct axis loaded[NR_AXES];
	struct axis workload_files; /* pl_workload; loaded[WORKLOAD] are its uses */
	struct seed_list file_seeds;
	struct product product; /* with the seeds that are run */
	struct exclusion *exclusions;
	size_t nr_exclusions;
	struct product *includes;
	size_t nr_includes;
	struct expectation *expectations; /* of matrix->expects, one each */
	const struct pl_variant *variant; /* NULL: all as the file says */
	const char *kernel, *only;	  /* what the caller needs, see pl_matrix_load_only */
	bool needs_all;			  /* nor may anything be missing that no cell has */
	bool lacks_some;		  /* cells that are not needed, and could not be made */
	bool has_first_seed;
	struct pl_matrix *matrix;
	char *varied_names[NR_AXES];
	struct pl_buf note;
	size_t nr_same;
	size_t cells_bytes;
	struct pl_error *err;
};

static struct value *add_value(struct axis *axis, struct value value)
{
	axis->values = pl_realloc_array(axis->values, axis->nr + 1, sizeof(*axis->values));
	axis->values[axis->nr] = value;
	return &axis->values[axis->nr++];
}

static struct value *find_value(const struct axis *axis, const char *name)
{
	for (size_t i = 0; i < axis->nr; i++)
		if (!strcmp(axis->values[i].name, name))
			return &axis->values[i];
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of what the user could have meant: the files NAME.yaml of a folder, or the folders with a manifest. */
static size_t list_known(const char *folder, bool kernels, char *known[MAX_KNOWN])
{
	static const char suffix[] = ".yaml";
	DIR *dir = opendir(folder);
	size_t nr = 0;

	for (struct dirent *entry; dir && nr < MAX_KNOWN && (entry = readdir(dir));) {
		char *name = pl_strdup(entry->d_name), *manifest = pl_asprintf("%s/%s/manifest.json", folder, name);
		size_t len = strlen(name);
		bool fits = kernels ? !access(manifest, R_OK) :
				      len >= sizeof(suffix) && !strcmp(name + len - strlen(suffix), suffix);

		free(manifest);
		if (fits && !kernels)
			name[len - strlen(suffix)] = '\0';
		if (fits && pl_yaml_is_name(name))
			known[nr++] = name;
		else
			free(name);
	}
	if (dir)
		closedir(dir);
	qsort(known, nr, sizeof(*known), by_name);
	return nr;
}

static enum pl_status fail_unknown(struct planner *planner, int kind, const struct pl_yaml_node *at,
				   const char *folder, const char *name)
{
	char *known[MAX_KNOWN];
	size_t nr = list_known(folder, kind == KERNEL, known);
	struct pl_hint hint = pl_hint(name, (const char *const *)known, nr);

	for (size_t i = 0; i < nr; i++)
		free(known[i]);
	if (kind == KERNEL)
		return pl_yaml_fail(&planner->yaml, at, planner->err,
				    "kernel \"%s\" is not built: %s; `make kernels` builds those of Debian", name, hint.text);
	return pl_yaml_fail(&planner->yaml, at, planner->err, "unknown %s \"%s\": %s", kinds[kind].one, name, hint.text);
}

static enum pl_status load_part(struct planner *planner, int kind, const char *path, const char *name, void **part)
{
	enum pl_status status = PL_OK;

	switch (kind) {
	case KERNEL:
		*part = pl_calloc(1, sizeof(struct pl_kernel));
		status = pl_kernel_load(path, name, *part, planner->err);
		break;
	case DISK:
		*part = pl_calloc(1, sizeof(struct pl_disk));
		status = pl_disk_load(path, name, NULL, *part, planner->err);
		break;
	case WORKLOAD:
		*part = pl_calloc(1, sizeof(struct pl_workload));
		status = pl_workload_load(path, name, *part, planner->err);
		break;
	case SETTING:
		*part = pl_calloc(1, sizeof(struct pl_setting));
		status = pl_setting_load(path, name, &planner->sysctls, NULL, NULL, *part, planner->err);
		break;
	}
	if (status != PL_OK)
		free(*part);
	return status;
}

/* What could not be loaded, for those cells to say that need it. The planner owns it, and keeps its name. */
static void *add_problem(struct planner *planner, struct axis *cache, const char *name, void *part)
{
	struct pl_error *problem = pl_calloc(1, sizeof(*problem));

	*problem = *planner->err;
	*planner->err = (struct pl_error){ 0 };
	return add_value(cache, (struct value){ .name = name, .part = part, .problem = problem });
}

static enum pl_status get_part(struct planner *planner, int kind, const struct pl_yaml_node *node, struct value *value)
{
	struct axis *cache = kind == WORKLOAD ? &planner->workload_files : &planner->loaded[kind];
	const char *name;
	enum pl_status status = pl_yaml_name(&planner->yaml, node, kinds[kind].one, &name, planner->err);

	if (status != PL_OK)
		return status;

	struct value *found = find_value(cache, name);

	if (!found) {
		char *folder = kind == KERNEL ? pl_asprintf("%s/kernels", planner->paths->build) :
						pl_asprintf("%s/%s", planner->paths->configs, kinds[kind].folder);
		char *path = pl_asprintf("%s/%s%s", folder, name, kind == KERNEL ? "" : ".yaml");
		char *must_be = pl_asprintf("%s%s", path, kind == KERNEL ? "/manifest.json" : "");
		void *part = NULL;

		if (access(must_be, F_OK))
			status = fail_unknown(planner, kind, node, folder, name);
		else
			status = load_part(planner, kind, path, name, &part);
		free(must_be);
		free(path);
		free(folder);
		if (status != PL_OK && planner->needs_all)
			return status;
		if (status != PL_OK)
			found = add_problem(planner, cache, name, NULL);
		else
			found = add_value(cache, (struct value){ .name = name, .part = part });
	}
	*value = (struct value){ .name = found->name, .part = found->part, .at = node, .problem = found->problem };
	return PL_OK;
}

/* A name, or { name: NAME, params: { ... } }. */
static enum pl_status get_use(struct planner *planner, const struct pl_yaml_node *node, struct value *value)
{
	struct {
		const struct pl_yaml_node *name, *params;
	} entry = { .name = node };
	static const struct pl_yaml_field fields[] = {
		{ .key = "name", .type = PL_YAML_ANY, .offset = 0, .required = true },
		{ .key = "params", .type = PL_YAML_ANY, .offset = sizeof(void *) },
	};
	enum pl_status status = PL_OK;

	if (node->kind == PL_YAML_MAP)
		status = pl_yaml_read(&planner->yaml, node, fields, 2, &entry, planner->err);
	if (status == PL_OK)
		status = get_part(planner, WORKLOAD, entry.name, value);
	if (status != PL_OK)
		return status;

	struct pl_use *use = pl_calloc(1, sizeof(*use));
	struct pl_error *problem = value->problem;

	if (problem)
		pl_use_init_unknown(use, value->name, entry.params);
	else
		status = pl_use_init(use, value->part, &planner->yaml, entry.params, planner->err);

	struct value *same = status == PL_OK ? find_value(&planner->loaded[WORKLOAD], use->label) : NULL;

	if (same && !problem && !pl_use_equal(use, same->part))
		status = pl_yaml_fail(&planner->yaml, node, planner->err,
				      "found %s, as another workload of this matrix would be called: a name has no slashes, "
				      "put one of the two into a workload file of its own", use->label);
	if (status != PL_OK || same) {
		pl_use_free(use);
		free(use);
		use = status == PL_OK ? same->part : NULL;
	} else {
		add_value(&planner->loaded[WORKLOAD], (struct value){ .name = use->label, .part = use });
	}
	if (use)
		*value = (struct value){ .name = use->label, .part = use, .at = node, .problem = problem };
	return status;
}

static enum pl_status get_value(struct planner *planner, int kind, const struct pl_yaml_node *node, struct value *value)
{
	return kind == WORKLOAD ? get_use(planner, node, value) : get_part(planner, kind, node, value);
}

static enum pl_status read_axis(struct planner *planner, int kind, const struct pl_yaml_node *list)
{
	struct axis *axis = &planner->product.axes[kind];
	enum pl_status status = pl_yaml_list(&planner->yaml, list, kinds[kind].many, planner->err);

	for (size_t i = 0; status == PL_OK && i < list->nr_items; i++) {
		struct value value;

		status = get_value(planner, kind, list->items[i], &value);
		if (status == PL_OK && find_value(axis, value.name))
			status = pl_yaml_fail(&planner->yaml, list->items[i], planner->err,
					      "found %s \"%s\" twice, expected once", kinds[kind].one, value.name);
		if (status == PL_OK)
			add_value(axis, value);
	}
	return status;
}

static enum pl_status read_seed_list(struct planner *planner, const struct pl_yaml_node *node, struct seed_list *list)
{
	enum pl_status status = PL_OK;

	list->seeds = pl_calloc(node->nr_items, sizeof(*list->seeds));
	for (size_t i = 0; status == PL_OK && i < node->nr_items; i++) {
		uint32_t *seed = &list->seeds[list->nr];

		status = pl_yaml_u32(&planner->yaml, node->items[i], "a seed", 0, MAX_SEED, seed, planner->err);
		for (size_t j = 0; status == PL_OK && j < list->nr; j++)
			if (list->seeds[j] == *seed)
				status = pl_yaml_fail(&planner->yaml, node->items[i], planner->err,
						      "found seed %" PRIu32 " twice, expected once", *seed);
		list->nr++;
	}
	return status;
}

static void fill_range(struct seed_list *list, const struct pl_seeds *range)
{
	list->seeds = pl_calloc(range->count, sizeof(*list->seeds));
	for (uint32_t i = 0; i < range->count; i++)
		list->seeds[i] = range->from + i;
	list->nr = range->count;
}

static void copy_seeds(struct seed_list *list, const struct seed_list *from)
{
	list->seeds = pl_calloc(from->nr, sizeof(*list->seeds));
	memcpy(list->seeds, from->seeds, from->nr * sizeof(*list->seeds));
	list->nr = from->nr;
}

static enum pl_status read_seeds(struct planner *planner, const struct pl_yaml_node *node, struct seed_list *list)
{
	static const struct pl_yaml_field fields[] = {
		{ .key = "from", .type = PL_YAML_U32, .offset = offsetof(struct pl_seeds, from), .max = MAX_SEED,
		  .required = true },
		{ .key = "count", .type = PL_YAML_U32, .offset = offsetof(struct pl_seeds, count), .min = 1,
		  .max = PL_MAX_CELLS, .required = true },
	};
	struct pl_seeds range = { 0 };
	const struct pl_yaml *yaml = &planner->yaml;
	enum pl_status status = PL_OK;

	if (node->kind == PL_YAML_MAP) {
		status = pl_yaml_read(yaml, node, fields, 2, &range, planner->err);
		if (status == PL_OK && range.count - 1 > MAX_SEED - range.from)
			status = pl_yaml_fail(yaml, pl_yaml_get(node, "from"), planner->err,
					      "found a last seed of %" PRIu64 ", expected at most %" PRIu32,
					      (uint64_t)range.from + range.count - 1, MAX_SEED);
		if (status == PL_OK)
			fill_range(list, &range);
		return status;
	}
	if (node->kind != PL_YAML_LIST || !node->nr_items)
		return pl_yaml_expected(yaml, node, planner->err, "a list of seeds or { from: 1, count: 20 }");
	return read_seed_list(planner, node, list);
}

/* Those of the caller in place of the file's. */
static enum pl_status use_seeds(struct planner *planner, const struct pl_seeds *range)
{
	if (range->count < 1 || range->count > PL_MAX_CELLS || range->count - 1 > MAX_SEED - range->from)
		return pl_fail(planner->err, PL_BAD_INPUT,
			       "%s: found %" PRIu32 " seeds from %" PRIu32 " on, expected 1 to %d, the last at most %" PRIu32,
			       planner->yaml.path, range->count, range->from, PL_MAX_CELLS, MAX_SEED);
	fill_range(&planner->product.seeds, range);
	return PL_OK;
}

static enum pl_status read_machine(struct planner *planner, const struct pl_yaml_node *node)
{
	static const char *const clock_words[] = { "virtual", "real", NULL };
	static const struct pl_yaml_field fields[] = {
		{ .key = "ram_mib", .type = PL_YAML_U32, .offset = offsetof(struct pl_machine, ram_mib), .min = 64, .max = 2048 },
		{ .key = "vcpus", .type = PL_YAML_U32, .offset = offsetof(struct pl_machine, vcpus), .min = 1, .max = 8 },
		{ .key = "ns_per_instruction", .type = PL_YAML_U32,
		  .offset = offsetof(struct pl_machine, ns_per_instruction), .min = 1, .max = PL_MAX_NS_PER_INSTRUCTION },
		{ .key = "clock", .type = PL_YAML_WORD, .offset = offsetof(struct pl_machine, clock), .words = clock_words },
		{ .key = "blackbox_mib", .type = PL_YAML_U32, .offset = offsetof(struct pl_machine, blackbox_mib), .min = 1,
		  .max = 1024 },
	};
	struct pl_machine *machine = &planner->machine;
	const struct pl_yaml *yaml = &planner->yaml;

	_Static_assert(sizeof(machine->clock) == sizeof(uint32_t), "a word is stored as uint32_t");

	enum pl_status status = pl_yaml_read(yaml, node, fields, sizeof(fields) / sizeof(*fields), machine, planner->err);

	if (status != PL_OK)
		return status;
	if (machine->ns_per_instruction & (machine->ns_per_instruction - 1))
		return pl_yaml_expected(yaml, pl_yaml_get(node, "ns_per_instruction"), planner->err,
					"a power of two from 1 to %d for ns_per_instruction", PL_MAX_NS_PER_INSTRUCTION);

	const struct pl_host *host = planner->host;
	bool fair_icount = host->qemu_major > 8 || (host->qemu_major == 8 && host->qemu_minor >= 1);

	/* Before, QEMU starves all but the first vCPU under icount and the guest never gets through its boot. */
	if (machine->vcpus > 1 && machine->clock == PL_CLOCK_VIRTUAL && !fair_icount)
		return pl_yaml_expected(yaml, pl_yaml_get(node, "vcpus"), planner->err,
					"1 vCPU: more than one under the virtual clock need QEMU 8.1, and this is %u.%u",
					host->qemu_major, host->qemu_minor);
	return PL_OK;
}

/* The values of a map that names one of each axis it cares about. */
struct choice {
	const struct pl_yaml_node *names[NR_AXES];
	const struct pl_yaml_node *seed, *virtual_seconds;
};
static const struct pl_yaml_field choice_fields[] = {
	{ .key = "kernel", .type = PL_YAML_ANY, .offset = offsetof(struct choice, names[KERNEL]) },
	{ .key = "disk", .type = PL_YAML_ANY, .offset = offsetof(struct choice, names[DISK]) },
	{ .key = "workload", .type = PL_YAML_ANY, .offset = offsetof(struct choice, names[WORKLOAD]) },
	{ .key = "setting", .type = PL_YAML_ANY, .offset = offsetof(struct choice, names[SETTING]) },
	{ .key = "seed", .type = PL_YAML_ANY, .offset = offsetof(struct choice, seed) },
	/* Of includes only; the last, so that excludes can leave it out. */
	{ .key = "virtual_seconds", .type = PL_YAML_ANY, .offset = offsetof(struct choice, virtual_seconds) },
};
enum { NR_CHOICE_FIELDS = sizeof(choice_fields) / sizeof(*choice_fields) };

/* A workload's plain name stands for all its uses. */
static bool names_value(const char *name, int kind, const struct value *value)
{
	size_t len = strlen(name);

	return !strcmp(name, value->name) ||
	       (kind == WORKLOAD && !strncmp(name, value->name, len) && value->name[len] == ':');
}

static bool names_fit(const char *const names[NR_AXES], const struct value *const values[NR_AXES])
{
	for (int kind = 0; kind < NR_AXES; kind++)
		if (names[kind] && !names_value(names[kind], kind, values[kind]))
			return false;
	return true;
}

/* The names at these places, which must be of these axes. */
static enum pl_status read_names(struct planner *planner, const struct pl_yaml_node *const at[NR_AXES],
				 const struct axis axes[NR_AXES], const char *names[NR_AXES])
{
	const struct pl_yaml *yaml = &planner->yaml;
	enum pl_status status = PL_OK;

	for (int kind = 0; status == PL_OK && kind < NR_AXES; kind++) {
		const struct axis *axis = &axes[kind];
		bool known = false;

		if (!at[kind])
			continue;
		status = pl_yaml_text(yaml, at[kind], kinds[kind].one, &names[kind], planner->err);
		for (size_t i = 0; status == PL_OK && i < axis->nr; i++)
			known = known || names_value(names[kind], kind, &axis->values[i]);
		if (status == PL_OK && !known) {
			const char **all = pl_calloc(axis->nr, sizeof(*all));

			for (size_t i = 0; i < axis->nr; i++)
				all[i] = axis->values[i].name;
			status = pl_yaml_fail(yaml, at[kind], planner->err, "%s %s is none of this matrix: %s",
					      kinds[kind].one, pl_quote(names[kind]).text,
					      pl_hint(names[kind], all, axis->nr).text);
			free(all);
		}
	}
	return status;
}

static enum pl_status read_exclusion(struct planner *planner, const struct pl_yaml_node *node)
{
	const struct pl_yaml *yaml = &planner->yaml;
	struct exclusion *exclusion = &planner->exclusions[planner->nr_exclusions];
	struct choice choice = { 0 };
	enum pl_status status = pl_yaml_read(yaml, node, choice_fields, NR_CHOICE_FIELDS - 1, &choice, planner->err);

	if (status == PL_OK && !node->nr_items)
		status = pl_yaml_expected(yaml, node, planner->err, "at least one axis: this would exclude everything");
	if (status == PL_OK)
		status = read_names(planner, choice.names, planner->product.axes, exclusion->names);
	if (status == PL_OK && choice.seed) {
		exclusion->seed_at = choice.seed;
		status = pl_yaml_u32(yaml, choice.seed, "seed", 0, MAX_SEED, &exclusion->seed, planner->err);
	}
	planner->nr_exclusions++;
	return status;
}

static enum pl_status read_include(struct planner *planner, const struct pl_yaml_node *node)
{
	const struct pl_yaml *yaml = &planner->yaml;
	struct product *product = &planner->includes[planner->nr_includes++];
	struct choice choice = { 0 };
	enum pl_status status = pl_yaml_read(yaml, node, choice_fields, NR_CHOICE_FIELDS, &choice, planner->err);

	*product = (struct product){ .virtual_seconds = planner->product.virtual_seconds, .included = true, .at = node };
	if (status == PL_OK && !node->nr_items)
		status = pl_yaml_expected(yaml, node, planner->err, "at least one axis or virtual_seconds");
	for (int kind = 0; status == PL_OK && kind < NR_AXES; kind++) {
		const struct axis *all = &planner->product.axes[kind];
		struct value value;

		if (choice.names[kind]) {
			status = get_value(planner, kind, choice.names[kind], &value);
			if (status == PL_OK)
				add_value(&product->axes[kind], value);
			continue;
		}
		for (size_t i = 0; i < all->nr; i++)
			add_value(&product->axes[kind], all->values[i]);
	}
	if (status == PL_OK && choice.seed) {
		struct pl_seeds own = { .count = 1 };

		status = pl_yaml_u32(yaml, choice.seed, "seed", 0, MAX_SEED, &own.from, planner->err);
		fill_range(&product->seeds, &own);
	} else if (status == PL_OK) {
		copy_seeds(&product->seeds, &planner->product.seeds);
	}
	if (status == PL_OK && choice.virtual_seconds)
		status = pl_yaml_u32(yaml, choice.virtual_seconds, "virtual_seconds", 1, MAX_SECONDS,
				     &product->virtual_seconds, planner->err);
	return status;
}

/* Seeds of the file: what is said of them is said whichever are run. */
static enum pl_status read_exceptions(struct planner *planner, const struct pl_yaml_node *node,
				      struct seed_list *except)
{
	const struct pl_yaml *yaml = &planner->yaml;
	const struct seed_list *all = &planner->file_seeds;
	enum pl_status status = pl_yaml_list(yaml, node, "seeds for except", planner->err);

	if (status == PL_OK)
		status = read_seed_list(planner, node, except);
	for (size_t i = 0; status == PL_OK && i < except->nr; i++) {
		bool known = false;

		for (size_t j = 0; !known && j < all->nr; j++)
			known = all->seeds[j] == except->seeds[i];
		if (!known)
			status = pl_yaml_expected(yaml, node->items[i], planner->err,
						  "one of this file's seeds for except");
	}
	return status;
}

static enum pl_status read_expectation(struct planner *planner, const struct pl_yaml_node *node)
{
	struct entry {
		const struct pl_yaml_node *names[NR_AXES], *except;
		const char *convoy;
		uint32_t verdict;
	} entry = { 0 };
	static const struct pl_yaml_field fields[] = {
		{ .key = "kernel", .type = PL_YAML_ANY, .offset = offsetof(struct entry, names[KERNEL]) },
		{ .key = "disk", .type = PL_YAML_ANY, .offset = offsetof(struct entry, names[DISK]) },
		{ .key = "workload", .type = PL_YAML_ANY, .offset = offsetof(struct entry, names[WORKLOAD]) },
		{ .key = "setting", .type = PL_YAML_ANY, .offset = offsetof(struct entry, names[SETTING]) },
		{ .key = "verdict", .type = PL_YAML_WORD, .offset = offsetof(struct entry, verdict),
		  .words = pl_expect_words, .required = true },
		{ .key = "convoy", .type = PL_YAML_TEXT, .offset = offsetof(struct entry, convoy) },
		{ .key = "except", .type = PL_YAML_ANY, .offset = offsetof(struct entry, except) },
	};
	const struct pl_yaml *yaml = &planner->yaml;
	struct pl_matrix *matrix = planner->matrix;
	struct expectation *expectation = &planner->expectations[matrix->nr_expects];
	struct pl_expect *expect = &matrix->expects[matrix->nr_expects++];
	struct seed_list except = { 0 };
	enum pl_status status = pl_yaml_read(yaml, node, fields, sizeof(fields) / sizeof(*fields), &entry,
					     planner->err);

	/* What is loaded by now is what the file names anywhere: an include may be all that has a setting. */
	if (status == PL_OK)
		status = read_names(planner, entry.names, planner->loaded, expectation->names);
	if (status == PL_OK && entry.convoy && !*entry.convoy)
		status = pl_yaml_expected(yaml, pl_yaml_get(node, "convoy"), planner->err,
					  "a fingerprint for convoy, or no such key: it is not compared then");
	if (status == PL_OK && entry.except)
		status = read_exceptions(planner, entry.except, &except);
	expectation->at = node;
	*expect = (struct pl_expect){
		.verdict = (enum pl_verdict)entry.verdict,
		.convoy = entry.convoy ? pl_strdup(entry.convoy) : NULL,
		.except = except.seeds,
		.nr_except = except.nr,
		.origin = pl_asprintf("%s:%zu", yaml->path, node->line),
	};
	return status;
}

/* The first expectation that fits a cell is the one that counts. */
static void expect_of(struct planner *planner, const struct value *const values[NR_AXES], struct pl_cell *cell)
{
	for (size_t i = 0; !cell->expect && i < planner->matrix->nr_expects; i++) {
		struct pl_expect *expect = &planner->matrix->expects[i];

		if (!names_fit(planner->expectations[i].names, values))
			continue;
		cell->expect = expect;
		expect->nr_cells++;
		planner->expectations[i].nr_kept += !pl_expect_excepts(expect, cell->seed);
	}
}

/* One that says nothing would always be met. */
static enum pl_status check_expectations(struct planner *planner)
{
	for (size_t i = 0; i < planner->matrix->nr_expects; i++) {
		const struct pl_yaml_node *at = planner->expectations[i].at;

		if (!planner->matrix->expects[i].nr_cells)
			return pl_yaml_fail(&planner->yaml, at, planner->err,
					    "found no cell for this entry, expected one that no entry before it fits");
		if (!planner->expectations[i].nr_kept)
			return pl_yaml_fail(&planner->yaml, pl_yaml_get(at, "except"), planner->err,
					    "found every seed excepted, expected at least one that is not");
	}
	return PL_OK;
}

static bool is_excluded(const struct planner *planner, const struct value *const values[NR_AXES], uint32_t seed)
{
	for (size_t i = 0; i < planner->nr_exclusions; i++) {
		const struct exclusion *exclusion = &planner->exclusions[i];

		if ((!exclusion->seed_at || exclusion->seed == seed) && names_fit(exclusion->names, values))
			return true;
	}
	return false;
}

static enum pl_status check_memory(struct planner *planner, const struct value *disk_value)
{
	const struct pl_disk *disk = disk_value->part;
	const struct pl_machine *machine = &planner->machine;
	uint64_t sum = (uint64_t)machine->ram_mib + planner->rootfs.mib + disk->swap_mib + disk->data_mib +
		       machine->blackbox_mib;

	if (sum <= PL_MAX_MEMORY_MIB)
		return PL_OK;
	return pl_yaml_fail(&planner->yaml, disk_value->at, planner->err,
			    "with disk %s a guest takes RAM %" PRIu32 " + root %" PRIu32 " + swap %" PRIu32 " + data %" PRIu32
			    " + black box %" PRIu32 " = %" PRIu64 " MiB, expected at most %d",
			    disk->name, machine->ram_mib, planner->rootfs.mib, disk->swap_mib, disk->data_mib,
			    machine->blackbox_mib, sum, PL_MAX_MEMORY_MIB);
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct pl_cell *)a)->id, ((const struct pl_cell *)b)->id);
}

static void leave_node(void *cell)
{
	(void)cell; /* the matrix owns it */
}

static enum pl_status add_cell(struct planner *planner, const struct product *product,
			       const struct value *const values[NR_AXES], uint32_t seed, void **ids)
{
	struct pl_matrix *matrix = planner->matrix;
	struct pl_cell *cell = &matrix->cells[matrix->nr_cells];
	const struct pl_parts parts = {
		.host = planner->host,
		.rootfs = &planner->rootfs,
		.machine = &planner->machine,
		.holders = planner->holders,
		.kernel = values[KERNEL]->part,
		.disk = values[DISK]->part,
		.use = values[WORKLOAD]->part,
		.setting = values[SETTING]->part,
		.seed = seed,
		.virtual_seconds = product->virtual_seconds,
	};
	enum pl_status status = pl_cell_init(cell, &parts, planner->err);

	if (status != PL_OK)
		return status;
	matrix->nr_cells++;

	const struct pl_yaml_node *at = product->at ? product->at : values[SETTING]->at;
	struct pl_cell **node = tsearch(cell, ids, by_id);

	if (!node)
		return pl_fail(planner->err, PL_HOST, "out of memory on the host");
	if (*node != cell) {
		char label[PL_LABEL_MAX], same[PL_LABEL_MAX];

		pl_cell_label(cell, label, sizeof(label));
		pl_cell_label(*node, same, sizeof(same));
		/* An include that repeats a cell of the product is no news. */
		if (strcmp(label, same) != 0 && !planner->nr_same++)
			pl_buf_printf(&planner->note, "%s is by its content the same cell as %s and runs once, as the latter", label,
				      same);
		pl_cell_free(cell);
		matrix->nr_cells--;
		return PL_OK;
	}
	cell->origin = pl_asprintf("%s:%zu", planner->yaml.path, at->line);
	expect_of(planner, values, cell);
	planner->cells_bytes += strlen(cell->program) + strlen(cell->inputs_json);
	if (planner->cells_bytes > MAX_CELLS_BYTES)
		return pl_fail(planner->err, PL_BAD_INPUT,
			       "%s: the programs of its cells take more than %zu MiB, expected fewer cells or shorter workloads",
			       planner->yaml.path, MAX_CELLS_BYTES >> 20);
	return PL_OK;
}

/* The label of a cell that may never be made. */
static bool fits(const struct value *const values[NR_AXES], uint32_t seed, const char *glob)
{
	const struct pl_cell cell = {
		.kernel = (char *)values[KERNEL]->name,
		.disk = (char *)values[DISK]->name,
		.workload = (char *)values[WORKLOAD]->name,
		.setting = (char *)values[SETTING]->name,
		.seed = seed,
	};

	return pl_cell_matches(&cell, glob);
}

static bool is_needed(const struct planner *planner, const struct value *const values[NR_AXES], uint32_t seed)
{
	return (!planner->kernel || !strcmp(planner->kernel, values[KERNEL]->name)) &&
	       (!planner->only || fits(values, seed, planner->only));
}

static enum pl_status check_loaded(struct planner *planner, const struct value *const values[NR_AXES])
{
	for (int kind = 0; kind < NR_AXES; kind++) {
		if (values[kind]->problem) {
			*planner->err = *values[kind]->problem;
			return planner->err->status;
		}
	}
	return PL_OK;
}

/* Is there all that a combination needs, and does it fit together? */
static enum pl_status check_values(struct planner *planner, const struct value *const values[NR_AXES])
{
	enum pl_status status = check_loaded(planner, values);

	if (status == PL_OK)
		status = check_memory(planner, values[DISK]);
	if (status == PL_OK)
		status = pl_setting_check(values[SETTING]->part, &planner->sysctls, values[KERNEL]->part, planner->err);
	return status;
}

static enum pl_status expand(struct planner *planner, const struct product *product, void **ids)
{
	const struct axis *axes = product->axes;
	enum pl_status status = PL_OK;

	for (size_t k = 0; k < axes[KERNEL].nr; k++)
	for (size_t d = 0; d < axes[DISK].nr; d++)
	for (size_t w = 0; w < axes[WORKLOAD].nr; w++)
	for (size_t s = 0; s < axes[SETTING].nr; s++) {
		const struct value *const values[NR_AXES] = {
			[KERNEL] = &axes[KERNEL].values[k],
			[DISK] = &axes[DISK].values[d],
			[WORKLOAD] = &axes[WORKLOAD].values[w],
			[SETTING] = &axes[SETTING].values[s],
		};
		enum pl_status checked = PL_OK;
		bool is_checked = false;

		for (size_t i = 0; status == PL_OK && i < product->seeds.nr; i++) {
			uint32_t seed = product->seeds.seeds[i];

			if (!product->included && is_excluded(planner, values, seed))
				continue;
			if (!planner->has_first_seed)
				planner->matrix->first_seed = seed;
			planner->has_first_seed = true;
			/* Only of cells that are left: a setting for one kernel may be excluded on the other. */
			if (!is_checked)
				checked = check_values(planner, values);
			is_checked = true;
			if (checked == PL_OK)
				status = add_cell(planner, product, values, seed, ids);
			else if (is_needed(planner, values, seed))
				status = checked;
			else
				planner->lacks_some = true;
		}
		if (status != PL_OK)
			return status;
		/* Nobody needs what it is about: it must not be taken for why something later fails. */
		if (checked != PL_OK)
			*planner->err = (struct pl_error){ 0 };
	}
	return status;
}

/* The first combination that a variant fits, and the product that it is from. */
static bool choose(const struct planner *planner, const struct product *product, const char *kernel,
		   const struct value *values[NR_AXES])
{
	const struct axis *axes = product->axes;
	const char *only = planner->variant->only;

	for (size_t k = 0; k < axes[KERNEL].nr; k++)
	for (size_t d = 0; d < axes[DISK].nr; d++)
	for (size_t w = 0; w < axes[WORKLOAD].nr; w++)
	for (size_t s = 0; s < axes[SETTING].nr; s++)
	for (size_t i = 0; i < product->seeds.nr; i++) {
		uint32_t seed = product->seeds.seeds[i];

		values[KERNEL] = &axes[KERNEL].values[k];
		values[DISK] = &axes[DISK].values[d];
		values[WORKLOAD] = &axes[WORKLOAD].values[w];
		values[SETTING] = &axes[SETTING].values[s];
		if (kernel && strcmp(kernel, values[KERNEL]->name) != 0)
			continue;
		if (!product->included && is_excluded(planner, values, seed))
			continue;

		if (!only || fits(values, seed, only))
			return true;
	}
	return false;
}

static const struct product *choose_product(const struct planner *planner, const char *kernel,
					    const struct value *values[NR_AXES])
{
	if (choose(planner, &planner->product, kernel, values))
		return &planner->product;
	for (size_t i = 0; i < planner->nr_includes; i++)
		if (choose(planner, &planner->includes[i], kernel, values))
			return &planner->includes[i];
	return NULL;
}

/* Load a part that is like another but for what the variant says of it. The planner owns it. */
static enum pl_status vary_part(struct planner *planner, int kind, const char *path, struct value *value)
{
	const struct pl_variant *variant = planner->variant;
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t len = strlen(base);
	char *name = pl_asprintf("%.*s", (int)(len > 5 && !strcmp(base + len - 5, ".yaml") ? len - 5 : len), base);
	struct pl_disk *disk;
	struct pl_setting *setting;
	enum pl_status status;

	if (kind == DISK) {
		value->part = disk = pl_calloc(1, sizeof(*disk));
		status = pl_disk_load(path, name, variant, disk, planner->err);
		if (status == PL_OK)
			disk->name = value->name = planner->varied_names[kind] = pl_variant_label(variant, PL_KNOB_DISK, name);
	} else {
		const struct pl_setting *own = value->part;
		const struct pl_yaml *below = variant->setting_path ? &own->yaml : NULL;
		char *both = below && pl_setting_underlay(NULL, below) ? pl_asprintf("%s+%s", own->name, name) : pl_strdup(name);

		value->part = setting = pl_calloc(1, sizeof(*setting));
		status = pl_setting_load(path, name, &planner->sysctls, variant, below, setting, planner->err);
		if (status == PL_OK)
			setting->name = value->name = planner->varied_names[kind] =
				pl_variant_label(variant, PL_KNOB_SETTING, both);
		free(both);
	}
	free(name);
	if (status == PL_OK)
		add_value(&planner->loaded[kind], *value);
	else
		free(value->part);
	return status;
}

static enum pl_status vary_use(struct planner *planner, struct value *value)
{
	struct pl_use *use = pl_calloc(1, sizeof(*use));
	enum pl_status status = pl_use_vary(use, value->part, planner->variant, planner->err);

	if (status != PL_OK) {
		pl_use_free(use);
		free(use);
		return status;
	}
	*value = (struct value){ .name = use->label, .part = use, .at = value->at };
	add_value(&planner->loaded[WORKLOAD], *value);
	return PL_OK;
}

/* A kernel that the matrix need not name. */
static enum pl_status vary_kernel(struct planner *planner, struct value *value)
{
	char *path = pl_asprintf("%s/kernels/%s", planner->paths->build, planner->variant->kernel);
	char *manifest = pl_asprintf("%s/manifest.json", path);
	enum pl_status status = PL_OK;
	void *part = NULL;

	if (!pl_yaml_is_name(planner->variant->kernel) || access(manifest, F_OK))
		status = pl_fail(planner->err, PL_BAD_INPUT, "--kernel %s: it is not built; `make kernels` builds those of Debian",
				 planner->variant->kernel);
	else
		status = load_part(planner, KERNEL, path, planner->variant->kernel, &part);
	if (status == PL_OK) {
		*value = (struct value){ .name = planner->variant->kernel, .part = part, .at = value->at };
		add_value(&planner->loaded[KERNEL], *value);
	}
	free(manifest);
	free(path);
	return status;
}

static enum pl_status expand_variant(struct planner *planner)
{
	const struct pl_variant *variant = planner->variant;
	const struct value *found[NR_AXES];
	const struct product *product = choose_product(planner, variant->kernel, found);
	bool other_kernel = !product && variant->kernel;
	struct value varied[NR_AXES];
	const struct value *values[NR_AXES];
	enum pl_status status = PL_OK;
	void *ids = NULL;

	if (other_kernel)
		product = choose_product(planner, NULL, found);
	if (!product)
		return pl_fail(planner->err, PL_BAD_INPUT, "%s: it has no cell \"%s\" (kernel/disk/workload/setting/seed)", planner->yaml.path,
			       variant->only ? variant->only : "*");
	for (int kind = 0; kind < NR_AXES; kind++) {
		varied[kind] = *found[kind];
		values[kind] = &varied[kind];
	}
	if (other_kernel)
		status = vary_kernel(planner, &varied[KERNEL]);
	if (status == PL_OK)
		status = check_loaded(planner, values);
	if (status == PL_OK && pl_variant_has(variant, PL_KNOB_DISK)) {
		const struct pl_disk *disk = varied[DISK].part;

		status = vary_part(planner, DISK, disk->yaml.path, &varied[DISK]);
	}
	if (status == PL_OK && (variant->setting_path || pl_variant_has(variant, PL_KNOB_SETTING))) {
		const struct pl_setting *setting = varied[SETTING].part;

		status = vary_part(planner, SETTING, variant->setting_path ? variant->setting_path : setting->yaml.path,
				   &varied[SETTING]);
	}
	if (status == PL_OK && pl_variant_has(variant, PL_KNOB_WORKLOAD))
		status = vary_use(planner, &varied[WORKLOAD]);
	if (status == PL_OK)
		status = check_memory(planner, &varied[DISK]);
	if (status == PL_OK)
		status = pl_setting_check(varied[SETTING].part, &planner->sysctls, varied[KERNEL].part, planner->err);
	planner->matrix->cells = pl_calloc(planner->product.seeds.nr + 1, sizeof(*planner->matrix->cells));
	for (size_t i = 0; status == PL_OK && i < planner->product.seeds.nr; i++)
		status = add_cell(planner, product, values, planner->product.seeds.seeds[i], &ids);
	tdestroy(ids, leave_node);
	return status;
}

/* Adds a product's cells to *total unless that would be too many. */
static enum pl_status count_cells(struct planner *planner, const struct product *product, size_t *total)
{
	size_t nr = product->seeds.nr;

	for (int kind = 0; kind < NR_AXES; kind++)
		if (__builtin_mul_overflow(nr, product->axes[kind].nr, &nr))
			nr = SIZE_MAX;
	if (nr <= PL_MAX_CELLS && *total + nr <= PL_MAX_CELLS) {
		*total += nr;
		return PL_OK;
	}
	return pl_yaml_fail(&planner->yaml, product->at ? product->at : planner->yaml.root, planner->err,
			    "found %zu cells, excluded ones counted, expected at most %d", nr <= PL_MAX_CELLS ? *total + nr : nr,
			    PL_MAX_CELLS);
}

static enum pl_status expand_all(struct planner *planner)
{
	void *ids = NULL;
	size_t total = 0;
	enum pl_status status = count_cells(planner, &planner->product, &total);

	for (size_t i = 0; status == PL_OK && i < planner->nr_includes; i++)
		status = count_cells(planner, &planner->includes[i], &total);
	if (status != PL_OK)
		return status;
	/* One more: a cell is made before it is known to be new. Never moved, because the tree of ids points at cells. */
	planner->matrix->cells = pl_calloc(total + 1, sizeof(*planner->matrix->cells));
	status = expand(planner, &planner->product, &ids);
	for (size_t i = 0; status == PL_OK && i < planner->nr_includes; i++)
		status = expand(planner, &planner->includes[i], &ids);
	tdestroy(ids, leave_node);
	if (status == PL_OK && !planner->matrix->nr_cells && !planner->lacks_some)
		status = pl_yaml_fail(&planner->yaml, planner->yaml.root, planner->err,
				      "found no cells, expected at least one: everything is excluded");
	if (planner->nr_same > 1)
		pl_buf_printf(&planner->note, "; so are %zu more", planner->nr_same - 1);
	return status;
}

static enum pl_status read_choices(struct planner *planner, const struct pl_yaml_node *list, const char *what,
				   enum pl_status (*read)(struct planner *, const struct pl_yaml_node *))
{
	enum pl_status status = PL_OK;

	if (list->kind != PL_YAML_LIST)
		return pl_yaml_expected(&planner->yaml, list, planner->err, "a list of maps for %s", what);
	for (size_t i = 0; status == PL_OK && i < list->nr_items; i++)
		status = read(planner, list->items[i]);
	return status;
}

static void vary_machine(struct planner *planner)
{
	struct pl_yaml_node *root = planner->yaml.root;
	struct pl_yaml_node *machine = (struct pl_yaml_node *)pl_yaml_get(root, "machine");

	if (!machine)
		machine = pl_yaml_set(root, "machine", NULL, planner->variant->changes[0].origin);
	if (machine->kind == PL_YAML_MAP)
		pl_variant_apply(planner->variant, PL_KNOB_MACHINE, machine);
}

static enum pl_status read_matrix(struct planner *planner, const struct pl_seeds *seeds)
{
	struct file {
		const char *name, *description;
		const struct pl_yaml_node *machine, *axes[NR_AXES], *seeds, *exclude, *include, *expect, *claim;
		uint32_t virtual_seconds;
		bool holders;
	} file = { 0 };
	static const struct pl_yaml_field fields[] = {
		{ .key = "name", .type = PL_YAML_NAME, .offset = offsetof(struct file, name), .required = true },
		{ .key = "description", .type = PL_YAML_TEXT, .offset = offsetof(struct file, description) },
		{ .key = "kernels", .type = PL_YAML_ANY, .offset = offsetof(struct file, axes[KERNEL]), .required = true },
		{ .key = "machine", .type = PL_YAML_ANY, .offset = offsetof(struct file, machine) },
		{ .key = "holders", .type = PL_YAML_BOOL, .offset = offsetof(struct file, holders) },
		{ .key = "disks", .type = PL_YAML_ANY, .offset = offsetof(struct file, axes[DISK]), .required = true },
		{ .key = "workloads", .type = PL_YAML_ANY, .offset = offsetof(struct file, axes[WORKLOAD]), .required = true },
		{ .key = "settings", .type = PL_YAML_ANY, .offset = offsetof(struct file, axes[SETTING]), .required = true },
		{ .key = "seeds", .type = PL_YAML_ANY, .offset = offsetof(struct file, seeds), .required = true },
		{ .key = "virtual_seconds", .type = PL_YAML_U32, .offset = offsetof(struct file, virtual_seconds), .min = 1,
		  .max = MAX_SECONDS, .required = true },
		{ .key = "exclude", .type = PL_YAML_ANY, .offset = offsetof(struct file, exclude) },
		{ .key = "include", .type = PL_YAML_ANY, .offset = offsetof(struct file, include) },
		{ .key = "expect", .type = PL_YAML_ANY, .offset = offsetof(struct file, expect) },
		/* What is judged of its cells is for others to read. */
		{ .key = "claim", .type = PL_YAML_ANY, .offset = offsetof(struct file, claim) },
	};
	if (pl_variant_has(planner->variant, PL_KNOB_MACHINE))
		vary_machine(planner);

	enum pl_status status = pl_yaml_read(&planner->yaml, planner->yaml.root, fields, sizeof(fields) / sizeof(*fields),
					     &file, planner->err);

	if (status == PL_OK && file.machine)
		status = read_machine(planner, file.machine);
	for (int kind = 0; status == PL_OK && kind < NR_AXES; kind++)
		status = read_axis(planner, kind, file.axes[kind]);
	if (status == PL_OK)
		status = read_seeds(planner, file.seeds, &planner->file_seeds);
	if (status == PL_OK && seeds)
		status = use_seeds(planner, seeds);
	else if (status == PL_OK)
		copy_seeds(&planner->product.seeds, &planner->file_seeds);
	planner->product.virtual_seconds = file.virtual_seconds;
	planner->holders = file.holders;
	if (status == PL_OK && file.exclude) {
		planner->exclusions = pl_calloc(file.exclude->nr_items, sizeof(*planner->exclusions));
		status = read_choices(planner, file.exclude, "exclude", read_exclusion);
	}
	if (status == PL_OK && file.include) {
		planner->includes = pl_calloc(file.include->nr_items, sizeof(*planner->includes));
		status = read_choices(planner, file.include, "include", read_include);
	}
	if (status == PL_OK && file.expect) {
		planner->expectations = pl_calloc(file.expect->nr_items, sizeof(*planner->expectations));
		planner->matrix->expects = pl_calloc(file.expect->nr_items, sizeof(*planner->matrix->expects));
		status = read_choices(planner, file.expect, "expect", read_expectation);
	}
	if (status == PL_OK)
		planner->matrix->name = pl_strdup(file.name);
	return status;
}

static void free_product(struct product *product)
{
	for (int kind = 0; kind < NR_AXES; kind++)
		free(product->axes[kind].values);
	free(product->seeds.seeds);
}

static void free_planner(struct planner *planner)
{
	free(planner->file_seeds.seeds);
	free_product(&planner->product);
	for (size_t i = 0; i < planner->nr_includes; i++)
		free_product(&planner->includes[i]);
	free(planner->includes);
	free(planner->exclusions);
	free(planner->expectations);
	for (int kind = 0; kind < NR_AXES; kind++) {
		for (size_t i = 0; i < planner->loaded[kind].nr; i++) {
			void *part = planner->loaded[kind].values[i].part;

			free(planner->loaded[kind].values[i].problem);
			if (!part)
				continue;
			if (kind == KERNEL)
				pl_kernel_free(part);
			else if (kind == DISK)
				pl_disk_free(part);
			else if (kind == WORKLOAD)
				pl_use_free(part);
			else
				pl_setting_free(part);
			free(part);
		}
		free(planner->loaded[kind].values);
	}
	for (size_t i = 0; i < planner->workload_files.nr; i++) {
		const struct value *value = &planner->workload_files.values[i];

		free(value->problem);
		if (value->part)
			pl_workload_free(value->part);
		free(value->part);
	}
	free(planner->workload_files.values);
	pl_rootfs_free(&planner->rootfs);
	pl_sysctls_free(&planner->sysctls);
	for (int kind = 0; kind < NR_AXES; kind++)
		free(planner->varied_names[kind]);
	pl_yaml_free(&planner->yaml);
	pl_buf_free(&planner->note);
}

/* What the caller needs of a matrix. NULL: as the file says, and all of it. */
struct need {
	const struct pl_seeds *seeds;
	const struct pl_variant *variant;
	const char *kernel, *only;
};

static enum pl_status load(const char *path, const struct pl_paths *paths, const struct pl_host *host,
			   const struct need *need, struct pl_matrix *matrix, struct pl_error *caller_err)
{
	struct pl_error own_err = { 0 }, *err = caller_err ? caller_err : &own_err;
	struct planner planner = {
		.paths = paths,
		.host = host,
		/* 250 million instructions a second against a cloud disk; a small guest so that pressure comes soon. */
		.machine = { .ram_mib = 256, .vcpus = 1, .ns_per_instruction = 4, .blackbox_mib = 64 },
		.matrix = matrix,
		.variant = need->variant,
		.kernel = need->kernel,
		.only = need->only,
		.needs_all = !need->variant && !need->kernel && !need->only,
		.err = err,
	};
	char *sysctls = pl_asprintf("%s/sysctls.txt", paths->configs);

	*matrix = (struct pl_matrix){ .path = pl_strdup(path) };

	enum pl_status status = pl_yaml_load(path, &planner.yaml, err);

	if (status == PL_OK)
		status = pl_sysctls_load(sysctls, &planner.sysctls, err);
	if (status == PL_OK)
		status = read_matrix(&planner, need->seeds);
	if (status == PL_OK)
		status = pl_rootfs_load(paths, &planner.rootfs, err);
	if (status == PL_OK)
		status = need->variant ? expand_variant(&planner) : expand_all(&planner);
	/* Other seeds, and what is missing, may leave out what it is about. */
	if (status == PL_OK && !need->seeds && planner.needs_all)
		status = check_expectations(&planner);
	if (status == PL_OK && planner.note.len)
		matrix->note = pl_strdup(planner.note.text);
	free(sysctls);
	free_planner(&planner);
	if (status != PL_OK)
		pl_matrix_free(matrix);
	return status;
}

enum pl_status pl_matrix_load(const char *path, const struct pl_paths *paths, const struct pl_host *host,
			      const struct pl_seeds *seeds, struct pl_matrix *matrix, struct pl_error *err)
{
	const struct need need = { .seeds = seeds };

	return load(path, paths, host, &need, matrix, err);
}

enum pl_status pl_matrix_load_only(const char *path, const struct pl_paths *paths, const struct pl_host *host,
				   const struct pl_seeds *seeds, const char *kernel, const char *only,
				   struct pl_matrix *matrix, struct pl_error *err)
{
	const struct need need = { .seeds = seeds, .kernel = kernel, .only = only };

	return load(path, paths, host, &need, matrix, err);
}

enum pl_status pl_matrix_load_variant(const char *path, const struct pl_paths *paths, const struct pl_host *host,
				      const struct pl_seeds *seeds, const struct pl_variant *variant, struct pl_matrix *matrix,
				      struct pl_error *err)
{
	const struct need need = { .seeds = seeds, .variant = variant };

	return load(path, paths, host, &need, matrix, err);
}

void pl_matrix_free(struct pl_matrix *matrix)
{
	for (size_t i = 0; i < matrix->nr_cells; i++)
		pl_cell_free(&matrix->cells[i]);
	free(matrix->cells);
	for (size_t i = 0; i < matrix->nr_expects; i++) {
		free(matrix->expects[i].convoy);
		free(matrix->expects[i].except);
		free(matrix->expects[i].origin);
	}
	free(matrix->expects);
	free(matrix->name);
	free(matrix->path);
	free(matrix->note);
	*matrix = (struct pl_matrix){ 0 };
}

bool pl_expect_excepts(const struct pl_expect *expect, uint64_t seed)
{
	for (size_t i = 0; i < expect->nr_except; i++)
		if (expect->except[i] == seed)
			return true;
	return false;
}
