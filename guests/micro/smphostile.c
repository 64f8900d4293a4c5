/*
 * Guests that do what they should not, by a word on the command line. "nowhere" starts the second core
 * where no memory is, which ends in its handler of #UD; "shutdown" where it cannot but shut down;
 * "lock" holds a lock for ever; "flood" sends NMIs to everybody for ever; "bootinit" sends INIT to the
 * boot core, which goes on at the reset vector. The last three and "shutdown" do not end by themselves.
 */
#include "smp.h"

#define COMMAND 0x300
#define ALL 0x80000
enum { NMI_MODE = 0x4400, INIT = 0x4500, STARTUP = 0x4600 };

#define NOWHERE_PAGE 0xa0
#define CODE_PAGE 7
#define CODE (CODE_PAGE << 12)
#define MARK (CODE + 0x100)

static spinlock lock;
static volatile u32 nmis;

/* movw $0x600d, %cs:0x7100; jmp . */
static const u8 handler[] = {0x2e, 0xc7, 0x06, 0x00, 0x71, 0x0d, 0x60, 0xeb, 0xfe};

/* lidt %cs:0x80, where the limit is 0; ud2 */
static const u8 doomed[] = {0x2e, 0x0f, 0x01, 0x1e, 0x80, 0x00, 0x0f, 0x0b};

static void send(u32 cpu, u32 command) {
    smp_apic_write(COMMAND + 0x10, cpu << 24);
    smp_apic_write(COMMAND, command);
}

static void start_anew(u32 page) {
    send(1, INIT);
    smp_delay(10000);
    send(1, STARTUP | page);
}

static void nowhere(void) {
    volatile u16 *mark = (volatile u16 *) MARK;
    u16 *vectors = 0;
    __asm__("" : "+r"(vectors)); /* address 0, which the compiler takes for a mistake */
    memcpy((void *) CODE, handler, sizeof handler);
    *mark = 0;
    vectors[2 * UD] = CODE;
    vectors[2 * UD + 1] = 0;
    __asm__ volatile("" ::: "memory");
    start_anew(NOWHERE_PAGE);
    while (*mark != 0x600d) {
        cpu_pause();
    }
}

static void hold_or_want(int cpu) {
    (void) cpu;
    interrupts_off();
    spin_lock(&lock);
    for (;;) {
        cpu_pause();
    }
}

static void nmi_came(struct frame *frame) {
    (void) frame;
    nmis++;
}

static void flood(int cpu) {
    (void) cpu;
    for (;;) {
        smp_apic_write(COMMAND, ALL | NMI_MODE);
    }
}

GUEST("smphostile") {
    const char *words = command_line();
    int count = smp_wanted();
    check("cores that came", (u64) smp_start(0), (u64) count - 1);
    print("smphostile: at it\n");
    if (has_word(words, "nowhere")) {
        nowhere();
    } else if (has_word(words, "shutdown")) {
        memcpy((void *) CODE, doomed, sizeof doomed);
        memset((void *) (CODE + 0x80), 0, 6);
        start_anew(CODE_PAGE);
        for (;;) {
            cpu_pause();
        }
    } else if (has_word(words, "lock")) {
        smp_run(hold_or_want);
    } else if (has_word(words, "flood")) {
        handle(NMI, nmi_came);
        smp_run(flood);
    } else if (has_word(words, "bootinit")) {
        send(0, INIT);
        for (;;) {
            cpu_pause();
        }
    }
}
