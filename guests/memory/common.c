/* What the parts have in common; memory.h says what each does. */
#include "memory.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

const char *part_name = "start";
long sabotage;

/* Ends this process with status 1, and if it is the first one all others, too. */
static void __attribute__((noreturn)) end_all(void)
{
    if (getpid() == getpgrp()) {
        signal(SIGTERM, SIG_IGN);
        kill(0, SIGTERM);
    }
    _exit(1);
}

void wrong(const char *form, ...)
{
    char text[256];
    int length = snprintf(text, sizeof text, "memory: %s: WRONG ", part_name);
    va_list arguments;
    va_start(arguments, form);
    length += vsnprintf(text + length, sizeof text - (size_t)length - 1, form, arguments);
    va_end(arguments);
    if (length > (int)sizeof text - 2)
        length = sizeof text - 2;
    text[length++] = '\n';
    if (write(STDOUT_FILENO, text, (size_t)length) < 0) /* at once, for others print too */
        _exit(2);
    end_all();
}

uint64_t scramble(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

uint64_t derive(uint64_t seed, uint64_t number)
{
    return scramble(seed ^ scramble(number));
}

uint64_t mix(uint64_t digest, uint64_t value)
{
    digest = (digest ^ value) * 0x9fb21c651e98df25;
    return digest ^ digest >> 29;
}

void fill(void *at, size_t bytes, uint64_t seed)
{
    uint64_t *words = at;
    for (size_t i = 0; i < bytes / 8; i++)
        words[i] = scramble(seed + i);
}

uint64_t verify(uint64_t digest, const void *at, size_t bytes, uint64_t seed)
{
    const volatile uint64_t *words = at;
    uint64_t flip = sabotage > 0 && --sabotage == 0;
    for (size_t i = 0; i < bytes / 8; i++) {
        uint64_t is = words[i], due = scramble(seed + i) ^ (i == 0 ? flip : 0);
        if (is != due)
            wrong("%p holds %016lx, %016lx was due (byte %zu of %zu)", (const void *)(words + i), is, due, i * 8, bytes);
        digest = mix(digest, is);
    }
    return digest;
}

uint64_t verify_zero(uint64_t digest, const void *at, size_t bytes)
{
    const volatile uint64_t *words = at;
    for (size_t i = 0; i < bytes / 8; i++)
        if (words[i] != 0)
            wrong("%p holds %016lx, zero was due (byte %zu of %zu)", (const void *)(words + i), words[i], i * 8, bytes);
    return mix(digest, bytes);
}

uint64_t require(uint64_t digest, int holds, const char *what)
{
    if (!holds)
        wrong("%s: %s", what, strerror(errno));
    return mix(digest, 1);
}

void *map(size_t bytes, int protection, int flags, int file, size_t offset)
{
    void *at = mmap(NULL, bytes, protection, flags, file, (off_t)offset);
    if (at == MAP_FAILED)
        wrong("mmap of %zu bytes: %s", bytes, strerror(errno));
    return at;
}

void *map_aligned(size_t bytes)
{
    char *all = map(bytes + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before = (HUGE - (uintptr_t)all % HUGE) % HUGE;
    if (before > 0)
        unmap(all, before);
    if (before < HUGE)
        unmap(all + before + bytes, HUGE - before);
    return all + before;
}

void unmap(void *at, size_t bytes)
{
    if (munmap(at, bytes) < 0)
        wrong("munmap: %s", strerror(errno));
}

void protect(void *at, size_t bytes, int protection)
{
    if (mprotect(at, bytes, protection) < 0)
        wrong("mprotect: %s", strerror(errno));
}

void advise(void *at, size_t bytes, int advice)
{
    if (madvise(at, bytes, advice) < 0)
        wrong("madvise %d: %s", advice, strerror(errno));
}

int memory_file(size_t bytes)
{
    int file = memfd_create("memory", 0);
    if (file < 0 || ftruncate(file, (off_t)bytes) < 0)
        wrong("memfd_create: %s", strerror(errno));
    return file;
}

static __thread sigjmp_buf back;
static __thread volatile int probing;
static __thread struct fault seen;

static void caught(int signal, siginfo_t *info, void *state)
{
    const ucontext_t *context = state;
    if (!probing)
        wrong("signal %d, code %d, at %p from %llx", signal, info->si_code, info->si_addr,
              (unsigned long long)context->uc_mcontext.gregs[REG_RIP]);
    seen.signal = signal;
    seen.code = info->si_code;
    seen.address = (uintptr_t)info->si_addr;
    seen.error = (unsigned long)context->uc_mcontext.gregs[REG_ERR];
    seen.key = signal == SIGSEGV && info->si_code == SEGV_PKUERR ? (int)info->si_pkey : 0;
    probing = 0;
    siglongjmp(back, 1);
}

void catch_faults(void)
{
    static char stack[65536];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    if (sigaltstack(&other, NULL) < 0 || sigaction(SIGSEGV, &action, NULL) < 0 || sigaction(SIGBUS, &action, NULL) < 0
        || sigaction(SIGILL, &action, NULL) < 0)
        wrong("sigaction: %s", strerror(errno));
}

/* Does the statement; what the caller returns. */
#define TRY(statement)                     \
    do {                                   \
        if (sigsetjmp(back, 0) != 0) {     \
            *fault = seen;                 \
            return 0;                      \
        }                                  \
        probing = 1;                       \
        statement;                         \
        probing = 0;                       \
        return 1;                          \
    } while (0)

int try_read(const void *at, uint64_t *value, struct fault *fault)
{
    TRY(*value = *(const volatile uint64_t *)at);
}

int try_write(void *at, uint64_t value, struct fault *fault)
{
    TRY(*(volatile uint64_t *)at = value);
}

int try_call(void *at, uint64_t *value, struct fault *fault)
{
    TRY(*value = ((uint32_t(*)(void))at)());
}

int try_deep(void (*work)(void), struct fault *fault)
{
    TRY(work());
}

uint64_t must_fault(uint64_t digest, enum access access, void *at, int signal, int code)
{
    static const unsigned long errors[] = {[READ] = 4, [WRITE] = 6, [EXECUTE] = 0x14};
    static const char *const names[] = {[READ] = "read", [WRITE] = "write", [EXECUTE] = "call"};
    struct fault fault = {0};
    uint64_t value = 0;
    int done = access == READ    ? try_read(at, &value, &fault)
               : access == WRITE ? try_write(at, 0x6261640a, &fault)
                                 : try_call(at, &value, &fault);
    if (done)
        wrong("a %s of %p was done, a fault was due", names[access], at);
    /* Whether a page was present is the kernel's affair; write, user and fetch are not. */
    if (fault.signal != signal || fault.code != code || fault.address != (uintptr_t)at
        || (fault.error & 0x1e) != errors[access])
        wrong("a %s of %p gave signal %d, code %d, address %lx, error %lx; signal %d, code %d was due", names[access], at,
              fault.signal, fault.code, fault.address, fault.error, signal, code);
    return mix(mix(digest, (uint64_t)fault.signal), (uint64_t)fault.code);
}

struct process start(part_function *part, uint64_t seed)
{
    uint64_t *result = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int child = fork();
    if (child < 0)
        wrong("fork: %s", strerror(errno));
    if (child == 0) {
        *result = part(seed);
        _exit(0);
    }
    return (struct process){child, result};
}

uint64_t end_of(struct process process)
{
    int status;
    if (waitpid(process.id, &status, 0) != process.id)
        wrong("waitpid: %s", strerror(errno));
    if (WIFSIGNALED(status))
        wrong("a process died of signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        end_all(); /* it has said what was wrong */
    uint64_t digest = *process.result;
    unmap((void *)process.result, PAGE);
    return digest;
}

uint64_t at_once(part_function *part, int processes, uint64_t seed)
{
    struct process all[PROCESSES_MOST];
    uint64_t digest = seed;
    int skipped = 0;
    for (int i = 0; i < processes; i++)
        all[i] = start(part, derive(seed, (uint64_t)i));
    for (int i = 0; i < processes; i++) {
        uint64_t one = end_of(all[i]);
        skipped += one == SKIPPED;
        digest = mix(digest, one);
    }
    if (skipped != 0 && skipped != processes)
        wrong("%d of %d processes left it out", skipped, processes);
    return skipped ? SKIPPED : digest;
}

long read_number(const char *name, const char *key)
{
    char line[256];
    long number = -1;
    FILE *file = fopen(name, "r");
    while (file && number < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            number = strtol(line + strlen(key), NULL, 10);
    if (file)
        fclose(file);
    return number;
}
