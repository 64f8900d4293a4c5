# What C guests begin with, in 64-bit mode behind the prologue: memory up to 4 GiB, an IDT, a clean .bss, main.
        mov     $bss_start, %edi
        mov     $bss_end, %ecx
        sub     %edi, %ecx
        xor     %eax, %eax
        rep stosb
        movl    $0x40000083, 0x2008     # devices lie above the first GiB: pages of 1 GiB
        movl    $0x80000083, 0x2010
        movl    $0xc0000083, 0x2018
        mov     $idt, %edi
        mov     $stubs, %eax
        mov     $256, %ecx
1:      mov     %ax, (%rdi)             # 64-bit interrupt gates
        movw    $0x18, 2(%rdi)
        movw    $0x8e00, 4(%rdi)
        mov     %eax, %edx
        shr     $16, %edx
        mov     %dx, 6(%rdi)
        add     $16, %edi
        add     $16, %eax
        dec     %ecx
        jnz     1b
        lidt    idt_pointer
        call    main
        out     %al, $0xf4
1:      hlt
        jmp     1b

# One stub of 16 bytes for each vector: an error code, if the processor pushes none, and the vector.
        .balign 16
stubs:
        .set    vector, 0
        .rept   256
        .balign 16
        .if     !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
        push    $0
        .endif
        push    $vector
        jmp     interrupt
        .set    vector, vector + 1
        .endr

interrupt:
        push    %rax
        push    %rcx
        push    %rdx
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %rbp
        mov     %rsp, %rbp
        sub     $512, %rsp
        and     $-16, %rsp
        fxsave  (%rsp)
        cld
        mov     80(%rbp), %edi          # vector
        mov     88(%rbp), %rsi          # error code
        mov     96(%rbp), %rdx          # where
        call    alcazar_interrupt
        fxrstor (%rsp)
        mov     %rbp, %rsp
        pop     %rbp
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rdx
        pop     %rcx
        pop     %rax
        add     $16, %rsp
        iretq

idt_pointer:
        .word   256 * 16 - 1
        .quad   idt
        .bss
        .balign 16
idt:    .skip   256 * 16
        .section .note.GNU-stack, "", @progbits
