// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyse/symbols.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A kernel has some tens of thousands. */
#define MAX_FUNCTIONS 4000000

struct function {
	uint64_t begin, end;
	const char *name;
};

struct pl_symbols {
	struct function *functions; /* sorted by begin */
	size_t nr;
	uint64_t text_start;
	char *names;
};

static int by_begin(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Copy the functions' names and bounds: libelf's own go with its descriptor. */
static enum pl_status read_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const char *path,
				 struct pl_symbols *symbols, struct pl_error *err)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t nr = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
	struct pl_buf names = { 0 };

	if (!data || nr > MAX_FUNCTIONS)
		return pl_fail(err, PL_HOST, "%s: its symbol table cannot be read", path);
	symbols->functions = pl_calloc(nr + 1, sizeof(*symbols->functions));
	size_t *offsets = pl_calloc(nr + 1, sizeof(*offsets));

	for (size_t i = 0; i < nr; i++) {
		GElf_Sym symbol;
		const char *name;

		if (!gelf_getsym(data, (int)i, &symbol))
			continue;
		name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (!name)
			continue;
		if (!strcmp(name, "_text"))
			symbols->text_start = symbol.st_value;
		if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || !symbol.st_size)
			continue;
		offsets[symbols->nr] = names.len;
		/* With its NUL. */
		pl_buf_add(&names, name, strcspn(name, "."));
		pl_buf_add(&names, "", 1);
		symbols->functions[symbols->nr++] = (struct function){ symbol.st_value, symbol.st_value + symbol.st_size, NULL };
	}
	for (size_t i = 0; i < symbols->nr; i++)
		symbols->functions[i].name = names.text + offsets[i];
	symbols->names = names.text;
	free(offsets);
	qsort(symbols->functions, symbols->nr, sizeof(*symbols->functions), by_begin);
	if (!symbols->nr || !symbols->text_start)
		return pl_fail(err, PL_HOST, "%s: its symbol table has no functions, or no _text", path);
	return PL_OK;
}

static enum pl_status read_elf(Elf *elf, const char *path, struct pl_symbols *symbols, struct pl_error *err)
{
	Elf_Scn *section = NULL;

	while (elf && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
			return read_table(elf, section, &header, path, symbols, err);
	}
	return pl_fail(err, PL_HOST, "%s: no ELF file with a symbol table", path);
}

enum pl_status pl_symbols_load(const char *vmlinux, struct pl_symbols **symbols, struct pl_error *err)
{
	int fd = open(vmlinux, O_RDONLY | O_CLOEXEC);

	*symbols = NULL;
	if (fd < 0)
		return pl_fail_errno(err, PL_HOST, "%s", vmlinux);
	elf_version(EV_CURRENT);

	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);

	*symbols = pl_calloc(1, sizeof(**symbols));

	enum pl_status status = read_elf(elf, vmlinux, *symbols, err);

	elf_end(elf);
	close(fd);
	if (status != PL_OK) {
		pl_symbols_free(*symbols);
		*symbols = NULL;
	}
	return status;
}

void pl_symbols_free(struct pl_symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->functions);
	free(symbols->names);
	free(symbols);
}

const char *pl_symbols_name(const struct pl_symbols *symbols, uint64_t text_start, uint64_t address)
{
	/* The call is before its return address, which is past the end of a function that calls what never returns. */
	uint64_t at = address - text_start + symbols->text_start - 1;
	size_t low = 0, high = symbols->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->functions[middle].begin <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low && at < symbols->functions[low - 1].end ? symbols->functions[low - 1].name : NULL;
}
