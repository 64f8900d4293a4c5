/*
 * Runs single instructions on the processor at hand. Standard input is a sequence of cases; each is written back to standard output with the state
 * after the instruction. See NativeOracle.java for the layout.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

struct test {
    uint8_t code[16];
    uint32_t length;
    uint32_t signal;
    uint64_t rax;
    uint64_t rcx;
    uint64_t rflags;
    uint64_t rdx;
    uint64_t unused;
    uint8_t fx[512];
    uint8_t memory[512];
} __attribute__((packed, aligned(16)));

void run(struct test *);
extern uint8_t page[], slot[], resume[];

asm(".text\n"
    ".balign 4096\n"
    ".globl page, run, slot, resume\n"
    "page:\n"
    "run: push %rbx\n"
    "push %rbp\n"
    "mov %rdi, %rbx\n"
    "lea 576(%rdi), %rsi\n"
    "mov %rsi, %rdi\n"
    "fxrstor64 64(%rbx)\n"
    "mov 24(%rbx), %rax\n"
    "mov 32(%rbx), %rcx\n"
    "mov 48(%rbx), %rdx\n"
    "push 40(%rbx)\n"
    "popfq\n"
    "slot: .fill 16, 1, 0x90\n"
    "resume: pushfq\n"
    "pop 40(%rbx)\n"
    "mov %rax, 24(%rbx)\n"
    "mov %rcx, 32(%rbx)\n"
    "mov %rdx, 48(%rbx)\n"
    "fxsave64 64(%rbx)\n"
    "fninit\n"
    "ldmxcsr defaults(%rip)\n"
    "pop %rbp\n"
    "pop %rbx\n"
    "ret\n"
    "defaults: .long 0x1f80\n"
    ".balign 4096\n");

static struct test test;

static void skip(int number, siginfo_t *info, void *context) {
    (void) info;
    ucontext_t *c = context;
    c->uc_mcontext.gregs[REG_RIP] = (greg_t) resume;
    test.signal = number;
}

int main(void) {
    struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
    sigaction(SIGFPE, &action, 0);
    sigaction(SIGSEGV, &action, 0);
    sigaction(SIGILL, &action, 0);
    if (mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC)) {
        perror("mprotect");
        return 1;
    }
    while (fread(&test, sizeof test, 1, stdin) == 1) {
        if (memcmp(slot, test.code, 16)) {
            memcpy(slot, test.code, 16);
        }
        run(&test);
        fwrite(&test, sizeof test, 1, stdout);
    }
    return 0;
}
