/* Locked instructions of every size, at every place, from all cores at once: the sums must be right. */
#include "litmus.h"

#define PAGE 4096

/* Two pages; the middle is a page's, a line's and a quadword's end. */
static u8 area[2 * PAGE] __attribute__((aligned(PAGE)));
#define MIDDLE (area + PAGE)

static u32 rounds;
static volatile u32 errors;

/* --- sums of every size at every alignment, beside bytes that others store to --- */

static u8 *place;

#define ADDERS(type, letter)                                                                 \
    static void add_##type(int cpu) {                                                        \
        /* Its own: the byte before or after the sum. */                                     \
        volatile u8 *neighbour = cpu == 0 ? place - 1 : cpu == 1 ? place + sizeof(type) : 0; \
        for (u32 i = 0; i < rounds; i++) {                                                   \
            type one = 1, old, sum;                                                          \
            if (neighbour) {                                                                 \
                *neighbour = (u8) i;                                                         \
            }                                                                                \
            switch (i % 5) {                                                                 \
                case 0:                                                                      \
                    __asm__ volatile("lock add" letter " $1, (%0)" ::"r"(place) : "memory", "cc"); \
                    break;                                                                   \
                case 1:                                                                      \
                    __asm__ volatile("lock inc" letter " (%0)" ::"r"(place) : "memory", "cc"); \
                    break;                                                                   \
                case 2:                                                                      \
                    __asm__ volatile("lock xadd %0, (%1)" : "+r"(one) : "r"(place) : "memory", "cc"); \
                    break;                                                                   \
                case 3:                                                                      \
                    __asm__ volatile("lock sub" letter " $-1, (%0)" ::"r"(place) : "memory", "cc"); \
                    break;                                                                   \
                default:                                                                     \
                    old = *(volatile type *) place;                                          \
                    u8 done;                                                                 \
                    do {                                                                     \
                        sum = (type) (old + 1);                                              \
                        __asm__ volatile("lock cmpxchg %2, (%3)\n setz %1"                   \
                                         : "+a"(old), "=&q"(done)                            \
                                         : "r"(sum), "r"(place) : "memory", "cc");           \
                    } while (!done);                                                         \
            }                                                                                \
            if (neighbour && *neighbour != (u8) i) {                                         \
                atomic_add(&errors, 1);                                                      \
            }                                                                                \
        }                                                                                    \
    }
ADDERS(u8, "b")
ADDERS(u16, "w")
ADDERS(u32, "l")
ADDERS(u64, "q")

static void complain(const char *what, u64 got, u64 want) {
    print("FAIL ");
    print(what);
    print(": got ");
    print_hex(got);
    print(", want ");
    print_hex(want);
    print("\n");
}

static int sum_at(u8 *at, int size) {
    static void (*const adders[])(int) = {[1] = add_u8, [2] = add_u16, [4] = add_u32, [8] = add_u64};
    u64 sum = 0, want = (u64) smp_count() * rounds;
    memset(at - 1, 0, 10);
    place = at;
    smp_run(adders[size]);
    memcpy(&sum, at, (uword) size);
    want &= size == 8 ? ~0ULL : (1ULL << 8 * size) - 1;
    if (sum == want && !errors) {
        return 1;
    }
    complain("lock-sum", sum, want);
    print("  bytes ");
    print_decimal((u64) size);
    print(", address ...");
    print_hex((uword) at & 0xfff);
    print(", lost stores of neighbours ");
    print_decimal(errors);
    print("\n");
    errors = 0;
    return 0;
}

static int sums(void) {
    int passed = 1;
    for (int size = 1; size <= 8; size *= 2) {
        for (int offset = 0; offset < 8; offset++) {
            passed &= sum_at(MIDDLE + 128 + offset, size);        /* in a quadword or over its end */
        }
        for (int before = 1; before < size; before++) {
            passed &= sum_at(MIDDLE + 192 - before, size);        /* over a line's end */
            passed &= sum_at(MIDDLE - before, size);              /* over a page's end */
        }
    }
    return passed;
}

/* --- CMPXCHG8B and CMPXCHG16B --- */

static struct {
    volatile u64 low, high;
} pair __attribute__((aligned(16)));

static void count_pairs16(int cpu) {
    (void) cpu;
    u64 low = 0, high = 0;
    for (u32 i = 0; i < rounds; i++) {
        u8 done;
        do {
            __asm__ volatile("lock cmpxchg16b %3\n setz %2"
                             : "+a"(low), "+d"(high), "=&q"(done), "+m"(pair)
                             : "b"(low + 1), "c"(high + 3) : "memory", "cc");
            if (!done && high != 3 * low) {
                atomic_add(&errors, 1);
            }
        } while (!done);
    }
}

static void count_pairs8(int cpu) {
    (void) cpu;
    u32 low = 0, high = 0;
    for (u32 i = 0; i < rounds; i++) {
        u8 done;
        do {
            __asm__ volatile("lock cmpxchg8b %3\n setz %2"
                             : "+a"(low), "+d"(high), "=&q"(done), "+m"(*(volatile u64 *) place)
                             : "b"(low + 1), "c"(high + 3) : "memory", "cc");
            if (!done && high != 3 * low) {
                atomic_add(&errors, 1);
            }
        } while (!done);
    }
}

static int pairs(void) {
    u64 all = (u64) smp_count() * rounds;
    int passed = 1;
    pair.low = pair.high = 0;
    smp_run(count_pairs16);
    if (pair.low != all || pair.high != 3 * all || errors) {
        complain("cmpxchg16b", pair.low, all);
        passed = 0;
    }
    static u8 *const places[] = {MIDDLE + 256, MIDDLE + 260, MIDDLE + 316, MIDDLE - 3};
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        place = places[i];
        memset(place, 0, 8);
        smp_run(count_pairs8);
        u32 sums[2];
        memcpy(sums, place, sizeof sums);
        if (sums[0] != (u32) all || sums[1] != (u32) (3 * all) || errors) {
            complain("cmpxchg8b", sums[0], all);
            passed = 0;
        }
    }
    errors = 0;
    return passed;
}

/* --- bits and tokens --- */

static volatile u64 bits[8] __attribute__((aligned(64)));

/* Each core has every count-th bit; nobody else changes them. */
static void flip_bits(int cpu) {
    u64 count = (u64) smp_count(), bit = (u64) cpu;
    for (u32 i = 0; i < rounds; i++) {
        u8 was_set, was_set_then, was_clear;
        __asm__ volatile("lock btsq %3, %4\n setc %0\n lock btcq %3, %4\n setc %1\n"
                         "lock btrq %3, %4\n setc %2"
                         : "=&q"(was_set), "=&q"(was_set_then), "=&q"(was_clear)
                         : "r"(bit), "m"(bits) : "memory", "cc");
        if (was_set || !was_set_then || was_clear) {
            atomic_add(&errors, 1);
        }
        bit += count;
        if (bit >= 8 * sizeof bits) {
            bit = (u64) cpu;
        }
    }
}

static volatile u8 token_place[2][64] __attribute__((aligned(64)));
static volatile u32 token_sum;

/* Tokens go round by XCHG, some over the end of a line; none is lost or doubled. */
static void pass_tokens(int cpu) {
    u32 token = 1u << (cpu % 31);
    for (u32 i = 0; i < rounds; i++) {
        __asm__ volatile("xchg %0, (%1)"
                         : "+r"(token) : "r"(i & 1 ? token_place[0] + 62 : token_place[0]) : "memory");
    }
    atomic_add(&token_sum, token);
}

static int bits_and_tokens(void) {
    smp_run(flip_bits);
    int passed = !errors;
    if (errors) {
        complain("lock-bits", errors, 0);
        errors = 0;
    }
    u32 first, second, all = 0;
    memset((void *) token_place, 0, sizeof token_place);
    token_sum = 0;
    smp_run(pass_tokens);
    memcpy(&first, (void *) token_place[0], 4);
    memcpy(&second, (void *) (token_place[0] + 62), 4);
    for (int cpu = 0; cpu < smp_count(); cpu++) {
        all += 1u << (cpu % 31);
    }
    if (token_sum + first + second != all) {
        complain("xchg-tokens", token_sum + first + second, all);
        passed = 0;
    }
    return passed;
}

/* --- mutual exclusion without and with locked instructions --- */

static struct {
    volatile u32 wants[2][16], turn;
} peterson __attribute__((aligned(64)));
static volatile u64 counted;

static void count_by_peterson(int cpu) {
    if (cpu > 1) {
        return;
    }
    for (u32 i = 0; i < rounds; i++) {
        peterson.wants[cpu][0] = 1;
        peterson.turn = (u32) !cpu;
        __asm__ volatile("mfence" ::: "memory");
        while (peterson.wants[!cpu][0] && peterson.turn == (u32) !cpu) {
            cpu_pause();
        }
        counted++;
        peterson.wants[cpu][0] = 0;
    }
}

static spinlock lock;
static void count_by_lock(int cpu) {
    (void) cpu;
    for (u32 i = 0; i < rounds; i++) {
        spin_lock(&lock);
        counted++;
        spin_unlock(&lock);
    }
}

static int exclusion(void) {
    int passed = 1;
    counted = 0;
    smp_run(count_by_peterson);
    u64 want = (u64) (smp_count() > 1 ? 2 : 1) * rounds;
    if (counted != want) {
        complain("peterson", counted, want);
        passed = 0;
    }
    counted = 0;
    smp_run(count_by_lock);
    want = (u64) smp_count() * rounds;
    if (counted != want) {
        complain("spin-lock", counted, want);
        passed = 0;
    }
    return passed;
}

int atomics(u32 many) {
    static const struct {
        const char *name;
        int (*test)(void);
        u32 share;
    } all[] = {
        {"lock-sums", sums, 20}, {"cmpxchg8b-16b", pairs, 4},
        {"lock-bits, xchg-tokens", bits_and_tokens, 1}, {"peterson, spin-lock", exclusion, 2},
    };
    int passed = 1;
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        rounds = many / all[i].share;
        int good = all[i].test();
        print(good ? "PASS " : "FAIL ");
        print(all[i].name);
        print("\n");
        passed &= good;
    }
    return passed;
}
