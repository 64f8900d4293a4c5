/* What the tiny guests have in common: console, exit, checks, descriptors, traps, timer chips. */
#ifndef MICRO_H
#define MICRO_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned long uword; /* as wide as a register */

/* Begins a guest: its name as reported, then the body of its main function. */
#define GUEST(name)                    \
    const char guest_name[] = name;    \
    void guest(void)

extern const char guest_name[];
void guest(void);

/* What the loader left in the registers at the entry; the last three in 32-bit guests only. */
extern u32 entry_eax, entry_ebx, entry_cr0, entry_cr4, entry_eflags;

/* Ends of the guest's image in memory. */
extern u8 image_start[], image_end[];

/* --- console, exit, checks (micro.c) --- */

#define COM1 0x3f8
#define EXIT_PORT 0xf4
#define EXIT_PASS 0x10 /* exit status 33 */
#define EXIT_FAIL 0x11 /* exit status 35 */

void print_char(char c);
void print(const char *text);
void print_hex(u64 value);
void print_decimal(u64 value);

/* Says "ok NAME" and ends the VM. */
void pass(void) __attribute__((noreturn));

/* Says "FAIL NAME: what" and ends the VM. */
void fail(const char *what) __attribute__((noreturn));

/*
 * Fails unless both values are equal, and prints them. With the word "all" on the command line the
 * guest goes on, so that one run names all that is wrong.
 */
void check(const char *what, u64 got, u64 want);

/* Says "skip NAME: what": something the processor does not have. */
void skip(const char *what);

/* Fails unless it is so. */
#define ENSURE(what, so)  \
    do {                  \
        if (!(so)) {      \
            fail(what);   \
        }                 \
    } while (0)

void *memcpy(void *to, const void *from, uword count);
void *memset(void *to, int value, uword count);
int memcmp(const void *a, const void *b, uword count);
uword strlen(const char *text);

/* Whether a text has the word in it, between blanks. */
int has_word(const char *text, const char *word);

/* The multiboot command line, empty without one. */
const char *command_line(void);

/* Whether the command line asks for checks that QEMU's TCG does not pass. */
int strict(void);

/* Whether CPUID says AuthenticAMD. */
int amd(void);

/* --- descriptors and traps (micro.c, vectorsNN.S) --- */

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE 0x1b
#define USER_DATA 0x23
#define TSS_SELECTOR 0x28
#define FREE_SLOT 7 /* first GDT slot that guests may use, up to 63 */
#define SELECTOR(slot) ((slot) * 8)

enum {
    DE = 0, DB = 1, NMI = 2, BP = 3, OF = 4, BR = 5, UD = 6, NM = 7, DF = 8, TS = 10, NP = 11,
    SS = 12, GP = 13, PF = 14, MF = 16, AC = 17, XM = 19,
    NONE = 0xffff
};

struct frame {
#ifdef __x86_64__
    uword r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, bx, dx, cx, ax;
#else
    uword gs, fs, es, ds, di, si, bp, ignored_sp, bx, dx, cx, ax;
#endif
    uword vector, error, ip, cs, flags, sp, ss; /* sp and ss in 32 bits from outer rings only */
#ifndef __x86_64__
    uword v86_es, v86_ds, v86_fs, v86_gs;
#endif
};

struct gate {
    u16 offset_low, selector;
    u8 ist, type; /* present, DPL, 0xe interrupt gate, 0xf trap gate */
    u16 offset_middle;
#ifdef __x86_64__
    u32 offset_high, reserved;
#endif
};

extern u64 gdt[64];
extern struct gate idt[256];

/* The task-state segment of TSS_SELECTOR: esp0 and ss0 at 1 and 2, or the 64-bit form. */
void *task_state(void);

/* A handler of one vector, in place of the default; 0 takes it away. */
void handle(int vector, void (*handler)(struct frame *));

/* Runs a function in ring 3 until it executes USER_END. */
void enter_user(void (*function)(void));
#define USER_END() __asm__ volatile("int $0x80" ::: "memory")

/*
 * A segment descriptor: attributes as in the access byte, from bit 8 on AVL, L, D and G. The limit is
 * in units of the granularity.
 */
u64 descriptor(u32 base, u32 limit, u32 attributes);

/* A gate as in descriptor tables; the type with P and DPL. */
u64 gate(u16 selector, u32 offset, u32 type, u32 parameters);

/* Where run() starts, and what it found when the next trap came. */
struct context {
    uword ax, cx, dx, bx, sp, bp, si, di;
#ifdef __x86_64__
    uword r8, r9, r10, r11, r12, r13, r14, r15;
#endif
    uword ip, cs, flags, ss, ds, es, fs, gs;
    uword vector, error, cr2;
};

/* Flat segments of ring 0 or 3, a stack of its own, interrupts off. */
struct context in_ring(int cpl);

/* Goes there by IRET, and comes back when something traps; int $0x80 is the ordinary end. */
void run(struct context *context);
#define END_OF_RUN 0x80

/* A piece of code outside of functions, for run(); it ends with "int $0x80" if nothing happens. */
#define SNIPPET(name, text)           \
    extern u8 name[], name##_end[];   \
    __asm__(".text\n" #name ": " text "\n" #name "_end: int $0x80\n");

/* As run(), with these words on top of the stack. */
void run_with(struct context *context, const void *words, int count);

/* Fails unless the run ended with this exception at this address. */
void ended(const char *what, const struct context *c, u32 vector, uword error, const void *ip);

/* Fails unless the run came to its end. */
void finished(const char *what, const struct context *c);

/* What the last ATTEMPT ran into; vector is NONE when nothing happened. */
struct caught {
    u32 vector;
    uword error, ip, cs, flags, cr2, cx, di, sp;
};
extern volatile struct caught caught;

/* Where the default handler goes on, and the address of the instruction under test. */
extern volatile uword resume_at, attempted_at;

#ifdef __x86_64__
#define WORD "q"
#else
#define WORD "l"
#endif

/* Executes instructions that may trap; whatever happens is found in "caught". */
#define ATTEMPT(instructions, ...)                            \
    do {                                                      \
        caught.vector = NONE;                                 \
        __asm__ volatile("" ::: "memory");                    \
        __asm__ volatile("mov" WORD " $7771f, attempted_at\n" \
                         "mov" WORD " $7772f, resume_at\n"    \
                         "7771: " instructions "\n"           \
                         "7772:\n"                            \
                         "mov" WORD " $0, resume_at\n" __VA_ARGS__); \
        __asm__ volatile("" ::: "memory");                    \
    } while (0)

/* Fails unless the last ATTEMPT was stopped at its first instruction by this exception. */
void expect_fault(const char *what, u32 vector, uword error);

/* As expect_fault, for exceptions that report the next instruction or another address. */
void expect_vector(const char *what, u32 vector, uword error);

/* Fails unless the last ATTEMPT ran without an exception. */
void expect_nothing(const char *what);

/* --- interrupt controller and timer chip (micro.c) --- */

#define PIC1 0x20
#define PIC2 0xa0
#define IRQ_BASE 0x20 /* vector of IRQ 0 */

/* Initialises both 8259s at IRQ_BASE; a set bit masks that IRQ. */
void pic_init(u16 mask);
void pic_mask(u16 mask);
void pic_end(int irq);

#define PIT_HZ 1193182

/* Programs counter 0 of the 8254 with a mode (0 to 5) and a count. */
void pit_program(int mode, u16 count);
u16 pit_read(void);

/* --- instructions --- */

static inline void outb(u16 port, u8 value) {
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}
static inline void outw(u16 port, u16 value) {
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}
static inline void outl(u16 port, u32 value) {
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}
static inline u8 inb(u16 port) {
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline u32 inl(u16 port) {
    u32 value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

#define CONTROL_REGISTER(name)                                    \
    static inline uword read_##name(void) {                       \
        uword value;                                              \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value));    \
        return value;                                             \
    }                                                             \
    static inline void write_##name(uword value) {                \
        __asm__ volatile("mov %0, %%" #name ::"r"(value) : "memory"); \
    }
CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)

static inline u64 read_msr(u32 number) {
    u32 low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (u64) high << 32 | low;
}
static inline void write_msr(u32 number, u64 value) {
    __asm__ volatile("wrmsr" ::"c"(number), "a"((u32) value), "d"((u32) (value >> 32)) : "memory");
}

struct cpuid {
    u32 eax, ebx, ecx, edx;
};
static inline struct cpuid cpuid(u32 leaf) {
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "0"(leaf), "2"(0));
    return r;
}
static inline uword read_flags(void) {
    uword value;
    __asm__ volatile("pushf; pop %0" : "=r"(value));
    return value;
}

static inline void invlpg(uword address) {
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}
static inline void interrupts_off(void) {
    __asm__ volatile("cli" ::: "memory");
}
static inline void interrupts_on(void) {
    __asm__ volatile("sti" ::: "memory");
}

/* Lets interrupts in and sleeps until one has come; to be called with interrupts off. */
static inline void wait_for_interrupt(void) {
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

#define CR0_MP 0x2
#define CR0_EM 0x4
#define CR0_TS 0x8
#define CR0_NE 0x20
#define CR0_WP 0x10000
#define CR0_AM 0x40000
#define CR0_PG 0x80000000u
#define CR4_PSE 0x10
#define CR4_PAE 0x20
#define CR4_OSFXSR 0x200
#define CR4_OSXMMEXCPT 0x400
#define EFER 0xc0000080
#define EFER_SCE 0x1
#define EFER_NXE 0x800

#endif
