/*
 * Prints what multiboot handed over: command line, modules, memory. With the word "check" on the
 * command line the modules must be those of the folder "modules", with their strings.
 */
#include "micro.h"

#define FLAG_MEMORY 0x1
#define FLAG_COMMAND_LINE 0x4
#define FLAG_MODULES 0x8
#define FLAG_MEMORY_MAP 0x40

struct info {
    u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
    u32 mmap_length, mmap_addr;
};

struct module {
    u32 start, end, string, reserved;
};

struct range {
    u32 size;
    u64 base, length;
    u32 type;
} __attribute__((packed));

static void check_module(u32 index, const struct module *module, const char *text) {
    u32 length = (u32) strlen(text);
    check("length of a module", module->end - module->start, length);
    ENSURE("content of a module", !memcmp((void *) module->start, text, length));
    check("page boundary of a module", module->start & 0xfff, 0);
    if (index == 0) {
        ENSURE("string of module 0", has_word((const char *) module->string, "alpha=1"));
    }
}

static void modules(const struct info *info, int checked) {
    const struct module *module = (const struct module *) info->mods_addr;
    for (u32 i = 0; i < info->mods_count; i++, module++) {
        print("module ");
        print_decimal(i);
        print(": ");
        print_decimal(module->end - module->start);
        print(" bytes, ");
        print((const char *) module->string);
        print("\n");
        ENSURE("a module ends before it starts", module->end >= module->start);
        ENSURE(
                "a module lies over the image",
                module->start >= (u32) image_end || module->end <= (u32) image_start);
        if (checked) {
            check_module(i, module, i == 0 ? "the first module\n" : "the second\nmodule\n");
        }
    }
}

static void memory(const struct info *info) {
    u32 at = info->mmap_addr, end = at + info->mmap_length;
    int holds_image = 0;
    while (at < end) {
        const struct range *range = (const struct range *) at;
        print("memory ");
        print_hex(range->base);
        print(" + ");
        print_hex(range->length);
        print(" type ");
        print_decimal(range->type);
        print("\n");
        u64 limit = range->base + range->length;
        holds_image |= range->type == 1 && range->base <= (u32) image_start
                && limit >= (u32) image_end;
        at += range->size + 4;
    }
    ENSURE("no usable range holds the image", holds_image);
}

GUEST("mbmodules") {
    check("EAX at the entry", entry_eax, 0x2badb002);
    const struct info *info = (const struct info *) entry_ebx;
    check("paging or real mode at the entry", entry_cr0 & 0x80000001, 1);
    check("interrupts at the entry", entry_eflags & 0x200, 0);
    check("flags for memory sizes", info->flags & FLAG_MEMORY, FLAG_MEMORY);
    ENSURE("at least 512 KiB below 1 MiB", info->mem_lower >= 512 && info->mem_lower <= 640);
    ENSURE("at least 1 MiB above 1 MiB", info->mem_upper >= 1024);
    check("flag for the command line", info->flags & FLAG_COMMAND_LINE, FLAG_COMMAND_LINE);
    print("command line: ");
    print(command_line());
    print("\n");
    int checked = has_word(command_line(), "check");
    if (checked) {
        check("flag for modules", info->flags & FLAG_MODULES, FLAG_MODULES);
        check("count of modules", info->mods_count, 2);
        ENSURE("word of the command line", has_word(command_line(), "beta=two"));
    }
    if (info->flags & FLAG_MODULES) {
        modules(info, checked);
    }
    check("flag for the memory map", info->flags & FLAG_MEMORY_MAP, FLAG_MEMORY_MAP);
    memory(info);
}
