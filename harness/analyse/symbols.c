// SPDX-License-Identifier: GPL-3.0-or-later
/* Names for addresses of a kernel: its functions and its static objects, from vmlinux's symbol table. */
#include "analyse/symbols.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A kernel has some tens of thousands. */
#define MAX_SYMBOLS 4000000

struct symbol {
	uint64_t begin, end;
	size_t name; /* offset in names */
};

/* Sorted by begin. */
struct symbol_list {
	struct symbol *list;
	size_t nr;
};

struct pl_symbols {
	struct symbol_list functions, objects;
	uint64_t text_start;
	char *names;
};

static int by_begin(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

/* NULL: what stands in the table is neither a function nor an object, or has no size. */
static struct symbol_list *list_for(struct pl_symbols *symbols, const GElf_Sym *symbol)
{
	if (!symbol->st_size)
		return NULL;
	switch (GELF_ST_TYPE(symbol->st_info)) {
	case STT_FUNC:
		return &symbols->functions;
	case STT_OBJECT:
		return &symbols->objects;
	default:
		return NULL;
	}
}

static void symbols_sort(struct symbol_list *symbols)
{
	qsort(symbols->list, symbols->nr, sizeof(*symbols->list), by_begin);
}

/* Copy names and bounds: libelf's own go with its descriptor. */
static enum pl_status read_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const char *path,
				 struct pl_symbols *symbols, struct pl_error *err)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t nr = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
	struct pl_buf names = { 0 };

	if (!data || nr > MAX_SYMBOLS)
		return pl_fail(err, PL_HOST, "%s: its symbol table cannot be read", path);
	symbols->functions.list = pl_calloc(nr + 1, sizeof(*symbols->functions.list));
	symbols->objects.list = pl_calloc(nr + 1, sizeof(*symbols->objects.list));
	for (size_t i = 0; i < nr; i++) {
		struct symbol_list *list;
		GElf_Sym symbol;
		const char *name;

		if (!gelf_getsym(data, (int)i, &symbol))
			continue;
		name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (!name)
			continue;
		if (!strcmp(name, "_text"))
			symbols->text_start = symbol.st_value;
		list = list_for(symbols, &symbol);
		if (!list)
			continue;
		list->list[list->nr++] =
			(struct symbol){ symbol.st_value, symbol.st_value + symbol.st_size, names.len };
		/* With its NUL. */
		pl_buf_add(&names, name, strcspn(name, "."));
		pl_buf_add(&names, "", 1);
	}
	symbols->names = names.text;
	symbols_sort(&symbols->functions);
	symbols_sort(&symbols->objects);
	if (!symbols->functions.nr || !symbols->text_start)
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
	free(symbols->functions.list);
	free(symbols->objects.list);
	free(symbols->names);
	free(symbols);
}

/* The symbol that an address of the file lies in. */
static const struct symbol *symbol_at(const struct symbol_list *symbols, uint64_t at)
{
	size_t low = 0, high = symbols->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->list[middle].begin <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low && at < symbols->list[low - 1].end ? &symbols->list[low - 1] : NULL;
}

const char *pl_symbols_name(const struct pl_symbols *symbols, uint64_t text_start, uint64_t address)
{
	/* The call is before its return address, which is past the end of a function that calls what never returns. */
	const struct symbol *symbol = symbol_at(&symbols->functions, address - text_start + symbols->text_start - 1);

	return symbol ? symbols->names + symbol->name : NULL;
}

bool pl_symbols_object(const struct pl_symbols *symbols, uint64_t text_start, uint64_t address, char *text, size_t room)
{
	uint64_t at = address - text_start + symbols->text_start;
	const struct symbol *symbol = address >= text_start ? symbol_at(&symbols->objects, at) : NULL;

	if (!symbol)
		return false;
	if (at == symbol->begin)
		snprintf(text, room, "%s", symbols->names + symbol->name);
	else
		snprintf(text, room, "%s+%#llx", symbols->names + symbol->name,
			 (unsigned long long)(at - symbol->begin));
	return true;
}

bool pl_symbols_has_object(const struct pl_symbols *symbols, const char *name)
{
	for (size_t i = 0; i < symbols->objects.nr; i++)
		if (!strcmp(symbols->names + symbols->objects.list[i].name, name))
			return true;
	return false;
}
