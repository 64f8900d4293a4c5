/* Entered through the PVH note of its ELF file; checks the machine state and the start info. */
#include "micro.h"

struct start_info {
    u32 magic, version, flags, nr_modules;
    u64 modlist_paddr, cmdline_paddr, rsdp_paddr, memmap_paddr;
    u32 memmap_entries, reserved;
};

struct range {
    u64 base, length;
    u32 type, reserved;
};

GUEST("pvh") {
    check("protected mode without paging", entry_cr0 & 0x80000001, 1);
    check("CR4", entry_cr4, 0);
    check("interrupts and tracing at the entry", entry_eflags & 0x300, 0);
    const struct start_info *info = (const struct start_info *) entry_ebx;
    check("magic number of the start info", info->magic, 0x336ec578);
    ENSURE("version of the start info", info->version >= 1);
    print("command line: ");
    print(info->cmdline_paddr ? (const char *) (uword) info->cmdline_paddr : "(none)");
    print("\n");
    ENSURE("no memory map", info->memmap_entries > 0);
    const struct range *range = (const struct range *) (uword) info->memmap_paddr;
    int holds_image = 0;
    for (u32 i = 0; i < info->memmap_entries; i++, range++) {
        print("memory ");
        print_hex(range->base);
        print(" + ");
        print_hex(range->length);
        print(" type ");
        print_decimal(range->type);
        print("\n");
        holds_image |= range->type == 1 && range->base <= (u32) image_start
                && range->base + range->length >= (u32) image_end;
    }
    ENSURE("no usable range holds the image", holds_image);
    const u8 *rsdp = (const u8 *) (uword) info->rsdp_paddr;
    if (rsdp) {
        u8 sum = 0;
        for (int i = 0; i < 20; i++) {
            sum = (u8) (sum + rsdp[i]);
        }
        ENSURE("signature of the RSDP", !memcmp(rsdp, "RSD PTR ", 8));
        check("checksum of the RSDP", sum, 0);
    }
}
