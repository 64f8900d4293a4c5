/* Memory: zeroed pages on demand, pages wished for, pages given back and got again. */
#include "l4.h"

#define HERE 0x30000000UL
#define PAGES 512UL

static int fail(const char *what) {
    print("FAIL memory: ");
    print(what);
    print("\n");
    return 1;
}

int main(int count, char **arguments) {
    (void)count;
    (void)arguments;
    for (int round = 0; round < 20; round++) { /* 40 MiB in all, out of less */
        for (u64 i = 0; i < PAGES; i++) {
            volatile u64 *at = (volatile u64 *)(HERE + i * 4096);
            if (*at) {
                return fail("a page is not zero");
            }
            *at = i + 1;
        }
        for (u64 i = 0; i < PAGES; i++) {
            if (*(volatile u64 *)(HERE + i * 4096) != i + 1) {
                return fail("a page is lost");
            }
        }
        if (l4_unmap(l4_page(HERE, 21, L4_READ | L4_WRITE | L4_EXECUTE), 1)) {
            return fail("unmap");
        }
    }
    if (l4_get_pages(l4_page(HERE, 16, L4_READ | L4_WRITE)) || *(volatile u64 *)HERE) {
        return fail("pages wished for");
    }
    if (l4_get_pages(l4_page(0, 12, L4_READ)) != -1 || l4_get_pages(0x123) != -1) {
        return fail("wrong pages are given");
    }
    if (l4_write((void *)16, 4) != -1) {
        return fail("the kernel reads what is not there");
    }
    print("ok memory\n");
    return 0;
}
