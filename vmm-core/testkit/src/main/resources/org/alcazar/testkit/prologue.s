# Start-up code of testkit guests: from real mode at 0:0x8000 to the mode that the test asks for (mode_real, mode_protected or mode_long is 1).
# Tables lie at 0x1000 to 0x3fff, the stack grows down from 0x7ff0.
        .macro exit value               # ends the VM with status (2 * value + 1) & 255
        mov     $\value, %al
        out     %al, $0xf4
        .endm

        .macro putc character           # one character on the micro console
        mov     $\character, %al
        out     %al, $0xe9
        .endm

        .code16
        .globl _start
_start: cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7ff0, %sp
        .ifdef mode_real
        jmp     guest
        .endif
        .ifndef mode_real
        lgdtl   gdt_pointer
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmpl   $0x08, $start32
        .code32
start32:
        mov     $0x10, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     %ax, %fs
        mov     %ax, %gs
        mov     $0x7ff0, %esp
        .ifdef mode_protected
        jmp     guest
        .endif
        .ifdef mode_long
        cld
        xor     %eax, %eax
        mov     $0x1000, %edi
        mov     $0xc00, %ecx
        rep stosl
        movl    $0x2003, 0x1000
        movl    $0x3003, 0x2000
        mov     $0x3000, %edi
        mov     $0x83, %eax
1:      mov     %eax, (%edi)
        add     $0x200000, %eax
        add     $8, %edi
        cmp     $0x4000, %edi
        jne     1b
        mov     $0x1000, %eax
        mov     %eax, %cr3
        mov     $0x620, %eax            # PAE, OSFXSR, OSXMMEXCPT
        mov     %eax, %cr4
        mov     $0xc0000080, %ecx
        rdmsr
        or      $0x101, %eax            # LME, SCE
        wrmsr
        mov     $0x80000033, %eax       # PG, NE, ET, MP, PE
        mov     %eax, %cr0
        ljmpl   $0x18, $start64
        .code64
start64:
        mov     $0x7ff0, %rsp
        jmp     guest
        .endif
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      # 0x08 32-bit code
        .quad   0x00cf93000000ffff      # 0x10 data
        .quad   0x00af9b000000ffff      # 0x18 64-bit code
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt
        .endif
guest:
