/*
 * Control and model-specific registers: every bit of CR4 and EFER that CPUID announces can be set and no
 * other, reserved bits and values of every architectural MSR raise #GP(0), and RDMSR and WRMSR themselves
 * (APM volume 2, 3.1, 7.7, 7.8, appendix A). TCG takes nearly any value: most of it is strict.
 */
#include "micro.h"

#define ANY 0xffffffffffffffffUL

static int feature(u32 leaf, int reg, int bit) {
    struct cpuid r = cpuid(leaf < 0x80000000 ? 0 : 0x80000000);
    if (r.eax < leaf) {
        return 0;
    }
    r = cpuid(leaf);
    u32 word = reg == 0 ? r.eax : reg == 1 ? r.ebx : reg == 2 ? r.ecx : r.edx;
    return word >> bit & 1;
}

static void expect_write(const char *what, int bit, int allowed) {
    if ((caught.vector == NONE) != allowed) {
        print("bit ");
        print_decimal((u64) bit);
        print("\n");
    }
    check(what, caught.vector, allowed ? NONE : GP);
    if (!allowed) {
        check(what, caught.error, 0);
    }
}

/* --- CR4 and EFER against CPUID --- */

static int cr4_bit(int bit) {
    switch (bit) {
        case 0:
        case 1: return feature(1, 3, 1);       /* VME, PVI */
        case 2: return feature(1, 3, 4);       /* TSD */
        case 3: return feature(1, 3, 2);       /* DE */
        case 4: return feature(1, 3, 3);       /* PSE */
        case 5:
        case 8: return 1;                      /* PAE is set; PCE */
        case 6: return feature(1, 3, 7);       /* MCE */
        case 7: return feature(1, 3, 13);      /* PGE */
        case 9: return feature(1, 3, 24);      /* OSFXSR */
        case 10: return feature(1, 3, 25);     /* OSXMMEXCPT */
        case 11: return feature(7, 2, 2);      /* UMIP */
        case 12: return 0;                     /* LA57 can't change in long mode */
        case 16: return feature(7, 1, 0);      /* FSGSBASE */
        case 17: return feature(1, 2, 17);     /* PCIDE */
        case 18: return feature(1, 2, 26);     /* OSXSAVE */
        case 20: return feature(7, 1, 7);      /* SMEP */
        case 21: return feature(7, 1, 20);     /* SMAP */
        case 22: return feature(7, 2, 3);      /* PKE */
        default: return 0;
    }
}

extern volatile u64 pml4[512];

static void control_bits(void) {
    u64 before = read_cr4();
    pml4[0] &= ~4UL; /* the guest's own pages are no user's, for SMEP and SMAP */
    write_cr3(read_cr3());
    for (int bit = 0; bit < 64; bit++) {
        if (!feature(1, 2, 5) || bit != 13) { /* not VMXE where VMX is */
            ATTEMPT("mov %0, %%cr4", ::"r"(before | 1UL << bit) : "memory");
            expect_write("CR4", bit, cr4_bit(bit));
            check("CR4 after a write", read_cr4(),
                  caught.vector == NONE ? before | 1UL << bit : before);
            write_cr4(before);
        }
    }
    pml4[0] |= 4;
    write_cr3(read_cr3());
    for (int bit = 32; bit < 64; bit++) {
        ATTEMPT("mov %0, %%cr0", ::"r"(read_cr0() | 1UL << bit));
        expect_write("CR0", bit, 0);
    }
    u64 cr8;
    for (int bit = 4; bit < 64; bit++) {
        ATTEMPT("mov %0, %%cr8", ::"r"(1UL << bit));
        expect_write("CR8", bit, 0);
    }
    __asm__ volatile("mov %%cr8, %0" : "=r"(cr8));
    check("CR8", cr8, 0);
}

static int efer_bit(int bit) {
    switch (bit) {
        case 0: return feature(0x80000001, 3, 11);  /* SCE */
        case 8: return 1;                           /* LME, set */
        case 11: return feature(0x80000001, 3, 20); /* NXE */
        case 12: return feature(0x80000001, 2, 2);  /* SVME */
        case 13: return -1;                         /* LMSLE has no bit of its own */
        case 14: return feature(0x80000001, 3, 25); /* FFXSR */
        case 15: return feature(0x80000001, 2, 17); /* TCE */
        case 20: return feature(0x80000021, 0, 8);  /* UAIE */
        case 21: return feature(0x80000021, 0, 8);  /* AIBRSE */
        default: return 0;
    }
}

static void attempt_write(u32 number, u64 value) {
    ATTEMPT("wrmsr", ::"c"(number), "a"((u32) value), "d"((u32) (value >> 32)) : "memory");
}

static void efer_bits(void) {
    u64 before = read_msr(EFER);
    for (int bit = 0; bit < 64; bit++) {
        int allowed = efer_bit(bit);
        if (bit == 10 || bit == 20 || allowed < 0) { /* LMA, and what differs between models */
            continue;
        }
        attempt_write(EFER, before | 1UL << bit);
        expect_write("EFER", bit, allowed);
        write_msr(EFER, before);
    }
    attempt_write(EFER, before & ~0x100UL);
    check("EFER.LME cleared while paging", caught.vector, GP);
}

/* --- one register after the other --- */

static void refused(const char *what, u32 number, u64 value) {
    u64 before = read_msr(number);
    attempt_write(number, value);
    expect_fault(what, GP, 0);
    check(what, read_msr(number), before);
}

static void kept(const char *what, u32 number, u64 value) {
    u64 before = read_msr(number);
    attempt_write(number, value);
    expect_nothing(what);
    check(what, read_msr(number), value);
    write_msr(number, before);
}

static void page_attributes(void) {
    if (!feature(1, 3, 16)) {
        skip("PAT");
        return;
    }
    for (int byte = 0; byte < 8; byte++) {
        for (u64 type = 0; type < 256; type++) {
            u64 value = (0x0606060606060606UL & ~(0xffUL << 8 * byte)) | type << 8 * byte;
            if (type < 8 && (0xf3 >> type & 1)) {
                kept("PAT", 0x277, value);
            } else if (type < 32 || type > 0xf0) {
                refused("PAT of a reserved type", 0x277, value);
            }
        }
    }
}

static void memory_types(void) {
    if (!feature(1, 3, 12)) {
        skip("MTRR");
        return;
    }
    u64 capabilities = read_msr(0xfe);
    refused("MTRRcap", 0xfe, capabilities);
    int count = (int) capabilities & 0xff;
    u32 physical = cpuid(0x80000008).eax & 0xff;
    for (int i = 0; i < count; i++) {
        u32 base = 0x200 + 2 * (u32) i;
        kept("variable range, base", base, 0x12345006);
        kept("variable range, mask", base + 1, (1UL << physical) - 0x1000 + 0x800);
        for (u64 type = 0; type < 16; type++) {
            if (type < 8 && (0x73 >> type & 1)) {
                kept("variable range, type", base, type);
            } else {
                refused("variable range, reserved type", base, type);
            }
        }
        refused("variable range, reserved bit 8", base, 0x100);
        refused("variable range, reserved bit 11", base, 0x800);
        refused("variable range, mask's reserved bit", base + 1, 0x400);
        refused("variable range beyond the address", base, 1UL << physical);
        refused("variable range, mask beyond the address", base + 1, 1UL << physical);
    }
    ATTEMPT("rdmsr", ::"c"(0x200 + 2 * count) : "rax", "rdx");
    expect_fault("variable range that is not there", GP, 0);
    static const u32 fixed[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e,
                                0x26f};
    for (u32 i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        kept("fixed range", fixed[i], 0x0605040100060504);
        refused("fixed range, reserved type", fixed[i], 0x0605040200060504);
        refused("fixed range, large type", fixed[i], 0x8605040100060504);
    }
    kept("default type", 0x2ff, 0xc06);
    kept("default type, off", 0x2ff, 0);
    refused("default type, reserved type", 0x2ff, 0xc02);
    refused("default type, reserved bit 8", 0x2ff, 0x106);
    refused("default type, reserved bit 12", 0x2ff, 0x1006);
    refused("default type, reserved bit 32", 0x2ff, 1UL << 32);
}

static void machine_check(void) {
    if (!feature(1, 3, 14)) {
        skip("MCA");
        return;
    }
    int banks = (int) read_msr(0x179) & 0xff;
    refused("MCG_CAP", 0x179, 0);
    kept("MCG_STATUS", 0x17a, 0);
    for (u32 i = 0; i < (u32) banks && i < 16; i++) {
        attempt_write(0x400 + 4 * i, ANY);
        expect_nothing("MCi_CTL of ones");
        attempt_write(0x401 + 4 * i, 0);
        expect_nothing("MCi_STATUS of zero");
        if (amd()) {
            ATTEMPT("rdmsr", ::"c"(0x403 + 4 * i) : "rax", "rdx");
            expect_nothing("MCi_MISC");
        }
    }
    write_msr(0x17a, 0);
}

static void system_calls(void) {
    kept("STAR", 0xc0000081, 0x123456789abcdef0);
    kept("SFMASK", 0xc0000084, 0x47700);
    kept("KernelGSbase", 0xc0000102, 0xffff812345678000);
    kept("FS.base", 0xc0000100, 0x00007fffffffffff);
    kept("SYSENTER_CS", 0x174, 0x10);
    kept("SYSENTER_EIP", 0x176, 0x12345678);
    u64 aux = feature(0x80000001, 3, 27);
    if (aux) {
        kept("TSC_AUX", 0xc0000103, 0xffffffff);
        if (strict()) {
            refused("TSC_AUX of more than 32 bits", 0xc0000103, 1UL << 32);
        }
        u32 value;
        write_msr(0xc0000103, 77);
        __asm__ volatile("rdtscp" : "=c"(value)::"rax", "rdx");
        check("RDTSCP", value, 77);
    } else {
        skip("RDTSCP");
    }
    write_msr(0xc0000102, 0x1122334455);
    __asm__ volatile("swapgs");
    check("SWAPGS", read_msr(0xc0000101), 0x1122334455);
    __asm__ volatile("swapgs");
    check("SWAPGS back", read_msr(0xc0000102), 0x1122334455);
}

static void apic_base(void) {
    if (!feature(1, 3, 9)) {
        skip("APIC");
        return;
    }
    u64 before = read_msr(0x1b);
    check("APIC base", before & 0xfffff800, 0xfee00800);
    refused("APIC base, reserved bits", 0x1b, before | 1);
    u32 physical = cpuid(0x80000008).eax & 0xff;
    refused("APIC base beyond the address", 0x1b, before | 1UL << physical);
}

static void time_stamp(void) {
    attempt_write(0x10, 0x1000000000);
    expect_nothing("TSC");
    u64 now = read_msr(0x10);
    ENSURE("TSC after a write", now >= 0x1000000000 && now < 0x2000000000);
    u64 later = read_msr(0x10);
    ENSURE("TSC goes on", later > now);
}

/* --- the instructions --- */

SNIPPET(user_rdmsr, "rdmsr")
SNIPPET(user_wrmsr, "wrmsr")

static void instructions(void) {
    static const u32 unknown[] = {0x0, 0x12345, 0x3fffffff, 0x80000000, 0xc0009999, 0xffffffff};
    for (u32 i = 1; i < sizeof unknown / sizeof *unknown && strict(); i++) {
        ATTEMPT("rdmsr", ::"c"(unknown[i]) : "rax", "rdx");
        expect_fault("RDMSR of a register that is not there", GP, 0);
        attempt_write(unknown[i], 0);
        expect_fault("WRMSR of a register that is not there", GP, 0);
    }
    u64 a = ANY, d = ANY, c = 0xffffffff00000000UL | EFER;
    __asm__ volatile("rdmsr" : "+a"(a), "+d"(d), "+c"(c));
    check("RDMSR clears the upper half of RDX", d, 0);
    check("RDMSR clears the upper half of RAX", a, (u32) read_msr(EFER));
    check("RDMSR leaves RCX", c, 0xffffffff00000000UL | EFER);
    struct context user = in_ring(3);
    user.ip = (u64) user_rdmsr;
    user.cx = EFER;
    run(&user);
    ended("RDMSR in ring 3", &user, GP, 0, user_rdmsr);
    user = in_ring(3);
    user.ip = (u64) user_wrmsr;
    user.cx = EFER;
    run(&user);
    ended("WRMSR in ring 3", &user, GP, 0, user_wrmsr);
}

/* --- XCR0 --- */

static void attempt_xcr(u32 number, u64 value) {
    ATTEMPT(".byte 0x0f, 0x01, 0xd1", ::"c"(number), "a"((u32) value), "d"((u32) (value >> 32)));
}

static void extended_control(void) {
    if (!feature(1, 2, 26)) {
        skip("XSAVE");
        return;
    }
    ATTEMPT(".byte 0x0f, 0x01, 0xd0", ::"c"(0) : "rax", "rdx");
    expect_fault("XGETBV without OSXSAVE", UD, 0);
    attempt_xcr(0, 1);
    expect_fault("XSETBV without OSXSAVE", UD, 0);
    write_cr4(read_cr4() | 1 << 18);
    check("CPUID says OSXSAVE", cpuid(1).ecx >> 27 & 1, 1);
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "0"(13), "2"(0));
    u64 all = r.eax | (u64) r.edx << 32;
    attempt_xcr(0, 1);
    expect_nothing("XCR0 of x87 alone");
    attempt_xcr(0, 3);
    expect_nothing("XCR0 of x87 and SSE");
    attempt_xcr(0, all);
    expect_nothing("XCR0 of all");
    attempt_xcr(0, 0);
    expect_fault("XCR0 without x87", GP, 0);
    attempt_xcr(0, 2);
    expect_fault("XCR0 of SSE alone", GP, 0);
    attempt_xcr(1, 1);
    expect_fault("XCR1", GP, 0);
    if (all & 4) {
        attempt_xcr(0, 5);
        expect_fault("XCR0 of AVX without SSE", GP, 0);
    }
    for (int bit = 0; bit < 64; bit++) {
        if (!(all >> bit & 1)) {
            attempt_xcr(0, all | 1UL << bit);
            expect_write("XCR0, a bit that is not announced", bit, 0);
        }
    }
    attempt_xcr(0, 1);
    write_cr4(read_cr4() & ~(u64) (1 << 18));
}

GUEST("msrs") {
    pic_mask(0xffff);
    instructions();
    system_calls();
    extended_control();
    if (strict()) {
        time_stamp();
        control_bits();
        efer_bits();
        page_attributes();
        memory_types();
        machine_check();
        apic_base();
    }
}
