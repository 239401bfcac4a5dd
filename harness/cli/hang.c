// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads a finished cell's log with the symbols of its kernel, for those commands that tell of a hang. */
#include "cli/hang.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "analyse/symbols.h"

char *pl_kernel_of_cell(const struct pl_cli *cli, struct pl_ledger *ledger, const char *id)
{
	struct json_object *inputs, *sha256;
	char *text, *dir = NULL;

	if (pl_ledger_inputs(ledger, id, &text, NULL) != PL_OK)
		return NULL;
	inputs = json_tokener_parse(text);
	free(text);
	if (inputs && json_object_object_get_ex(inputs, "vmlinux_sha256", &sha256) && json_object_get_string(sha256))
		dir = pl_find_kernel(cli, json_object_get_string(sha256));
	json_object_put(inputs);
	return dir;
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
	hang->kernel = pl_kernel_of_cell(cli, ledger, row->id);
	if (hang->kernel) {
		char *vmlinux = pl_asprintf("%s/vmlinux", hang->kernel);

		pl_symbols_load(vmlinux, &hang->symbols, NULL);
		free(vmlinux);
	}
	pl_waits_find(&hang->bb, hang->symbols, row->hung_task_timeout_s, &hang->waits);
	return PL_OK;
}

void pl_hang_free(struct pl_hang *hang)
{
	pl_waits_free(&hang->waits);
	pl_symbols_free(hang->symbols);
	free(hang->kernel);
	free(hang->region);
	*hang = (struct pl_hang){ 0 };
}

void pl_hang_answer(const struct pl_hang *hang, struct pl_goal_waits *waits)
{
	for (size_t i = 0; i < waits->nr; i++)
		waits->list[i].longest_s = pl_waits_longest_s(&hang->waits, waits->list[i].name);
}

void pl_hang_print(FILE *out, const struct pl_row *row, const struct pl_hang *hang)
{
	const struct pl_table_style style = pl_report_style_for(fileno(out));

	pl_report_hang(out, &hang->bb, &hang->waits, row->hung_task_timeout_s, &style);
}

void pl_hang_print_json(FILE *out, const struct pl_row *row, const struct pl_hang *hang)
{
	pl_report_hang_json(out, row->id, &hang->bb, &hang->waits);
}
