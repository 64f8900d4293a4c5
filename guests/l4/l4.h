/* System calls of the micro-kernel that hosts/l4 models, for native programs. See README.md. */
#ifndef L4_H
#define L4_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;

/* Threads have global ids; these are none's and anybody's (X.2, 2.1). */
#define L4_NIL 0UL
#define L4_ANY (~0UL)

/* Flexpages (X.2, 4.1): start, logarithm of the size, rights. */
#define L4_READ 4UL
#define L4_WRITE 2UL
#define L4_EXECUTE 1UL
#define L4_COMPLETE 0x10UL
#define L4_PAGE_SHIFT 12

static inline u64 l4_page(u64 start, u64 shift, u64 rights) {
    return start | shift << 4 | rights;
}

/* Messages (X.2, 5.1): label, plain words, words of items. Items take two words each. */
#define L4_WORDS 64
#define L4_MAP 0x8UL
#define L4_GRANT 0xaUL

static inline u64 l4_tag(u64 label, u64 untyped, u64 typed) {
    return label << 16 | typed << 6 | untyped;
}

static inline u64 l4_label(u64 tag) { return tag >> 16; }

/* Label of a page fault without its rights (X.2, 3.7); the words are address and instruction. */
#define L4_FAULT 0xffffffffffe0UL

/* A thread's own page. Where GS points the kernel says whose turn it is. */
struct l4_utcb {
    u64 message[L4_WORDS];
    u64 window; /* flexpage in which mapped pages may appear */
    u64 self;
};

static inline struct l4_utcb *l4_utcb(void) {
    u64 at;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(at));
    return (struct l4_utcb *)at;
}

static inline u64 l4_self(void) { return l4_utcb()->self; }

/* Timeouts (X.2, 5.4): so many microseconds, up to 1023. */
#define L4_NEVER 0UL
#define L4_ZERO 0x400UL
#define L4_MICROSECONDS(n) ((u64)(n))
#define L4_TIMEOUTS(send, receive) ((send) << 16 | (receive))

/* Errors of IPC: bit 0 is set if it went wrong while receiving. */
#define L4_RECEIVING 1
#define L4_TIMEOUT 2
#define L4_NO_PARTNER 4
#define L4_CANCELLED 6
#define L4_OVERFLOW 8

/* Whom a message came from, and what went wrong. */
struct l4_result {
    u64 from;
    u64 error;
};

struct l4_result l4_ipc(u64 to, u64 from, u64 timeouts);

static inline struct l4_result l4_call(u64 to) { return l4_ipc(to, to, 0); }
static inline struct l4_result l4_send(u64 to) { return l4_ipc(to, L4_NIL, 0); }
static inline struct l4_result l4_receive(u64 from) { return l4_ipc(L4_NIL, from, 0); }
static inline struct l4_result l4_reply_and_wait(u64 to) { return l4_ipc(to, L4_ANY, 0); }

__attribute__((noreturn)) void l4_exit(int code);
__attribute__((noreturn)) void l4_end_thread(void);
s64 l4_write(const void *bytes, u64 count);
s64 l4_read(void *bytes, u64 count);
u64 l4_time(void);         /* nanoseconds */
u64 l4_instructions(void); /* that the program has done */
s64 l4_unmap(u64 page, int flush);
s64 l4_get_pages(u64 page);
s64 l4_set_pager(u64 thread, u64 pager);
s64 l4_set_slice(u64 thread, u64 instructions);
s64 l4_kill(u64 thread);
void l4_yield(void);

/* where: L4_NIL here, L4_ANY in a new space, else a thread in whose space; pager L4_NIL is the
   kernel's own, which gives pages of zeros. The stack pointer is at the end of the stack. */
u64 l4_new_thread(void (*entry)(u64), void *stack, u64 argument, u64 where, u64 pager);

/* A little of the C library. */
void print(const char *text);
void print_number(u64 number);
void print_hex(u64 number);
int same_text(const char *a, const char *b);
u64 text_length(const char *text);
int main(int count, char **arguments);

#endif
