/*
 * 64-bit mode: integer, SSE2 and x87 instructions with known results, then what only a kernel can do:
 * segment bases, SYSCALL and SYSRET, compatibility mode, interrupts.
 */
#include "micro.h"

#define ROUNDS 0x58cbf11774c5c205 /* what a real processor computes */

#include "longmode_checks.h"

#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

/* SYSRET wants these three in a row: code of 32 bits, data, code of 64 bits, all for ring 3. */
#define SYSRET_SLOT 7
#define SYSRET_CODE ((SYSRET_SLOT + 2) * 8 | 3)
#define COMPAT_SLOT 10

static void bases(void) {
    static u64 fs_word = 0xf5, gs_word = 0x65, other_word = 0x07;
    u64 value;
    write_msr(MSR_FS_BASE, (u64) &fs_word - 0x1000);
    __asm__ volatile("movq %%fs:0x1000, %0" : "=r"(value));
    check("base of FS", value, 0xf5);
    write_msr(MSR_GS_BASE, (u64) &gs_word);
    write_msr(MSR_KERNEL_GS_BASE, (u64) &other_word);
    __asm__ volatile("swapgs; movq %%gs:0, %0; swapgs" : "=r"(value));
    check("base of GS after swapgs", value, 0x07);
    __asm__ volatile("movq %%gs:0, %0" : "=r"(value));
    check("base of GS", value, 0x65);
}

static volatile u64 system_call_flags, system_call_return, system_call_cs, code_after, flags_after;

/* Enters the kernel and comes back with SYSRET; uses no stack, for that would be the user's. */
__asm__(".text\n"
        "system_call:\n"
        "movq %rcx, system_call_return\n"
        "movq %r11, system_call_flags\n"
        "movq %cs, %rax\n"
        "movq %rax, system_call_cs\n"
        "sysretq\n");
extern u8 system_call[], after_system_call[];

static void user_system_call(void) {
    __asm__ volatile("stc\n"
                     "syscall\n"
                     "after_system_call:\n"
                     "pushfq\n"
                     "popq flags_after\n"
                     "movq %%cs, %%rax\n"
                     "movq %%rax, code_after\n" ::: "rax", "rcx", "r11", "memory");
    USER_END();
}

static void system_calls(void) {
    gdt[SYSRET_SLOT] = 0x00cffb000000ffffULL;
    gdt[SYSRET_SLOT + 1] = 0x00cff3000000ffffULL;
    gdt[SYSRET_SLOT + 2] = 0x00affb000000ffffULL;
    write_msr(EFER, read_msr(EFER) | EFER_SCE);
    write_msr(MSR_STAR, (u64) (SYSRET_SLOT * 8 | 3) << 48 | (u64) KERNEL_CODE << 32);
    write_msr(MSR_LSTAR, (u64) system_call);
    write_msr(MSR_SFMASK, 0x200);
    enter_user(user_system_call);
    check("RCX of syscall", system_call_return, (u64) after_system_call);
    check("R11 of syscall", system_call_flags & (CF | 2), CF | 2);
    check("CS after syscall", system_call_cs, KERNEL_CODE);
    check("CS after sysret", code_after, SYSRET_CODE);
    check("flags after sysret", flags_after & CF, CF);
}

/* In 32-bit code 0x40 is inc %eax; in 64-bit code it would be a prefix. */
__asm__(".text\n"
        ".code32\n"
        "compatible:\n"
        "xorl %eax, %eax\n"
        ".byte 0x40, 0x40\n"
        "movl $0xffffffff, %ecx\n"
        "incl %ecx\n"
        "lret\n"
        ".code64\n");
extern u8 compatible[];

static void compatibility(void) {
    gdt[COMPAT_SLOT] = 0x00cf9b000000ffffULL;
    struct {
        u32 offset;
        u16 selector;
    } __attribute__((packed)) far = {(u32) (u64) compatible, COMPAT_SLOT * 8};
    u64 a, c = ~0ULL;
    __asm__ volatile("lcall *%2" : "=a"(a), "+c"(c) : "m"(far) : "memory");
    check("inc of one byte in compatibility mode", a, 2);
    check("register after compatibility mode", c & 0xffffffff, 0);
}

static volatile u64 stack_seen;

static void remember_stack(struct frame *frame) {
    stack_seen = (u64) &frame->ip + 5 * 8;
    check("SS pushed in 64-bit mode", frame->ss, KERNEL_DATA);
}

/* The processor aligns the stack to 16 bytes before it pushes, and always pushes SS:RSP. */
static void interrupt_frames(void) {
    handle(0x40, remember_stack);
    for (u32 i = 0; i < 16; i++) {
        u64 before;
        __asm__ volatile("movq %%rsp, %0\n"
                         "subq %1, %%rsp\n"
                         "int $0x40\n"
                         "movq %0, %%rsp"
                         : "=&b"(before)
                         : "r"((u64) i + 128)
                         : "memory");
        check("stack of an interrupt", stack_seen, (before - i - 128) & ~15ULL);
    }
    ATTEMPT("movw %w0, %%fs", ::"r"(0x1000));
    expect_fault("#GP in 64-bit mode", GP, 0x1000);
    ATTEMPT(".byte 0x06", :); /* push %es */
    expect_fault("#UD, push of ES in 64-bit mode", UD, 0);
}

GUEST("longmode") {
    check("long mode active", read_msr(EFER) & 0x500, 0x500);
    write_cr0((read_cr0() & ~(uword) (CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
    integers();
    sse();
    x87();
    bases();
    system_calls();
    compatibility();
    interrupt_frames();
}
