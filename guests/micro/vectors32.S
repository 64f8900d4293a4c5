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
        push    %fs
        push    %gs
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        cld
        mov     %ss, %eax
        cmp     $0x10, %ax
        jne     odd_stack
1:      mov     %esp, %eax
        push    %eax
        call    trap
        add     $12, %esp       /* the argument, GS and FS */
        pop     %es
        pop     %ds
        popa
        add     $8, %esp
        iret

/* A trap in ring 0 on a stack that C can't use: what it pushed goes to another; there is no return. */
odd_stack:
        mov     %eax, odd_ss
        mov     %esp, %esi
        lar     %eax, %ecx
        jnz     2f              /* SYSCALL has put it there, flat */
        bt      $22, %ecx
        jc      2f
        movzwl  %si, %esi
2:      mov     %esi, odd_sp
        mov     $odd_stack_top - 128, %edi
        mov     $24, %ecx
3:      lodsl   %ss:(%esi)
        stosl
        loop    3b
        mov     $0x10, %eax
        mov     %eax, %ss
        mov     $odd_stack_top - 128, %esp
        jmp     1b

/* void run(struct context *context): goes there; came_back() in micro.c returns here. */
        .globl  run
run:    push    %ebp
        push    %ebx
        push    %esi
        push    %edi
        mov     %esp, kernel_sp
        mov     20(%esp), %edx
        mov     %edx, running
        testl   $0x20000, 40(%edx)
        jz      1f
        push    60(%edx)        /* to virtual-8086 mode: GS, FS, DS, ES */
        push    56(%edx)
        push    48(%edx)
        push    52(%edx)
        jmp     2f
1:      testb   $3, 36(%edx)
        jz      3f
2:      push    44(%edx)
        push    16(%edx)
        jmp     4f
3:      mov     44(%edx), %ss
        mov     16(%edx), %esp
4:      pushl   40(%edx)
        pushl   36(%edx)
        pushl   32(%edx)
        testl   $0x20000, 40(%edx)
        jnz     5f
        mov     52(%edx), %es
        mov     56(%edx), %fs
        mov     60(%edx), %gs
5:      mov     0(%edx), %eax
        mov     4(%edx), %ecx
        mov     12(%edx), %ebx
        mov     20(%edx), %ebp
        mov     24(%edx), %esi
        mov     28(%edx), %edi
        testl   $0x20000, 40(%edx)
        jnz     6f
        pushl   8(%edx)
        mov     48(%edx), %ds
        pop     %edx
        iret
6:      mov     8(%edx), %edx
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
        mov     $0x10, %eax
        mov     %eax, %ss
        mov     %cs:kernel_sp, %esp
        mov     %eax, %ds
        mov     %eax, %es
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
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
        .skip   512
odd_stack_top:
user_stack_top:
        .skip   8192
trap_stack_top:
