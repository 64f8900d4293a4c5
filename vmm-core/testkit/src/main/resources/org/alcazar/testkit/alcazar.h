/* What C guests of the testkit have: ports, memory of devices, the micro console, interrupts, the end. */
#ifndef ALCAZAR_H
#define ALCAZAR_H

#include <stddef.h>
#include <stdint.h>

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;
	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;
	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

/* Registers in memory below 4 GiB: one access of just this width. */
static inline uint8_t read8(uintptr_t address) { return *(volatile uint8_t *)address; }
static inline uint16_t read16(uintptr_t address) { return *(volatile uint16_t *)address; }
static inline uint32_t read32(uintptr_t address) { return *(volatile uint32_t *)address; }
static inline uint64_t read64(uintptr_t address) { return *(volatile uint64_t *)address; }
static inline void write8(uintptr_t address, uint8_t value) { *(volatile uint8_t *)address = value; }
static inline void write16(uintptr_t address, uint16_t value) { *(volatile uint16_t *)address = value; }
static inline void write32(uintptr_t address, uint32_t value) { *(volatile uint32_t *)address = value; }
static inline void write64(uintptr_t address, uint64_t value) { *(volatile uint64_t *)address = value; }

static inline uint64_t rdmsr(uint32_t number)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t number, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void pause(void) { __asm__ volatile("pause" : : : "memory"); }
static inline void enable_interrupts(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void disable_interrupts(void) { __asm__ volatile("cli" : : : "memory"); }

/* Stands still until an interrupt has been handled; interrupts have to be enabled. */
static inline void halt(void) { __asm__ volatile("hlt" : : : "memory"); }

/* Enables interrupts and waits for one that has come or will come; none gets lost in between. They are disabled again afterwards. */
static inline void wait_for_interrupt(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }

/* Ends the VM with status (2 * value + 1) & 255. */
__attribute__((noreturn)) static inline void exit(int value)
{
	outb(0xf4, (uint8_t)value);
	for (;;) {
		__asm__ volatile("hlt");
	}
}

/* The micro console. */
static inline void put_char(char c) { outb(0xe9, (uint8_t)c); }
void put_string(const char *text);
void put_hex(uint64_t value); /* without leading zeroes, without 0x */

/* Has a handler called at interrupts and exceptions of a vector (0 to 255), with interrupts disabled. One that nobody handles ends the VM:
 * the console says which, the status is that of exit(127). Device interrupts need an end of interrupt from the handler. */
void on_interrupt(int vector, void (*handler)(void));

#endif
