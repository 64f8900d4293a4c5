/*
 * What user mode can't reach, or nobody can foretell: XSETBV, XSAVE's formats with XSAVES and XRSTORS, lazy
 * switching (#NM), random numbers, MONITOR and MWAIT, RDPID (APM volume 2, 11.5; volume 3; SDM volume 1,
 * chapter 13).
 */
#include "micro.h"

#define CR4_OSXSAVE (1UL << 18)
#define COMPACTED (1UL << 63)
#define X87 1UL
#define SSE 2UL
#define KEYS (1UL << 9)
#define XSS 0xda0
#define TSC_AUX 0xc0000103
#define FLAGS 0x8d5 /* CF PF AF ZF SF OF */
#define HEADER (512 / 8)
#define XMM3 ((160 + 48) / 8)

static u64 area[512] __attribute__((aligned(64)));

static struct cpuid leaf(u32 number, u32 sub) {
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "0"(number), "2"(sub));
    return r;
}

static u64 xgetbv(u32 number) {
    u32 low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(number));
    return (u64) high << 32 | low;
}

#define XSETBV(number, value) \
    ATTEMPT("xsetbv", ::"c"(number), "a"((u32) (value)), "d"((u32) ((u64) (value) >> 32)))
#define SAVE(name, mask) ATTEMPT(name " (%%rbx)", ::"b"(area), "a"((u32) (mask)), "d"(0) : "memory")

static void set_xmm3(u64 value) {
    __asm__ volatile("movq %0, %%xmm3" ::"r"(value));
}

static u64 xmm3(void) {
    u64 value;
    __asm__ volatile("movq %%xmm3, %0" : "=r"(value));
    return value;
}

static void registers(u64 components) {
    check("XCR0 at first", xgetbv(0), X87);
    XSETBV(0, X87 | SSE);
    expect_nothing("XSETBV of x87 and SSE");
    check("XCR0", xgetbv(0), X87 | SSE);
    XSETBV(0, SSE);
    expect_fault("XSETBV without x87", GP, 0);
    XSETBV(0, components | 1UL << 62);
    expect_fault("XSETBV of what is not there", GP, 0);
    XSETBV(0, X87 | 4);
    expect_fault("XSETBV of AVX without SSE", GP, 0);
    XSETBV(1, X87);
    expect_fault("XSETBV of another register", GP, 0);
    ATTEMPT("xgetbv", ::"c"(7) : "rax", "rdx");
    expect_fault("XGETBV of another register", GP, 0);
    check("size of x87 and SSE", leaf(0xd, 0).ebx, 576);
    check("OSXSAVE", cpuid(1).ecx >> 27 & 1, 1);
}

static void user_xsetbv(void) {
    XSETBV(0, X87 | SSE);
    USER_END();
}

static void formats(int compact, int supervisor) {
    memset(area, 0x55, sizeof area);
    memset(area + HEADER, 0, 64);
    set_xmm3(7);
    SAVE("xsave64", SSE);
    expect_nothing("XSAVE");
    check("XSTATE_BV", area[HEADER] & SSE, SSE);
    check("XMM3 in memory", area[XMM3], 7);
    check("x87 state that was not asked for", area[0], 0x5555555555555555UL);
    set_xmm3(8);
    SAVE("xrstor64", SSE);
    check("XMM3 restored", xmm3(), 7);
    area[HEADER] = 0;
    SAVE("xrstor64", X87);
    check("XMM3 that was not asked for", xmm3(), 7);
    SAVE("xrstor64", SSE);
    check("XMM3 initialized", xmm3(), 0);
    area[HEADER] = 1UL << 62;
    SAVE("xrstor64", SSE);
    expect_fault("XSTATE_BV with a bit that is not in XCR0", GP, 0);
    area[HEADER] = 0;
    ATTEMPT("xsave64 8(%%rbx)", ::"b"(area), "a"(3), "d"(0) : "memory");
    expect_fault("XSAVE to a place that is not aligned", GP, 0);
    if (strict()) { /* TCG does not look at TS here */
        write_cr0(read_cr0() | CR0_TS);
        SAVE("xsave64", SSE);
        expect_fault("XSAVE with TS", NM, 0);
        SAVE("xrstor64", SSE);
        expect_fault("XRSTOR with TS", NM, 0);
        __asm__ volatile("clts");
    }
    if (!compact) {
        skip("XSAVEC");
        return;
    }
    set_xmm3(9);
    SAVE("xsavec64", SSE);
    expect_nothing("XSAVEC");
    check("XCOMP_BV", area[HEADER + 1], COMPACTED | SSE);
    set_xmm3(0);
    SAVE("xrstor64", SSE);
    check("XMM3 restored from the compacted format", xmm3(), 9);
    if (!supervisor) {
        skip("XSAVES");
        return;
    }
    write_msr(XSS, 0);
    ATTEMPT("wrmsr", ::"c"(XSS), "a"(1), "d"(0));
    expect_fault("x87 in IA32_XSS", GP, 0);
    SAVE("xsaves64", SSE);
    expect_nothing("XSAVES");
    check("XCOMP_BV of XSAVES", area[HEADER + 1], COMPACTED | SSE);
    set_xmm3(0);
    SAVE("xrstors64", SSE);
    check("XMM3 restored by XRSTORS", xmm3(), 9);
    area[HEADER + 1] = 0;
    SAVE("xrstors64", SSE);
    expect_fault("XRSTORS of the standard format", GP, 0);
}

static void user_xsaves(void) {
    SAVE("xsaves64", SSE);
    USER_END();
}

#define RANDOM(text, what)                                                                   \
    do {                                                                                     \
        u64 flags = 0, value = 0;                                                            \
        __asm__ volatile(text "\n pushf\n pop %1" : "+a"(value), "=r"(flags));               \
        check(what ", flags", flags & FLAGS, 1);                                             \
        different |= value;                                                                  \
    } while (0)

static void random_numbers(void) {
    u64 different = 0;
    if (cpuid(1).ecx & 1 << 30) {
        RANDOM("rdrand %%rax", "RDRAND of 64 bits");
        RANDOM("rdrand %%eax", "RDRAND of 32 bits");
        RANDOM("rdrand %%ax", "RDRAND of 16 bits");
        check("random bits that were never set", (different & 0xffff) != 0, 1);
        u64 high = ~0UL;
        __asm__ volatile("rdrand %%eax" : "+a"(high));
        check("upper half after RDRAND of 32 bits", high >> 32, 0);
    } else {
        skip("RDRAND");
    }
    if (cpuid(7).ebx & 1 << 18) {
        RANDOM("rdseed %%rax", "RDSEED of 64 bits");
        RANDOM("rdseed %%ax", "RDSEED of 16 bits");
    } else {
        skip("RDSEED");
    }
}

static void user_monitor(void) {
    ATTEMPT("monitor", ::"a"(area), "c"(0), "d"(0));
    USER_END();
}

static void monitor(void) {
    if (!(cpuid(1).ecx & 1 << 3)) {
        skip("MONITOR");
        return;
    }
    ATTEMPT("monitor", ::"a"(area), "c"(1), "d"(0));
    expect_fault("MONITOR with an extension", GP, 0);
    enter_user(user_monitor);
    if (strict()) {
        expect_fault("MONITOR in ring 3", UD, 0);
        ATTEMPT("mwait", ::"a"(0), "c"(4));
        expect_fault("MWAIT with an unknown extension", GP, 0);
        /* Written between the two: MWAIT must not wait, since nothing would ever end it. */
        ATTEMPT("monitor\n movl $1, (%%rax)\n xor %%eax, %%eax\n mwait", ::"a"(area), "c"(0), "d"(0)
                : "memory");
        expect_nothing("MWAIT after a store to the line");
    }
    if (!(cpuid(0x80000001).ecx & 1 << 29)) {
        skip("MONITORX");
        return;
    }
    ATTEMPT(".byte 0x0f, 0x01, 0xfa", ::"a"(area), "c"(0), "d"(0));
    ATTEMPT(".byte 0x0f, 0x01, 0xfb", ::"a"(0), "b"(100), "c"(2) : "memory");
    expect_nothing("MWAITX with a time limit");
    ATTEMPT(".byte 0x0f, 0x01, 0xfa", ::"a"(area), "c"(1), "d"(0));
    expect_fault("MONITORX with an extension", GP, 0);
}

static void processor_number(void) {
    if (!(cpuid(7).ecx & 1 << 22)) {
        skip("RDPID");
        return;
    }
    u64 got = ~0UL;
    write_msr(TSC_AUX, 0x12345678);
    __asm__ volatile("rdpid %0" : "+r"(got));
    check("RDPID", got, 0x12345678);
}

GUEST("xstate") {
    random_numbers();
    monitor();
    processor_number();
    if (!(cpuid(1).ecx & 1 << 26)) {
        skip("XSAVE");
        return;
    }
    ATTEMPT("xgetbv", ::"c"(0) : "rax", "rdx");
    expect_fault("XGETBV without OSXSAVE", UD, 0);
    SAVE("xsave64", SSE);
    expect_fault("XSAVE without OSXSAVE", UD, 0);
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXSAVE);
    registers(leaf(0xd, 0).eax | (u64) leaf(0xd, 0).edx << 32);
    enter_user(user_xsetbv);
    expect_fault("XSETBV in ring 3", GP, 0);
    u32 features = leaf(0xd, 1).eax;
    formats(features >> 1 & 1, features >> 3 & 1);
    if (features >> 3 & 1) {
        enter_user(user_xsaves);
        expect_fault("XSAVES in ring 3", GP, 0);
    }
}
