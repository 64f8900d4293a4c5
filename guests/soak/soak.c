/*
 * Keeps a PC's first serial port, its real-time clock and its interval timer busy and checks all that they do. Four processes:
 * one sends numbered lines out of the serial port as fast as they go, one checks the lines that come in, one lives on the
 * interrupts of /dev/rtc0 and reads and sets the time, one reads the timer's channel 2 back. README has the lines' form.
 *     soak [HERTZ]      of the real-time clock's own periodic interrupt, a power of 2 up to 8192 (default 256)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { LINE_IN = 44, LINES_AT_ONCE = 16, SECOND = 1000000000, PIT_HERTZ = 1193182 };
enum { PIT_CHANNEL_2 = 0x42, PIT_COMMAND = 0x43, PORT_B = 0x61, RTC_INDEX = 0x70, RTC_DATA = 0x71 };

/* What the processes tell each other; each field has one writer. */
static struct {
    volatile int stop;
    volatile uint64_t in, out, periods, updates, time_reads, time_sets, pit_reads;
    volatile int wrong;
    char what[4][160];
} *shared;

/* Notes what is wrong, once for each process, and ends all of them. */
static void wrong(int who, const char *form, ...)
{
    va_list arguments;
    va_start(arguments, form);
    vsnprintf(shared->what[who], sizeof shared->what[who], form, arguments);
    va_end(arguments);
    shared->wrong = 1;
    shared->stop = 1;
    _exit(1);
}

enum { SENDER, RECEIVER, CLOCK, TIMER, PROCESSES };

static int64_t nanos(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)SECOND + now.tv_nsec;
}

/* A number without pattern for each argument (splitmix64). The host has the same. */
static uint64_t scramble(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static void send_all(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = write(STDOUT_FILENO, text, length);
        if (sent < 0 && errno != EINTR)
            wrong(SENDER, "write: %s", strerror(errno));
        text += sent > 0 ? sent : 0;
        length -= sent > 0 ? (size_t)sent : 0;
    }
}

static void sender(void)
{
    char lines[LINES_AT_ONCE * 64];
    while (!shared->stop) {
        int length = 0;
        for (int i = 0; i < LINES_AT_ONCE; i++) {
            uint64_t both = shared->in << 32 | (uint32_t)shared->out;
            length += sprintf(lines + length, "o %08x %08x %016lx%016lx\n", (uint32_t)both, (uint32_t)(both >> 32),
                              scramble(both), scramble(~both));
            shared->out++;
        }
        send_all(lines, (size_t)length);
    }
}

/* Whether the line asks for the end. */
static int check_line(const char *line)
{
    char expected[LINE_IN + 1];
    uint64_t number = shared->in;
    sprintf(expected, "i %08x %016lx%016lx\n", (uint32_t)number, scramble(number), scramble(~number));
    int last = line[0] == 'q';
    expected[0] = last ? 'q' : 'i';
    if (memcmp(line, expected, LINE_IN) != 0)
        wrong(RECEIVER, "line %lu came in as %.43s", number, line);
    shared->in++;
    return last;
}

static void receiver(void)
{
    char line[LINE_IN];
    size_t have = 0;
    while (!shared->stop) {
        ssize_t got = read(STDIN_FILENO, line + have, LINE_IN - have);
        if (got <= 0)
            wrong(RECEIVER, "read: %s", got == 0 ? "end of file" : strerror(errno));
        have += (size_t)got;
        if (have == LINE_IN) {
            have = 0;
            if (check_line(line))
                shared->stop = 1;
        }
    }
}

static int64_t time_of(int rtc)
{
    struct rtc_time now;
    if (ioctl(rtc, RTC_RD_TIME, &now) < 0)
        wrong(CLOCK, "RTC_RD_TIME: %s", strerror(errno));
    struct tm tm = {.tm_sec = now.tm_sec, .tm_min = now.tm_min, .tm_hour = now.tm_hour,
                    .tm_mday = now.tm_mday, .tm_mon = now.tm_mon, .tm_year = now.tm_year};
    return timegm(&tm);
}

/* Sets the time to an hour on or back, and returns what it is then. */
static int64_t set_time(int rtc, int64_t to)
{
    time_t seconds = to;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    struct rtc_time then = {.tm_sec = tm.tm_sec, .tm_min = tm.tm_min, .tm_hour = tm.tm_hour,
                            .tm_mday = tm.tm_mday, .tm_mon = tm.tm_mon, .tm_year = tm.tm_year};
    if (ioctl(rtc, RTC_SET_TIME, &then) < 0)
        wrong(CLOCK, "RTC_SET_TIME: %s", strerror(errno));
    shared->time_sets++;
    return to;
}

/* The time must go as the kernel's clock goes, to the second that either may be off. */
static void check_time(int64_t time, int64_t set, int64_t since)
{
    int64_t due = set + (nanos() - since) / SECOND;
    if (time < due - 1 || time > due + 2)
        wrong(CLOCK, "the real-time clock shows %ld, %ld was due", time, due);
}

static void real_time_clock(void)
{
    int rtc = open("/dev/rtc0", O_RDONLY);
    if (rtc < 0 || ioctl(rtc, RTC_IRQP_SET, 1024) < 0 || ioctl(rtc, RTC_PIE_ON, 0) < 0
        || ioctl(rtc, RTC_UIE_ON, 0) < 0)
        wrong(CLOCK, "/dev/rtc0: %s", strerror(errno));
    int64_t set = time_of(rtc), since = nanos(), hour = 3600;
    for (uint64_t n = 1; !shared->stop; n++) {
        unsigned long events;
        if (read(rtc, &events, sizeof events) != sizeof events)
            wrong(CLOCK, "read of /dev/rtc0: %s", strerror(errno));
        shared->periods += events >> 8;
        shared->updates += (events & RTC_UF) != 0;
        if (n % 16 == 0) {
            check_time(time_of(rtc), set, since);
            shared->time_reads++;
        }
        if (n % 256 == 0) {
            set = set_time(rtc, time_of(rtc) + hour);
            since = nanos();
            hour = -hour;
        }
    }
}

static unsigned channel_2(void)
{
    outb(0x80, PIT_COMMAND); /* latch the count */
    unsigned low = inb(PIT_CHANNEL_2);
    return low | (unsigned)inb(PIT_CHANNEL_2) << 8;
}

/* Ticks of the timer in so many nanoseconds; the kernel's clock may be off by a part in 200. */
static int64_t ticks(int64_t nanoseconds, int percent)
{
    return nanoseconds * PIT_HERTZ / SECOND * percent / 1000;
}

/* Counts down from a number and checks that the count is what the time says. */
static void check_count(uint16_t from)
{
    int64_t before = nanos();
    outb(0xb0, PIT_COMMAND); /* channel 2, both bytes, mode 0 */
    outb(from & 0xff, PIT_CHANNEL_2);
    outb(from >> 8, PIT_CHANNEL_2);
    int64_t loaded = nanos();
    unsigned last = from;
    for (int i = 0; i < 8; i++) {
        int64_t asked = nanos();
        unsigned count = channel_2();
        int64_t answered = nanos();
        int64_t most = ticks(answered - before, 1005) + 3;
        if (most >= from)
            return; /* this process was away for so long that it may have wrapped */
        int64_t least = ticks(asked - loaded, 995) - 3, gone = from - (int64_t)count;
        if (gone < least || gone > most)
            wrong(TIMER, "channel 2 went from %u over %u to %u in %ld to %ld ticks", from, last, count, least, most);
        last = count;
        shared->pit_reads++;
    }
    outb(0xe8, PIT_COMMAND); /* read back the status of channel 2 */
    int status = inb(PIT_CHANNEL_2);
    if ((status & 0x3f) != 0x30)
        wrong(TIMER, "channel 2 has status %02x after mode 0 was set", status);
}

static void interval_timer(void)
{
    nice(5); /* it never waits, the others do */
    outb((inb(PORT_B) & ~2) | 1, PORT_B); /* speaker off, gate of channel 2 open */
    for (uint64_t n = 0; !shared->stop; n++)
        check_count((uint16_t)(0x8000 + scramble(n) % 0x7fff));
}

/* Turns on the chip's own periodic interrupt; that of /dev/rtc0 is made by the kernel's timers. */
static void periodic_interrupts(int hertz)
{
    int rate = 1;
    while (rate < 15 && 65536 >> rate > hertz)
        rate++;
    for (int tries = 0; tries < 100; tries++) {
        outb(0x0a, RTC_INDEX);
        outb(0x20 | rate, RTC_DATA);
        outb(0x0b, RTC_INDEX);
        int control = inb(RTC_DATA);
        outb(0x0b, RTC_INDEX);
        outb(control | 0x40, RTC_DATA);
        outb(0x0c, RTC_INDEX);
        (void)inb(RTC_DATA);
        outb(0x0b, RTC_INDEX); /* an interrupt may have come between index and data */
        if ((inb(RTC_DATA) & 0xc0) == 0x40)
            return;
    }
    wrong(CLOCK, "the periodic interrupt cannot be turned on");
}

/* How many interrupts of a line the kernel has counted. */
static long interrupts(int line)
{
    char text[256];
    long count = 0;
    FILE *file = fopen("/proc/interrupts", "r");
    while (file && fgets(text, sizeof text, file)) {
        char *end;
        if (strtol(text, &end, 10) == line && *end == ':') {
            count = strtol(end + 1, NULL, 10);
            break;
        }
    }
    if (file)
        fclose(file);
    return count;
}

static void print_serial_errors(void)
{
    char text[256];
    FILE *file = fopen("/proc/tty/driver/serial", "r");
    while (file && fgets(text, sizeof text, file)) {
        if (strncmp(text, "0:", 2) == 0)
            printf("soak: serial %s", text + 3);
    }
    if (file)
        fclose(file);
}

static void start(void (*work)(void))
{
    pid_t child = fork();
    if (child == 0) {
        work();
        _exit(0);
    }
}

/* Waits for the end; a process that waits for input or an interrupt has to be ended. */
static void await_end(void)
{
    int status;
    while (!shared->stop)
        usleep(10000);
    usleep(500000);
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    while (wait(&status) > 0)
        ;
    tcdrain(STDOUT_FILENO);
}

int main(int count, char **arguments)
{
    struct termios line;
    setpgid(0, 0);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || tcgetattr(STDIN_FILENO, &line) < 0 || ioperm(0x40, 4, 1) < 0 || ioperm(PORT_B, 1, 1) < 0
        || ioperm(RTC_INDEX, 2, 1) < 0) {
        perror("soak");
        return 1;
    }
    cfmakeraw(&line);
    cfsetspeed(&line, B115200);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &line);
    int hertz = count > 1 ? atoi(arguments[1]) : 256;
    periodic_interrupts(hertz);
    printf("\nsoak: begin\n");
    fflush(stdout);
    int64_t begin = nanos();
    long timer = interrupts(0), serial = interrupts(4), clock = interrupts(8);
    start(sender);
    start(receiver);
    start(real_time_clock);
    start(interval_timer);
    await_end();
    long ms = (nanos() - begin) / 1000000;
    printf("soak: milliseconds %ld\nsoak: lines-in %lu\nsoak: lines-out %lu\n", ms, shared->in, shared->out);
    printf("soak: irq0 %ld\nsoak: irq4 %ld\nsoak: irq8 %ld\nsoak: irq8-due %ld\n", interrupts(0) - timer,
           interrupts(4) - serial, interrupts(8) - clock, ms * hertz / 1000);
    printf("soak: rtc-periods %lu\nsoak: rtc-updates %lu\nsoak: rtc-reads %lu\nsoak: rtc-sets %lu\nsoak: pit-reads %lu\n",
           shared->periods, shared->updates, shared->time_reads, shared->time_sets, shared->pit_reads);
    for (int i = 0; i < PROCESSES; i++)
        if (shared->what[i][0])
            printf("soak: wrong %s\n", shared->what[i]);
    print_serial_errors();
    return shared->wrong;
}
