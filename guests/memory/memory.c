/*
 * Stresses the memory management of the kernel below it, and of what is below that, and proves its own results: all data comes
 * from numbers, all that is read back is checked and goes into a digest that is the same on every machine. README says more.
 *     memory [rounds=N] [seconds=N] [of=A,B,…] [processes=N] [wrong=N] [bench=NAME] [work=N]
 */
#include "memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct part {
    const char *name;
    part_function *run;
    int alone; /* it wants the machine for itself, or starts processes enough */
} parts[] = {
    {"fork", fork_part, 0},           {"map", map_part, 0},       {"protect", protect_part, 0}, {"remap", remap_part, 0},
    {"advise", advise_part, 0},       {"stack", stack_part, 0},   {"lock", lock_part, 0},       {"exec", exec_part, 0},
    {"vmread", vmread_part, 0},       {"hugetlb", huge_part, 0},  {"pkeys", pkeys_part, 0},     {"userfault", userfault_part, 0},
    {"shootdown", shootdown_part, 1}, {"swap", swap_part, 0},     {"pressure", pressure_part, 1},
};

enum { PARTS = sizeof parts / sizeof *parts };

static struct {
    long rounds, seconds, processes;
    const char *of, *bench;
    uint64_t work;
} asked = {.rounds = 1, .processes = 2, .of = ""};

/* Whether a name is in the list of those asked for. */
static int wanted(const char *name)
{
    size_t length = strlen(name);
    for (const char *at = asked.of; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == length && strncmp(at, name, length) == 0)
            return 1;
    return *asked.of == 0;
}

static void print(long round, const char *name, uint64_t digest)
{
    char place[32] = "";
    if (round > 1)
        sprintf(place, "round %ld: ", round);
    if (digest == SKIPPED)
        printf("memory: %s%s: skipped\n", place, name);
    else
        printf("memory: %s%s: %016lx\n", place, name, digest);
    fflush(stdout);
}

/* All parts that can be, each in one process, at the same time. */
static uint64_t mixed(uint64_t seed)
{
    struct process all[PARTS];
    uint64_t digest = seed;
    for (size_t i = 0; i < PARTS; i++) {
        part_name = parts[i].name;
        if (!parts[i].alone && wanted(parts[i].name))
            all[i] = start(parts[i].run, derive(seed, i));
    }
    part_name = "mixed";
    for (size_t i = 0; i < PARTS; i++)
        if (!parts[i].alone && wanted(parts[i].name))
            digest = mix(digest, end_of(all[i]));
    return digest;
}

/* Every round has data of its own: what an earlier one left behind is found. */
static uint64_t one_round(long round)
{
    uint64_t seed = derive(0x616c63617a6172, (uint64_t)round), digest = seed;
    for (size_t i = 0; i < PARTS; i++) {
        if (wanted(parts[i].name)) {
            part_name = parts[i].name;
            uint64_t one = at_once(parts[i].run, parts[i].alone ? 1 : (int)asked.processes, derive(seed, i));
            print(round, parts[i].name, one);
            digest = mix(digest, one);
        }
    }
    part_name = "mixed";
    uint64_t one = mixed(derive(seed, PARTS));
    print(round, "mixed", one);
    return mix(digest, one);
}

static long seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static int understand(const char *word)
{
    const char *value = strchr(word, '=');
    if (!value || !*++value)
        return 0;
    size_t key = (size_t)(value - word);
    if (strncmp(word, "rounds=", key) == 0)
        asked.rounds = atol(value);
    else if (strncmp(word, "seconds=", key) == 0)
        asked.seconds = atol(value);
    else if (strncmp(word, "processes=", key) == 0)
        asked.processes = atol(value);
    else if (strncmp(word, "wrong=", key) == 0)
        sabotage = atol(value);
    else if (strncmp(word, "of=", key) == 0)
        asked.of = value;
    else if (strncmp(word, "bench=", key) == 0)
        asked.bench = value;
    else if (strncmp(word, "work=", key) == 0)
        asked.work = strtoul(value, NULL, 10);
    else
        return 0;
    return asked.rounds > 0 && asked.seconds >= 0 && asked.processes > 0 && asked.processes <= PROCESSES_MOST;
}

/* Every name asked for must be one that there is. */
static int all_known(void)
{
    size_t known = 0, named = *asked.of != 0;
    for (const char *at = asked.of; *at; at++)
        named += *at == ',';
    for (size_t i = 0; i < PARTS; i++)
        known += *asked.of && wanted(parts[i].name);
    return known == named;
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "exec-child") == 0)
        return exec_child(count, arguments);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < count; i++) {
        if (!understand(arguments[i])) {
            printf("memory: '%s' is not understood; what goes: rounds=N seconds=N of=A,B processes=N wrong=N bench=NAME work=N\n",
                   arguments[i]);
            return 2;
        }
    }
    if (!all_known()) {
        printf("memory: of=%s: there are", asked.of);
        for (size_t i = 0; i < PARTS; i++)
            printf(" %s", parts[i].name);
        printf("\n");
        return 2;
    }
    setpgid(0, 0); /* what is wrong in one process ends all */
    catch_faults();
    if (asked.bench)
        return bench(asked.bench, asked.work);
    long end = seconds_now() + asked.seconds;
    uint64_t digest = 0;
    for (long round = 1; round <= asked.rounds || seconds_now() < end; round++) {
        uint64_t one = one_round(round);
        if (round <= asked.rounds) /* how many more there are in the time is not always the same */
            digest = mix(digest, one);
    }
    printf("memory: all parts ok, digest %016lx\n", digest);
    return 0;
}
