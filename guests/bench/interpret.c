/* A little stack machine that counts primes: a switch, so an indirect jump, for each of its instructions. */
#include "bench.h"

enum { LIMIT = 80000 };
enum op { PUSH, LOAD, STORE, ADD, MULTIPLY, REST, LESS, IF_ZERO, IF_NOT_ZERO, JUMP, STOP };
enum variable { PRIMES, CANDIDATE, DIVISOR };

static const struct {
    enum op op;
    u32 operand; /* a number, a variable, or the place to jump to */
} program[] = {
    /*  0 */ { PUSH, 0 }, { STORE, PRIMES }, { PUSH, 2 }, { STORE, CANDIDATE },
    /*  4: a candidate */ { LOAD, CANDIDATE }, { PUSH, LIMIT }, { LESS, 0 }, { IF_ZERO, 34 },
    /*  8 */ { PUSH, 2 }, { STORE, DIVISOR },
    /* 10: a divisor */ { LOAD, CANDIDATE }, { LOAD, DIVISOR }, { LOAD, DIVISOR }, { MULTIPLY, 0 },
    /* 14 */ { LESS, 0 }, { IF_NOT_ZERO, 25 },
    /* 16 */ { LOAD, CANDIDATE }, { LOAD, DIVISOR }, { REST, 0 }, { IF_ZERO, 29 },
    /* 20 */ { LOAD, DIVISOR }, { PUSH, 1 }, { ADD, 0 }, { STORE, DIVISOR }, { JUMP, 10 },
    /* 25: a prime */ { LOAD, PRIMES }, { PUSH, 1 }, { ADD, 0 }, { STORE, PRIMES },
    /* 29: go on */ { LOAD, CANDIDATE }, { PUSH, 1 }, { ADD, 0 }, { STORE, CANDIDATE }, { JUMP, 4 },
    /* 34 */ { STOP, 0 },
};

void prepare(void) {}

u64 work(void)
{
    u32 stack[8], variables[3] = { 0 };
    u32 *top = stack;
    u64 steps = 0;
    for (u32 at = 0;; steps++) {
        u32 operand = program[at].operand;
        switch (program[at++].op) {
        case PUSH: *top++ = operand; break;
        case LOAD: *top++ = variables[operand]; break;
        case STORE: variables[operand] = *--top; break;
        case ADD: top--, top[-1] += top[0]; break;
        case MULTIPLY: top--, top[-1] *= top[0]; break;
        case REST: top--, top[-1] %= top[0]; break;
        case LESS: top--, top[-1] = top[-1] < top[0]; break;
        case IF_ZERO: at = *--top ? at : operand; break;
        case IF_NOT_ZERO: at = *--top ? operand : at; break;
        case JUMP: at = operand; break;
        case STOP: return mix(variables[PRIMES], steps);
        }
    }
}
