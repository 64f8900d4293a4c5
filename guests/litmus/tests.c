/*
 * The litmus tests. Allowed outcomes are those of x86-TSO: P. Sewell et al., "x86-TSO: A rigorous and
 * usable programmer's model for x86 multiprocessors", CACM 53(7), 2010; the AMD64 manual, volume 2,
 * section 7.2, has most of them as examples, 7.3.2 says which accesses are atomic.
 */
#include "litmus.h"

#define USED "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "memory", "cc"

/* %[x] to %[w] hold the addresses of the variables, %[a] and %[b] the results. */
#define BODY(name, text)                                                              \
    static void name(struct cell *cell, u32 *result) {                                \
        u32 a = 0, b = 0;                                                             \
        __asm__ volatile(text                                                         \
                         : [a] "+r"(a), [b] "+r"(b)                                   \
                         : [x] "r"(cell->x), [y] "r"(cell->y), [z] "r"(cell->z), [w] "r"(cell->w) \
                         : USED);                                                     \
        result[0] = a;                                                                \
        result[1] = b;                                                                \
    }

#define ST(value, var) "movl $" #value ", (%[" #var "])\n"
#define LD(var, reg) "movl (%[" #var "]), %[" #reg "]\n"
#define XCHG(value, var) "movl $" #value ", %%eax\n xchg %%eax, (%[" #var "])\n"

/* What puts all stores before it in front of all loads after it. */
#define MFENCE "mfence\n"
#define LOCK_ADD_STACK "lock addl $0, (%%rsp)\n"
#define LOCK_ADD_BYTE "lock addb $0, 3(%[z])\n"
#define LOCK_SPLIT "lock addl $0, 62(%[z])\n"
#define FAILING_CMPXCHG "movl $7, %%eax\n lock cmpxchgl %%ecx, (%[w])\n"
#define FAILING_CMPXCHGB "movb $7, %%al\n lock cmpxchgb %%cl, 5(%[w])\n"
#define FAILING_SPLIT "movl $7, %%eax\n lock cmpxchgl %%ecx, 61(%[z])\n"
#define FAILING_CMPXCHG8B "movl $7, %%eax\n lock cmpxchg8b (%[w])\n"
#define FAILING_CMPXCHG16B "movl $7, %%eax\n lock cmpxchg16b (%[w])\n"
#define LOCK_BT "lock btsl $3, (%[w])\n"
#define XADD "xorl %%eax, %%eax\n lock xaddl %%eax, (%[w])\n"
#define XCHG_OTHER "xchg %%rax, (%[w])\n"
#define CPUID "xorl %%eax, %%eax\n cpuid\n"
#define IRET                                                           \
    "mov %%ss, %%eax\n mov %%rsp, %%rcx\n push %%rax\n push %%rcx\n"   \
    "pushfq\n mov %%cs, %%eax\n push %%rax\n lea 1f(%%rip), %%rax\n"   \
    "push %%rax\n iretq\n 1:\n"
#define SFENCE "sfence\n"
#define LFENCE "lfence\n"
#define MOV_CR3 "mov %%cr3, %%rax\n mov %%rax, %%cr3\n"
#define INVLPG "invlpg (%[z])\n"
#define WRMSR "movl $0xc0000102, %%ecx\n rdmsr\n wrmsr\n"

/* Store buffering, and with something between the store and the load. */
#define SB(name, between)                            \
    BODY(name##_0, ST(1, x) between LD(y, a))        \
    BODY(name##_1, ST(1, y) between LD(x, a))
#define SB_WITH(label, name)                                                           \
    {"SB+" label, "x=1 " label " a=y | y=1 " label " c=x", "ac", "01 10 11", "00", "", \
     {name##_0, name##_1}}
#define SB_WEAK(label, name)                                                              \
    {"SB+" label, "x=1 " label " a=y | y=1 " label " c=x", "ac", "00 01 10 11", "", "", \
     {name##_0, name##_1}}

SB(sb, "")
SB(sb_mfence, MFENCE)
SB(sb_stack, LOCK_ADD_STACK)
SB(sb_byte, LOCK_ADD_BYTE)
SB(sb_split, LOCK_SPLIT)
SB(sb_cmpxchg, FAILING_CMPXCHG)
SB(sb_cmpxchgb, FAILING_CMPXCHGB)
SB(sb_failsplit, FAILING_SPLIT)
SB(sb_cmpxchg8b, FAILING_CMPXCHG8B)
SB(sb_cmpxchg16b, FAILING_CMPXCHG16B)
SB(sb_bts, LOCK_BT)
SB(sb_xadd, XADD)
SB(sb_xchgo, XCHG_OTHER)
SB(sb_cpuid, CPUID)
SB(sb_iret, IRET)
SB(sb_sfence, SFENCE)
SB(sb_lfence, LFENCE)
#ifndef NATIVE
SB(sb_cr3, MOV_CR3)
SB(sb_invlpg, INVLPG)
SB(sb_wrmsr, WRMSR)
#endif
BODY(sb_xchg_0, XCHG(1, x) LD(y, a))
BODY(sb_xchg_1, XCHG(1, y) LD(x, a))
BODY(sb_lockor_0, "lock orl $1, (%[x])\n" LD(y, a))
BODY(sb_lockor_1, "lock incl (%[y])\n" LD(x, a))
BODY(sb_swap_0, ST(1, x) "xorl %[a], %[a]\n lock xaddl %[a], (%[y])\n")
BODY(sb_swap_1, ST(1, y) "xorl %%eax, %%eax\n lock cmpxchgl %%eax, (%[x])\n mov %%eax, %[a]\n")
BODY(sb_bytes_0, "movb $1, 3(%[x])\n movzbl 6(%[y]), %[a]\n")
BODY(sb_bytes_1, "movb $1, 6(%[y])\n movzbl 3(%[x]), %[a]\n")
/* Two variables in one quadword. */
BODY(sb_near_0, "movw $1, 1(%[x])\n movzwl 5(%[x]), %[a]\n")
BODY(sb_near_1, "movw $1, 5(%[x])\n movzwl 1(%[x]), %[a]\n")
/* Each thread reads its own store first (n7 without its third thread; "rfi"). */
BODY(sb_rfi_0, ST(1, x) LD(x, a) LD(y, b))
BODY(sb_rfi_1, ST(1, y) LD(y, a) LD(x, b))
BODY(r_0, ST(1, x) ST(1, y))
BODY(r_1, ST(2, y) LD(x, a))
BODY(r_mfence_1, ST(2, y) MFENCE LD(x, a))
BODY(r_lock_1, XCHG(2, y) LD(x, a))

/* Message passing. */
BODY(mp_0, ST(1, x) ST(1, y))
BODY(mp_1, LD(y, a) LD(x, b))
BODY(mp_mixed_0, "movq $1, (%[x])\n movb $1, 7(%[y])\n")
BODY(mp_mixed_1, "movzbl 7(%[y]), %[a]\n movzwl (%[x]), %[b]\n")
BODY(mp_near_0, "movb $1, 2(%[x])\n movb $1, 6(%[x])\n")
BODY(mp_near_1, "movzbl 6(%[x]), %[a]\n movzbl 2(%[x]), %[b]\n")
BODY(mp_split_0, "movl $1, 62(%[x])\n" ST(1, z))
BODY(mp_split_1, LD(z, a) "movl 62(%[x]), %[b]\n")
BODY(mp_lock_0, "lock incl (%[x])\n lock incl (%[y])\n")
BODY(mp_lock_1, "lock xaddl %[a], (%[y])\n" LD(x, b))
BODY(mp_rep_0, "mov %[x], %%rdi\n movl $24, %%ecx\n movl $1, %%eax\n cld\n rep stosb\n" ST(1, y))
BODY(mp_rep_1, LD(y, a) "movzbl 23(%[x]), %[b]\n")
BODY(mp_movs_0, "mov %[w], %%rsi\n mov %[x], %%rdi\n movl $1, (%%rsi)\n movl $3, %%ecx\n cld\n"
                "rep movsl\n" ST(1, y))
BODY(mp_nt_0, "movl $1, %%eax\n movnti %%eax, (%[x])\n sfence\n" ST(1, y))
BODY(mp_push_0, "mov %%rsp, %%rcx\n lea 8(%[x]), %%rsp\n push $1\n mov %%rcx, %%rsp\n" ST(1, y))

/* Load buffering and its relatives. */
BODY(lb_0, LD(x, a) ST(1, y))
BODY(lb_1, LD(y, a) ST(1, x))
BODY(s_0, ST(2, x) ST(1, y))
BODY(s_1, LD(y, a) ST(1, x))
BODY(ww_0, ST(1, x) ST(2, y))
BODY(ww_1, ST(1, y) ST(2, x))

/* Three and four threads. */
BODY(store_x, ST(1, x))
BODY(store_x_locked, XCHG(1, x))
BODY(store_y, ST(1, y))
BODY(store_y_locked, XCHG(1, y))
BODY(pass_on, LD(x, a) ST(1, y))
BODY(pass_on_z, LD(y, a) ST(1, z))
BODY(read_yx, LD(y, a) LD(x, b))
BODY(read_xy, LD(x, a) LD(y, b))
BODY(read_zx, LD(z, a) LD(x, b))
BODY(sb_yx, ST(1, y) LD(x, a))
BODY(sb_yx_fence, ST(1, y) MFENCE LD(x, a))
BODY(sb_xy_fence, ST(1, x) MFENCE LD(y, a))
BODY(sb_yz_fence, ST(1, y) MFENCE LD(z, a))
BODY(sb_zx_fence, ST(1, z) MFENCE LD(x, a))
BODY(lb_yz, LD(y, a) ST(1, z))
BODY(lb_zx, LD(z, a) ST(1, x))

/* Coherence of one variable. */
BODY(store_2, ST(2, x))
BODY(store_12, ST(1, x) ST(2, x))
BODY(read_2, LD(x, a) LD(x, b))
BODY(write_read, ST(1, x) LD(x, a))
BODY(read_write, LD(x, a) ST(1, x))
BODY(read_narrow_wide, "movzbl (%[x]), %[a]\n movl (%[x]), %[b]\n")
BODY(lock_inc, "lock incl (%[x])\n")
#define TRY(value)                                                        \
    "xorl %%eax, %%eax\n movl $" #value ", %%ecx\n lock cmpxchgl %%ecx, (%[x])\n" \
    "mov %%eax, %[a]\n"
BODY(take_1, TRY(1))
BODY(take_2, TRY(2))

/* Stores of all ones that must be seen whole: 9 stands for a mixture. */
#define TEAR(name, type, at)                                                             \
    static void name##_0(struct cell *cell, u32 *result) {                               \
        (void) result;                                                                   \
        __asm__ volatile("mov %1, %0"                                                    \
                         : "=m"(*(type *) ((u8 *) cell->x + (at))) : "r"((type) -1));    \
    }                                                                                    \
    static void name##_1(struct cell *cell, u32 *result) {                               \
        type value;                                                                      \
        __asm__ volatile("mov %1, %0"                                                    \
                         : "=r"(value) : "m"(*(type *) ((u8 *) cell->x + (at))));        \
        result[0] = value == 0 ? 0 : value == (type) -1 ? 1 : 9;                         \
    }
#define TEAR_TEST(label, name) \
    {"tear" label, "x=ffff… | c=x", "c", "0 1", "9", "0 1", {name##_0, name##_1}}

TEAR(tear8, u64, 0)
TEAR(tear4, u32, 4)
TEAR(tear4_odd, u32, 1)
TEAR(tear4_middle, u32, 2)
TEAR(tear4_late, u32, 3)
TEAR(tear2_odd, u16, 1)
TEAR(tear2_middle, u16, 3)
TEAR(tear2_late, u16, 5)

/* XCHG over two cache lines is whole for other locked instructions. */
BODY(split_xchg_0, "movq $-1, %%rax\n xchg %%rax, 60(%[x])\n")
BODY(split_xchg_1, "xorl %%eax, %%eax\n lock xaddq %%rax, 60(%[x])\n"
                   "movl $9, %[a]\n lea 1(%%rax), %%rcx\n cmp $1, %%rcx\n ja 1f\n"
                   "mov %%eax, %[a]\n andl $1, %[a]\n 1:\n")

const struct test tests[] = {
    {"SB", "x=1 a=y | y=1 c=x", "ac", "00 01 10 11", "", "00", {sb_0, sb_1}},
    {"SB+bytes", "as SB with odd bytes", "ac", "00 01 10 11", "", "", {sb_bytes_0, sb_bytes_1}},
    {"SB+near", "as SB with two words of one quadword", "ac", "00 01 10 11", "", "", {sb_near_0, sb_near_1}},
    {"SB+rfi", "x=1 a=x b=y | y=1 c=y d=x", "abcd", "1010 1011 1110 1111", "", "", {sb_rfi_0, sb_rfi_1}},
    SB_WEAK("sfence", sb_sfence),
    SB_WEAK("lfence", sb_lfence),
    {"SB+mfence+po", "x=1 mfence a=y | y=1 c=x", "ac", "00 01 10 11", "", "", {sb_mfence_0, sb_1}},
    SB_WITH("mfence", sb_mfence),
    SB_WITH("lock-stack", sb_stack),
    SB_WITH("lock-byte", sb_byte),
    SB_WITH("lock-split", sb_split),
    SB_WITH("failing-cmpxchg", sb_cmpxchg),
    SB_WITH("failing-cmpxchg-byte", sb_cmpxchgb),
    SB_WITH("failing-cmpxchg-split", sb_failsplit),
    SB_WITH("failing-cmpxchg8b", sb_cmpxchg8b),
    SB_WITH("failing-cmpxchg16b", sb_cmpxchg16b),
    SB_WITH("lock-bts", sb_bts),
    SB_WITH("xadd", sb_xadd),
    SB_WITH("xchg-other", sb_xchgo),
    SB_WITH("cpuid", sb_cpuid), /* QEMU's TCG lets it pass (check-qemu leaves it out) */
    SB_WITH("iret", sb_iret),
#ifndef NATIVE
    SB_WITH("mov-cr3", sb_cr3),
    SB_WITH("invlpg", sb_invlpg),
    SB_WITH("wrmsr", sb_wrmsr),
#endif
    {"SB+xchgs", "xchg x=1, a=y | xchg y=1, c=x", "ac", "01 10 11", "00", "", {sb_xchg_0, sb_xchg_1}},
    {"SB+locks", "lock or x=1, a=y | lock inc y, c=x", "ac", "01 10 11", "00", "", {sb_lockor_0, sb_lockor_1}},
    {"SB+locked-loads", "x=1 xadd a=y | y=1 cmpxchg c=x", "ac", "01 10 11", "00", "", {sb_swap_0, sb_swap_1}},
    {"R", "x=1 y=1 | y=2 c=x", "cy", "01 02 11 12", "", "", {r_0, r_1}},
    {"R+mfence", "x=1 y=1 | y=2 mfence c=x", "cy", "01 11 12", "02", "", {r_0, r_mfence_1}},
    {"R+xchg", "x=1 y=1 | xchg y=2, c=x", "cy", "01 11 12", "02", "", {r_0, r_lock_1}},

    {"MP", "x=1 y=1 | c=y d=x", "cd", "00 01 11", "10", "00 11", {mp_0, mp_1}},
    {"MP+mixed", "quad x=1, byte y=1 | byte c=y, word d=x", "cd", "00 01 11", "10", "", {mp_mixed_0, mp_mixed_1}},
    {"MP+near", "as MP with two bytes of one quadword", "cd", "00 01 11", "10", "", {mp_near_0, mp_near_1}},
    {"MP+split", "x over two lines", "cd", "00 01 11", "10", "", {mp_split_0, mp_split_1}},
    {"MP+locks", "lock inc x, lock inc y | xadd c=y, d=x", "cd", "00 01 11", "10", "", {mp_lock_0, mp_lock_1}},
    {"MP+rep-stos", "rep stosb x, y=1 | c=y d=x", "cd", "00 01 11", "10", "", {mp_rep_0, mp_rep_1}},
    {"MP+rep-movs", "rep movsl x, y=1 | c=y d=x", "cd", "00 01 11", "10", "", {mp_movs_0, mp_1}},
    {"MP+movnti+sfence", "movnti x, sfence, y=1 | c=y d=x", "cd", "00 01 11", "10", "", {mp_nt_0, mp_1}},
    {"MP+push", "push x, y=1 | c=y d=x", "cd", "00 01 11", "10", "", {mp_push_0, mp_1}},
    {"LB", "a=x y=1 | c=y x=1", "ac", "00 01 10", "11", "", {lb_0, lb_1}},
    {"S", "x=2 y=1 | c=y x=1", "cx", "01 02 11", "12", "", {s_0, s_1}},
    {"2+2W", "x=1 y=2 | y=1 x=2", "xy", "12 21 22", "11", "", {ww_0, ww_1}},

    {"WRC", "x=1 | c=x y=1 | e=y f=x", "cef", "000 001 010 011 100 101 111", "110", "",
     {store_x, pass_on, read_yx}},
    {"ISA2", "x=1 y=1 | c=y z=1 | e=z f=x", "cef", "000 001 010 011 100 101 111", "110", "",
     {mp_0, pass_on_z, read_zx}},
    {"RWC", "x=1 | c=x d=y | y=1 e=x", "cde", "000 001 010 011 100 101 110 111", "", "",
     {store_x, read_xy, sb_yx}},
    {"RWC+mfence", "x=1 | c=x d=y | y=1 mfence e=x", "cde", "000 001 010 011 101 110 111", "100", "",
     {store_x, read_xy, sb_yx_fence}},
    {"3.SB+mfences", "x=1 mfence a=y | y=1 mfence c=z | z=1 mfence e=x", "ace",
     "001 010 011 100 101 110 111", "000", "", {sb_xy_fence, sb_yz_fence, sb_zx_fence}},
    {"3.LB", "a=x y=1 | c=y z=1 | e=z x=1", "ace", "000 001 010 011 100 101 110", "111", "",
     {lb_0, lb_yz, lb_zx}},
    {"IRIW", "x=1 | y=1 | e=x f=y | g=y h=x", "efgh",
     "0000 0001 0010 0011 0100 0101 0110 0111 1000 1001 1011 1100 1101 1110 1111", "1010", "",
     {store_x, store_y, read_xy, read_yx}},
    {"IRIW+xchgs", "xchg x=1 | xchg y=1 | e=x f=y | g=y h=x", "efgh",
     "0000 0001 0010 0011 0100 0101 0110 0111 1000 1001 1011 1100 1101 1110 1111", "1010", "",
     {store_x_locked, store_y_locked, read_xy, read_yx}},

    {"CoRR", "x=1 | c=x d=x", "cd", "00 01 11", "10", "00 11", {store_x, read_2}},
    {"CoRR+mixed", "x=1 | byte c=x, d=x", "cd", "00 01 11", "10", "", {store_x, read_narrow_wide}},
    {"CoWW", "x=1 x=2 | c=x d=x", "cdx", "002 012 022 112 122 222", "212", "", {store_12, read_2}},
    {"CoWR", "x=1 a=x | x=2", "ax", "11 12 22", "21", "", {write_read, store_2}},
    {"CoRW", "a=x x=1 | x=2", "ax", "01 02 21", "22", "", {read_write, store_2}},
    {"CoRR2", "x=1 | x=2 | e=x f=x | g=x h=x", "efghx",
     "00001 00002 00011 00012 00021 00022 00111 00112 00122 00211 00221 00222 01001 01002 "
     "01011 01012 01021 01022 01111 01112 01122 01211 01221 01222 02001 02002 02011 02012 "
     "02021 02022 02111 02112 02122 02211 02221 02222 11001 11002 11011 11012 11021 11022 "
     "11111 11112 11122 11211 11221 11222 12002 12012 12022 12112 12122 12222 21001 21011 "
     "21021 21111 21211 21221 22001 22002 22011 22012 22021 22022 22111 22112 22122 22211 "
     "22221 22222",
     "12210", "", {store_x, store_2, read_2, read_2}},
    {"locks", "lock inc x | lock inc x", "x", "2", "1", "", {lock_inc, lock_inc}},
    {"cmpxchgs", "cmpxchg a=x 0->1 | cmpxchg c=x 0->2", "acx", "011 202", "001", "", {take_1, take_2}},

    TEAR_TEST("8", tear8),
    TEAR_TEST("4", tear4),
    TEAR_TEST("4@1", tear4_odd),
    TEAR_TEST("4@2", tear4_middle),
    TEAR_TEST("4@3", tear4_late),
    TEAR_TEST("2@1", tear2_odd),
    TEAR_TEST("2@3", tear2_middle),
    TEAR_TEST("2@5", tear2_late),
    {"tear-xchg-split", "xchg x=ffff…, over two lines | xadd c=x", "c", "0 1", "9", "", {split_xchg_0, split_xchg_1}},
    {0},
};
