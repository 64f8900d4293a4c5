/* The guest of PagingContractTest: goes through what 64-bit paging says (APM volume 2, chapter 5), then through a random life of its own page
 * tables against a model of them. Prints what is wrong; its status is how much. */
#include "alcazar.h"

#define PRESENT 1ul
#define WRITABLE 2ul
#define ACCESSED 0x20ul
#define DIRTY 0x40ul
#define LARGE 0x80ul
#define NO_EXECUTE (1ul << 63)
#define RESERVED (1ul << 51)

#define SLOT 288
#define AT 256
#define TEST (0xffff900000000000ul + AT * 0x200000ul)
#define SELF_SLOT 300
#define SELF (0xffff000000000000ul | (uint64_t)SELF_SLOT << 39)

/* Tables and frames of the test lie beyond what the guest was loaded to. */
static volatile uint64_t *const pdpt = (void *)0x400000;
static volatile uint64_t *const pd = (void *)0x401000;
static volatile uint64_t *const pt = (void *)0x402000;
static volatile uint64_t *const other_pml4 = (void *)0x403000;
static volatile uint64_t *const other_pdpt = (void *)0x404000;
static volatile uint64_t *const other_pd = (void *)0x405000;
static volatile uint64_t *const other_pt = (void *)0x406000;
#define FRAME(n) (0x600000ul + (n) * 0x1000ul)
#define BIG 0x800000ul
#define NO_RAM 0xb0000000ul

volatile uint64_t fault_error, fault_address, fault_count, fault_resume;
void page_fault(void);
__asm__("page_fault:\n"
	"pushq %rax\n"
	"movq 8(%rsp), %rax\n"
	"movq %rax, fault_error\n"
	"movq %cr2, %rax\n"
	"movq %rax, fault_address\n"
	"incq fault_count\n"
	"movq fault_resume, %rax\n"
	"movq %rax, 16(%rsp)\n"
	"popq %rax\n"
	"addq $8, %rsp\n"
	"iretq\n");

static int wrong;
static volatile uint64_t *pml4;

static uint64_t get_cr3(void)
{
	uint64_t value;
	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static void set_cr3(uint64_t value) { __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory"); }

static void write_protect(int on)
{
	uint64_t cr0;
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	cr0 = on ? cr0 | 1 << 16 : cr0 & ~(1ul << 16);
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
}

static void invlpg(uint64_t at) { __asm__ volatile("invlpg (%0)" : : "r"(at) : "memory"); }

static uint64_t load(uint64_t at)
{
	uint64_t value = 0;
	__asm__ volatile("movq $1f, fault_resume\n\tmov (%1), %0\n1:" : "+r"(value) : "r"(at) : "memory");
	return value;
}

static void store(uint64_t at, uint64_t value)
{
	__asm__ volatile("movq $1f, fault_resume\n\tmov %1, (%0)\n1:" : : "r"(at), "r"(value) : "memory");
}

static void add_locked(uint64_t at, uint64_t value)
{
	__asm__ volatile("movq $1f, fault_resume\n\tlock add %1, (%0)\n1:" : : "r"(at), "r"(value) : "memory");
}

static void execute(uint64_t at)
{
	__asm__ volatile("movq $1f, fault_resume\n\tcall *%0\n\tjmp 2f\n1: add $8, %%rsp\n2:" : : "r"(at) : "memory", "cc");
}

static void check(const char *what, uint64_t found, uint64_t expected)
{
	if (found != expected) {
		wrong++;
		put_string(what);
		put_string(": 0x");
		put_hex(found);
		put_string(", expected 0x");
		put_hex(expected);
		put_string("\n");
	}
}

static void expect_fault(const char *what, uint64_t error, uint64_t address)
{
	check(what, fault_count, 1);
	check(what, fault_error, error);
	check(what, fault_address, address);
	fault_count = 0;
}

static void expect_none(const char *what)
{
	check(what, fault_count, 0);
	fault_count = 0;
}

static void set_up(void)
{
	pml4 = (void *)get_cr3();
	for (int i = 0; i < 512; i++) {
		pdpt[i] = pd[i] = pt[i] = 0;
		other_pml4[i] = pml4[i];
		other_pdpt[i] = other_pd[i] = other_pt[i] = 0;
	}
	pml4[SLOT] = (uint64_t)pdpt | PRESENT | WRITABLE;
	pdpt[0] = (uint64_t)pd | PRESENT | WRITABLE;
	pd[AT] = (uint64_t)pt | PRESENT | WRITABLE;
	other_pml4[SLOT] = (uint64_t)other_pdpt | PRESENT | WRITABLE;
	other_pdpt[0] = (uint64_t)other_pd | PRESENT | WRITABLE;
	other_pd[AT] = (uint64_t)other_pt | PRESENT | WRITABLE;
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idt;
	__asm__ volatile("sidt %0" : "=m"(idt));
	uint16_t *gate = (uint16_t *)(idt.base + 14 * 16);
	gate[0] = (uint16_t)(uintptr_t)page_fault;
	gate[3] = (uint16_t)((uintptr_t)page_fault >> 16);
	wrmsr(0xc0000080, rdmsr(0xc0000080) | 1 << 11);
	write_protect(1);
	set_cr3(get_cr3());
}

static void rights(void)
{
	pt[0] = 0;
	load(TEST + 8);
	expect_fault("read, not present", 0, TEST + 8);
	store(TEST + 0xff8, 1);
	expect_fault("write, not present", 2, TEST + 0xff8);
	pt[0] = FRAME(0) | PRESENT; /* what was not present needs no INVLPG */
	store(FRAME(0), 0x1122334455667788);
	check("read through a new entry", load(TEST), 0x1122334455667788);
	expect_none("read through a new entry");
	check("accessed bit", pt[0], FRAME(0) | PRESENT | ACCESSED);
	store(TEST, 2);
	expect_fault("write to a read-only page", 3, TEST);
	check("read-only page", load(FRAME(0)), 0x1122334455667788);
	check("no dirty bit", pt[0] & DIRTY, 0);
	add_locked(TEST + 16, 1);
	expect_fault("locked addition to a read-only page", 3, TEST + 16);
	pt[0] |= WRITABLE;
	invlpg(TEST);
	store(TEST, 3);
	expect_none("write to a writable page");
	check("what was written", load(FRAME(0)), 3);
	check("dirty bit", pt[0], FRAME(0) | PRESENT | WRITABLE | ACCESSED | DIRTY);
	pt[0] &= ~(ACCESSED | DIRTY);
	invlpg(TEST);
	load(TEST);
	check("read sets no dirty bit", pt[0] & (ACCESSED | DIRTY), ACCESSED);
	add_locked(TEST, 4);
	check("a locked addition sets it", pt[0] & (ACCESSED | DIRTY), ACCESSED | DIRTY);
	check("sum", load(FRAME(0)), 7);

	write_protect(0);
	pt[1] = FRAME(1) | PRESENT;
	store(TEST + 0x1000, 5);
	store(TEST + 0x1008, 6);
	expect_none("supervisor write with CR0.WP clear");
	check("what it wrote", load(FRAME(1)) + load(FRAME(1) + 8), 11);
	check("dirty bit with CR0.WP clear", pt[1] & DIRTY, DIRTY);
	write_protect(1);
	store(TEST + 0x1000, 7);
	expect_fault("supervisor write with CR0.WP set again", 3, TEST + 0x1000);

	*(volatile uint8_t *)FRAME(2) = 0xc3;
	pt[2] = FRAME(2) | PRESENT;
	execute(TEST + 0x2000);
	expect_none("execution");
	pt[2] |= NO_EXECUTE;
	invlpg(TEST + 0x2000);
	execute(TEST + 0x2000);
	expect_fault("execution of a no-execute page", 0x11, TEST + 0x2000);
	load(TEST + 0x2000);
	expect_none("read of a no-execute page");

	pt[3] = FRAME(3) | PRESENT | RESERVED;
	load(TEST + 0x3000);
	expect_fault("reserved bit in a page's entry", 9, TEST + 0x3000);
	pd[AT] |= RESERVED;
	set_cr3(get_cr3());
	store(TEST, 0);
	expect_fault("reserved bit in a table's entry", 0xb, TEST);
	pd[AT] &= ~(RESERVED | WRITABLE);
	set_cr3(get_cr3());
	store(TEST, 0);
	expect_fault("write below a read-only entry", 3, TEST);
	pd[AT] |= WRITABLE;
	set_cr3(get_cr3());
	store(TEST, 9);
	expect_none("write below a writable entry again");
}

static void spaces(void)
{
	uint64_t own = get_cr3();
	pt[4] = FRAME(4) | PRESENT | WRITABLE;
	other_pt[4] = FRAME(5) | PRESENT | WRITABLE;
	store(FRAME(4), 4);
	store(FRAME(5), 5);
	for (int i = 0; i < 10; i++) {
		set_cr3((uint64_t)other_pml4);
		check("in the other space", load(TEST + 0x4000), 5 + 3 * i);
		store(TEST + 0x4000, 5 + 3 * (i + 1));
		set_cr3(own);
		check("in the first space", load(TEST + 0x4000), 4 + i);
		store(TEST + 0x4000, 4 + i + 1);
	}
	/* Changed while another space was there: no INVLPG could help, the load of CR3 must. */
	set_cr3((uint64_t)other_pml4);
	pt[4] = FRAME(6) | PRESENT;
	set_cr3(own);
	store(FRAME(6), 66);
	check("changed from the other space", load(TEST + 0x4000), 66);
	store(TEST + 0x4000, 1);
	expect_fault("right taken away from the other space", 3, TEST + 0x4000);
}

static void sizes(void)
{
	pd[AT + 1] = BIG | PRESENT | WRITABLE | LARGE;
	store(TEST + 0x200000, 1);
	store(TEST + 0x3ffff8, 2);
	expect_none("large page");
	check("start of a large page", load(BIG), 1);
	check("end of a large page", load(BIG + 0x1ffff8), 2);
	check("its entry", pd[AT + 1], BIG | PRESENT | WRITABLE | LARGE | ACCESSED | DIRTY);
	pd[AT + 1] = BIG | PRESENT | LARGE;
	invlpg(TEST + 0x345678);
	store(TEST + 0x200000, 3);
	expect_fault("write to a large read-only page after INVLPG in its midst", 3, TEST + 0x200000);
	pd[AT + 1] = BIG | PRESENT | WRITABLE | LARGE | 1 << 13;
	invlpg(TEST + 0x200000);
	load(TEST + 0x200000);
	expect_fault("reserved bit of a large page", 9, TEST + 0x200000);
	pd[AT + 1] = (uint64_t)other_pt | PRESENT | WRITABLE; /* in place of a page, a table */
	other_pt[7] = FRAME(7) | PRESENT;
	invlpg(TEST + 0x200000);
	store(FRAME(7), 77);
	check("small page in place of a large one", load(TEST + 0x207000), 77);
	pdpt[2] = 0 | PRESENT | LARGE; /* 1 GiB from 0 on */
	check("page of 1 GiB", load(0xffff900080000000ul + FRAME(7)), 77);
	expect_none("page of 1 GiB");
}

/* An entry of the top table that points to the top table: all tables are pages then. */
static void recursive(void)
{
	pml4[SELF_SLOT] = (uint64_t)pml4 | PRESENT | WRITABLE;
	uint64_t window = SELF | (uint64_t)SLOT << 30 | AT << 12; /* the page table of TEST */
	check("an entry through the window", load(window), pt[0]);
	store(FRAME(9), 99);
	store(window + 9 * 8, FRAME(9) | PRESENT);
	check("a page entered through the window", load(TEST + 0x9000), 99);
	store(window + 9 * 8, FRAME(10) | PRESENT | WRITABLE);
	invlpg(TEST + 0x9000);
	store(TEST + 0x9000, 100);
	check("changed through the window", load(FRAME(10)), 100);
	add_locked(window + 9 * 8, 0x1000); /* to the next frame */
	invlpg(TEST + 0x9000);
	store(TEST + 0x9000, 101);
	check("changed by a locked addition", load(FRAME(11)), 101);
	check("and the frame before stays", load(FRAME(10)), 100);
	expect_none("recursive tables");
	/* The table as a page, at once a table and a page of its own table. */
	pt[12] = (uint64_t)pt | PRESENT | WRITABLE;
	store(FRAME(13), 13);
	store(TEST + 0xc000 + 13 * 8, FRAME(13) | PRESENT);
	check("a table that maps itself", load(TEST + 0xd000), 13);
	store(TEST + 0xc000 + 13 * 8, 0);
	invlpg(TEST + 0xd000);
	load(TEST + 0xd000);
	expect_fault("taken away through itself", 0, TEST + 0xd000);
	pml4[SELF_SLOT] = 0;
	set_cr3(get_cr3());
}

/* Beyond RAM: data reads are ones; a table there has entries of ones, whose reserved bits are set. */
static void no_ram(void)
{
	pt[20] = NO_RAM | PRESENT | WRITABLE;
	store(TEST + 0x14000, 1);
	check("where no RAM is", load(TEST + 0x14000), ~0ul);
	expect_none("where no RAM is");
	pd[AT + 3] = NO_RAM | PRESENT | WRITABLE;
	load(TEST + 0x600000);
	expect_fault("a table where no RAM is", 9, TEST + 0x600000);
	pd[AT + 3] = 0;
	pt[20] = FRAME(20) | PRESENT | WRITABLE;
	invlpg(TEST + 0x14000);
	store(TEST + 0x14000, 20);
	check("RAM in its place", load(FRAME(20)), 20);
}

#define PAGES 64
#define FRAMES 24
static uint64_t seed = 0x9e3779b97f4a7c15;

static unsigned random_below(unsigned limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % limit;
}

/* Entries are changed and accessed at random; after each change comes what the architecture demands, sooner or later. */
static void life(int steps)
{
	static uint64_t content[FRAMES];
	static uint64_t model[PAGES];
	for (int i = 0; i < FRAMES; i++) {
		content[i] = i;
		store(FRAME(32 + i), i);
	}
	for (int i = 0; i < PAGES; i++) {
		model[i] = pt[100 + i] = 0;
		invlpg(TEST + (100 + i) * 0x1000ul);
	}
	for (int i = 0; i < steps && wrong < 20; i++) {
		int page = random_below(PAGES);
		uint64_t at = TEST + (100 + page) * 0x1000ul;
		unsigned frame = (unsigned)((model[page] & 0xffffffff000ul) - FRAME(32)) >> 12;
		switch (random_below(6)) {
		case 0: {
			model[page] = random_below(5) == 0 ? 0
				: FRAME(32 + random_below(FRAMES)) | PRESENT | (random_below(3) ? WRITABLE : 0);
			pt[100 + page] = model[page];
			if (random_below(8) == 0) {
				set_cr3(get_cr3());
			} else {
				invlpg(at);
			}
			break;
		}
		case 1: { /* a copy-on-write fork: all become read-only, one flush */
			if (random_below(10) == 0) {
				for (int k = 0; k < PAGES; k++) {
					model[k] &= ~WRITABLE;
					pt[100 + k] = model[k];
				}
				set_cr3(get_cr3());
			}
			break;
		}
		case 2: {
			store(at, i);
			uint64_t error = !(model[page] & PRESENT) ? 2 : !(model[page] & WRITABLE) ? 3 : 0;
			if (error) {
				expect_fault("write in a random life", error, at);
			} else {
				expect_none("write in a random life");
				content[frame] = i;
				check("dirty in a random life", pt[100 + page] & DIRTY, DIRTY);
			}
			break;
		}
		default: {
			uint64_t value = load(at);
			if (model[page] & PRESENT) {
				expect_none("read in a random life");
				check("content in a random life", value, content[frame]);
			} else {
				expect_fault("read in a random life", 0, at);
			}
		}
		}
	}
}

int main(void)
{
	set_up();
	rights();
	spaces();
	sizes();
	recursive();
	no_ram();
#ifdef FOR_EVER
	for (;;) {
		life(300);
		if (wrong) {
			return wrong;
		}
		put_char('.');
	}
#else
	life(3000);
#endif
	put_string(wrong ? "paging is wrong\n" : "paging is right\n");
	return wrong;
}
