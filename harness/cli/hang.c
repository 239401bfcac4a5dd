// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/hang.h"

#include <dirent.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyse/symbols.h"

/* The file of the kernel that a cell ran, if it is still built, under whatever name. NULL if not; caller frees. */
static char *find_vmlinux(const struct pl_cli *cli, const char *sha256)
{
	char *folder = pl_asprintf("%s/kernels", cli->paths.build), *found = NULL;
	DIR *dir = opendir(folder);

	for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
		char *path = pl_asprintf("%s/%s/vmlinux", folder, entry->d_name);
		char built[PL_SHA256_HEX];

		if (entry->d_name[0] != '.' && pl_sha256_file(path, built, NULL) == PL_OK && !strcmp(built, sha256))
			found = path;
		else
			free(path);
	}
	if (dir)
		closedir(dir);
	free(folder);
	return found;
}

/* Names for the stacks of a cell's kernel, or NULL. */
static struct pl_symbols *symbols_of(const struct pl_cli *cli, struct pl_ledger *ledger, const char *id)
{
	struct pl_symbols *symbols = NULL;
	struct json_object *inputs, *sha256;
	char *text, *vmlinux = NULL;

	if (pl_ledger_inputs(ledger, id, &text, NULL) != PL_OK)
		return NULL;
	inputs = json_tokener_parse(text);
	free(text);
	if (inputs && json_object_object_get_ex(inputs, "vmlinux_sha256", &sha256) && json_object_get_string(sha256))
		vmlinux = find_vmlinux(cli, json_object_get_string(sha256));
	json_object_put(inputs);
	if (vmlinux && pl_symbols_load(vmlinux, &symbols, NULL) != PL_OK)
		symbols = NULL;
	free(vmlinux);
	return symbols;
}

enum pl_status pl_hang_read(const struct pl_cli *cli, struct pl_ledger *ledger, const struct pl_row *row, struct pl_hang *hang,
			    struct pl_error *err)
{
	size_t bytes;

	*hang = (struct pl_hang){ 0 };
	enum pl_status status = pl_ledger_blackbox(ledger, row->id, &hang->region, &bytes, err);
	if (status == PL_OK)
		status = pl_bb_open(&hang->bb, hang->region, bytes, err);
	if (status != PL_OK) {
		pl_hang_free(hang);
		return status;
	}
	hang->symbols = symbols_of(cli, ledger, row->id);
	hang->has_convoy = pl_convoy_find(&hang->bb, hang->symbols, row->hung_task_timeout_s, &hang->convoy) == PL_OK;
	return PL_OK;
}

void pl_hang_free(struct pl_hang *hang)
{
	pl_convoy_free(&hang->convoy);
	pl_symbols_free(hang->symbols);
	free(hang->region);
	*hang = (struct pl_hang){ 0 };
}

void pl_hang_print(FILE *out, const struct pl_row *row, const struct pl_hang *hang)
{
	pl_report_hang(out, &hang->bb, hang->symbols, hang->has_convoy ? &hang->convoy : NULL, row->hung_task_timeout_s,
		       pl_report_style_for(fileno(out)));
}
