/* Entry of the 32-bit guests, by multiboot or PVH: stack, descriptors, C. */
        .code32
        .text
        .globl _start
_start: cli
        cld
        mov     %eax, entry_eax
        mov     %ebx, entry_ebx
        mov     %cr0, %ecx
        mov     %ecx, entry_cr0
        mov     %cr4, %ecx
        mov     %ecx, entry_cr4
        mov     $stack_top, %esp
        pushf
        pop     entry_eflags
        push    $0
        popf
        lgdt    gdtr
        ljmp    $0x08, $1f
1:      mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        call    setup
        call    guest
        call    pass

        .bss
        .balign 16
        .skip   16384
        .globl  stack_top
stack_top:
