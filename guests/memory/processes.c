/* Parts with several processes: copies on write, programs that start themselves, memory of another process. */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RW = PROT_READ | PROT_WRITE };

/* The parent writes to the pages of number 0, its children to those of their numbers; grandchildren to the others, too. */
enum { SHARERS = 4, PAGES = 192, GRANDCHILD = 8 };

static struct {
    char *area;
    uint64_t seed;
    int who, file;
} copy;

static uint64_t data_of(uint64_t page)
{
    return copy.seed + page * PAGE / 8;
}

static void write_own(int who, uint64_t seed)
{
    for (uint64_t page = (uint64_t)who; page < PAGES; page += SHARERS)
        fill(copy.area + page * PAGE, PAGE, seed + page);
}

/* All pages are as they were but those that this process has written. */
static uint64_t look(uint64_t digest, int who, uint64_t seed, int other, uint64_t other_seed)
{
    for (uint64_t page = 0; page < PAGES; page++) {
        int of = (int)(page % SHARERS);
        uint64_t due = of == who ? seed + page : of == other ? other_seed + page : data_of(page);
        digest = verify(digest, copy.area + page * PAGE, PAGE, due);
    }
    return digest;
}

static uint64_t grandchild(uint64_t seed)
{
    int other = copy.who % (SHARERS - 1) + 1;
    uint64_t digest = look(seed, copy.who, seed, SHARERS, 0);
    write_own(other == copy.who ? 0 : other, seed ^ GRANDCHILD);
    return look(digest, copy.who, seed, other == copy.who ? 0 : other, seed ^ GRANDCHILD);
}

static uint64_t child(uint64_t seed)
{
    write_own(copy.who, seed);
    struct process below = start(grandchild, seed);
    uint64_t digest = look(seed, copy.who, seed, SHARERS, 0);
    digest = mix(digest, end_of(below));
    return look(digest, copy.who, seed, SHARERS, 0);
}

static uint64_t copy_on_write(uint64_t digest, uint64_t seed)
{
    struct process children[SHARERS];
    copy.seed = seed;
    for (uint64_t page = 0; page < PAGES; page++)
        fill(copy.area + page * PAGE, PAGE, data_of(page));
    for (copy.who = 1; copy.who < SHARERS; copy.who++)
        children[copy.who] = start(child, derive(seed, (uint64_t)copy.who));
    write_own(0, ~seed);
    digest = look(digest, 0, ~seed, SHARERS, 0);
    for (int i = 1; i < SHARERS; i++)
        digest = mix(digest, end_of(children[i]));
    return look(digest, 0, ~seed, SHARERS, 0);
}

uint64_t fork_part(uint64_t seed)
{
    static const int advice[] = {MADV_NOHUGEPAGE, MADV_HUGEPAGE};
    uint64_t digest = seed;
    for (uint64_t turn = 0; turn < 2; turn++) {
        copy.area = map_aligned(HUGE);
        advise(copy.area, HUGE, advice[turn]);
        digest = copy_on_write(digest, derive(seed, turn));
        digest = copy_on_write(digest, derive(seed, turn + 2));
        unmap(copy.area, HUGE);
    }
    int file = memory_file(PAGES * PAGE);
    copy.area = map(PAGES * PAGE, RW, MAP_PRIVATE, file, 0);
    digest = copy_on_write(digest, derive(seed, 4));
    unmap(copy.area, PAGES * PAGE);
    close(file);
    return digest;
}

/* Data and zeroes of a program of its own, for each start. */
enum { IMAGE = 16 * PAGE };
static uint64_t zeroes[IMAGE / 8];
static uint64_t constants[PAGE / 8] = {1, 2, 3};

static uint64_t image(uint64_t seed)
{
    uint64_t digest = verify_zero(seed, zeroes, sizeof zeroes);
    digest = verify_zero(digest, constants + 3, sizeof constants - 24);
    digest = require(digest, constants[0] == 1 && constants[1] == 2 && constants[2] == 3, "the program's data");
    fill(zeroes, sizeof zeroes, seed);
    fill(constants, sizeof constants, ~seed);
    digest = verify(digest, zeroes, sizeof zeroes, seed);
    return verify(digest, constants, sizeof constants, ~seed);
}

/* Starts this program anew, which tells its digest through a pipe, and starts itself again if depth is left. */
static uint64_t run_self(uint64_t seed, int depth)
{
    char words[3][32], *arguments[] = {"memory", "exec-child", words[0], words[1], words[2], NULL};
    int ends[2], status;
    uint64_t answer = 0;
    if (pipe(ends) < 0)
        wrong("pipe: %s", strerror(errno));
    sprintf(words[0], "%lu", seed);
    sprintf(words[1], "%d", depth);
    sprintf(words[2], "%d", ends[1]);
    int process = vfork();
    if (process == 0) {
        execv("/proc/self/exe", arguments);
        _exit(127);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], &answer, sizeof answer);
    close(ends[0]);
    if (process < 0 || waitpid(process, &status, 0) != process || status != 0 || got != sizeof answer)
        wrong("a program that was started told %zd bytes and ended with status %x", got, status);
    return answer;
}

int exec_child(int count, char **arguments)
{
    if (count < 5)
        return 2;
    part_name = "exec";
    uint64_t seed = strtoul(arguments[2], NULL, 10);
    int depth = atoi(arguments[3]), to = atoi(arguments[4]);
    uint64_t digest = image(seed);
    if (depth > 0)
        digest = mix(digest, run_self(derive(seed, (uint64_t)depth), depth - 1));
    return write(to, &digest, sizeof digest) == sizeof digest ? 0 : 1;
}

uint64_t exec_part(uint64_t seed)
{
    uint64_t digest = seed;
    char *kept = map(HUGE / 4, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fill(kept, HUGE / 4, seed);
    for (uint64_t i = 0; i < 4; i++)
        digest = mix(digest, run_self(derive(seed, i), 2));
    digest = verify(digest, kept, HUGE / 4, seed);
    unmap(kept, HUGE / 4);
    return digest;
}

enum { READ_BYTES = 32 * PAGE };
static char *read_area;
static int tell[2];

/* Writes to its own copy of half of the pages, and waits for the parent's look and changes. */
static uint64_t looked_at(uint64_t seed)
{
    char byte = 'r';
    for (size_t at = 0; at < READ_BYTES; at += 2 * PAGE)
        fill(read_area + at, PAGE, seed + at);
    if (write(tell[1], &byte, 1) != 1 || read(tell[1], &byte, 1) != 1)
        wrong("no word from the parent: %s", strerror(errno));
    return verify(seed, read_area, READ_BYTES, ~seed);
}

uint64_t vmread_part(uint64_t seed)
{
    char byte = 'w', *mine = map(READ_BYTES, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    read_area = map(READ_BYTES, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fill(read_area, READ_BYTES, seed);
    uint64_t digest = require(seed, socketpair(AF_UNIX, SOCK_STREAM, 0, tell) == 0, "socketpair");
    struct process child = start(looked_at, seed);
    digest = require(digest, read(tell[0], &byte, 1) == 1, "a word from the child");
    struct iovec here = {mine, READ_BYTES}, there = {read_area, READ_BYTES};
    digest = require(digest, process_vm_readv(child.id, &here, 1, &there, 1, 0) == READ_BYTES, "process_vm_readv");
    for (size_t at = 0; at < READ_BYTES; at += PAGE)
        digest = verify(digest, mine + at, PAGE, at % (2 * PAGE) == 0 ? seed + at : seed + at / 8);
    fill(mine, READ_BYTES, ~seed);
    digest = require(digest, process_vm_writev(child.id, &here, 1, &there, 1, 0) == READ_BYTES, "process_vm_writev");
    digest = require(digest, write(tell[0], &byte, 1) == 1, "a word to the child");
    digest = mix(digest, end_of(child));
    digest = verify(digest, read_area, READ_BYTES, seed); /* this process has its own */
    close(tell[0]);
    close(tell[1]);
    unmap(mine, READ_BYTES);
    unmap(read_area, READ_BYTES);
    return digest;
}
