/* Parts that make the kernel put pages out to swap, bring them back and see that nothing got lost. */
#include "memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { RW = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };
enum { CHUNK = 256 }; /* bytes of data in a page that repeat: swap in compressed memory must not fill up all of it */

static void fill_page(char *page, uint64_t seed)
{
    fill(page, CHUNK, seed);
    for (size_t at = CHUNK; at < PAGE; at += CHUNK)
        memcpy(page + at, page, CHUNK);
}

static uint64_t verify_page(uint64_t digest, const char *page, uint64_t seed)
{
    digest = verify(digest, page, CHUNK, seed);
    for (size_t at = CHUNK; at < PAGE; at += CHUNK)
        if (memcmp(page + at, page, CHUNK) != 0)
            wrong("%p and %p are not the same", (const void *)page, (const void *)(page + at));
    return digest;
}

static char *out;
enum { OUT_PAGES = HUGE / PAGE };

/* A child that finds its parent's pages in the swap and writes to half of them. */
static uint64_t swapped_child(uint64_t seed)
{
    uint64_t digest = seed;
    for (uint64_t page = 0; page < OUT_PAGES; page += 2)
        fill_page(out + page * PAGE, ~seed + page);
    for (uint64_t page = 0; page < OUT_PAGES; page++)
        digest = verify_page(digest, out + page * PAGE, page % 2 == 0 ? ~seed + page : seed + page);
    return digest;
}

/* Pages that are sent out by name. */
uint64_t swap_part(uint64_t seed)
{
    if (read_number("/proc/meminfo", "SwapTotal:") <= 0)
        return SKIPPED;
    uint64_t digest = seed;
    out = map_aligned(HUGE);
    long before = read_number("/proc/vmstat", "pswpout ");
    for (uint64_t turn = 0; turn < 2; turn++) {
        advise(out, HUGE, turn == 0 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
        for (uint64_t page = 0; page < OUT_PAGES; page++)
            fill_page(out + page * PAGE, seed + turn + page);
        advise(out, HUGE, MADV_PAGEOUT);
        struct process child = start(swapped_child, seed + turn);
        for (uint64_t page = 0; page < OUT_PAGES; page++)
            digest = verify_page(digest, out + page * PAGE, seed + turn + page);
        advise(out, HUGE, MADV_PAGEOUT);
        digest = mix(digest, end_of(child));
        for (uint64_t page = 0; page < OUT_PAGES; page++)
            digest = verify_page(digest, out + page * PAGE, seed + turn + page);
    }
    digest = require(digest, read_number("/proc/vmstat", "pswpout ") > before, "pages went out");
    unmap(out, HUGE);
    return digest;
}

enum { PRESSURE = 2, AREA = 16 << 20, LEFT = 16 << 20 };

/* Writes as much as there is left for both; reads it back from the end, which is still there, then here and there. */
static uint64_t press(uint64_t seed)
{
    enum { PAGES = AREA / PAGE, ANYWHERE = 256 };
    uint64_t digest = seed;
    char *area = map(AREA, RW, ANONYMOUS, -1, 0);
    advise(area, AREA, MADV_NOHUGEPAGE);
    for (uint64_t page = 0; page < PAGES; page++)
        fill_page(area + page * PAGE, seed + page);
    for (uint64_t page = PAGES; page-- > 0;)
        digest = verify_page(digest, area + page * PAGE, seed + page);
    for (uint64_t i = 0; i < ANYWHERE; i++) {
        uint64_t page = derive(seed, i) % PAGES;
        digest = verify_page(digest, area + page * PAGE, seed + page);
    }
    unmap(area, AREA);
    return digest;
}

/* With so much locked; nothing but what was written depends on the machine. */
static uint64_t press_beside(uint64_t seed, size_t ballast)
{
    char *locked = map_aligned(ballast);
    uint64_t digest = require(seed, mlock(locked, ballast) == 0, "mlock of the ballast");
    for (size_t at = 0; at < ballast; at += PAGE)
        *(volatile uint64_t *)(locked + at) = scramble(seed + at);
    digest = mix(digest, at_once(press, PRESSURE, seed));
    for (size_t at = 0; at < ballast; at += PAGE)
        if (*(volatile uint64_t *)(locked + at) != scramble(seed + at))
            wrong("a locked page has changed at %zu of %zu", at, ballast);
    unmap(locked, ballast);
    return digest;
}

/*
 * More memory than there is. What the kernel says is available but for a little is locked, so that the work is the same on
 * machines of any size and the pages that move are those that are checked. The kernel says too little at times: then no page has
 * moved, and there is another turn with more of it locked.
 */
uint64_t pressure_part(uint64_t seed)
{
    enum { TURNS = 6, MORE = 8 << 20 };
    if (read_number("/proc/meminfo", "SwapTotal:") < PRESSURE * AREA / 1024)
        return SKIPPED;
    long in = read_number("/proc/vmstat", "pswpin "), out = read_number("/proc/vmstat", "pswpout ");
    uint64_t digest = 0;
    for (long turn = 0; turn < TURNS; turn++) {
        long available = read_number("/proc/meminfo", "MemAvailable:") * 1024 - LEFT + turn * MORE;
        digest = press_beside(seed, available > HUGE ? (size_t)available / HUGE * HUGE : HUGE);
        if (read_number("/proc/vmstat", "pswpout ") > out && read_number("/proc/vmstat", "pswpin ") > in)
            return require(require(digest, 1, "pages went out"), 1, "pages came in");
    }
    wrong("no pages went out and came in");
}
