/* Two processes on one processor send a number to and fro through two pipes: two context switches each time. */
#include "bench.h"

enum { TIMES = 4000 };

static int to_child[2], from_child[2];

static void send(int to, u64 value)
{
    if (system_call(SYS_WRITE, to, (long)&value, sizeof value, 0, 0, 0) != sizeof value)
        fail("write to a pipe");
}

/* Whether there was a number, and not the end of the pipe. */
static int receive(int from, u64 *value)
{
    return system_call(SYS_READ, from, (long)value, sizeof *value, 0, 0, 0) == sizeof *value;
}

void prepare(void)
{
    u64 first = 1; /* where there are more processors: stay on one */
    system_call(SYS_SETAFFINITY, 0, sizeof first, (long)&first, 0, 0, 0);
    if (system_call(SYS_PIPE, (long)to_child, 0, 0, 0, 0, 0) || system_call(SYS_PIPE, (long)from_child, 0, 0, 0, 0, 0))
        fail("pipe");
    long child = system_call(SYS_FORK, 0, 0, 0, 0, 0, 0);
    if (child < 0)
        fail("fork");
    if (child == 0) {
        u64 value;
        system_call(SYS_CLOSE, to_child[1], 0, 0, 0, 0, 0); /* else it never sees the end */
        while (receive(to_child[0], &value))
            send(from_child[1], value * 3 + 1);
        system_call(SYS_EXIT, 0, 0, 0, 0, 0, 0);
    }
}

u64 work(void)
{
    u64 value = 1;
    for (int i = 0; i < TIMES; i++) {
        send(to_child[1], value);
        if (!receive(from_child[0], &value))
            fail("the other process has ended");
    }
    return value;
}
