/*
 * SYSCALL, SYSRET, SYSENTER and SYSEXIT in long mode, from 64-bit and compatibility mode (APM volume 3,
 * SYSCALL and SYSRET; volume 2, 6.1). What differs between the vendors goes by CPUID's vendor.
 */
#include "micro.h"

#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_SYSENTER_CS 0x174

#define COMPAT0 SELECTOR(FREE_SLOT) /* 32-bit code of ring 0 */
#define COMPAT3 (SELECTOR(FREE_SLOT + 1) | 3)
#define SYSRET SELECTOR(FREE_SLOT + 4) /* nothing there: descriptors are not read */
#define NOWHERE 0x1000

SNIPPET(do_syscall, "syscall")
SNIPPET(do_sysretq, "sysretq")
SNIPPET(do_sysretl, "sysretl")
SNIPPET(do_sysenter, ".byte 0x0f, 0x34")
SNIPPET(do_sysexit, ".byte 0x0f, 0x35")
SNIPPET(entry64, "nop")
SNIPPET(entry32, "nop")
/* One byte that is INC EAX in 32-bit code and a prefix in 64-bit code. */
SNIPPET(landing, ".byte 0x40\n nop")

static struct context go(u8 *code, u64 cs, u64 flags) {
    struct context c = in_ring(cs & 3);
    c.cs = cs;
    c.ip = (u64) code;
    c.flags = 2 | flags;
    c.cx = (u64) landing;
    c.r11 = 2;
    run(&c);
    return c;
}

static void star(u64 syscall, u64 sysret) {
    write_msr(MSR_STAR, sysret << 48 | syscall << 32 | 0xdeadbeef);
}

static void disabled(void) {
    write_msr(EFER, read_msr(EFER) & ~(u64) EFER_SCE);
    static const u64 code[] = {KERNEL_CODE, USER_CODE, COMPAT0, COMPAT3};
    for (int i = 0; i < 4; i++) {
        struct context c = go(do_syscall, code[i], 0);
        ended("SYSCALL without EFER.SCE", &c, UD, 0, do_syscall);
        c = go(do_sysretl, code[i], 0);
        ended("SYSRET without EFER.SCE", &c, UD, 0, do_sysretl);
    }
    write_msr(EFER, read_msr(EFER) | EFER_SCE);
}

static void calls(void) {
    write_msr(MSR_LSTAR, (u64) entry64);
    write_msr(MSR_CSTAR, (u64) entry32);
    write_msr(MSR_SFMASK, 0);
    star(KERNEL_CODE, SYSRET);
    u64 flags = 0x40ed7 & ~0x200ULL; /* AC, OF, DF and all status flags; IOPL 0 */
    struct context c = go(do_syscall, USER_CODE, flags | 0x200);
    finished("SYSCALL", &c);
    check("RIP after SYSCALL", c.ip, (u64) entry64_end + 2);
    check("RCX after SYSCALL", c.cx, (u64) do_syscall_end);
    check("R11 after SYSCALL", c.r11, flags | 0x202);
    check("CS after SYSCALL", c.cs, KERNEL_CODE);
    check("SS after SYSCALL", c.ss, KERNEL_DATA);
    check("RSP after SYSCALL", c.sp, in_ring(3).sp);
    if (strict()) { /* TCG loses status flags and DF */
        check("flags after SYSCALL without a mask", c.flags & ~0x10000ULL, flags | 0x202);
        write_msr(MSR_SFMASK, 0x40600);
        c = go(do_syscall, USER_CODE, flags | 0x200);
        check("flags after SYSCALL with a mask", c.flags & ~0x10000ULL,
              (flags | 2) & ~0x40600ULL);
    }
    write_msr(MSR_SFMASK, 0xffffffff);
    c = go(do_syscall, USER_CODE, flags | 0x200);
    check("flags after SYSCALL with all bits masked", c.flags, 2);
    check("R11 after SYSCALL with all bits masked", c.r11, flags | 0x202);
    write_msr(MSR_SFMASK, 0);
    c = go(do_syscall, USER_CODE, 0x10000);
    check("RF in R11", c.r11 & 0x10000, 0);
    c = go(do_syscall, KERNEL_CODE, 0);
    finished("SYSCALL in ring 0", &c);
    check("CS after SYSCALL in ring 0", c.cs, KERNEL_CODE);
    star(KERNEL_CODE | 3, SYSRET);
    c = go(do_syscall, USER_CODE, 0);
    check("CS of a STAR with an RPL", c.cs, KERNEL_CODE);
    check("SS of a STAR with an RPL", c.ss, KERNEL_DATA);
    star(NOWHERE, SYSRET);
    c = go(do_syscall, USER_CODE, 0);
    finished("SYSCALL does not read descriptors", &c);
    check("CS of a STAR beyond the table", c.cs, NOWHERE);
    check("SS of a STAR beyond the table", c.ss, NOWHERE + 8);
    star(KERNEL_CODE, SYSRET);
}

static void compatibility_calls(void) {
    struct context c = go(do_syscall, COMPAT3, 0);
    if (amd()) {
        finished("SYSCALL in compatibility mode", &c);
        check("RIP after SYSCALL in compatibility mode", c.ip, (u64) entry32_end + 2);
        check("CS after SYSCALL in compatibility mode", c.cs, KERNEL_CODE);
        check("RCX after SYSCALL in compatibility mode", c.cx, (u64) do_syscall_end);
        check("R11 after SYSCALL in compatibility mode", c.r11, 2);
    } else {
        ended("SYSCALL in compatibility mode", &c, UD, 0, do_syscall);
    }
}

static struct context back(u8 *code, u64 cs, u64 rcx, u64 r11) {
    struct context c = in_ring(0);
    c.cs = cs;
    c.ip = (u64) code;
    c.cx = rcx;
    c.r11 = r11;
    c.ax = 0;
    run(&c);
    return c;
}

static void returns(void) {
    struct context c = back(do_sysretq, KERNEL_CODE, (u64) landing, 0x247fd7 & ~0x4100ULL);
    finished("SYSRET to 64-bit code", &c);
    check("CS after SYSRET to 64-bit code", c.cs, (SYSRET + 16) | 3);
    check("SS after SYSRET to 64-bit code", c.ss, (SYSRET + 8) | 3);
    check("code after SYSRET to 64-bit code", c.ax, 0);
    check("RSP after SYSRET", c.sp, in_ring(0).sp);
    check("flags after SYSRET", c.flags & ~0x10000ULL, 0x247fd7 & ~0x4100ULL);
    c = back(do_sysretl, KERNEL_CODE, (u64) landing | 0x123400000000, 2);
    finished("SYSRET to 32-bit code", &c);
    check("CS after SYSRET to 32-bit code", c.cs, SYSRET | 3);
    check("SS after SYSRET to 32-bit code", c.ss, (SYSRET + 8) | 3);
    check("code after SYSRET to 32-bit code", c.ax, 1);

    c = go(do_sysretq, USER_CODE, 0);
    ended("SYSRET in ring 3", &c, GP, 0, do_sysretq);
    c = go(do_sysretl, COMPAT3, 0);
    if (amd() || !strict()) {
        ended("SYSRET in ring 3 of compatibility mode", &c, GP, 0, do_sysretl);
    }
    if (strict()) {
        c = back(do_sysretq, KERNEL_CODE, (u64) landing, 0x30002);
        finished("SYSRET with RF and VM in R11", &c);
        check("VM after SYSRET", c.flags & 0x20000, 0);
        u64 far_away = 0x0000800000000000;
        c = back(do_sysretq, KERNEL_CODE, far_away, 2);
        if (amd()) {
            ended("SYSRET to no canonical address", &c, GP, 0, (void *) far_away);
            check("ring after SYSRET to no canonical address", c.cs, (SYSRET + 16) | 3);
        } else {
            ended("SYSRET to no canonical address", &c, GP, 0, do_sysretq);
        }
        c = back(do_sysretl, COMPAT0, (u64) landing, 0x8d7);
        if (amd()) {
            finished("SYSRET in compatibility mode", &c);
            check("CS after SYSRET in compatibility mode", c.cs, SYSRET | 3);
            check("flags after SYSRET in compatibility mode", c.flags & ~0x10000ULL & ~0xffULL,
                  0x200);
        } else {
            ended("SYSRET in compatibility mode", &c, UD, 0, do_sysretl);
        }
    }
}

static void sysenter(void) {
    if (!(cpuid(1).edx & 1 << 11)) {
        skip("SYSENTER");
        return;
    }
    write_msr(MSR_SYSENTER_CS, KERNEL_CODE);
    static const u64 code[] = {KERNEL_CODE, USER_CODE, COMPAT0, COMPAT3};
    int count = strict() ? 4 : 2; /* TCG forgets compatibility mode */
    for (int i = 0; i < count && amd(); i++) {
        struct context c = go(do_sysenter, code[i], 0);
        ended("SYSENTER in long mode", &c, UD, 0, do_sysenter);
        c = go(do_sysexit, code[i], 0);
        if (!(code[i] & 3)) {
            ended("SYSEXIT in long mode", &c, UD, 0, do_sysexit);
        } else if (strict()) { /* privilege comes first, as a Zen 5 does */
            ended("SYSEXIT in ring 3 of long mode", &c, GP, 0, do_sysexit);
        }
    }
}

GUEST("syscall") {
    pic_mask(0xffff);
    gdt[FREE_SLOT] = descriptor(0, 0xfffff, 0xc9b);
    gdt[FREE_SLOT + 1] = descriptor(0, 0xfffff, 0xcfb);
    disabled();
    calls();
    compatibility_calls();
    returns();
    sysenter();
}
