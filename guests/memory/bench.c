/* Fixed amounts of work for `alcazar bench paging`, which measures from the line at the start to that at the end. */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RW = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };

/* Page tables are written all the time: forks that copy 4 MiB of small pages' entries, and areas that come and go. */
static uint64_t page_tables(uint64_t work)
{
    enum { KEPT = 1024, AREA = 256 };
    uint64_t check = 0;
    char *kept = map_aligned(KEPT * PAGE);
    advise(kept, KEPT * PAGE, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < KEPT * PAGE; at += PAGE)
        kept[at] = (char)scramble(at);
    for (uint64_t turn = 0; turn < work; turn++) {
        int status, process = fork();
        if (process == 0) {
            for (size_t at = 0; at < KEPT * PAGE; at += 16 * PAGE)
                kept[at] = (char)turn;
            _exit(kept[PAGE] & 127);
        }
        if (process < 0 || waitpid(process, &status, 0) != process || !WIFEXITED(status))
            wrong("a process did not end well");
        char *area = map(AREA * PAGE, RW, ANONYMOUS, -1, 0);
        advise(area, AREA * PAGE, MADV_NOHUGEPAGE);
        for (size_t at = 0; at < AREA * PAGE; at += PAGE)
            area[at] = (char)turn;
        protect(area, AREA * PAGE, PROT_READ);
        check = mix(check, (uint64_t)(area[turn % AREA * PAGE] + WEXITSTATUS(status)));
        unmap(area, AREA * PAGE);
    }
    for (size_t at = 0; at < KEPT * PAGE; at += PAGE)
        check = mix(check, (uint64_t)kept[at]);
    return check;
}

/*
 * Accesses at random places of 1 GiB in small pages, each after the one before: more pages than any TLB has entries. All
 * are the same 16 MiB of memory, so that these are what counts and not the size of the machine.
 */
static uint64_t tlb(uint64_t work)
{
    enum { FRAMES = 4096, PIECES = 64 };
    const uint64_t pages = (uint64_t)FRAMES * PIECES;
    int file = memory_file(FRAMES * PAGE);
    char *area = map(pages * PAGE, PROT_NONE, ANONYMOUS, -1, 0);
    for (int piece = PIECES - 1; piece >= 0; piece--) {
        char *at = area + (size_t)piece * FRAMES * PAGE;
        require(0, mmap(at, FRAMES * PAGE, RW, MAP_SHARED | MAP_FIXED | MAP_POPULATE, file, 0) == at, "mmap");
    }
    close(file);
    for (uint64_t page = 0; page < FRAMES; page++)
        *(uint64_t *)(area + page * PAGE + page % 64 * 64) = scramble(page);
    uint64_t at = 1;
    for (uint64_t i = 0; i < work; i++) {
        uint64_t page = (at >> 32) % pages;
        at = at * 6364136223846793005 + *(volatile uint64_t *)(area + page * PAGE + page % 64 * 64);
        at ^= at >> 31;
    }
    return at;
}

static uint64_t compute(uint64_t work)
{
    uint64_t a = 1, b = 2;
    for (uint64_t i = 0; i < work; i++) {
        a = scramble(a + i);
        b = b * 31 + (a >> 7);
    }
    return a ^ b;
}

int bench(const char *name, uint64_t work)
{
    static const struct {
        const char *name;
        uint64_t (*run)(uint64_t);
        uint64_t work;
    } all[] = {{"pagetables", page_tables, 150}, {"tlb", tlb, 10000000}, {"compute", compute, 600000000}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(all[i].name, name) == 0) {
            work = work ? work : all[i].work;
            part_name = name;
            printf("memory: bench %s work %lu\n", name, work);
            printf("memory: bench %s done, check %016lx\n", name, all[i].run(work));
            return 0;
        }
    }
    printf("memory: no bench '%s'; there are pagetables, tlb, compute\n", name);
    return 2;
}
