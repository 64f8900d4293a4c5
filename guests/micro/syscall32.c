/* SYSCALL, SYSRET, SYSENTER and SYSEXIT in legacy mode (APM volume 3; SYSENTER: SDM volume 2). */
#include "micro.h"

#define MSR_STAR 0xc0000081
#define MSR_SFMASK 0xc0000084
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176

#define BASE SELECTOR(FREE_SLOT) /* nothing there: descriptors are not read */
#define VM 0x20000

SNIPPET(do_syscall, "syscall")
SNIPPET(do_sysret, "sysret")
SNIPPET(do_sysenter, "sysenter")
SNIPPET(do_sysexit, "sysexit")
SNIPPET(entry, "nop")

static u8 stack[256] __attribute__((aligned(16)));

static struct context go(u8 *code, int cpl, u32 flags) {
    struct context c = in_ring(cpl);
    c.ip = (u32) code;
    c.flags |= flags;
    c.cx = (u32) stack + sizeof stack;
    c.dx = (u32) entry;
    run(&c);
    return c;
}

static void sysenter(void) {
    if (!(cpuid(1).edx & 1 << 11)) {
        skip("SYSENTER");
        return;
    }
    write_msr(MSR_SYSENTER_CS, 3);
    write_msr(MSR_SYSENTER_EIP, (u32) entry);
    write_msr(MSR_SYSENTER_ESP, (u32) stack + sizeof stack);
    for (int cpl = 0; cpl <= 3 && strict(); cpl += 3) { /* TCG takes the RPL for a selector */
        struct context c = go(do_sysenter, cpl, 0);
        ended("SYSENTER with a null selector", &c, GP, 0, do_sysenter);
        c = go(do_sysexit, cpl, 0);
        ended("SYSEXIT with a null selector", &c, GP, 0, do_sysexit);
    }
    write_msr(MSR_SYSENTER_CS, BASE | 3);
    u32 flags = 0xed7; /* with IF */
    for (int cpl = 0; cpl <= 3; cpl += 3) {
        struct context c = go(do_sysenter, cpl, flags);
        finished("SYSENTER", &c);
        check("CS after SYSENTER", c.cs, BASE);
        check("SS after SYSENTER", c.ss, BASE + 8);
        check("ESP after SYSENTER", c.sp, (u32) stack + sizeof stack);
        check("EIP after SYSENTER", c.ip, (u32) entry_end + 2);
        check("flags after SYSENTER", c.flags & ~0x10000u, flags & ~0x200u);
    }
    struct context c = go(do_sysexit, 3, 0);
    ended("SYSEXIT in ring 3", &c, GP, 0, do_sysexit);
    c = go(do_sysexit, 0, flags);
    finished("SYSEXIT", &c);
    check("CS after SYSEXIT", c.cs, (BASE + 16) | 3);
    check("SS after SYSEXIT", c.ss, (BASE + 24) | 3);
    check("ESP after SYSEXIT", c.sp, (u32) stack + sizeof stack);
    check("EIP after SYSEXIT", c.ip, (u32) entry_end + 2);
    check("flags after SYSEXIT", c.flags & ~0x10000u, flags);
}

static void syscall(void) {
    if (!(cpuid(0x80000001).edx & 1 << 11)) {
        skip("SYSCALL");
        return;
    }
    struct context c = go(do_syscall, 3, 0);
    ended("SYSCALL without EFER.SCE", &c, UD, 0, do_syscall);
    c = go(do_sysret, 0, 0);
    ended("SYSRET without EFER.SCE", &c, UD, 0, do_sysret);
    write_msr(EFER, read_msr(EFER) | EFER_SCE);
    write_msr(MSR_STAR, (u64) (BASE + 16) << 48 | (u64) BASE << 32 | (u32) entry);
    write_msr(MSR_SFMASK, 0xffffffff);
    if (!amd()) {
        c = go(do_syscall, 3, 0);
        ended("SYSCALL in legacy mode", &c, UD, 0, do_syscall);
        return;
    }
    u32 flags = 0xed7;
    for (int cpl = 0; cpl <= 3; cpl += 3) {
        c = go(do_syscall, cpl, flags);
        finished("SYSCALL", &c);
        check("CS after SYSCALL", c.cs, BASE);
        check("SS after SYSCALL", c.ss, BASE + 8);
        check("EIP after SYSCALL", c.ip, (u32) entry_end + 2);
        check("ECX after SYSCALL", c.cx, (u32) do_syscall_end);
        check("ESP after SYSCALL", c.sp, in_ring(cpl).sp);
        check("flags after SYSCALL, whatever the mask says", c.flags & ~0x10000u, flags & ~0x200u);
    }
    c = in_ring(0);
    c.ip = (u32) do_sysret;
    c.cx = (u32) entry;
    c.flags = 0xcd7;
    run(&c);
    finished("SYSRET", &c);
    check("CS after SYSRET", c.cs, (BASE + 16) | 3);
    check("SS after SYSRET", c.ss, (BASE + 24) | 3);
    check("EIP after SYSRET", c.ip, (u32) entry_end + 2);
    check("flags after SYSRET", c.flags & ~0x10000u, 0xed7);
    c = go(do_sysret, 3, 0);
    ended("SYSRET in ring 3", &c, GP, 0, do_sysret);
}

GUEST("syscall32") {
    pic_mask(0xffff);
    sysenter();
    syscall();
}
