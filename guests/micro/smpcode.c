/*
 * Code that one core rewrites while another executes it, page tables that one core changes while
 * others use them (APM volume 2, 7.6.1 and 5.4.2 to 5.5.3).
 */
#include "smp.h"

#define REGION 0xffffa00000000000UL
#define PAGE 4096UL
#define P 1UL
#define W 2UL
#define A 0x20UL
#define D 0x40UL
#define SHOOT 0x62
#define TABLE_PAGES 8

extern volatile u64 pml4[512];

static volatile u32 stop, errors;
static u32 rounds;
static volatile u32 ready; /* cores that are in their loop */

static void fault_in(const char *what) {
    if (errors) {
        check(what, errors, 0);
    }
}

static void serialise(void) {
    cpuid(0);
}

/* --- code --- */

/* mov $NUMBER, %eax; ret; the number lies in an aligned int. The page has nothing else in it. */
static volatile u8 code[PAGE] __attribute__((aligned(4096)));

static u32 call_code(uword at) {
    u32 value;
    __asm__ volatile("call *%1" : "=a"(value) : "r"(at) : "memory", "rcx", "rdx");
    return value;
}

static void write_mov(volatile u8 *at, u32 number) {
    at[3] = 0xb8;
    *(volatile u32 *) (at + 4) = number;
    at[8] = 0xc3;
}

static volatile u32 published, acknowledged[SMP_MAX];

/* The writer waits for all; the executors serialise when they see the flag (APM 7.6.1, synchronised). */
static void with_flag(int cpu) {
    for (u32 i = 1; i <= rounds; i++) {
        if (!cpu) {
            write_mov(code, i);
            /* Different lengths too: code after a jump that moves about. */
            code[64] = 0xeb;
            code[65] = (u8) (i & 31);
            for (int k = 0; k < 32; k++) {
                code[66 + k] = 0x90;
            }
            code[66 + (i & 31)] = 0xc3;
            published = i;
            for (int other = 1; other < smp_count(); other++) {
                while (acknowledged[other] != i) {
                    cpu_pause();
                }
            }
        } else {
            while (published != i) {
                cpu_pause();
            }
            serialise();
            if (call_code((uword) code + 3) != i) {
                atomic_add(&errors, 1);
            }
            call_code((uword) code + 64);
            acknowledged[cpu] = i;
        }
    }
}

/* One aligned store of a whole operand, no other agreement: old or new. */
static void without_agreement(int cpu) {
    if (!cpu) {
        for (u32 i = 1; i <= rounds * 8; i++) {
            *(volatile u32 *) (code + 4) = (i & 0xff) * 0x01010101u;
        }
        stop = 1;
        return;
    }
    while (!stop) {
        u32 value = call_code((uword) code + 3);
        if (value != (value & 0xff) * 0x01010101u) {
            atomic_add(&errors, 1);
        }
    }
}

/* As Linux pokes text: int3 over the first byte, the tail, the new first byte, IPI between them. */
static volatile u32 poked_hits, poke_serialised;
static volatile u8 *const poked = code + 128;
enum { FIRST = 1000, SECOND = 2000 };

static void hit_poked(struct frame *frame) {
    if (frame->ip != (uword) poked + 2) {
        atomic_add(&errors, 1);
    }
    atomic_add(&poked_hits, 1);
    frame->ip = (uword) poked + 1; /* again, until the new one is there */
}

static void serialise_by_ipi(struct frame *frame) {
    (void) frame;
    serialise();
    atomic_add(&poke_serialised, 1);
    smp_eoi();
}

static void serialise_others(void) {
    poke_serialised = 0;
    for (int i = 1; i < smp_count(); i++) {
        smp_ipi(i, SHOOT);
    }
    while (poke_serialised < (u32) smp_count() - 1) {
        cpu_pause();
    }
}

/* One instruction of five bytes, then ret and, at 8, what the second one jumps to. */
static const u8 shapes[2][5] = {
    {0xb8, 0xe8, 0x03, 0, 0}, /* mov $1000, %eax */
    {0xe9, 0x02, 0, 0, 0},    /* jmp to 8 */
};
static const u8 after_shape[] = {0xc3, 0, 0xb8, 0xd0, 0x07, 0, 0, 0xc3}; /* mov $2000, %eax; ret */

static void poke(int cpu) {
    if (!cpu) {
        while (ready < (u32) smp_count() - 1) {
            cpu_pause();
        }
        for (u32 i = 0; i < rounds; i++) {
            const u8 *now = shapes[i & 1];
            poked[1] = 0xcc;
            serialise_others();
            for (int k = 1; k < 5; k++) {
                poked[1 + k] = now[k];
            }
            serialise_others();
            poked[1] = now[0];
            serialise_others();
        }
        stop = 1;
        return;
    }
    atomic_add(&ready, 1);
    while (!stop) {
        u32 value = call_code((uword) poked + 1);
        if (value != FIRST && value != SECOND) {
            atomic_add(&errors, 1);
        }
    }
}

static void begin(void) {
    stop = ready = errors = 0;
}

static void changed_code(void) {
    begin();
    smp_run(with_flag);
    fault_in("old code after flag and CPUID");
    write_mov(code, 0);
    begin();
    smp_run(without_agreement);
    fault_in("neither old nor new operand");
    memcpy((void *) (poked + 1), shapes[1], sizeof shapes[1]);
    memcpy((void *) (poked + 6), after_shape, sizeof after_shape);
    handle(BP, hit_poked);
    handle(SHOOT, serialise_by_ipi);
    begin();
    smp_run(poke);
    fault_in("poked code is neither old nor new");
    handle(BP, 0);
}

/* --- page tables --- */

static u64 levels[2][512] __attribute__((aligned(4096)));
static volatile u64 ptes[512] __attribute__((aligned(4096)));
static volatile u8 frames[2 * TABLE_PAGES][PAGE] __attribute__((aligned(4096)));

static volatile u32 *word_of(int page) {
    return (volatile u32 *) (REGION + (u64) page * PAGE);
}

static void map_region(void) {
    pml4[REGION >> 39 & 511] = (u64) levels[0] | 3;
    levels[0][0] = (u64) levels[1] | 3;
    levels[1][0] = (u64) ptes | 3;
    for (int i = 0; i < TABLE_PAGES; i++) {
        ptes[i] = (u64) frames[i] | P | W;
    }
    write_cr3(read_cr3());
}

/*
 * The first core changes a bit that is software's (bits 9 to 11) by LOCK, the others touch the pages
 * after INVLPG: neither the change nor A or D may be lost.
 */
static void set_accessed_and_dirty(int cpu) {
    for (u32 i = 0; i < rounds; i++) {
        int page = (int) (i % TABLE_PAGES);
        if (!cpu) {
            ptes[page] = (u64) frames[page] | P | W;
        }
        smp_barrier();
        if (!cpu) {
            u64 bit = 9;
            for (int k = 0; k < 3; k++, bit++) {
                __asm__ volatile("lock btsq %1, %0" : "+m"(ptes[page]) : "r"(bit) : "memory", "cc");
            }
        } else {
            invlpg((uword) word_of(page));
            if (cpu & 1) {
                *word_of(page) = i;
            } else {
                (void) *word_of(page);
            }
        }
        smp_barrier();
        u64 want = (u64) frames[page] | P | W | 0xe00 | (smp_count() > 1 ? A | D : 0);
        if (!cpu && ptes[page] != want) {
            check("bits of an entry", ptes[page], want);
        }
    }
}

/*
 * The writer exchanges the frame of a page and shoots it down. From the acknowledgement on nobody
 * stores to the old frame: it is filled with a pattern that must stay.
 */
static volatile u32 invalidated, victim;

static void shoot(struct frame *frame) {
    (void) frame;
    invlpg((uword) word_of((int) victim));
    atomic_add(&invalidated, 1);
    smp_eoi();
}

static void shoot_down(int cpu) {
    u32 random = (u32) cpu * 77777 + 1;
    if (cpu) {
        atomic_add(&ready, 1);
        while (!stop) {
            random = random * 1664525 + 1013904223;
            *word_of((int) (random >> 16) % TABLE_PAGES) = random | 1;
        }
        return;
    }
    while (ready < (u32) smp_count() - 1) {
        cpu_pause();
    }
    u8 second[TABLE_PAGES] = {0};
    for (u32 i = 0; i < rounds; i++) {
        random = random * 1664525 + 1013904223;
        int page = (int) (random >> 16) % TABLE_PAGES;
        volatile u8 *old = frames[page + (second[page] ? TABLE_PAGES : 0)];
        second[page] ^= 1;
        victim = (u32) page;
        ptes[page] = (u64) frames[page + (second[page] ? TABLE_PAGES : 0)] | P | W;
        invalidated = 0;
        invlpg((uword) word_of(page));
        for (int other = 1; other < smp_count(); other++) {
            smp_ipi(other, SHOOT);
        }
        while (invalidated < (u32) smp_count() - 1) {
            cpu_pause();
        }
        *(volatile u32 *) old = 0; /* all stores to a page are odd */
        for (int spin = 0; spin < 100; spin++) {
            if (*(volatile u32 *) old) {
                atomic_add(&errors, 1);
            }
        }
    }
    stop = 1;
}

GUEST("smpcode") {
    rounds = (u32) option("rounds", 2000);
    check("cores that came", (u64) smp_start(0), (u64) smp_wanted() - 1);
    changed_code();
    map_region();
    smp_run(set_accessed_and_dirty);
    map_region();
    handle(SHOOT, shoot);
    begin();
    smp_run(shoot_down);
    fault_in("stores to a page after it was shot down");
}
