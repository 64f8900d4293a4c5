/*
 * Integer, SSE2 and x87 instructions of 64-bit mode with known results. Privileged instructions are
 * not used, so that the same checks also run as a program of the machine itself.
 */

#define CF 0x1
#define PF_FLAG 0x4
#define AF 0x10
#define ZF 0x40
#define SF 0x80
#define OF_FLAG 0x800
#define ARITHMETIC (CF | PF_FLAG | AF | ZF | SF | OF_FLAG)

/* Arithmetic flags after the instructions, which work on "value". */
#define FLAGS_AFTER(value, instructions, ...)                              \
    ({                                                                     \
        u64 flags_;                                                        \
        __asm__ volatile(instructions "\n pushfq\n popq %1"                \
                         : "+r"(value), "=&r"(flags_) : __VA_ARGS__);       \
        flags_ & ARITHMETIC;                                               \
    })

static void multiply_divide(void) {
    u64 low = ~0ULL, high = 0;
    __asm__ volatile("mulq %2" : "+a"(low), "=d"(high) : "r"(~0ULL));
    check("mul, high", high, 0xfffffffffffffffe);
    check("mul, low", low, 1);
    u64 product = 0;
    __asm__ volatile("imulq $-7, %1, %0" : "=r"(product) : "r"(3ULL));
    check("imul by a constant", product, (u64) -21);
    product = 0x123456789abcdefULL;
    u64 flags = FLAGS_AFTER(product, "imulq %2, %0", "r"(0xfedcba987ULL));
    check("imul, result", product, 0x123456789abcdefULL * 0xfedcba987ULL);
    check("imul, overflow", flags & (CF | OF_FLAG), CF | OF_FLAG);
    u64 quotient = 0, remainder = 1;
    __asm__ volatile("divq %2" : "+a"(quotient), "+d"(remainder) : "r"(3ULL));
    check("div, quotient", quotient, 0x5555555555555555);
    check("div, remainder", remainder, 1);
    u64 signed_quotient = (u64) -7, signed_remainder;
    __asm__ volatile("cqo; idivq %2" : "+a"(signed_quotient), "=&d"(signed_remainder) : "r"(2ULL));
    check("idiv, quotient", signed_quotient, (u64) -3);
    check("idiv, remainder", signed_remainder, (u64) -1);
    u64 small = 0x1234567800001007;
    __asm__ volatile("divb %b1" : "+a"(small) : "r"(0x20));
    check("div of bytes", small, 0x1234567800000780);
}

static void add_subtract(void) {
    u64 low = 0xffffffffffffffff, high = 0x7fffffffffffffff;
    u64 flags;
    __asm__ volatile("addq $1, %0; adcq $0, %1; pushfq; popq %2"
                     : "+r"(low), "+r"(high), "=&r"(flags));
    check("add and adc, low", low, 0);
    check("add and adc, high", high, 0x8000000000000000);
    check("flags of adc", flags & ARITHMETIC, SF | OF_FLAG | PF_FLAG | AF);
    low = 0;
    high = 0;
    __asm__ volatile("subq $1, %0; sbbq $0, %1; pushfq; popq %2"
                     : "+r"(low), "+r"(high), "=&r"(flags));
    check("sub and sbb", high, ~0ULL);
    check("flags of sbb", flags & ARITHMETIC, CF | SF | PF_FLAG | AF);
    u64 value = 0x80;
    check("flags of neg", FLAGS_AFTER(value, "negb %b0", "r"(0)), CF | SF | OF_FLAG);
    value = 0x7fffffff;
    check("flags of inc", FLAGS_AFTER(value, "stc; incl %k0", "r"(0)),
          CF | SF | OF_FLAG | AF | PF_FLAG);
    check("inc of 32 bits", value, 0x80000000);
    value = 0;
    check("flags of dec", FLAGS_AFTER(value, "clc; decw %w0", "r"(0)), SF | AF | PF_FLAG);
    check("dec of 16 bits", value, 0xffff);
    value = 0xf0f0;
    check("flags of and", FLAGS_AFTER(value, "stc; andw $0x0f0f, %w0", "r"(0)) & ~(u64) AF,
          ZF | PF_FLAG);
    value = 5;
    check("flags of cmp", FLAGS_AFTER(value, "cmpq $6, %0", "r"(0)), CF | SF | AF | PF_FLAG);
}

static void widths(void) {
    u64 value = ~0ULL;
    __asm__ volatile("movl $1, %k0" : "+r"(value));
    check("a 32-bit result clears the upper half", value, 1);
    value = ~0ULL;
    __asm__ volatile("movw $1, %w0" : "+r"(value));
    check("a 16-bit result keeps the rest", value, 0xffffffffffff0001);
    __asm__ volatile("movb $2, %b0" : "+r"(value));
    check("an 8-bit result keeps the rest", value, 0xffffffffffff0002);
    value = 0x1122;
    __asm__ volatile("movb %%al, %%ah" : "+a"(value));
    check("AH", value, 0x2222);
    value = 0x1122334455667788;
    __asm__ volatile("movb $0x99, %%sil" : "+S"(value));
    check("SIL", value, 0x1122334455667799);
    __asm__ volatile("movslq %k1, %0" : "=r"(value) : "r"(0x80000000));
    check("movslq", value, 0xffffffff80000000);
    __asm__ volatile("movsbl %b1, %k0" : "=r"(value) : "r"(0x80));
    check("movsbl", value, 0xffffff80);
    __asm__ volatile("movzwl %w1, %k0" : "=r"(value) : "r"(0xabcd8001));
    check("movzwl", value, 0x8001);
    value = 0x80000000;
    __asm__ volatile("cltq" : "+a"(value));
    check("cdqe", value, 0xffffffff80000000);
    __asm__ volatile("leaq (%1,%2,8), %0" : "=r"(value) : "r"(0x10ULL), "r"(~0ULL));
    check("lea", value, 8);
    __asm__ volatile("leal (%q1,%q2,2), %k0" : "=r"(value) : "r"(1ULL), "r"(0xffffffffULL));
    check("lea of 32 bits", value, 0xffffffff);
    __asm__ volatile("movq $-5, %0" : "=r"(value));
    check("sign-extended constant", value, (u64) -5);
    __asm__ volatile("movabsq $0x123456789abcdef0, %0" : "=r"(value));
    check("64-bit constant", value, 0x123456789abcdef0);
    __asm__ volatile("pushq $-2; popq %0" : "=r"(value));
    check("push of a constant", value, (u64) -2);
    value = 0x1122334455667788;
    __asm__ volatile("bswapq %0" : "+r"(value));
    check("bswap", value, 0x8877665544332211);
}

static void shifts(void) {
    u64 value = 3;
    __asm__ volatile("shlq %%cl, %0" : "+r"(value) : "c"(65));
    check("shl by 65 is by 1", value, 6);
    value = 3;
    __asm__ volatile("shll %%cl, %k0" : "+r"(value) : "c"(33));
    check("32-bit shl by 33 is by 1", value, 6);
    value = 0x8000000000000000;
    u64 flags = FLAGS_AFTER(value, "sarq $63, %0", "r"(0));
    check("sar", value, ~0ULL);
    check("flags of sar", flags & ~(u64) AF, SF | PF_FLAG);
    value = 1;
    check("a shift by 0 leaves the flags",
          FLAGS_AFTER(value, "xorl %%eax, %%eax; stc; shlq %%cl, %0", "c"(0)) & (CF | ZF), CF | ZF);
    value = 0x8000000000000001;
    check("rcl", FLAGS_AFTER(value, "clc; rclq $1, %0", "r"(0)) & CF, CF);
    check("rcl, result", value, 2);
    check("rcr", FLAGS_AFTER(value, "stc; rcrq $2, %0", "r"(0)) & CF, CF);
    check("rcr, result", value, 0x4000000000000000);
    value = 0x0123456789abcdef;
    __asm__ volatile("rolq $20, %0" : "+r"(value));
    check("rol", value, 0x56789abcdef01234);
    __asm__ volatile("rorw $4, %w0" : "+r"(value));
    check("ror of 16 bits", value, 0x56789abcdef04123);
    value = 0x1111111111111111;
    __asm__ volatile("shldq $8, %1, %0" : "+r"(value) : "r"(0xab00000000000000));
    check("shld", value, 0x11111111111111ab);
    __asm__ volatile("shrdq $4, %1, %0" : "+r"(value) : "r"(0xcULL));
    check("shrd", value, 0xc11111111111111a);
}

static void bits(void) {
    u64 value;
    __asm__ volatile("bsfq %1, %0" : "=r"(value) : "r"(0x0000800000000000));
    check("bsf", value, 47);
    __asm__ volatile("bsrq %1, %0" : "=r"(value) : "r"(0x00008000ffffffff));
    check("bsr", value, 47);
    static u64 array[4];
    array[0] = array[1] = array[2] = array[3] = 0;
    __asm__ volatile("btsq %1, %0" : "+m"(array[0]) : "r"(100ULL) : "memory");
    check("bts beyond the operand", array[1], 1ULL << 36);
    __asm__ volatile("btsq %1, %0" : "+m"(array[1]) : "r"(-1ULL) : "memory");
    check("bts before the operand", array[0], 1ULL << 63);
    value = 0xff;
    check("btr", FLAGS_AFTER(value, "btrq $3, %0", "r"(0)) & CF, CF);
    check("btr, result", value, 0xf7);
    __asm__ volatile("btcq $8, %0" : "+r"(value));
    check("btc", value, 0x1f7);
    u64 a = 0;
    __asm__ volatile("cmpq %2, %1; setl %b0" : "+r"(a) : "r"(-1ULL), "r"(1ULL));
    check("setl", a, 1);
    __asm__ volatile("cmpq %2, %1; setb %b0" : "+r"(a) : "r"(-1ULL), "r"(1ULL));
    check("setb", a, 0);
    u64 b = 0x1111111100000000;
    __asm__ volatile("cmpl $1, %k1; cmovel %k2, %k0" : "+r"(b) : "r"(2), "r"(3));
    check("a cmov of 32 bits that does not move clears the upper half", b, 0);
}

static void exchanges(void) {
    u64 memory = 10, reg = 5;
    __asm__ volatile("lock xaddq %0, %1" : "+r"(reg), "+m"(memory));
    check("xadd, register", reg, 10);
    check("xadd, memory", memory, 15);
    u64 expected = 15;
    u64 flags;
    __asm__ volatile("lock cmpxchgq %3, %1; pushfq; popq %2"
                     : "+a"(expected), "+m"(memory), "=&r"(flags)
                     : "r"(99ULL));
    check("cmpxchg, memory", memory, 99);
    check("cmpxchg, equal", flags & ZF, ZF);
    expected = 1;
    __asm__ volatile("lock cmpxchgq %2, %1" : "+a"(expected), "+m"(memory) : "r"(7ULL));
    check("cmpxchg, not equal", expected, 99);
    static u32 pair[2] = {1, 2};
    u32 low = 1, high = 2;
    __asm__ volatile("lock cmpxchg8b %0" : "+m"(pair), "+a"(low), "+d"(high) : "b"(3), "c"(4));
    check("cmpxchg8b", pair[0] + (pair[1] << 8), 0x403);
    if (cpuid(1).ecx & 1 << 13) {
        static u64 wide[2] __attribute__((aligned(16))) = {1, 2};
        u64 a = 1, d = 2;
        __asm__ volatile("lock cmpxchg16b %0" : "+m"(wide), "+a"(a), "+d"(d) : "b"(5ULL), "c"(6ULL));
        check("cmpxchg16b", wide[0] + (wide[1] << 8), 0x605);
    }
    if (cpuid(1).ecx & 1 << 23) {
        u64 ones;
        __asm__ volatile("popcntq %1, %0" : "=r"(ones) : "r"(0xf0f0f0f0f0f0f0f1));
        check("popcnt", ones, 33);
    }
}

static void strings(void) {
    static u64 from[8], to[8];
    for (u32 i = 0; i < 8; i++) {
        from[i] = i * 0x0101010101010101;
        to[i] = 0;
    }
    u64 *s = from, *d = to;
    u64 count = 8;
    __asm__ volatile("rep movsq" : "+S"(s), "+D"(d), "+c"(count)::"memory");
    check("rep movsq", to[7], 0x0707070707070707);
    check("rep movsq, pointer", (u64) (d - to), 8);
    const u8 *found = (u8 *) to;
    count = 64;
    __asm__ volatile("repne scasb" : "+D"(found), "+c"(count) : "a"(5) : "memory");
    check("repne scasb", (u64) (found - (u8 *) to), 41);
    check("repne scasb, count", count, 23);
    to[3] ^= 1ULL << 56;
    const u8 *x = (u8 *) from, *y = (u8 *) to;
    count = 64;
    __asm__ volatile("repe cmpsb" : "+S"(x), "+D"(y), "+c"(count)::"memory");
    check("repe cmpsb", count, 32);
    /* Overlapping, downwards. */
    s = &from[6];
    d = &from[7];
    count = 7;
    __asm__ volatile("std; rep movsq; cld" : "+S"(s), "+D"(d), "+c"(count)::"memory");
    check("rep movsq downwards", from[7], 0x0606060606060606);
    u64 value;
    const u64 *at = to;
    __asm__ volatile("lodsq" : "=a"(value), "+S"(at)::"memory");
    check("lodsq", value, 0);
    count = 0;
    d = to;
    __asm__ volatile("rep stosq" : "+D"(d), "+c"(count) : "a"(1ULL) : "memory");
    check("rep stosq of nothing", (u64) (d - to), 0);
}

/* Many rounds of compiled code: any wrong bit changes the result. */
static void rounds(void) {
    u64 a = 0x9e3779b97f4a7c15, b = 0xbf58476d1ce4e5b9, c = 1;
    for (u32 i = 0; i < 20000; i++) {
        a ^= a << 13;
        a ^= a >> 7;
        a ^= a << 17;
        b = b * 0x5851f42d4c957f2d + (a | 1);
        c += a / (b >> 40 | 1) + b % ((a & 0xffff) + 3);
        c = c << (a & 63) | c >> (-a & 63);
        c ^= (u64) ((long long) b / (long long) ((a >> 50) + 1));
        c += (u32) ((u32) a * (u32) b) ^ (u16) (a + b);
        if ((long long) a < (long long) b) {
            c = ~c + (a > b);
        }
    }
    check("rounds of integer arithmetic", a ^ b ^ c, ROUNDS);
}

static void integers(void) {
    multiply_divide();
    add_subtract();
    widths();
    shifts();
    bits();
    exchanges();
    strings();
    rounds();
}

/* --- SSE2 --- */

union vector {
    u64 q[2];
    u32 d[4];
    u8 b[16];
} __attribute__((aligned(16)));

union vector va, vb, vr;
u64 scalar;

static void set(union vector *v, u64 low, u64 high) {
    v->q[0] = low;
    v->q[1] = high;
}

static void expect(const char *what, u64 low, u64 high) {
    check(what, vr.q[0], low);
    check(what, vr.q[1], high);
}

/* vr = va OP vb */
#define SSE(text)                                                      \
    __asm__ volatile("movdqa va, %%xmm0; movdqu vb, %%xmm9;" text      \
                     ", %%xmm0; movdqa %%xmm0, vr" ::: "memory")

#define ONE 0x3ff0000000000000
#define TWO 0x4000000000000000
#define THREE 0x4008000000000000
#define HALF 0x3fe0000000000000
#define INFINITY 0x7ff0000000000000

static void sse_doubles(void) {
    set(&va, ONE, THREE);
    set(&vb, TWO, HALF);
    SSE("addpd %%xmm9");
    expect("addpd", THREE, 0x400c000000000000);
    SSE("mulpd %%xmm9");
    expect("mulpd", TWO, 0x3ff8000000000000);
    SSE("divpd %%xmm9");
    expect("divpd", HALF, 0x4018000000000000);
    SSE("subsd %%xmm9");
    expect("subsd", 0xbff0000000000000, THREE);
    set(&va, TWO, ONE);
    SSE("sqrtpd %%xmm9");
    expect("sqrtpd", 0x3ff6a09e667f3bcd, 0x3fe6a09e667f3bcd);
    set(&va, ONE, ONE);
    set(&vb, THREE, 0);
    SSE("divsd %%xmm9");
    expect("divsd", 0x3fd5555555555555, ONE);
    set(&vb, 0, 0);
    SSE("divsd %%xmm9");
    expect("division by zero", INFINITY, ONE);
    set(&va, ONE, TWO);
    set(&vb, TWO, ONE);
    SSE("cmpltpd %%xmm9");
    expect("cmpltpd", ~0ULL, 0);
    SSE("maxpd %%xmm9");
    expect("maxpd", TWO, TWO);
    SSE("unpckhpd %%xmm9");
    expect("unpckhpd", TWO, ONE);
    SSE("shufpd $1, %%xmm9");
    expect("shufpd", TWO, TWO);
    u64 flags;
    __asm__ volatile("movsd va, %%xmm0; ucomisd vb, %%xmm0; pushfq; popq %0" : "=r"(flags)::"memory");
    check("ucomisd, less", flags & ARITHMETIC, CF);
    vb.q[0] = 0x7ff8000000000000;
    __asm__ volatile("movsd va, %%xmm0; ucomisd vb, %%xmm0; pushfq; popq %0" : "=r"(flags)::"memory");
    check("ucomisd, unordered", flags & ARITHMETIC, CF | PF_FLAG | ZF);
    set(&va, 0x8000000000000000, ONE);
    __asm__ volatile("movapd va, %%xmm0; movmskpd %%xmm0, %k0" : "=r"(flags)::"memory");
    check("movmskpd", flags, 1);
}

static void sse_conversions(void) {
    u64 value;
    va.q[0] = 0xc01999999999999a; /* -6.4 */
    __asm__ volatile("cvttsd2siq va, %0" : "=r"(value)::"memory");
    check("cvttsd2si", value, (u64) -6);
    va.q[0] = 0x4004000000000000; /* 2.5 */
    __asm__ volatile("cvtsd2sil va, %k0" : "=r"(value)::"memory");
    check("cvtsd2si rounds to even", value, 2);
    va.q[0] = 0x43f0000000000000;
    __asm__ volatile("cvttsd2siq va, %0" : "=r"(value)::"memory");
    check("cvttsd2si out of range", value, 0x8000000000000000);
    __asm__ volatile("cvtsi2sdq %1, %%xmm1; movq %%xmm1, %0" : "=m"(scalar) : "r"(-3ULL));
    check("cvtsi2sd", scalar, 0xc008000000000000);
    va.q[0] = 0x3fd5555555555555;
    __asm__ volatile("cvtsd2ss va, %%xmm1; movd %%xmm1, %k0" : "=r"(value)::"memory");
    check("cvtsd2ss", value, 0x3eaaaaab);
    set(&vb, 0x0000000700000003, 0);
    __asm__ volatile("cvtdq2pd vb, %%xmm2; movapd %%xmm2, vr" ::: "memory");
    expect("cvtdq2pd", THREE, 0x401c000000000000);
    static const u32 up = 0x5f80, near = 0x1f80;
    va.q[0] = 0x4000000000000001;
    __asm__ volatile("ldmxcsr %1; cvtsd2siq va, %0; ldmxcsr %2" : "=r"(value) : "m"(up), "m"(near));
    check("cvtsd2si rounding up", value, 3);
    u32 status;
    __asm__ volatile("stmxcsr %0" : "=m"(status));
    check("MXCSR", status & 0xffc0, 0x1f80);
}

static void sse_singles(void) {
    set(&va, 0x400000003f800000, 0x4080000040400000); /* 1 2 3 4 */
    set(&vb, 0x3f0000003f000000, 0x3f0000003f000000); /* 0.5 */
    SSE("addps %%xmm9");
    expect("addps", 0x402000003fc00000, 0x4090000040600000);
    SSE("mulss %%xmm9");
    expect("mulss", 0x400000003f000000, 0x4080000040400000);
    SSE("shufps $0x1b, %%xmm9");
    expect("shufps", 0x4040000040800000, 0x3f0000003f000000);
    SSE("movhlps %%xmm9");
    expect("movhlps", 0x3f0000003f000000, 0x4080000040400000);
    SSE("xorps %%xmm9");
    expect("xorps", 0x7f00000000800000, 0x7f8000007f400000);
}

static void sse_integers(void) {
    set(&va, 0x00000001ffffffff, 0x8000000000000010);
    set(&vb, 0x0000000200000003, 0x0000000100000020);
    SSE("paddd %%xmm9");
    expect("paddd", 0x0000000300000002, 0x8000000100000030);
    SSE("paddq %%xmm9");
    expect("paddq", 0x0000000400000002, 0x8000000100000030);
    SSE("psubb %%xmm9");
    expect("psubb", 0x000000fffffffffc, 0x800000ff000000f0);
    SSE("pmuludq %%xmm9");
    expect("pmuludq", 0x00000002fffffffd, 0x200);
    SSE("pcmpgtd %%xmm9");
    expect("pcmpgtd", 0, 0);
    SSE("pandn %%xmm9");
    expect("pandn", 0x0000000200000000, 0x0000000100000020);
    SSE("punpckldq %%xmm9");
    expect("punpckldq", 0x00000003ffffffff, 0x0000000200000001);
    SSE("pshufd $0x4e, %%xmm9");
    expect("pshufd", 0x0000000100000020, 0x0000000200000003);
    SSE("packssdw %%xmm9");
    expect("packssdw", 0x800000100001ffff, 0x0001002000020003);
    SSE("pmaddwd %%xmm9");
    expect("pmaddwd", 0x00000002fffffffd, 0x0000000000000200);
    SSE("psadbw %%xmm9");
    expect("psadbw", 0xfc + 3 * 0xff + 1, 0x80 + 1 + 0x10);
    u64 mask;
    __asm__ volatile("movdqa va, %%xmm0; pcmpeqb vb, %%xmm0; pmovmskb %%xmm0, %k0" : "=r"(mask)::"memory");
    check("pcmpeqb and pmovmskb", mask, 0x6ee0);
    __asm__ volatile("movdqa va, %%xmm0; pslldq $3, %%xmm0; movdqa %%xmm0, vr" ::: "memory");
    expect("pslldq", 0x01ffffffff000000, 0x0000000010000000);
    __asm__ volatile("movdqa va, %%xmm0; psrlq $4, %%xmm0; movdqa %%xmm0, vr" ::: "memory");
    expect("psrlq", 0x000000001fffffff, 0x0800000000000001);
    __asm__ volatile("movdqa va, %%xmm0; psrad $4, %%xmm0; movdqa %%xmm0, vr" ::: "memory");
    expect("psrad", 0x00000000ffffffff, 0xf800000000000001);
    __asm__ volatile("movdqa va, %%xmm0; pextrw $4, %%xmm0, %k0" : "=r"(mask)::"memory");
    check("pextrw", mask, 0x10);
}

static void sse_state(void) {
    static u8 area[512] __attribute__((aligned(16)));
    set(&va, 0x1122334455667788, 0x99aabbccddeeff00);
    __asm__ volatile("fninit; fld1; movdqa va, %%xmm7; fxsaveq %0; fninit; pxor %%xmm7, %%xmm7;"
                     "fxrstorq %0; movdqa %%xmm7, vr; fstpl %1"
                     : "+m"(area), "=m"(scalar)::"memory");
    expect("fxsave and fxrstor, XMM7", 0x1122334455667788, 0x99aabbccddeeff00);
    check("fxsave and fxrstor, ST0", scalar, ONE);
    check("x87 control word in the area", area[0] | area[1] << 8, 0x37f);
    check("abridged tag word in the area", area[4], 0x80);
}

static void sse(void) {
    sse_doubles();
    sse_conversions();
    sse_singles();
    sse_integers();
    sse_state();
}

/* --- x87 --- */

u64 result;
u16 control;

#define X87(text, ...) __asm__ volatile("fninit;" text ::: "memory")

static void x87_arithmetic(void) {
    X87("fld1; fadd %%st(0); fld1; fdivp; fstpl result");
    check("fdivp", result, HALF);
    X87("fldpi; fstpl result");
    check("fldpi", result, 0x400921fb54442d18);
    X87("fldl2e; fstpl result");
    check("fldl2e", result, 0x3ff71547652b82fe);
    X87("fld1; fadd %%st(0); fsqrt; fstpl result");
    check("fsqrt", result, 0x3ff6a09e667f3bcd);
    static u8 ten_bytes[10];
    __asm__ volatile("fninit; fld1; fld1; fadd %%st(1); fadd %%st(1); fdivrp; fstpt %0"
                     : "=m"(ten_bytes)::"memory");
    u64 mantissa;
    memcpy(&mantissa, ten_bytes, 8);
    check("a third in 80 bits", mantissa, 0xaaaaaaaaaaaaaaab);
    X87("fld1; fchs; fabs; fstpl result");
    check("fchs and fabs", result, ONE);
    static const u32 seventeen = 17, five = 5;
    __asm__ volatile("fninit; fildl %1; fildl %0; fprem; fstpl result; fstp %%st(0)" ::"m"(seventeen),
                     "m"(five)
                     : "memory");
    check("fprem", result, TWO);
    static const u32 three = 3;
    __asm__ volatile("fninit; fildl %0; fld1; fscale; fstpl result; fstp %%st(0)" ::"m"(three) : "memory");
    check("fscale", result, 0x4020000000000000);
    __asm__ volatile("fninit; fildl %0; fxtract; fstpl result; fstp %%st(0)" ::"m"(seventeen) : "memory");
    check("fxtract", result, 0x3ff1000000000000);
}

static void x87_conversions(void) {
    X87("fldpi; fistpll result");
    check("fistp", result, 3);
    control = 0x0b7f; /* towards plus infinity */
    __asm__ volatile("fninit; fldpi; fldcw control; fistpll result; fninit" ::: "memory");
    check("fistp, rounding up", result, 4);
    control = 0x027f; /* 53 bits */
    static const u32 seven = 7;
    __asm__ volatile("fninit; fldcw control; fld1; fildl %0; fdivrp; fstpl result; fninit" ::"m"(seven)
                     : "memory");
    check("precision of 53 bits", result, 0x3fc2492492492492);
    static u8 decimal[10];
    static const u64 number = (u64) -1234567890123;
    __asm__ volatile("fninit; fildll %1; fbstp %0" : "=m"(decimal) : "m"(number));
    check("fbstp, digits", decimal[0] | decimal[1] << 8 | decimal[6] << 16, 0x010123);
    check("fbstp, sign", decimal[9], 0x80);
    __asm__ volatile("fninit; fbld %0; fistpll result" ::"m"(decimal) : "memory");
    check("fbld", result, number);
    static const u32 single = 0x3fc00000;
    __asm__ volatile("fninit; flds %0; fstpl result" ::"m"(single) : "memory");
    check("flds", result, 0x3ff8000000000000);
}

static void x87_comparisons(void) {
    u64 flags;
    __asm__ volatile("fninit; fldz; fld1; fcomip %%st(1), %%st; pushfq; popq %0; fstp %%st(0)"
                     : "=r"(flags));
    check("fcomi, greater", flags & (CF | ZF | PF_FLAG), 0);
    __asm__ volatile("fninit; fld1; fldz; fucomip %%st(1), %%st; pushfq; popq %0; fstp %%st(0)"
                     : "=r"(flags));
    check("fucomi, less", flags & (CF | ZF | PF_FLAG), CF);
    u16 status;
    __asm__ volatile("fninit; fldz; fld1; fcompp; fnstsw %0" : "=m"(status));
    check("fcompp, greater", status & 0x4500, 0);
    __asm__ volatile("fninit; fldz; fchs; fxam; fnstsw %0; fstp %%st(0)" : "=m"(status));
    check("fxam of -0", status & 0x4700, 0x4200);
    __asm__ volatile("fninit; fxam; fnstsw %0" : "=m"(status));
    check("fxam of nothing", status & 0x4500, 0x4100);
    __asm__ volatile("fninit; fld1; fldz; fdivp; fnstsw %0; fninit" : "=m"(status));
    check("status without a zero divide", status & 0x4, 0);
    __asm__ volatile("fninit; fld1; fldz; fdivrp; fnstsw %0; fninit" : "=m"(status));
    check("status of a zero divide", status & 0x4, 0x4);
    __asm__ volatile("fninit; fstp %%st(0); fnstsw %0; fninit" : "=m"(status));
    if (strict()) {
        check("stack underflow", status & 0x241, 0x41);
    }
}

/* Functions whose last bit processors may round differently: 40 bits of the fraction are enough. */
static void x87_functions(void) {
    static const u32 forty = 40;
#define SCALED(text) \
    __asm__ volatile("fninit; fildl %0;" text "; fscale; fistpll result; fninit" ::"m"(forty) : "memory")
    SCALED("fld1; fsin");
    check("fsin", result, 0xd76aa47848);
    SCALED("fld1; fcos");
    check("fcos", result, 0x8a51407da8);
    SCALED("fld1; fld1; fpatan");
    check("fpatan", result, 0xc90fdaa221);
    SCALED("fld1; fadd %%st(0); fadd %%st(0); fld1; fadd %%st, %%st(1); fxch; fyl2x");
    check("fyl2x", result, 0x25269e12f34);
    SCALED("fld1; fld1; fadd %%st, %%st(1); fdivp; f2xm1");
    check("f2xm1", result, 0x6a09e667f4);
}

static void x87(void) {
    x87_arithmetic();
    x87_conversions();
    x87_comparisons();
    x87_functions();
}
