/* Runs XSAVE and its relatives on cases from standard input: an FXSAVE image to start from, an area
 * to save to or restore from, which instruction, and the mask; answers with image, area and signal. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct test {
    uint8_t image[512];
    uint8_t area[1024];
    uint32_t operation;
    uint32_t mask;
    uint32_t signal;
    uint8_t rest[52];
};

static sigjmp_buf back;
static volatile sig_atomic_t caught;

static void note(int number) {
    caught = number;
    siglongjmp(back, 1);
}

static uint8_t image[512] __attribute__((aligned(64)));
static uint8_t area[1024] __attribute__((aligned(64)));

#define RUN(instruction) \
    __asm__ volatile("fxrstor64 (%0)\n\t" instruction " (%1)\n\tfxsave64 (%0)" \
                     : : "r"(image), "r"(area), "a"(mask), "d"(0) : "memory")

static void run(uint32_t operation, uint32_t mask) {
    switch (operation) {
        case 0: RUN("xsave64"); break;
        case 1: RUN("xsaveopt64"); break;
        case 2: RUN("xsavec64"); break;
        default: RUN("xrstor64"); break;
    }
}

static void calm(void) {
    uint32_t mxcsr = 0x1f80;
    __asm__ volatile("fninit\n\tldmxcsr %0" : : "m"(mxcsr));
}

int main(void) {
    struct sigaction action;
    struct test test;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    action.sa_flags = SA_NODEFER;
    sigaction(SIGILL, &action, 0);
    sigaction(SIGSEGV, &action, 0);
    while (fread(&test, sizeof test, 1, stdin) == 1) {
        memcpy(image, test.image, sizeof image);
        memcpy(area, test.area, sizeof area);
        caught = 0;
        if (sigsetjmp(back, 1) == 0) {
            run(test.operation, test.mask);
        }
        calm();
        memcpy(test.image, image, sizeof image);
        memcpy(test.area, area, sizeof area);
        test.signal = (uint32_t)caught;
        fwrite(&test, sizeof test, 1, stdout);
    }
    return 0;
}
