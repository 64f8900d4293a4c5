/* One entry point for each of the 256 vectors, and the way to ring 3 and back; 64-bit. */
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
        .quad   vector\number
        .endm

        .set    i, 0
        .rept   256
        entry   %i
        .set    i, i + 1
        .endr

common: push    %rax
        push    %rcx
        push    %rdx
        push    %rbx
        push    %rbp
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, %rdi
        cld
        call    trap
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rbp
        pop     %rbx
        pop     %rdx
        pop     %rcx
        pop     %rax
        add     $16, %rsp
        iretq

/* void run(struct context *context): goes there; came_back() in micro.c returns here. */
        .globl  run
run:    push    %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, kernel_sp
        mov     %rdi, running
        push    152(%rdi)
        push    32(%rdi)
        push    144(%rdi)
        push    136(%rdi)
        push    128(%rdi)
        mov     160(%rdi), %ds
        mov     168(%rdi), %es
        mov     176(%rdi), %fs
        mov     184(%rdi), %gs
        mov     0(%rdi), %rax
        mov     8(%rdi), %rcx
        mov     16(%rdi), %rdx
        mov     24(%rdi), %rbx
        mov     40(%rdi), %rbp
        mov     48(%rdi), %rsi
        mov     64(%rdi), %r8
        mov     72(%rdi), %r9
        mov     80(%rdi), %r10
        mov     88(%rdi), %r11
        mov     96(%rdi), %r12
        mov     104(%rdi), %r13
        mov     112(%rdi), %r14
        mov     120(%rdi), %r15
        mov     56(%rdi), %rdi
        iretq

/* void enter_user(void (*function)(void)): runs it in ring 3 until it executes int $0x80. */
        .globl  enter_user, leave_user
enter_user:
        push    %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, kernel_sp
        push    $0x23
        push    $user_stack_top - 8
        pushfq
        push    $0x1b
        push    %rdi
        iretq

leave_user:
        mov     kernel_sp, %rsp
        mov     $0x10, %eax     /* the processor has put an empty selector into SS */
        mov     %eax, %ss
        mov     %eax, %ds
        mov     %eax, %es
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret

        .section .rodata
        .globl  vectors
        .balign 8
vectors:
        .set    i, 0
        .rept   256
        address %i
        .set    i, i + 1
        .endr

        .bss
        .balign 16
kernel_sp:
        .skip   16
        .skip   8192
        .globl  user_stack_top, trap_stack_top
user_stack_top:
        .skip   8192
trap_stack_top:
