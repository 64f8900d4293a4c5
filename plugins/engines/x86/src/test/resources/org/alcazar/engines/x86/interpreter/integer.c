/*
 * Runs single integer instructions on the processor at hand. Standard input is a sequence of cases; each is written back to standard output with
 * the state after the instruction. RSP and RDI are the harness's own: RDI is the address of the case's memory. See IntegerOracle.java.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

struct test {
    uint8_t code[16];
    uint64_t signal;
    uint64_t rflags;
    uint64_t registers[16];
    uint8_t memory[64];
} __attribute__((packed, aligned(16)));

void run(struct test *);
extern uint8_t page[], slot[], resume[];

asm(".text\n"
    ".balign 4096\n"
    ".globl page, run, slot, resume\n"
    "page:\n"
    "run: push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "push %rdi\n"
    "mov 32(%rdi), %rax\n mov 40(%rdi), %rcx\n mov 48(%rdi), %rdx\n mov 56(%rdi), %rbx\n"
    "mov 72(%rdi), %rbp\n mov 80(%rdi), %rsi\n"
    "mov 96(%rdi), %r8\n mov 104(%rdi), %r9\n mov 112(%rdi), %r10\n mov 120(%rdi), %r11\n"
    "mov 128(%rdi), %r12\n mov 136(%rdi), %r13\n mov 144(%rdi), %r14\n mov 152(%rdi), %r15\n"
    "push 24(%rdi)\n"
    "lea 160(%rdi), %rdi\n"
    "popfq\n"
    "slot: .fill 16, 1, 0x90\n"
    "resume: pushfq\n"
    "mov 8(%rsp), %rdi\n"
    "pop 24(%rdi)\n"
    "mov %rax, 32(%rdi)\n mov %rcx, 40(%rdi)\n mov %rdx, 48(%rdi)\n mov %rbx, 56(%rdi)\n"
    "mov %rbp, 72(%rdi)\n mov %rsi, 80(%rdi)\n"
    "mov %r8, 96(%rdi)\n mov %r9, 104(%rdi)\n mov %r10, 112(%rdi)\n mov %r11, 120(%rdi)\n"
    "mov %r12, 128(%rdi)\n mov %r13, 136(%rdi)\n mov %r14, 144(%rdi)\n mov %r15, 152(%rdi)\n"
    "pop %rdi\n"
    "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
    "cld\n"
    "ret\n"
    ".balign 4096\n");

static struct test test;

static void skip(int number, siginfo_t *info, void *context) {
    (void) info;
    ucontext_t *c = context;
    c->uc_mcontext.gregs[REG_RIP] = (greg_t) resume;
    test.signal = number;
}

int main(void) {
    static char stack[65536];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&other, 0);
    struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGFPE, &action, 0);
    sigaction(SIGSEGV, &action, 0);
    sigaction(SIGILL, &action, 0);
    sigaction(SIGTRAP, &action, 0);
    alarm(60);
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
