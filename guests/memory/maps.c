/* Parts in which one address space is changed and looked at: mappings, rights, moves, advice, large pages, the stack. */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

enum { RW = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };

/* Areas that come and go, with holes in them that must fault. */
static uint64_t anonymous(uint64_t digest, uint64_t seed)
{
    enum { AREAS = 24 };
    char *areas[AREAS];
    size_t pages[AREAS];
    for (int i = 0; i < AREAS; i++) {
        pages[i] = 2 + derive(seed, (uint64_t)i) % 30;
        areas[i] = map(pages[i] * PAGE, RW, ANONYMOUS, -1, 0);
        digest = verify_zero(digest, areas[i] + PAGE, PAGE);
        fill(areas[i], pages[i] * PAGE, seed + (uint64_t)i);
    }
    for (int i = 0; i < AREAS; i++)
        for (size_t page = 1; page < pages[i]; page += 2)
            unmap(areas[i] + page * PAGE, PAGE);
    for (int i = 0; i < AREAS; i++) {
        for (size_t page = 0; page < pages[i]; page++) {
            char *at = areas[i] + page * PAGE;
            if (page % 2 == 0)
                digest = verify(digest, at, PAGE, seed + (uint64_t)i + page * PAGE / 8);
            else
                digest = must_fault(digest, page % 4 == 1 ? READ : WRITE, at, SIGSEGV, SEGV_MAPERR);
        }
        unmap(areas[i], pages[i] * PAGE);
    }
    return digest;
}

/* One file seen through two shared mappings, a private one and its descriptor. */
static uint64_t one_file(uint64_t digest, uint64_t seed, int file, size_t bytes)
{
    char *one = map(bytes, RW, MAP_SHARED, file, 0);
    char *two = map(bytes, RW, MAP_SHARED, file, 0);
    char *own = map(bytes, RW, MAP_PRIVATE, file, 0);
    static char buffer[PAGE] __attribute__((aligned(PAGE)));
    fill(one, bytes, seed);
    digest = verify(digest, two, bytes, seed);
    digest = verify(digest, own, bytes, seed);
    for (size_t at = 0; at < bytes; at += 2 * PAGE)
        fill(own + at, PAGE, ~seed + at);
    for (size_t at = 0; at < bytes; at += 4 * PAGE)
        fill(two + at, PAGE, seed + at * 3);
    for (size_t at = 0; at < bytes; at += PAGE) {
        uint64_t shared = at % (4 * PAGE) == 0 ? seed + at * 3 : seed + at / 8;
        digest = verify(digest, one + at, PAGE, shared);
        digest = verify(digest, own + at, PAGE, at % (2 * PAGE) == 0 ? ~seed + at : shared);
        digest = require(digest, pread(file, buffer, PAGE, (off_t)at) == PAGE, "pread");
        digest = verify(digest, buffer, PAGE, shared);
    }
    fill(buffer, PAGE, seed ^ 7);
    digest = require(digest, pwrite(file, buffer, PAGE, PAGE) == PAGE, "pwrite");
    digest = verify(digest, one + PAGE, PAGE, seed ^ 7);
    digest = require(digest, ftruncate(file, (off_t)bytes / 2) == 0, "ftruncate");
    digest = must_fault(digest, READ, one + bytes / 2, SIGBUS, BUS_ADRERR);
    digest = must_fault(digest, WRITE, own + bytes / 2 + PAGE, SIGBUS, BUS_ADRERR);
    digest = require(digest, ftruncate(file, (off_t)bytes) == 0, "ftruncate");
    digest = verify_zero(digest, two + bytes / 2, bytes / 2);
    unmap(one, bytes);
    unmap(two, bytes);
    unmap(own, bytes);
    return digest;
}

uint64_t map_part(uint64_t seed)
{
    enum { BYTES = 64 * PAGE };
    uint64_t digest = anonymous(seed, seed);
    int file = memory_file(BYTES);
    digest = one_file(digest, derive(seed, 1), file, BYTES);
    close(file);
    char name[] = "/tmp/memory.0000000000000000";
    sprintf(name + 12, "%016lx", seed);
    file = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    digest = require(digest, file >= 0 && ftruncate(file, BYTES) == 0, "a file in /tmp");
    unlink(name);
    digest = one_file(digest, derive(seed, 2), file, BYTES);
    close(file);
    /* Shared anonymous memory, and pages of address space where nothing was before. */
    char *shared = map(BYTES, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fill(shared, BYTES, seed);
    for (int i = 0; i < 8; i++) {
        uintptr_t far = 0x100000000000 + (derive(seed, (uint64_t)i) & 0x1fffffffff000);
        void *at = mmap((void *)far, PAGE, RW, ANONYMOUS, -1, 0);
        digest = require(digest, at != MAP_FAILED, "mmap far away");
        digest = verify_zero(digest, at, PAGE);
        fill(at, PAGE, seed - (uint64_t)i);
        digest = verify(digest, at, PAGE, seed - (uint64_t)i);
        unmap(at, PAGE);
        digest = must_fault(digest, WRITE, at, SIGSEGV, SEGV_MAPERR);
    }
    digest = verify(digest, shared, BYTES, seed);
    unmap(shared, BYTES);
    return digest;
}

/* A function that returns a number: mov eax, number; ret. */
static void put_code(char *at, uint32_t number)
{
    at[0] = (char)0xb8;
    memcpy(at + 1, &number, sizeof number);
    at[5] = (char)0xc3;
}

static uint64_t call(uint64_t digest, void *at, uint32_t due)
{
    struct fault fault;
    uint64_t value;
    if (!try_call(at, &value, &fault))
        wrong("a call of %p gave signal %d, code %d", at, fault.signal, fault.code);
    if (value != due)
        wrong("a call of %p returned %lx, %x was due", at, value, due);
    return mix(digest, value);
}

static uint64_t run_code(uint64_t digest, uint64_t seed)
{
    int file = memory_file(PAGE);
    char *alias = map(PAGE, RW, MAP_SHARED, file, 0);
    char *code = map(PAGE, RW, MAP_SHARED, file, 0);
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t number = (uint32_t)derive(seed, i);
        put_code(code, number);
        digest = must_fault(digest, EXECUTE, code, SIGSEGV, SEGV_ACCERR);
        protect(code, PAGE, PROT_READ | PROT_EXEC);
        digest = call(digest, code, number);
        digest = must_fault(digest, WRITE, code, SIGSEGV, SEGV_ACCERR);
        put_code(alias, ~number); /* the same bytes, by another address */
        digest = call(digest, code, ~number);
        protect(code, PAGE, RW | PROT_EXEC);
        put_code(code, number ^ 1);
        digest = call(digest, code, number ^ 1);
        protect(code, PAGE, RW);
    }
    digest = must_fault(digest, EXECUTE, alias, SIGSEGV, SEGV_ACCERR);
    unmap(alias, PAGE);
    unmap(code, PAGE);
    close(file);
    return digest;
}

uint64_t protect_part(uint64_t seed)
{
    enum { PAGES = 48 };
    char *area = map(PAGES * PAGE, RW, ANONYMOUS, -1, 0);
    static const int rights[] = {RW, PROT_READ, PROT_NONE};
    uint64_t digest = seed;
    for (uint64_t turn = 0; turn < 6; turn++) {
        protect(area, PAGES * PAGE, RW);
        fill(area, PAGES * PAGE, seed + turn);
        for (uint64_t page = 0; page < PAGES; page++)
            protect(area + page * PAGE, PAGE, rights[derive(seed + turn, page) % 3]);
        for (uint64_t page = 0; page < PAGES; page++) {
            char *at = area + page * PAGE;
            uint64_t data = seed + turn + page * PAGE / 8;
            int now = rights[derive(seed + turn, page) % 3];
            if (now == PROT_NONE) {
                digest = must_fault(digest, page % 2 ? READ : WRITE, at + page * 8, SIGSEGV, SEGV_ACCERR);
                protect(at, PAGE, PROT_READ);
            } else if (now == RW) {
                fill(at, PAGE, ++data);
            }
            digest = verify(digest, at, PAGE, data);
            if (now != RW)
                digest = must_fault(digest, WRITE, at + page * 8, SIGSEGV, SEGV_ACCERR);
        }
    }
    unmap(area, PAGES * PAGE);
    return run_code(digest, seed);
}

static char *move(char *from, size_t old, size_t bytes, int flags, void *to)
{
    char *at = mremap(from, old, bytes, flags, to);
    if (at == MAP_FAILED)
        wrong("mremap: %s", strerror(errno));
    return at;
}

/* Memory that moves to and fro; with large pages or page tables that can be moved whole. */
static uint64_t to_and_fro(uint64_t digest, uint64_t seed, int advice)
{
    char *one = map_aligned(2 * HUGE), *two = map_aligned(2 * HUGE);
    advise(one, 2 * HUGE, advice);
    advise(two, 2 * HUGE, advice);
    fill(one, HUGE + 8 * PAGE, seed);
    for (int i = 0; i < 2; i++) {
        move(one, HUGE + 8 * PAGE, HUGE + 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, two);
        digest = must_fault(digest, READ, one + 8 * PAGE, SIGSEGV, SEGV_MAPERR);
        digest = must_fault(digest, WRITE, one + HUGE, SIGSEGV, SEGV_MAPERR);
        digest = verify(digest, two + HUGE - 4 * PAGE, 12 * PAGE, seed + (HUGE - 4 * PAGE) / 8);
        char *other = one;
        one = two;
        two = other;
    }
    digest = verify(digest, one, HUGE + 8 * PAGE, seed);
    unmap(one, 2 * HUGE);
    unmap(two, 2 * HUGE);
    return digest;
}

uint64_t remap_part(uint64_t seed)
{
    size_t bytes = 16 * PAGE;
    uint64_t digest = seed;
    char *area = map(bytes, RW, ANONYMOUS, -1, 0);
    fill(area, bytes, seed);
    for (uint64_t turn = 0; turn < 12; turn++) {
        size_t longer = bytes + (1 + derive(seed, turn) % 64) * PAGE;
        char *before = area;
        area = move(area, bytes, longer, MREMAP_MAYMOVE, NULL);
        digest = verify(digest, area, bytes, seed + turn);
        digest = verify_zero(digest, area + bytes, longer - bytes);
        struct fault fault;
        uint64_t value;
        if (area != before && try_read(before + bytes - PAGE, &value, &fault))
            wrong("%p is there after it has moved", before);
        bytes = longer - (1 + derive(seed, ~turn) % 16) * PAGE;
        area = move(area, longer, bytes, 0, NULL);
        digest = must_fault(digest, WRITE, area + bytes, SIGSEGV, SEGV_MAPERR);
        fill(area, bytes, seed + turn + 1);
    }
    char *elsewhere = move(area, bytes, bytes, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    digest = verify(digest, elsewhere, bytes, seed + 12);
    digest = verify_zero(digest, area, bytes);
    unmap(area, bytes);
    unmap(elsewhere, bytes);
    digest = to_and_fro(digest, derive(seed, 1), MADV_NOHUGEPAGE);
    return to_and_fro(digest, derive(seed, 2), MADV_HUGEPAGE);
}

/* A large page that is split in all ways, and put together again. */
static uint64_t large(uint64_t digest, uint64_t seed)
{
    char *area = map_aligned(HUGE);
    advise(area, HUGE, MADV_HUGEPAGE);
    fill(area, HUGE, seed);
    protect(area + 3 * PAGE, PAGE, PROT_READ);
    digest = must_fault(digest, WRITE, area + 3 * PAGE, SIGSEGV, SEGV_ACCERR);
    advise(area + 5 * PAGE, PAGE, MADV_DONTNEED);
    digest = verify_zero(digest, area + 5 * PAGE, PAGE);
    digest = verify(digest, area, 5 * PAGE, seed);
    digest = verify(digest, area + 6 * PAGE, HUGE - 6 * PAGE, seed + 6 * PAGE / 8);
    protect(area, HUGE, RW);
    fill(area + 5 * PAGE, PAGE, seed + 5 * PAGE / 8);
    for (int i = 0; i < 2; i++) {
        madvise(area, HUGE, MADV_COLLAPSE); /* without memory for it, or in an old kernel, it stays as it is */
        digest = verify(digest, area, HUGE, seed + (uint64_t)i);
        fill(area, HUGE, seed + (uint64_t)i + 1);
        protect(area + HUGE / 2, PAGE, PROT_NONE);
        digest = must_fault(digest, READ, area + HUGE / 2, SIGSEGV, SEGV_ACCERR);
        protect(area + HUGE / 2, PAGE, RW);
    }
    unmap(area, HUGE / 2);
    digest = must_fault(digest, READ, area, SIGSEGV, SEGV_MAPERR);
    digest = verify(digest, area + HUGE / 2, HUGE / 2, seed + 2 + HUGE / 16);
    unmap(area + HUGE / 2, HUGE / 2);
    return digest;
}

uint64_t advise_part(uint64_t seed)
{
    enum { PAGES = 32 };
    uint64_t digest = seed;
    char *area = map(PAGES * PAGE, RW, ANONYMOUS, -1, 0);
    for (uint64_t turn = 0; turn < 8; turn++) {
        fill(area, PAGES * PAGE, seed + turn);
        for (uint64_t page = turn % 2; page < PAGES; page += 2)
            advise(area + page * PAGE, PAGE, MADV_DONTNEED);
        for (uint64_t page = 0; page < PAGES; page++) {
            char *at = area + page * PAGE;
            digest = page % 2 == turn % 2 ? verify_zero(digest, at, PAGE)
                                          : verify(digest, at, PAGE, seed + turn + page * PAGE / 8);
        }
    }
    fill(area, PAGES * PAGE, seed);
    advise(area, PAGES * PAGE, MADV_FREE);
    for (uint64_t page = 0; page < PAGES; page++) {
        volatile uint64_t *word = (void *)(area + page * PAGE);
        uint64_t is = *word;
        if (is != 0 && is != scramble(seed + page * PAGE / 8))
            wrong("%p holds %016lx after MADV_FREE", (void *)word, is);
        fill(area + page * PAGE, PAGE, seed ^ page); /* a page that is written is kept */
    }
    for (uint64_t page = 0; page < PAGES; page++)
        digest = verify(digest, area + page * PAGE, PAGE, seed ^ page);
    unmap(area, PAGES * PAGE);
    int file = memory_file(PAGES * PAGE);
    area = map(PAGES * PAGE, RW, MAP_SHARED, file, 0);
    fill(area, PAGES * PAGE, seed);
    advise(area, PAGES * PAGE, MADV_DONTNEED); /* the file keeps it */
    digest = verify(digest, area, PAGES * PAGE, seed);
    advise(area + PAGE, PAGE, MADV_REMOVE);
    digest = verify_zero(digest, area + PAGE, PAGE);
    digest = verify(digest, area + 2 * PAGE, PAGE, seed + 2 * PAGE / 8);
    unmap(area, PAGES * PAGE);
    close(file);
    return large(digest, derive(seed, 1));
}

static uint64_t huge_child(uint64_t seed);
static char *huge_area;

uint64_t huge_part(uint64_t seed)
{
    if (read_number("/proc/meminfo", "HugePages_Total:") <= 0)
        return SKIPPED;
    uint64_t digest = seed;
    huge_area = map(HUGE, RW, ANONYMOUS | MAP_HUGETLB, -1, 0);
    fill(huge_area, HUGE, seed);
    struct process child = start(huge_child, seed);
    digest = mix(digest, end_of(child));
    digest = verify(digest, huge_area, HUGE, seed);
    protect(huge_area, HUGE, PROT_READ);
    digest = must_fault(digest, WRITE, huge_area + HUGE - 8, SIGSEGV, SEGV_ACCERR);
    protect(huge_area, HUGE, PROT_NONE);
    digest = must_fault(digest, READ, huge_area + 8, SIGSEGV, SEGV_ACCERR);
    protect(huge_area, HUGE, RW);
    fill(huge_area, HUGE, ~seed);
    digest = verify(digest, huge_area, HUGE, ~seed);
    advise(huge_area, HUGE, MADV_DONTNEED);
    digest = verify_zero(digest, huge_area, HUGE);
    unmap(huge_area, HUGE);
    return must_fault(digest, READ, huge_area, SIGSEGV, SEGV_MAPERR);
}

/* Copies the parent's page by writing to it. */
static uint64_t huge_child(uint64_t seed)
{
    uint64_t digest = verify(seed, huge_area, HUGE, seed);
    fill(huge_area, HUGE, seed + 1);
    return verify(digest, huge_area, HUGE, seed + 1);
}

uint64_t lock_part(uint64_t seed)
{
    enum { PAGES = 64 };
    unsigned char resident[PAGES];
    char *area = map(PAGES * PAGE, RW, ANONYMOUS, -1, 0);
    uint64_t digest = require(seed, mlock(area, PAGES * PAGE) == 0, "mlock");
    digest = require(digest, mincore(area, PAGES * PAGE, resident) == 0, "mincore");
    for (int page = 0; page < PAGES; page++)
        digest = require(digest, resident[page] & 1, "a locked page is in memory");
    digest = verify_zero(digest, area, PAGES * PAGE);
    fill(area, PAGES * PAGE, seed);
    digest = require(digest, madvise(area, PAGES * PAGE, MADV_DONTNEED) < 0 && errno == EINVAL, "DONTNEED of a lock");
    digest = verify(digest, area, PAGES * PAGE, seed);
    digest = require(digest, munlock(area, PAGES * PAGE / 2) == 0, "munlock");
    digest = require(digest, mlock2(area, PAGES * PAGE / 2, MLOCK_ONFAULT) == 0, "mlock2");
    protect(area, PAGES * PAGE, PROT_READ);
    digest = verify(digest, area, PAGES * PAGE, seed);
    unmap(area, PAGES * PAGE);
    return digest;
}

static uint64_t stack_seed, stack_digest;

static __attribute__((noinline)) void deeper(uint64_t depth)
{
    uint64_t data[512];
    fill(data, sizeof data, stack_seed + depth);
    if (depth > 0)
        deeper(depth - 1);
    stack_digest = verify(stack_digest, data, sizeof data, stack_seed + depth);
}

static uintptr_t stack_reached;

static void without_end(void);
static void (*volatile again)(void) = without_end; /* the compiler must not see what it does */

static void without_end(void)
{
    volatile char data[PAGE];
    data[0] = 1;
    stack_reached = (uintptr_t)data;
    again();
    data[1] = 1;
}

uint64_t stack_part(uint64_t seed)
{
    static const struct rlimit limit = {1 << 20, 1 << 20};
    stack_seed = stack_digest = seed;
    deeper(400);
    uint64_t digest = require(stack_digest, setrlimit(RLIMIT_STACK, &limit) == 0, "setrlimit");
    struct fault fault;
    if (try_deep(without_end, &fault))
        wrong("the stack has no end");
    if (fault.signal != SIGSEGV || fault.address < stack_reached - 2 * PAGE || fault.address > stack_reached)
        wrong("the stack ended at %lx with signal %d at %lx", stack_reached, fault.signal, fault.address);
    deeper(100);
    return mix(digest, stack_digest);
}

enum { PROVIDED = 64 };

static struct {
    int file;
    uint64_t seed;
    char *area;
} provider;

/* Brings in page by page what another thread waits for. */
static void *provide(void *unused)
{
    static char page[PAGE] __attribute__((aligned(PAGE)));
    for (int i = 0; i < PROVIDED; i++) {
        struct uffd_msg message;
        if (read(provider.file, &message, sizeof message) != sizeof message || message.event != UFFD_EVENT_PAGEFAULT)
            wrong("userfaultfd gave event %d", message.event);
        uintptr_t at = message.arg.pagefault.address & -(uintptr_t)PAGE;
        fill(page, PAGE, provider.seed + (at - (uintptr_t)provider.area) / 8);
        struct uffdio_copy copy = {.dst = at, .src = (uintptr_t)page, .len = PAGE};
        if (ioctl(provider.file, UFFDIO_COPY, &copy) < 0)
            wrong("UFFDIO_COPY: %s", strerror(errno));
    }
    return unused;
}

uint64_t userfault_part(uint64_t seed)
{
    struct uffdio_api api = {.api = UFFD_API};
    provider.file = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (provider.file < 0 || ioctl(provider.file, UFFDIO_API, &api) < 0)
        return SKIPPED;
    provider.seed = seed;
    provider.area = map(PROVIDED * PAGE, RW, ANONYMOUS, -1, 0);
    struct uffdio_register range = {.range = {(uintptr_t)provider.area, PROVIDED * PAGE},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};
    uint64_t digest = require(seed, ioctl(provider.file, UFFDIO_REGISTER, &range) == 0, "UFFDIO_REGISTER");
    pthread_t thread;
    digest = require(digest, pthread_create(&thread, NULL, provide, NULL) == 0, "a thread");
    for (size_t i = 0; i < PROVIDED; i++) { /* 29 and 64 have no common factor: each page once */
        size_t at = i * 29 % PROVIDED * PAGE;
        digest = verify(digest, provider.area + at, PAGE, seed + at / 8);
    }
    pthread_join(thread, NULL);
    close(provider.file);
    unmap(provider.area, PROVIDED * PAGE);
    return digest;
}

static uint64_t must_fault_key(uint64_t digest, int write, char *at, int key)
{
    struct fault fault = {0};
    uint64_t value;
    if (write ? try_write(at, 1, &fault) : try_read(at, &value, &fault))
        wrong("a %s of %p was done in spite of its key", write ? "write" : "read", at);
    if (fault.signal != SIGSEGV || fault.code != SEGV_PKUERR || fault.address != (uintptr_t)at || fault.key != key
        || (fault.error & 0x3e) != (write ? 0x26ul : 0x24ul))
        wrong("an access of %p with key %d gave signal %d, code %d, key %d, address %lx, error %lx", at, key, fault.signal,
              fault.code, fault.key, fault.address, fault.error);
    return mix(digest, (uint64_t)write);
}

enum { KEYS = 3 };
static int keys[KEYS];

/* The kernel closes all keys for the handler of a signal, and ours does not return: they are set after each fault. */
static void set_keys(int closed, int kept)
{
    for (int k = 0; k < KEYS; k++)
        pkey_set(keys[k], k == closed ? PKEY_DISABLE_ACCESS : k == kept ? PKEY_DISABLE_WRITE : 0);
}

uint64_t pkeys_part(uint64_t seed)
{
    enum { PAGES = 16 };
    char *area = map(PAGES * PAGE, RW, ANONYMOUS, -1, 0);
    uint64_t digest = seed;
    fill(area, PAGES * PAGE, seed);
    for (int k = 0; k < KEYS; k++) {
        keys[k] = pkey_alloc(0, 0);
        if (keys[k] < 0)
            return SKIPPED;
    }
    for (int i = 0; i < PAGES; i++)
        digest = require(digest, pkey_mprotect(area + i * PAGE, PAGE, RW, keys[i % KEYS]) == 0, "pkey_mprotect");
    for (int turn = 0; turn < 8; turn++) {
        int closed = turn % KEYS, kept = (turn + 1) % KEYS;
        for (int i = 0; i < PAGES; i++) {
            char *at = area + i * PAGE;
            int is_closed = i % KEYS == closed;
            set_keys(closed, kept);
            if (is_closed || i % KEYS == kept)
                digest = must_fault_key(digest, !is_closed || turn % 2, at + i * 8, keys[i % KEYS]);
            set_keys(closed, kept);
            if (!is_closed)
                digest = verify(digest, at, PAGE, seed + (uint64_t)i * PAGE / 8);
        }
    }
    set_keys(KEYS, KEYS);
    digest = verify(digest, area, PAGES * PAGE, seed);
    unmap(area, PAGES * PAGE);
    for (int k = 0; k < KEYS; k++)
        pkey_free(keys[k]);
    return digest;
}
