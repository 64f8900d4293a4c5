/* Linked to every C guest; see alcazar.h. */
#include "alcazar.h"

static void (*handlers[256])(void);

void on_interrupt(int vector, void (*handler)(void)) { handlers[vector & 255] = handler; }

void put_string(const char *text)
{
	while (*text) {
		put_char(*text++);
	}
}

void put_hex(uint64_t value)
{
	int shift = 60;
	while (shift > 0 && value >> shift == 0) {
		shift -= 4;
	}
	for (; shift >= 0; shift -= 4) {
		put_char("0123456789abcdef"[value >> shift & 15]);
	}
}

void alcazar_interrupt(int vector, uint64_t error, uint64_t where)
{
	if (handlers[vector]) {
		handlers[vector]();
		return;
	}
	put_string("nobody handles interrupt 0x");
	put_hex(vector);
	put_string(" (error code 0x");
	put_hex(error);
	put_string(") at 0x");
	put_hex(where);
	put_string("\n");
	exit(127);
}

/* What the compiler calls by itself. */
void *memcpy(void *to, const void *from, size_t bytes)
{
	void *at = to;
	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	if ((uintptr_t)to - (uintptr_t)from >= bytes) {
		return memcpy(to, from, bytes);
	}
	for (size_t i = bytes; i > 0; i--) {
		((volatile char *)to)[i - 1] = ((const char *)from)[i - 1];
	}
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	void *at = to;
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *x = a, *y = b;
	for (; bytes > 0; bytes--, x++, y++) {
		if (*x != *y) {
			return *x - *y;
		}
	}
	return 0;
}
