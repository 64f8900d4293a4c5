/* Through 32-bit code, since LA57 can't change in long mode. RDI: CR3, ESI: bits of CR4 to change. */
__asm__(".text\n"
        ".globl change_levels\n"
        "change_levels: push %rbx\n mov $1f, %eax\n push $0x68\n push %rax\n lretq\n"
        ".code32\n"
        "1: mov %cr0, %eax\n btr $31, %eax\n mov %eax, %cr0\n"
        "mov %cr4, %ecx\n xor %esi, %ecx\n mov %ecx, %cr4\n"
        "mov %edi, %cr3\n"
        "bts $31, %eax\n mov %eax, %cr0\n"
        "ljmp $0x08, $2f\n"
        ".code64\n"
        "2: pop %rbx\n ret\n");
void change_levels(u64 cr3, u64 cr4_bits);
