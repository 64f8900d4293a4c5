/*
 * Runs short pieces of code on the processor at hand and tells in which state they end. Every piece ends by an exception, if only that of the
 * HLT that all the rest of its page consists of.
 *
 * Standard input: batches, each a count (32 bits) and as many cases. Standard output: first what CPUID says for the leaves below; then for each
 * batch its outcomes. Cases and outcomes have the same size and, where they hold the same thing, the same layout: see Layout.java.
 *
 * The program is far above 4 GB, where no case reaches by accident, and has its cases' code and data below, so that code in all modes reaches
 * them. While a case runs, FS is not the C library's: nothing that is called from the signal handler may use it.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE 0x10000000L
#define DATA 0x10010000L
#define DATA_PAGES 5
#define PAGE 4096
#define HLT 0xf4
#define EXTRAS 3

struct window {
    uint32_t at, bytes;
};
/* As in Layout.java. The first two and the fourth data page are writable, the fifth is readable, the third is not there. */
static const struct window windows[] = {{0xec0, 640}, {0x1f80, 128}, {0x3f80, 256}};
#define WINDOWS 3
#define MEMORY 1024

struct record {
    union {
        struct {
            uint32_t compat;
            uint16_t cs, ss, ds, es, fs, gs;
            uint32_t entry, code_at, code_bytes, pad;
            uint64_t rflags, fs_base, gs_base, pad2;
            uint64_t gpr[16];
            uint8_t code[64];
        } in;
        struct {
            uint32_t trap, signal;
            uint64_t error, cr2, rip, rflags;
            uint16_t cs, ss, ds, es, fs, gs;
            uint32_t extras;
            uint64_t pad;
            uint64_t gpr[16];
            uint64_t fs_base, gs_base;
            struct {
                uint64_t at, value;
            } extra[EXTRAS];
        } out;
        uint8_t head[256];
    };
    uint8_t fx[512];
    uint8_t memory[MEMORY];
} __attribute__((aligned(64)));

static struct record in, out;
struct record *const q = &in;
uint64_t saved_rsp, saved_fs, saved_gs, jump_near;
struct {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed, aligned(8))) jump_far;

static uint8_t *code, *data;
static uint8_t pattern[DATA_PAGES * PAGE];
static volatile int running, ticks;

void run64(void), run32(void), on_signal(int, siginfo_t *, void *), on_tick(int, siginfo_t *, void *);
int capture(int, ucontext_t *), tick(int, ucontext_t *);

/* Everything that the case starts with, the stack pointer and flags included; only its code's address is still to come. */
#define LOAD \
    "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n mov %rsp, saved_rsp(%rip)\n" \
    "mov in+8(%rip), %ds\n mov in+10(%rip), %es\n" \
    "mov in+6(%rip), %ss\n lea in+32(%rip), %rsp\n popfq\n" \
    "fxrstor64 in+256(%rip)\n" \
    "mov in+64(%rip), %rax\n mov in+72(%rip), %rcx\n mov in+80(%rip), %rdx\n mov in+88(%rip), %rbx\n" \
    "mov in+96(%rip), %rsp\n mov in+104(%rip), %rbp\n mov in+112(%rip), %rsi\n mov in+120(%rip), %rdi\n" \
    "mov in+128(%rip), %r8\n mov in+136(%rip), %r9\n mov in+144(%rip), %r10\n mov in+152(%rip), %r11\n" \
    "mov in+160(%rip), %r12\n mov in+168(%rip), %r13\n mov in+176(%rip), %r14\n mov in+184(%rip), %r15\n"

asm(".text\n"
    ".globl run64, run32, on_signal, on_tick\n"
    "run64: " LOAD "jmp *jump_near(%rip)\n"
    "run32: " LOAD "ljmpl *jump_far(%rip)\n"
    /* Alignment checks may be on. */
    "on_signal: pushfq\n andl $~0x40000, (%rsp)\n popfq\n"
    "sub $8, %rsp\n mov %rdx, %rsi\n call capture\n"
    "leave_case: xor %eax, %eax\n mov %eax, %ds\n mov %eax, %es\n mov $0x2b, %eax\n mov %eax, %ss\n"
    "mov saved_rsp(%rip), %rsp\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n cld\n ret\n"
    "on_tick: pushfq\n andl $~0x40000, (%rsp)\n popfq\n"
    "sub $8, %rsp\n mov %rdx, %rsi\n call tick\n add $8, %rsp\n test %eax, %eax\n jnz leave_case\n ret\n");

static uint16_t selector_ds(void) {
    uint16_t s;
    asm volatile("mov %%ds, %0" : "=r"(s));
    return s;
}

static uint16_t selector_es(void) {
    uint16_t s;
    asm volatile("mov %%es, %0" : "=r"(s));
    return s;
}

int capture(int signal, ucontext_t *c) {
    static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    greg_t *g = c->uc_mcontext.gregs;
    if (!running) {
        asm volatile("wrfsbase %0" ::"r"(saved_fs));
        fprintf(stderr, "oracle: signal %d outside of cases at %llx, address %llx, case %x\n", signal, g[REG_RIP], g[REG_CR2], in.in.entry);
        _exit(3);
    }
    running = 0;
    out.out.trap = (uint32_t) g[REG_TRAPNO];
    out.out.signal = (uint32_t) signal;
    out.out.error = (uint64_t) g[REG_ERR];
    out.out.cr2 = (uint64_t) g[REG_CR2];
    out.out.rip = (uint64_t) g[REG_RIP];
    out.out.rflags = (uint64_t) g[REG_EFL];
    uint64_t selectors = (uint64_t) g[REG_CSGSFS];
    out.out.cs = (uint16_t) selectors;
    out.out.gs = (uint16_t) (selectors >> 16);
    out.out.fs = (uint16_t) (selectors >> 32);
    out.out.ss = (uint16_t) (selectors >> 48);
    out.out.ds = selector_ds();
    out.out.es = selector_es();
    asm volatile("mov %%fs, %0" : "=r"(out.out.fs));
    asm volatile("mov %%gs, %0" : "=r"(out.out.gs));
    asm volatile("rdfsbase %0" : "=r"(out.out.fs_base));
    asm volatile("rdgsbase %0" : "=r"(out.out.gs_base));
    asm volatile("mov %0, %%fs\n mov %0, %%gs\n wrfsbase %1\n wrgsbase %2" ::"r"(0), "r"(saved_fs), "r"(saved_gs));
    for (int i = 0; i < 16; i++) {
        out.out.gpr[i] = (uint64_t) g[order[i]];
    }
    memcpy(out.fx, c->uc_mcontext.fpregs, sizeof out.fx);
    return 1;
}

/* A case that still runs at the second tick hangs: it ends with this signal. */
int tick(int signal, ucontext_t *c) {
    uint64_t ip = (uint64_t) c->uc_mcontext.gregs[REG_RIP];
    int in_case = (c->uc_mcontext.gregs[REG_CSGSFS] & 0xffff) != 0x33 || (ip >= CODE && ip < CODE + PAGE);
    if (running && in_case && ++ticks > 2) {
        return capture(signal, c);
    }
    return 0;
}

static void outside(uint32_t from, uint32_t to) {
    if (memcmp(data + from, pattern + from, to - from) == 0) {
        return;
    }
    for (uint32_t at = from; at < to; at += 8) {
        if (memcmp(data + at, pattern + at, 8)) {
            if (out.out.extras < EXTRAS) {
                out.out.extra[out.out.extras].at = at;
                memcpy(&out.out.extra[out.out.extras].value, data + at, 8);
            }
            out.out.extras++;
            memcpy(data + at, pattern + at, 8);
        }
    }
}

static void one(void) {
    static uint32_t last_at, last_bytes;
    memset(code + last_at, HLT, last_bytes);
    last_at = in.in.code_at;
    last_bytes = in.in.code_bytes < PAGE - last_at ? in.in.code_bytes : PAGE - last_at;
    memcpy(code + last_at, in.in.code, last_bytes);
    uint8_t *from = in.memory;
    for (int i = 0; i < WINDOWS; i++) {
        memcpy(data + windows[i].at, from, windows[i].bytes);
        from += windows[i].bytes;
    }
    jump_near = in.in.entry;
    jump_far.offset = in.in.entry;
    jump_far.selector = in.in.cs;
    memset(&out.out, 0, sizeof out.out);
    ticks = 0;
    running = 1;
    asm volatile("mov %0, %%fs\n mov %1, %%gs" ::"r"(in.in.fs), "r"(in.in.gs));
    if (!in.in.compat) {
        asm volatile("wrfsbase %0\n wrgsbase %1" ::"r"(in.in.fs_base), "r"(in.in.gs_base));
        run64();
    } else {
        run32();
    }
    outside(0, windows[0].at);
    outside(windows[0].at + windows[0].bytes, windows[1].at);
    outside(3 * PAGE, windows[2].at);
    uint8_t *to = out.memory;
    for (int i = 0; i < WINDOWS; i++) {
        memcpy(to, data + windows[i].at, windows[i].bytes);
        to += windows[i].bytes;
    }
}

static uint8_t *map(int file, long at, long offset, size_t bytes, int rights) {
    void *p = mmap((void *) at, bytes, rights, MAP_SHARED | MAP_POPULATE | (at ? MAP_FIXED_NOREPLACE : 0), file, offset);
    if (p == MAP_FAILED) {
        perror("oracle: mmap");
        exit(2);
    }
    return p;
}

/* The same pages twice: where the cases see them, with their rights, and where this program writes them. */
static void memory(void) {
    int file = memfd_create("oracle", 0);
    if (file < 0 || ftruncate(file, (DATA_PAGES + 1) * PAGE)) {
        perror("oracle: memfd");
        exit(2);
    }
    code = map(file, 0, 0, PAGE, PROT_READ | PROT_WRITE);
    data = map(file, 0, PAGE, DATA_PAGES * PAGE, PROT_READ | PROT_WRITE);
    memset(code, HLT, PAGE);
    for (uint32_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (uint8_t) (i * 0x9d ^ i >> 8);
    }
    memcpy(data, pattern, sizeof pattern);
    map(file, CODE, 0, PAGE, PROT_READ | PROT_EXEC);
    map(file, DATA, PAGE, 2 * PAGE, PROT_READ | PROT_WRITE);
    map(file, DATA + 3 * PAGE, 4 * PAGE, PAGE, PROT_READ | PROT_WRITE);
    map(file, DATA + 4 * PAGE, 5 * PAGE, PAGE, PROT_READ);
}

/* Descriptors come first: a count and as many of the kernel's user_desc. */
static void segments(void) {
    uint32_t count;
    struct user_desc d;
    if (fread(&count, 4, 1, stdin) != 1) {
        exit(2);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (fread(&d, sizeof d, 1, stdin) != 1 || syscall(SYS_modify_ldt, 0x11, &d, sizeof d)) {
            perror("oracle: modify_ldt");
            exit(2);
        }
    }
}

static void identify(void) {
    static const uint32_t leaves[][2] = {{0, 0}, {1, 0}, {7, 0}, {0xd, 1}, {0x80000001, 0}, {0x80000008, 0}};
    for (unsigned i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        uint32_t r[4] = {0};
        __get_cpuid_count(leaves[i][0], leaves[i][1], r, r + 1, r + 2, r + 3);
        fwrite(r, sizeof r, 1, stdout);
    }
    fflush(stdout);
}

static void catch_signals(void) {
    static char stack[1 << 18] __attribute__((aligned(64)));
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&other, 0);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART};
    static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        sigaction(signals[i], &action, 0);
    }
    action.sa_sigaction = on_tick;
    sigaction(SIGALRM, &action, 0);
    struct itimerval timer = {{0, 20000}, {0, 20000}};
    setitimer(ITIMER_REAL, &timer, 0);
}

int main(void) {
    uint32_t count;
    asm volatile("rdfsbase %0\n rdgsbase %1" : "=r"(saved_fs), "=r"(saved_gs));
    setvbuf(stdin, 0, _IOFBF, 1 << 20);
    setvbuf(stdout, 0, _IOFBF, 1 << 20);
    identify();
    segments();
    memory();
    catch_signals();
    while (fread(&count, 4, 1, stdin) == 1) {
        struct record *batch = malloc(count * sizeof *batch);
        if (!batch || fread(batch, sizeof *batch, count, stdin) != count) {
            return 2;
        }
        for (uint32_t i = 0; i < count; i++) {
            in = batch[i];
            one();
            fwrite(&out, sizeof out, 1, stdout);
        }
        fflush(stdout);
        free(batch);
    }
    return 0;
}
