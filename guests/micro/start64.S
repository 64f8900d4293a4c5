/*
 * Entry of the 64-bit guests, by multiboot: maps the first GiB to itself with 2 MiB pages through
 * four levels, turns on long mode, goes on in C.
 */
#define EFER      0xc0000080
#define EFER_LME  0x100
#define CR0_PG    0x80000000
#define CR0_WP    0x00010000
#define CR4_PAE   0x20
#define PRESENT_WRITE_USER 7
#define LARGE     0x80

        .code32
        .text
        .globl _start
_start: cli
        cld
        mov     %eax, entry_eax
        mov     %ebx, entry_ebx
        mov     $stack_top, %esp

        mov     $0x80000000, %eax
        cpuid
        cmp     $0x80000001, %eax
        jb      no_long_mode
        mov     $0x80000001, %eax
        cpuid
        bt      $29, %edx
        jnc     no_long_mode

        movl    $pdpt + PRESENT_WRITE_USER, pml4
        movl    $pd + PRESENT_WRITE_USER, pdpt
        mov     $PRESENT_WRITE_USER + LARGE, %eax
        mov     $pd, %edi
        mov     $512, %ecx
1:      mov     %eax, (%edi)
        movl    $0, 4(%edi)
        add     $0x200000, %eax
        add     $8, %edi
        loop    1b

        mov     %cr4, %eax
        or      $CR4_PAE, %eax
        mov     %eax, %cr4
        mov     $pml4, %eax
        mov     %eax, %cr3
        mov     $EFER, %ecx
        rdmsr
        or      $EFER_LME, %eax
        wrmsr
        mov     %cr0, %eax
        or      $CR0_PG + CR0_WP, %eax
        mov     %eax, %cr0
        lgdt    gdtr
        ljmp    $0x08, $long_mode

no_long_mode:
        mov     $0x3f8, %dx
        mov     $0f, %esi
2:      lodsb
        out     %al, %dx
        test    %al, %al
        jnz     2b
        mov     $0x11, %al
        out     %al, $0xf4
3:      hlt
        jmp     3b
0:      .asciz  "FAIL: this processor has no long mode\n"

        .code64
long_mode:
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        mov     $stack_top, %rsp
        call    setup
        call    guest
        call    pass

        .bss
        .balign 4096
        .globl  pml4, pdpt, pd, stack_top
pml4:   .skip   4096
pdpt:   .skip   4096
pd:     .skip   4096
        .skip   16384
stack_top:
