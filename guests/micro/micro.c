/* The common part of the tiny guests; see micro.h. Compiled for 32 and for 64 bits. */
#include "micro.h"

#define LSR 5
#define LSR_THRE 0x20
#define MULTIBOOT_MAGIC 0x2badb002
#define MULTIBOOT_CMDLINE 0x4

u32 entry_eax, entry_ebx, entry_cr0, entry_cr4, entry_eflags;
volatile struct caught caught;
volatile uword resume_at, attempted_at;
struct gate idt[256] __attribute__((aligned(16)));

extern const uword vectors[256];
extern u8 trap_stack_top[];
void leave_user(void) __attribute__((noreturn));
void trap(struct frame *frame);
void setup(void);

static void (*handlers[256])(struct frame *);
static u32 failures;

/* Of the stack that a trap found, if it was not the kernel's (vectors32.S). */
u32 odd_sp, odd_ss;

/* The context of the run in progress, if there is one. */
struct context *running;

static u8 run_stack[4096] __attribute__((aligned(16)));

#ifdef __x86_64__
#define CODE 0x00af9b000000ffffULL
#define CODE3 0x00affb000000ffffULL
#else
#define CODE 0x00cf9b000000ffffULL
#define CODE3 0x00cffb000000ffffULL
#endif

u64 gdt[64] __attribute__((aligned(16))) = {
    0, CODE, 0x00cf93000000ffffULL, CODE3, 0x00cff3000000ffffULL,
};

struct pseudo_descriptor {
    u16 limit;
    uword base;
} __attribute__((packed));

const struct pseudo_descriptor gdtr = {sizeof gdt - 1, (uword) gdt};

#ifdef __x86_64__
static struct {
    u32 reserved;
    u64 rsp[3], reserved2, ist[7], reserved3;
    u16 reserved4, io_map;
} __attribute__((packed)) tss;
#else
static struct {
    u32 link, esp0, ss0, unused[22];
    u16 trap, io_map;
} tss;
#endif

/* --- console, exit, checks --- */

void print_char(char c) {
    while (!(inb(COM1 + LSR) & LSR_THRE)) {
    }
    outb(COM1, (u8) c);
}

void print(const char *text) {
    while (*text) {
        print_char(*text++);
    }
}

void print_hex(u64 value) {
    print("0x");
    int shift = 60;
    while (shift > 0 && !(value >> shift)) {
        shift -= 4;
    }
    for (; shift >= 0; shift -= 4) {
        print_char("0123456789abcdef"[value >> shift & 15]);
    }
}

void print_decimal(u64 value) {
    /* Without a 64-bit division, which 32-bit guests would need a library for. */
    static const u32 powers[] = {1000000000, 100000000, 10000000, 1000000, 100000,
                                 10000,      1000,      100,      10,      1};
    int begun = 0;
    for (unsigned i = 0; i < sizeof powers / sizeof *powers; i++) {
        char digit = '0';
        while (value >= powers[i]) {
            value -= powers[i];
            digit++;
        }
        begun |= digit != '0' || powers[i] == 1;
        if (begun) {
            print_char(digit);
        }
    }
}

static void end(u8 value) __attribute__((noreturn));
static void end(u8 value) {
    outb(EXIT_PORT, value);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

void pass(void) {
    if (failures) {
        fail("some checks");
    }
    print("ok ");
    print(guest_name);
    print("\n");
    end(EXIT_PASS);
}

static void begin_failure(const char *what) {
    print("FAIL ");
    print(guest_name);
    print(": ");
    print(what);
}

void fail(const char *what) {
    begin_failure(what);
    print("\n");
    end(EXIT_FAIL);
}

void check(const char *what, u64 got, u64 want) {
    if (got != want) {
        begin_failure(what);
        print(": got ");
        print_hex(got);
        print(", want ");
        print_hex(want);
        print("\n");
        failures++;
        if (!has_word(command_line(), "all")) {
            end(EXIT_FAIL);
        }
    }
}

void skip(const char *what) {
    print("skip ");
    print(guest_name);
    print(": ");
    print(what);
    print("\n");
}

void *memcpy(void *to, const void *from, uword count) {
    void *result = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
    return result;
}

void *memset(void *to, int value, uword count) {
    void *result = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
    return result;
}

int memcmp(const void *a, const void *b, uword count) {
    const u8 *x = a, *y = b;
    for (; count; count--, x++, y++) {
        if (*x != *y) {
            return *x < *y ? -1 : 1;
        }
    }
    return 0;
}

uword strlen(const char *text) {
    uword length = 0;
    while (text[length]) {
        length++;
    }
    return length;
}

int has_word(const char *text, const char *word) {
    uword length = strlen(word);
    for (const char *at = text; *at; at++) {
        int begins = at == text || at[-1] == ' ';
        if (begins && !memcmp(at, word, length) && (at[length] == ' ' || !at[length])) {
            return 1;
        }
    }
    return 0;
}

const char *command_line(void) {
    const u32 *info = (const u32 *) (uword) entry_ebx;
    int there = entry_eax == MULTIBOOT_MAGIC && (info[0] & MULTIBOOT_CMDLINE);
    return there ? (const char *) (uword) info[4] : "";
}

int strict(void) {
    return has_word(command_line(), "strict");
}

int amd(void) {
    return cpuid(0).ebx == 0x68747541; /* "Auth" */
}

/* --- descriptors and traps --- */

u64 descriptor(u32 base, u32 limit, u32 attributes) {
    return (limit & 0xffff) | (u64) (limit >> 16 & 15) << 48 | (u64) (base & 0xffffff) << 16
            | (u64) (base >> 24) << 56 | (u64) (attributes & 0xff) << 40
            | (u64) (attributes >> 8 & 15) << 52;
}

u64 gate(u16 selector, u32 offset, u32 type, u32 parameters) {
    return (offset & 0xffff) | (u64) selector << 16 | (u64) parameters << 32 | (u64) type << 40
            | (u64) (offset >> 16) << 48;
}

struct context in_ring(int cpl) {
    struct context c;
    memset(&c, 0, sizeof c);
    c.cs = cpl ? USER_CODE : KERNEL_CODE;
    c.ss = c.ds = c.es = cpl ? USER_DATA : KERNEL_DATA;
    c.sp = (uword) run_stack + sizeof run_stack;
    c.flags = 2;
    return c;
}

void run_with(struct context *c, const void *words, int count) {
    c->sp -= count * sizeof(uword);
    memcpy((void *) c->sp, words, count * sizeof(uword));
    run(c);
}

void ended(const char *what, const struct context *c, u32 vector, uword error, const void *ip) {
    check(what, c->vector, vector);
    check(what, c->error, error);
    check(what, c->ip, (uword) ip);
}

void finished(const char *what, const struct context *c) {
    check(what, c->vector, END_OF_RUN);
}

static void set_gate(int vector, u8 type) {
    uword offset = vectors[vector];
    struct gate *gate = &idt[vector];
    memset(gate, 0, sizeof *gate);
    gate->offset_low = (u16) offset;
    gate->offset_middle = (u16) (offset >> 16);
#ifdef __x86_64__
    gate->offset_high = (u32) (offset >> 32);
#endif
    gate->selector = KERNEL_CODE;
    gate->type = type;
}

void *task_state(void) {
    return &tss;
}

static void set_tss(void) {
    u64 base = (uword) &tss;
    tss.io_map = sizeof tss;
#ifdef __x86_64__
    tss.rsp[0] = (uword) trap_stack_top;
    gdt[TSS_SELECTOR / 8 + 1] = base >> 32;
#else
    tss.esp0 = (uword) trap_stack_top;
    tss.ss0 = KERNEL_DATA;
#endif
    gdt[TSS_SELECTOR / 8] = 0x0000890000000000ULL | (sizeof tss - 1) | (base & 0xffffff) << 16
            | (base >> 24 & 0xff) << 56;
    __asm__ volatile("lldt %w0; ltr %w1" ::"r"(0), "r"(TSS_SELECTOR));
}

/* Called by the entry code. */
void setup(void) {
    /* No FIFO interrupts, 8N1 at 115200 baud; DTR, RTS and OUT2 on. */
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 0x80);
    outb(COM1, 1);
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 3);
    outb(COM1 + 4, 0x0b);
    for (int i = 0; i < 256; i++) {
        set_gate(i, 0x8e);
    }
    /* int3, into and int $0x80 may come from ring 3. */
    set_gate(BP, 0xee);
    set_gate(OF, 0xee);
    set_gate(0x80, 0xee);
    struct pseudo_descriptor idtr = {sizeof idt - 1, (uword) idt};
    __asm__ volatile("lidt %0" ::"m"(idtr));
    set_tss();
}

void handle(int vector, void (*handler)(struct frame *)) {
    handlers[vector] = handler;
}

static void came_back(struct context *c, struct frame *frame) {
    c->ax = frame->ax;
    c->cx = frame->cx;
    c->dx = frame->dx;
    c->bx = frame->bx;
    c->bp = frame->bp;
    c->si = frame->si;
    c->di = frame->di;
    c->ip = frame->ip;
    c->cs = frame->cs;
    c->flags = frame->flags;
    c->vector = frame->vector;
    c->error = frame->error;
    c->cr2 = read_cr2();
#ifdef __x86_64__
    c->r8 = frame->r8;
    c->r9 = frame->r9;
    c->r10 = frame->r10;
    c->r11 = frame->r11;
    c->r12 = frame->r12;
    c->r13 = frame->r13;
    c->r14 = frame->r14;
    c->r15 = frame->r15;
    c->sp = frame->sp;
    c->ss = frame->ss;
    __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
                     : "=r"(c->ds), "=r"(c->es), "=r"(c->fs), "=r"(c->gs));
#else
    int virtual = frame->flags >> 17 & 1;
    int inner = !virtual && !(frame->cs & 3);
    uword below = odd_ss ? odd_sp + __builtin_offsetof(struct frame, sp) : (uword) &frame->sp;
    c->sp = inner ? below : frame->sp;
    c->ss = inner ? odd_ss ? odd_ss : KERNEL_DATA : (u16) frame->ss;
    c->ds = (u16) (virtual ? frame->v86_ds : frame->ds);
    c->es = (u16) (virtual ? frame->v86_es : frame->es);
    c->fs = (u16) (virtual ? frame->v86_fs : frame->fs);
    c->gs = (u16) (virtual ? frame->v86_gs : frame->gs);
    c->cs = (u16) c->cs;
#endif
    running = 0;
    odd_ss = 0;
    leave_user();
}

/* Called by vectorsNN.S with interrupts off. */
void trap(struct frame *frame) {
    if (handlers[frame->vector]) {
        handlers[frame->vector](frame);
        return;
    }
    if (running) {
        came_back(running, frame);
    }
    if (frame->vector == 0x80) {
        leave_user();
    }
    if (!resume_at) {
        begin_failure("unexpected vector ");
        print_hex(frame->vector);
        print(" error ");
        print_hex(frame->error);
        print(" at ");
        print_hex(frame->ip);
        print(" cr2 ");
        print_hex(read_cr2());
        print("\n");
        end(EXIT_FAIL);
    }
    caught.vector = (u32) frame->vector;
    caught.error = frame->error;
    caught.ip = frame->ip;
    caught.cs = frame->cs;
    caught.flags = frame->flags;
    caught.cr2 = read_cr2();
    caught.cx = frame->cx;
    caught.di = frame->di;
#ifdef __x86_64__
    caught.sp = frame->sp;
#else
    caught.sp = frame->cs & 3 ? frame->sp : (uword) &frame->sp;
#endif
    frame->ip = resume_at;
    frame->flags &= ~0x4100UL; /* TF, NT */
    resume_at = 0;
}

void expect_vector(const char *what, u32 vector, uword error) {
    check(what, caught.vector, vector);
    check(what, caught.error, error);
}

void expect_fault(const char *what, u32 vector, uword error) {
    expect_vector(what, vector, error);
    check(what, caught.ip, attempted_at);
}

void expect_nothing(const char *what) {
    check(what, caught.vector, NONE);
}

/* --- interrupt controller and timer chip --- */

void pic_init(u16 mask) {
    outb(PIC1, 0x11); /* ICW1: edge triggered, cascade, ICW4 follows */
    outb(PIC2, 0x11);
    outb(PIC1 + 1, IRQ_BASE);
    outb(PIC2 + 1, IRQ_BASE + 8);
    outb(PIC1 + 1, 4); /* ICW3: the slave is at IRQ 2 */
    outb(PIC2 + 1, 2);
    outb(PIC1 + 1, 1); /* ICW4: 8086 mode, normal end of interrupt */
    outb(PIC2 + 1, 1);
    pic_mask(mask);
}

void pic_mask(u16 mask) {
    outb(PIC1 + 1, (u8) mask);
    outb(PIC2 + 1, (u8) (mask >> 8));
}

void pic_end(int irq) {
    if (irq >= 8) {
        outb(PIC2, 0x20);
    }
    outb(PIC1, 0x20);
}

void pit_program(int mode, u16 count) {
    outb(0x43, (u8) (0x30 | mode << 1)); /* counter 0, low byte then high byte */
    outb(0x40, (u8) count);
    outb(0x40, (u8) (count >> 8));
}

u16 pit_read(void) {
    outb(0x43, 0); /* latch counter 0 */
    u8 low = inb(0x40);
    return (u16) (low | inb(0x40) << 8);
}
