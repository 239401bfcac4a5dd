// SPDX-License-Identifier: GPL-3.0-or-later
/* Cores, from a kernel and a guest's memory that were made by hand. */
#include "vm/core.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define KERNEL_MAP 0xffffffff80000000ULL
#define DIRECT_MAP 0xffff888000000000ULL
#define PAGE	   4096u
#define RAM_BYTES  (4u << 20)
#define TEXT_AT	   0x100000u
#define BANNER_AT  (TEXT_AT + 0x40)
#define BASE_AT	   (TEXT_AT + 0x2000)
#define END_AT	   (TEXT_AT + 0x3800)
#define BANNER	   "Linux version 1.2.3-test (a@b) #1\n"

static char folder[] = "/tmp/plimsoll-core-XXXXXX";
static char vmlinux[64], path[64], *temp;
static uint8_t *ram;

/* An ELF file with one section of contents, and symbols. */
static void write_vmlinux(const char *banner, const char *lacks)
{
	static const struct {
		const char *name;
		uint32_t at;
	} symbols[] = {
		{ "init_top_pgt", TEXT_AT + 0x1000 }, { "_stext", TEXT_AT }, { "_end", END_AT },	  { "linux_banner", BANNER_AT },
		{ "phys_base", BASE_AT },	      { "other", 0x5000 },   { "init_uts_ns", TEXT_AT + 0x1800 },
	};
	struct {
		Elf64_Ehdr elf;
		Elf64_Shdr sections[4];
		Elf64_Sym symbols[8];
		char names[128], text[128];
	} file = { 0 };
	size_t nr = 1, names = 1;

	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		if (!strcmp(symbols[i].name, lacks))
			continue;
		file.symbols[nr].st_name = (Elf64_Word)names;
		file.symbols[nr++].st_value = KERNEL_MAP + symbols[i].at;
		names += (size_t)snprintf(file.names + names, sizeof(file.names) - names, "%s", symbols[i].name) + 1;
	}
	memcpy(file.elf.e_ident, ELFMAG, SELFMAG);
	file.elf.e_ident[EI_CLASS] = ELFCLASS64;
	file.elf.e_ident[EI_DATA] = ELFDATA2LSB;
	file.elf.e_ident[EI_VERSION] = EV_CURRENT;
	file.elf.e_type = ET_EXEC;
	file.elf.e_machine = EM_X86_64;
	file.elf.e_version = EV_CURRENT;
	file.elf.e_ehsize = sizeof(file.elf);
	file.elf.e_shentsize = sizeof(Elf64_Shdr);
	file.elf.e_shnum = 4;
	file.elf.e_shoff = (Elf64_Off)((uint8_t *)file.sections - (uint8_t *)&file);
	snprintf(file.text + (BANNER_AT - TEXT_AT), sizeof(file.text) - (BANNER_AT - TEXT_AT), "%s", banner);
	file.sections[1] = (Elf64_Shdr){
		.sh_type = SHT_PROGBITS,
		.sh_flags = SHF_ALLOC,
		.sh_addr = KERNEL_MAP + TEXT_AT,
		.sh_offset = (Elf64_Off)((uint8_t *)file.text - (uint8_t *)&file),
		.sh_size = sizeof(file.text),
		.sh_addralign = 1,
	};
	file.sections[2] = (Elf64_Shdr){
		.sh_type = SHT_SYMTAB,
		.sh_offset = (Elf64_Off)((uint8_t *)file.symbols - (uint8_t *)&file),
		.sh_size = nr * sizeof(Elf64_Sym),
		.sh_entsize = sizeof(Elf64_Sym),
		.sh_link = 3,
		.sh_addralign = 8,
	};
	file.sections[3] = (Elf64_Shdr){
		.sh_type = SHT_STRTAB,
		.sh_offset = (Elf64_Off)((uint8_t *)file.names - (uint8_t *)&file),
		.sh_size = sizeof(file.names),
		.sh_addralign = 1,
	};
	assert_int_equal(pl_write_file(vmlinux, &file, sizeof(file), NULL), PL_OK);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(vmlinux, sizeof(vmlinux), "%s/vmlinux", folder);
	snprintf(path, sizeof(path), "%s/core", folder);
	ram = pl_calloc(RAM_BYTES, 1);
	memcpy(ram + BANNER_AT, BANNER, strlen(BANNER));
	write_vmlinux(BANNER, "");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(ram);
	free(temp);
	temp = NULL;
	return pl_remove_tree(folder, NULL) == PL_OK ? 0 : -1;
}

static enum pl_status write_core(size_t *stored_bytes, struct pl_error *err)
{
	struct pl_core core = { .ram = ram, .ram_bytes = RAM_BYTES, .vmlinux = vmlinux };

	free(temp);
	return pl_core_write(&core, path, &temp, stored_bytes, err);
}

static char *find_note(const uint8_t *at, size_t bytes, const char *name, size_t *len)
{
	while (bytes >= sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *note = (const void *)at;
		size_t name_bytes = (note->n_namesz + 3u) / 4 * 4, whole = sizeof(*note) + name_bytes + (note->n_descsz + 3u) / 4 * 4;

		assert_true(whole <= bytes);
		if (!strcmp((const char *)at + sizeof(*note), name)) {
			*len = note->n_descsz;
			return pl_asprintf("%.*s", (int)note->n_descsz, (const char *)at + sizeof(*note) + name_bytes);
		}
		at += whole;
		bytes -= whole;
	}
	return NULL;
}

/* What a debugger reads at a physical or a virtual address. */
static const uint8_t *core_at(const uint8_t *core, size_t core_bytes, uint64_t address, bool physical)
{
	const Elf64_Ehdr *elf = (const void *)core;
	const Elf64_Phdr *headers = (const void *)(core + elf->e_phoff);

	for (size_t i = 0; i < elf->e_phnum; i++) {
		uint64_t begin = physical ? headers[i].p_paddr : headers[i].p_vaddr;

		assert_true(headers[i].p_offset + headers[i].p_filesz <= core_bytes);
		if (headers[i].p_type == PT_LOAD && address >= begin && address - begin < headers[i].p_filesz)
			return core + headers[i].p_offset + (address - begin);
	}
	return NULL;
}

static void test_what_a_debugger_reads(void **state)
{
	size_t stored, bytes, len;
	struct stat st;
	char *core, *info;

	(void)state;
	memset(ram + 0x1000, 0x5a, PAGE);
	ram[RAM_BYTES - 1] = 7;
	memset(ram + 0x280000, 9, 3 * PAGE);
	assert_int_equal(write_core(&stored, NULL), PL_OK);
	assert_int_equal(stored, 5 * PAGE);
	assert_int_equal(stat(temp, &st), 0);
	assert_true((size_t)st.st_blocks * 512 < RAM_BYTES / 4);
	assert_int_equal(pl_read_file(temp, 2 * (size_t)RAM_BYTES, &core, &bytes, NULL), PL_OK);

	const uint8_t *file = (const void *)core;
	const Elf64_Ehdr *elf = (const void *)core;
	const Elf64_Phdr *notes = (const void *)(core + elf->e_phoff);

	assert_int_equal(elf->e_type, ET_CORE);
	assert_int_equal(elf->e_machine, EM_X86_64);
	assert_int_equal(notes->p_type, PT_NOTE);
	info = find_note(file + notes->p_offset, notes->p_filesz, "VMCOREINFO", &len);
	assert_non_null(info);
	assert_non_null(strstr(info, "OSRELEASE=1.2.3-test\nPAGESIZE=4096\n"));
	assert_non_null(strstr(info, "SYMBOL(swapper_pg_dir)=ffffffff80101000\n"));
	assert_non_null(strstr(info, "SYMBOL(_stext)=ffffffff80100000\n"));
	free(info);

	assert_memory_equal(core_at(file, bytes, 0x280000, true), ram + 0x280000, 4 * PAGE);
	assert_memory_equal(core_at(file, bytes, DIRECT_MAP + RAM_BYTES - PAGE, false), ram + RAM_BYTES - PAGE, PAGE);
	assert_memory_equal(core_at(file, bytes, KERNEL_MAP + BANNER_AT, false), BANNER, strlen(BANNER));
	assert_null(core_at(file, bytes, RAM_BYTES, true));
	/* QEMU's loader's and not the guest's. */
	assert_int_equal(*core_at(file, bytes, 0x1000, true), 0);
	free(core);
}

static void test_another_kernel(void **state)
{
	struct pl_error err;
	size_t stored;

	(void)state;
	ram[BANNER_AT + 16] ^= 1;
	assert_int_equal(write_core(&stored, &err), PL_HOST);
	assert_non_null(strstr(err.text, "does not hold"));
	ram[BANNER_AT + 16] ^= 1;
	ram[BASE_AT] = 1;
	assert_int_equal(write_core(&stored, &err), PL_HOST);
	ram[BASE_AT] = 0;
	assert_int_equal(write_core(&stored, &err), PL_OK);
	write_vmlinux("", "");
	assert_int_equal(write_core(&stored, &err), PL_HOST);
}

static void test_a_file_that_is_no_kernel(void **state)
{
	struct pl_error err;
	size_t stored;

	(void)state;
	write_vmlinux(BANNER, "init_uts_ns");
	assert_int_equal(write_core(&stored, &err), PL_HOST);
	assert_non_null(strstr(err.text, "init_uts_ns"));
	assert_int_equal(pl_write_file(vmlinux, "x", 1, NULL), PL_OK);
	assert_int_equal(write_core(&stored, &err), PL_HOST);
	assert_int_equal(unlink(vmlinux), 0);
	assert_int_equal(write_core(&stored, &err), PL_HOST);
	assert_null(temp);
}

static void test_no_such_folder(void **state)
{
	struct pl_core core = { .ram = ram, .ram_bytes = RAM_BYTES, .vmlinux = vmlinux };
	struct pl_error err;
	size_t stored;

	(void)state;
	assert_int_equal(pl_core_write(&core, "/nonexistent/core", &temp, &stored, &err), PL_HOST);
	assert_null(temp);
	assert_non_null(strstr(err.text, "/nonexistent/core"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_a_debugger_reads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_kernel, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_file_that_is_no_kernel, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_such_folder, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
