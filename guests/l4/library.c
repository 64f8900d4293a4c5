/* The little of the C library that the programs need. */
#include "l4.h"

u64 text_length(const char *text) {
    u64 length = 0;
    while (text[length]) {
        length++;
    }
    return length;
}

int same_text(const char *a, const char *b) {
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

void print(const char *text) { l4_write(text, text_length(text)); }

static void print_in(u64 number, u64 base) {
    char digits[24];
    int at = sizeof digits;
    digits[--at] = 0;
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    print(digits + at);
}

void print_number(u64 number) { print_in(number, 10); }

void print_hex(u64 number) {
    print("0x");
    print_in(number, 16);
}

/* The compiler may make calls of these. */
void *memset(void *to, int value, u64 count) {
    u8 *at = to;
    while (count--) {
        *at++ = (u8)value;
    }
    return to;
}

void *memcpy(void *to, const void *from, u64 count) {
    u8 *at = to;
    const u8 *source = from;
    while (count--) {
        *at++ = *source++;
    }
    return to;
}
