/*
 * Code that changes: before it runs again, while it runs, across pages, through every kind of store,
 * through another linear address, and by mapping other memory at its address.
 */
#include "micro.h"

#define RET 0xc3
#define MOV_EAX 0xb8
#define WINDOW 0x40000000u

static u8 area[3 * 4096] __attribute__((aligned(4096)));
static u32 directory[1024] __attribute__((aligned(4096)));
static u32 other_directory[1024] __attribute__((aligned(4096)));
static u32 table[1024] __attribute__((aligned(4096)));
static u32 other_table[1024] __attribute__((aligned(4096)));

static u32 call(const void *code) {
    u32 result;
    __asm__ volatile("call *%1" : "=a"(result) : "r"(code) : "ecx", "edx", "memory");
    return result;
}

/* mov $value, %eax; ret */
static void put(u8 *at, u32 value) {
    at[0] = MOV_EAX;
    memcpy(at + 1, &value, 4);
    at[5] = RET;
}

static void between_calls(void) {
    u8 *code = area + 64;
    put(code, 1);
    for (u32 i = 1; i < 3000; i++) {
        check("function changed between calls", call(code), i);
        *(volatile u32 *) (code + 1) = i + 1;
    }
    /* Another instruction in the place: xor %eax, %eax; inc %eax; nop; nop; ret. */
    static const u8 other[] = {0x31, 0xc0, 0x40, 0x90, 0x90, RET};
    memcpy(code, other, sizeof other);
    check("other instructions in the same place", call(code), 1);
}

static void while_running(void) {
    u32 result;
    __asm__ volatile(
            "movb $0x42, 1f + 1\n"
            "jmp 1f\n"
            "1: mov $0x11, %%al\n"
            "movzbl %%al, %0\n"
            "movb $0x11, 1b + 1\n"
            : "=a"(result)::"memory");
    check("next instruction, with a jump", result, 0x42);
    __asm__ volatile(
            "movb $0x43, 1f + 1\n"
            "1: mov $0x11, %%al\n"
            "movzbl %%al, %0\n"
            "movb $0x11, 1b + 1\n"
            : "=a"(result)::"memory");
    check("next instruction, without a jump", result, 0x43);
    u32 sum = 0;
    u32 count = 100;
    __asm__ volatile(
            "1: mov $0, %%eax\n"
            "add %%eax, %0\n"
            "incl 1b + 1\n"
            "dec %1\n"
            "jnz 1b\n"
            : "+r"(sum), "+r"(count)::"eax", "memory");
    check("instruction that counts itself", sum, 4950);
    /* A jump whose distance changes: 0 skips nothing, 2 skips the first increment. */
    __asm__ volatile(
            "xor %%eax, %%eax\n"
            "movb $2, 1f + 1\n"
            "1: .byte 0xeb, 0x00\n"
            ".byte 0xff, 0xc0\n"
            "inc %%eax\n"
            : "=a"(result)::"memory");
    check("jump with another distance", result, 1);
}

static void across_pages(void) {
    u8 *code = area + 4096 - 2;
    put(code, 0x11223344);
    check("function across two pages", call(code), 0x11223344);
    code[3] = 0x99;
    check("changed in the second page", call(code), 0x11993344);
    code[1] = 0x55;
    check("changed in the first page", call(code), 0x11993355);
    *(volatile u32 *) (code + 1) = 0xcafe0123;
    check("changed by one store in both", call(code), 0xcafe0123);
}

static void kinds_of_stores(void) {
    u8 *code = area + 512;
    u8 *field = code + 1;
    put(code, 0);
    check("before", call(code), 0);
    uword count = 4;
    __asm__ volatile("rep stosb" : "+D"(field), "+c"(count) : "a"(0x21) : "memory");
    field = code + 1;
    check("rep stosb", call(code), 0x21212121);
    static const u32 source = 0x01020304;
    memcpy(field, &source, 4);
    check("rep movsb", call(code), 0x01020304);
    u32 add = 0x10;
    __asm__ volatile("lock xaddl %0, %1" : "+r"(add), "+m"(*(u32 *) field));
    check("lock xadd", call(code), 0x01020314);
    u32 exchanged = 0x77;
    __asm__ volatile("xchgl %0, %1" : "+r"(exchanged), "+m"(*(u32 *) field));
    check("xchg", call(code), 0x77);
    u32 expected = 0x77;
    __asm__ volatile("lock cmpxchgl %2, %1"
                     : "+a"(expected), "+m"(*(u32 *) field)
                     : "r"(0x88));
    check("lock cmpxchg", call(code), 0x88);
    __asm__ volatile("movl %%esp, %%ecx\n leal 4(%0), %%esp\n pushl $0x99\n movl %%ecx, %%esp" ::"r"(
                             field)
                     : "ecx", "memory");
    check("push", call(code), 0x99);
    static const u32 one = 0xabc;
    __asm__ volatile("fninit; fildl %1; fistpl %0" : "=m"(*(u32 *) field) : "m"(one));
    check("fistp", call(code), 0xabc);
    __asm__ volatile("btsl $16, %0" : "+m"(*(u32 *) field));
    check("bts", call(code), 0x10abc);
    u16 word = 0x1357;
    __asm__ volatile("movw %1, %0" : "=m"(*(u16 *) field) : "r"(word));
    check("16-bit store", call(code), 0x11357);
}

static void paging_on(void) {
    for (u32 i = 0; i < 4; i++) {
        directory[i] = other_directory[i] = i << 22 | 0x83;
    }
    directory[WINDOW >> 22] = (u32) table | 3;
    other_directory[WINDOW >> 22] = (u32) other_table | 3;
    write_cr4(read_cr4() | CR4_PSE);
    write_cr3((uword) directory);
    write_cr0(read_cr0() | CR0_PG);
}

static void other_addresses(void) {
    u8 *first = area + 4096, *second = area + 2 * 4096;
    put(first, 0xa);
    put(second, 0xb);
    table[0] = (u32) first | 3;
    other_table[0] = (u32) second | 3;
    paging_on();
    u8 *window = (u8 *) WINDOW;
    check("through the window", call(window), 0xa);
    check("at its own address", call(first), 0xa);
    window[1] = 0xc;
    cpuid(0); /* serialises: the store came through another linear address */
    check("changed through the window", call(first), 0xc);
    first[1] = 0xd;
    cpuid(0);
    check("changed below the window", call(window), 0xd);
    for (u32 i = 0; i < 200; i++) {
        table[0] = (u32) (i & 1 ? first : second) | 3;
        invlpg(WINDOW);
        check("another page in the window", call(window), i & 1 ? 0xd : 0xb);
    }
    table[0] = (u32) first | 3;
    invlpg(WINDOW);
    for (u32 i = 0; i < 200; i++) {
        write_cr3((uword) (i & 1 ? directory : other_directory));
        check("another address space", call(window), i & 1 ? 0xd : 0xb);
    }
    write_cr0(read_cr0() & ~(uword) CR0_PG);
    check("after paging", call(first), 0xd);
}

GUEST("smc") {
    between_calls();
    while_running();
    across_pages();
    kinds_of_stores();
    other_addresses();
}
