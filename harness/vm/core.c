// SPDX-License-Identifier: GPL-3.0-or-later
/* Writes a guest's RAM as an ELF core, with the notes that drgn and crash look for. */
#include "vm/core.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_BYTES 4096u
/* Where x86-64 kernels map all of RAM and themselves, without KASLR (arch/x86/include/asm/page_64_types.h). */
#define DIRECT_MAP   0xffff888000000000ULL
#define KERNEL_MAP   0xffffffff80000000ULL
/*
 * The kernel keeps its hands off the first 64 KiB (the first MiB, in fact: reserve_real_mode and trim_low_memory_range in
 * arch/x86), but QEMU's loader does not: it leaves bytes of its own stack there, host addresses, other ones in each run.
 */
#define LOADER_BYTES (64u << 10)
/* A kernel has some tens of thousands. */
#define MAX_SYMBOLS 4000000
#define MAX_BANNER  512

/* Symbols that the core's note and its program headers are made of. */
enum { SWAPPER_PG_DIR, STEXT, END, BANNER, PHYS_BASE, INIT_UTS_NS, NR_SYMBOLS };

static const char *const symbol_names[NR_SYMBOLS] = {
	[SWAPPER_PG_DIR] = "init_top_pgt", /* which swapper_pg_dir is a macro for */
	[STEXT] = "_stext",
	[END] = "_end",
	[BANNER] = "linux_banner",
	[PHYS_BASE] = "phys_base",
	[INIT_UTS_NS] = "init_uts_ns",
};

struct kernel {
	uint64_t symbols[NR_SYMBOLS];
	char banner[MAX_BANNER];
};

static void read_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct kernel *kernel)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t nr = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;

	for (size_t i = 0; data && i < nr && i < MAX_SYMBOLS; i++) {
		GElf_Sym symbol;
		const char *name;

		if (!gelf_getsym(data, (int)i, &symbol) || !(name = elf_strptr(elf, header->sh_link, symbol.st_name)))
			continue;
		for (size_t k = 0; k < NR_SYMBOLS; k++)
			if (!strcmp(name, symbol_names[k]))
				kernel->symbols[k] = symbol.st_value;
	}
}

/* The text at an address of the file's. */
static void read_text(Elf *elf, uint64_t address, char *text, size_t room)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS || !(header.sh_flags & SHF_ALLOC) ||
		    address < header.sh_addr || address - header.sh_addr >= header.sh_size)
			continue;

		Elf_Data *data = elf_getdata(section, NULL);
		size_t from = address - header.sh_addr;

		if (data && data->d_buf && from < data->d_size)
			snprintf(text, room, "%.*s", (int)(data->d_size - from < room ? data->d_size - from : room - 1),
				 (const char *)data->d_buf + from);
		return;
	}
}

static enum pl_status read_kernel(const char *vmlinux, struct kernel *kernel, struct pl_error *err)
{
	int fd = open(vmlinux, O_RDONLY | O_CLOEXEC);
	Elf_Scn *section = NULL;

	*kernel = (struct kernel){ 0 };
	if (fd < 0)
		return pl_fail_errno(err, PL_HOST, "%s", vmlinux);
	elf_version(EV_CURRENT);

	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);

	while (elf && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
			read_symbols(elf, section, &header, kernel);
	}
	if (elf && kernel->symbols[BANNER])
		read_text(elf, kernel->symbols[BANNER], kernel->banner, sizeof(kernel->banner));
	elf_end(elf);
	close(fd);
	for (size_t i = 0; i < NR_SYMBOLS; i++)
		if (!kernel->symbols[i])
			return pl_fail(err, PL_HOST, "%s: no ELF file with the symbol %s", vmlinux, symbol_names[i]);
	return PL_OK;
}

/* Where a symbol lies in RAM, with room for bytes behind it; NULL: it does not. */
static const uint8_t *in_ram(const struct pl_core *core, uint64_t address, size_t bytes)
{
	uint64_t at = address - KERNEL_MAP;

	return address >= KERNEL_MAP && at < core->ram_bytes && core->ram_bytes - at >= bytes ? core->ram + at : NULL;
}

/* Is the kernel in this RAM the one of the file, and where it was linked to? */
static enum pl_status check(const struct pl_core *core, const struct kernel *kernel, struct pl_error *err)
{
	size_t banner_bytes = strlen(kernel->banner);
	const uint8_t *banner = in_ram(core, kernel->symbols[BANNER], banner_bytes);
	const uint8_t *phys_base = in_ram(core, kernel->symbols[PHYS_BASE], sizeof(uint64_t));
	static const uint64_t zero;

	if (!banner_bytes || !banner || memcmp(banner, kernel->banner, banner_bytes) != 0 || !phys_base ||
	    memcmp(phys_base, &zero, sizeof(zero)) != 0 || !in_ram(core, kernel->symbols[END] - 1, 1))
		return pl_fail(err, PL_HOST, "the guest's memory does not hold %s at its linked address: no core of it", core->vmlinux);
	return PL_OK;
}

static void add_note(struct pl_buf *notes, const char *name, uint32_t type, const void *bytes, size_t len)
{
	static const char zeros[4];
	Elf64_Nhdr header = { .n_namesz = (uint32_t)strlen(name) + 1, .n_descsz = (uint32_t)len, .n_type = type };

	pl_buf_add(notes, &header, sizeof(header));
	pl_buf_add(notes, name, header.n_namesz);
	pl_buf_add(notes, zeros, -header.n_namesz % 4);
	pl_buf_add(notes, bytes, len);
	pl_buf_add(notes, zeros, -header.n_descsz % 4);
}

/*
 * What drgn 0.0.22 (libdrgn/linux_kernel.c, parse_vmcoreinfo) and crash 8.0.2 (kernel.c, x86_64.c) read of it, under the
 * names that kernel/crash_core.c gives. BUILD-ID is left out: the vmlinux with debug information has another one.
 */
static void add_vmcoreinfo(const struct kernel *kernel, struct pl_buf *notes)
{
	static const char begin[] = "Linux version ";
	const char *release = !strncmp(kernel->banner, begin, strlen(begin)) ? kernel->banner + strlen(begin) : kernel->banner;
	struct pl_buf text = { 0 };

	pl_buf_printf(&text, "OSRELEASE=%.*s\nPAGESIZE=%u\n", (int)strcspn(release, " \n"), release, PAGE_BYTES);
	pl_buf_printf(&text, "SYMBOL(init_uts_ns)=%llx\n", (unsigned long long)kernel->symbols[INIT_UTS_NS]);
	pl_buf_printf(&text, "SYMBOL(swapper_pg_dir)=%llx\n", (unsigned long long)kernel->symbols[SWAPPER_PG_DIR]);
	pl_buf_printf(&text, "SYMBOL(_stext)=%llx\n", (unsigned long long)kernel->symbols[STEXT]);
	pl_buf_printf(&text, "NUMBER(phys_base)=0\nNUMBER(pgtable_l5_enabled)=0\nKERNELOFFSET=0\n");
	add_note(notes, "VMCOREINFO", 0, text.text, text.len);
	pl_buf_free(&text);
}

static enum pl_status write_at(int fd, const char *path, const void *bytes, size_t len, size_t at, struct pl_error *err)
{
	size_t done = 0;

	while (done < len) {
		ssize_t wrote = pwrite(fd, (const char *)bytes + done, len - done, (off_t)(at + done));

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return pl_fail_errno(err, PL_HOST, "writing %s", path);
		done += (size_t)wrote;
	}
	return PL_OK;
}

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE_BYTES - 1);
}

/* All pages but those of zeros and the loader's, in runs. */
static enum pl_status write_ram(int fd, const char *path, const struct pl_core *core, size_t at, size_t *stored_bytes,
				struct pl_error *err)
{
	enum pl_status status = PL_OK;
	size_t from = LOADER_BYTES;

	while (from < core->ram_bytes && status == PL_OK) {
		size_t to = from;

		while (to < core->ram_bytes && !is_zero(core->ram + to))
			to += PAGE_BYTES;
		if (to > from)
			status = write_at(fd, path, core->ram + from, to - from, at + from, err);
		*stored_bytes += to - from;
		from = to + (to < core->ram_bytes ? PAGE_BYTES : 0);
	}
	return status;
}

static enum pl_status write_file(int fd, const char *path, const struct pl_core *core, const struct kernel *kernel,
				 size_t *stored_bytes, struct pl_error *err)
{
	struct pl_buf notes = { 0 };

	add_vmcoreinfo(kernel, &notes);

	uint64_t text = (kernel->symbols[STEXT] - KERNEL_MAP) / PAGE_BYTES * PAGE_BYTES;
	uint64_t text_end = (kernel->symbols[END] - KERNEL_MAP + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	size_t at = 2 * (size_t)PAGE_BYTES;
	struct {
		Elf64_Ehdr elf;
		Elf64_Phdr notes, direct, kernel;
	} head = {
		.elf = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_CORE,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 3,
		},
		.notes = { .p_type = PT_NOTE, .p_offset = PAGE_BYTES, .p_filesz = notes.len, .p_memsz = notes.len },
		.direct = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = at,
			.p_vaddr = DIRECT_MAP,
			.p_filesz = core->ram_bytes,
			.p_memsz = core->ram_bytes,
		},
		.kernel = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = at + text,
			.p_vaddr = KERNEL_MAP + text,
			.p_paddr = text,
			.p_filesz = text_end - text,
			.p_memsz = text_end - text,
		},
	};
	enum pl_status status = write_at(fd, path, &head, sizeof(head), 0, err);

	*stored_bytes = 0;
	if (status == PL_OK)
		status = write_at(fd, path, notes.text, notes.len, PAGE_BYTES, err);
	pl_buf_free(&notes);
	if (status == PL_OK && ftruncate(fd, (off_t)(at + core->ram_bytes)))
		status = pl_fail_errno(err, PL_HOST, "%zu bytes in %s", at + core->ram_bytes, path);
	if (status == PL_OK)
		status = write_ram(fd, path, core, at, stored_bytes, err);
	if (status == PL_OK && fsync(fd))
		status = pl_fail_errno(err, PL_HOST, "writing %s", path);
	return status;
}

enum pl_status pl_core_write(const struct pl_core *core, const char *path, char **temp, size_t *stored_bytes,
			     struct pl_error *err)
{
	struct kernel kernel;
	enum pl_status status = read_kernel(core->vmlinux, &kernel, err);

	*temp = NULL;
	if (status == PL_OK)
		status = check(core, &kernel, err);
	if (status != PL_OK)
		return status;

	int fd = pl_open_beside(path, 0666, temp);

	if (fd < 0)
		return pl_fail_errno(err, PL_HOST, "%s", path);
	status = write_file(fd, *temp, core, &kernel, stored_bytes, err);
	close(fd);
	if (status != PL_OK) {
		unlink(*temp);
		free(*temp);
		*temp = NULL;
	}
	return status;
}
