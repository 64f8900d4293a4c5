/*
 * The page-fault checks that all table formats share. The including file defines TEST_BASE, where four
 * pages are mapped by the entries 0 to 3 of a table, and describes the format by the variables below.
 */

#define PAGE 4096
#define TEST_PAGE(i) ((volatile u8 *) (TEST_BASE + (uword) (i) * PAGE))
enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, LARGE = 0x80 };

#ifdef __x86_64__
#define BX "rbx"
#define SP "rsp"
#else
#define BX "ebx"
#define SP "esp"
#endif

static volatile void *tests; /* the table */
static int wide;             /* whether its entries have 64 bits */
static u64 no_execute;       /* the bit that forbids execution, or 0 */
static u64 reserved;         /* a bit that must not be set, or 0 */

static u8 frames[4][PAGE] __attribute__((aligned(PAGE)));
static volatile u8 *target;
static uword landing;

static void set_entry(int index, u64 value) {
    if (wide) {
        ((volatile u64 *) tests)[index] = value;
    } else {
        ((volatile u32 *) tests)[index] = (u32) value;
    }
}

static u64 get_entry(int index) {
    return wide ? ((volatile u64 *) tests)[index] : ((volatile u32 *) tests)[index];
}

static void map_frame(int index, int frame, u64 flags) {
    set_entry(index, (uword) frames[frame] | flags);
}

static void map(int index, u64 flags) {
    map_frame(index, index, flags);
    invlpg(TEST_BASE + (uword) index * PAGE);
}

static void do_read(void) {
    ATTEMPT("movb (%0), %%al", ::"r"(target) : "eax");
}
static void do_write(void) {
    ATTEMPT("movb $1, (%0)", ::"r"(target) : "memory");
}
static void user_read(void) {
    do_read();
    USER_END();
}
static void user_write(void) {
    do_write();
    USER_END();
}
/* Jumps to code that jumps back; a fault is found at the target's address. */
static void do_execute(void) {
    landing = (uword) target;
    ATTEMPT("mov $7772f, %%" BX "\n jmp *%0", ::"a"(target) : BX, "memory");
}
/* Leaves a useless stack behind, which ring 0 does not need. */
static void user_push(void) {
    ATTEMPT("mov %0, %%" SP "\n push %%" BX "\n int $0x80", ::"r"(TEST_PAGE(3)) : "memory");
    USER_END();
}
static void user_execute(void) {
    do_execute();
    USER_END();
}

static void faulted(const char *what, uword error, uword address) {
    expect_fault(what, PF, error);
    check(what, caught.cr2, address);
}

/* A reserved bit also sets P in the error code; QEMU's TCG leaves it out. */
static void faulted_reserved(const char *what, uword error, uword address) {
    if (!strict()) {
        caught.error |= P;
    }
    faulted(what, error, address);
}

static void rights(void) {
    target = TEST_PAGE(0) + 0x123;
    uword at = (uword) target;
    map(0, 0);
    do_read();
    faulted("read, not present", 0, at);
    do_write();
    faulted("write, not present", 2, at);
    enter_user(user_read);
    faulted("user read, not present", 4, at);
    enter_user(user_write);
    faulted("user write, not present", 6, at);

    map(0, P);
    do_read();
    expect_nothing("read of a supervisor page");
    write_cr0(read_cr0() & ~(uword) CR0_WP);
    do_write();
    expect_nothing("write to a read-only page without WP");
    write_cr0(read_cr0() | CR0_WP);
    do_write();
    faulted("write to a read-only page with WP", 3, at);
    enter_user(user_read);
    faulted("user read of a supervisor page", 5, at);
    enter_user(user_write);
    faulted("user write to a supervisor page", 7, at);

    map(0, P | U);
    enter_user(user_read);
    expect_nothing("user read of a user page");
    enter_user(user_write);
    faulted("user write to a read-only page", 7, at);
    map(0, P | W);
    enter_user(user_read);
    faulted("user read of a writable supervisor page", 5, at);
    map(0, P | W | U);
    enter_user(user_write);
    expect_nothing("user write to a writable user page");
}

static void accessed_and_dirty(void) {
    target = TEST_PAGE(1);
    map(1, P | W);
    check("new entry", get_entry(1) & (A | D), 0);
    do_read();
    check("entry after a read", get_entry(1) & (A | D), A);
    do_write();
    check("entry after a write", get_entry(1) & (A | D), A | D);
    map(1, P | W);
    do_write();
    check("entry after a first write", get_entry(1) & (A | D), A | D);
    map(1, P);
    do_write();
    expect_vector("write to a read-only page", PF, 3);
    check("entry after a refused write", get_entry(1) & D, 0);
}

/* Accesses that touch two pages, of which the second is missing. */
static void across(void) {
    map(1, P | W);
    map(2, 0);
    memset(frames[1], 0x5a, PAGE);
    volatile u8 *edge = TEST_PAGE(2) - 2;
    ATTEMPT("movl $-1, (%0)", ::"r"(edge) : "memory");
    faulted("write across two pages", 2, (uword) TEST_PAGE(2));
    check("first part of a write that faulted", *(volatile u16 *) edge, 0x5a5a);
    ATTEMPT("movl (%0), %%eax", ::"r"(edge) : "eax");
    faulted("read across two pages", 0, (uword) TEST_PAGE(2));

    volatile u8 *start = TEST_PAGE(2) - 8;
    volatile u8 *to = start;
    uword count = 20;
    ATTEMPT("rep stosb", : "+D"(to), "+c"(count) : "a"(0x11) : "memory");
    faulted("string across two pages", 2, (uword) TEST_PAGE(2));
    check("count left in a string that faulted", caught.cx, 12);
    check("place reached by a string that faulted", caught.di, (uword) TEST_PAGE(2));
    check("what a string wrote before it faulted", start[7], 0x11);

    enter_user(user_push);
    expect_vector("push onto a missing page", PF, 6);
    check("CR2 of a push", caught.cr2, (uword) TEST_PAGE(3) - sizeof(uword));
    check("stack pointer after a push that faulted", caught.sp, (uword) TEST_PAGE(3));
}

static void changes(void) {
    memset(frames[0], 0xaa, PAGE);
    memset(frames[3], 0xbb, PAGE);
    map(0, P | W);
    check("before a change", *TEST_PAGE(0), 0xaa);
    map_frame(0, 3, P | W);
    invlpg(TEST_BASE);
    check("after invlpg", *TEST_PAGE(0), 0xbb);
    map_frame(0, 0, P | W);
    write_cr3(read_cr3());
    check("after CR3 was written", *TEST_PAGE(0), 0xaa);
}

static void execution(void) {
    static const u8 jump_back[] = {0xff, 0xe3}; /* jmp *%ebx or jmp *%rbx */
    memcpy(frames[0], jump_back, sizeof jump_back);
    target = TEST_PAGE(0);
    map(0, P | U);
    do_execute();
    expect_nothing("execution of a page");
    enter_user(user_execute);
    expect_nothing("execution of a user page");
    map(0, P);
    enter_user(user_execute);
    expect_vector("user execution of a supervisor page", PF, 5 | (no_execute ? 0x10 : 0));
    check("CR2 of an execution", caught.cr2, landing);
    check("address of an execution", caught.ip, landing);
    map(0, 0);
    do_execute();
    expect_vector("execution, not present", PF, no_execute ? 0x10 : 0);
    check("address of a missing page", caught.ip, landing);
    if (no_execute) {
        map(0, P | U | no_execute);
        do_execute();
        expect_vector("execution forbidden", PF, 0x11);
        enter_user(user_execute);
        expect_vector("user execution forbidden", PF, 0x15);
        do_read();
        expect_nothing("read of a page without execution");
    }
    if (reserved) {
        target = TEST_PAGE(0) + 8;
        map(0, P | W | U | reserved);
        do_read();
        faulted_reserved("reserved bit, read", 9, (uword) target);
        do_write();
        faulted_reserved("reserved bit, write", 0xb, (uword) target);
        enter_user(user_read);
        faulted_reserved("reserved bit, user read", 0xd, (uword) target);
    }
}

static void all_checks(void) {
    rights();
    accessed_and_dirty();
    across();
    changes();
    execution();
}
