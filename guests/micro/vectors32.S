/* One entry point for each of the 256 vectors, and the way to ring 3 and back; 32-bit. */
        .text
        .altmacro

        .macro  entry number
vector\number:
        .if     !((\number == 8) || ((\number >= 10) && (\number <= 14)) || (\number == 17))
        push    $0
        .endif
        push    $\number
        jmp     common
        .endm

        .macro  address number
        .long   vector\number
        .endm

        .set    i, 0
        .rept   256
        entry   %i
        .set    i, i + 1
        .endr

common: pusha
        push    %ds
        push    %es
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %esp, %eax
        cld
        push    %eax
        call    trap
        add     $4, %esp
        pop     %es
        pop     %ds
        popa
        add     $8, %esp
        iret

/* void enter_user(void (*function)(void)): runs it in ring 3 until it executes int $0x80. */
        .globl  enter_user, leave_user
enter_user:
        push    %ebp
        push    %ebx
        push    %esi
        push    %edi
        mov     %esp, kernel_sp
        mov     20(%esp), %eax
        mov     $0x23, %ecx
        mov     %ecx, %ds
        mov     %ecx, %es
        push    %ecx
        push    $user_stack_top
        pushf
        push    $0x1b
        push    %eax
        iret

leave_user:
        mov     kernel_sp, %esp
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        pop     %edi
        pop     %esi
        pop     %ebx
        pop     %ebp
        ret

        .section .rodata
        .globl  vectors
        .balign 4
vectors:
        .set    i, 0
        .rept   256
        address %i
        .set    i, i + 1
        .endr

        .bss
kernel_sp:
        .skip   4
        .balign 16
        .skip   8192
        .globl  user_stack_top, trap_stack_top
user_stack_top:
        .skip   8192
trap_stack_top:
