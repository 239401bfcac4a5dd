/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of a kernel's functions and static objects, from the symbol table of its vmlinux. */
#ifndef PL_ANALYSE_SYMBOLS_H
#define PL_ANALYSE_SYMBOLS_H

#include "base/base.h"

struct pl_symbols;

/* Read the symbols of an ELF file. PL_HOST if it cannot be read or has no symbol table. */
enum pl_status pl_symbols_load(const char *vmlinux, struct pl_symbols **symbols, struct pl_error *err);
void pl_symbols_free(struct pl_symbols *symbols);

/*
 * The function that a return address lies in, without what the compiler appends (".isra.0"); NULL: none. The caller says
 * where the kernel's _text was, so that one that moved itself is read as well. Valid as long as symbols are.
 */
const char *pl_symbols_name(const struct pl_symbols *symbols, uint64_t text_start, uint64_t address);

/*
 * The static object that an address lies in ("cgroup_mutex", or "init_mm+0x70" for what is inside of one); false: it
 * lies in none, and text is left alone. text_start as above: data moves with the text.
 */
bool pl_symbols_object(const struct pl_symbols *symbols, uint64_t text_start, uint64_t address, char *text,
		       size_t room);

/* Does the kernel have a static object of this name? */
bool pl_symbols_has_object(const struct pl_symbols *symbols, const char *name);

#endif
