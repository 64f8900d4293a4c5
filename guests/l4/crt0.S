# Where a program starts, and its system calls. RDI has the count of arguments, RSI points to them.

        .text
        .globl  _start
_start:
        xorl    %ebp, %ebp
        andq    $-16, %rsp
        call    main
        movl    %eax, %edi
        .globl  l4_exit
l4_exit:
        xorl    %eax, %eax
        int     $0x90
        ud2

        .macro  call_kernel name, number
        .globl  \name
        .type   \name, @function
\name:
        movl    $\number, %eax
        movq    %rcx, %r10              # the fourth argument is elsewhere in C
        int     $0x90
        ret
        .endm

        call_kernel l4_end_thread, 1
        call_kernel l4_write, 2
        call_kernel l4_read, 3
        call_kernel l4_time, 4
        call_kernel l4_ipc, 5           # two words come back in RAX and RDX, as C has them
        call_kernel l4_unmap, 6
        call_kernel l4_get_pages, 7
        call_kernel l4_set_pager, 9
        call_kernel l4_yield, 10
        call_kernel l4_set_slice, 11
        call_kernel l4_kill, 12
        call_kernel l4_instructions, 13

# A C function finds its stack as if it had been called, but it must not return.
        .globl  l4_new_thread
        .type   l4_new_thread, @function
l4_new_thread:
        andq    $-16, %rsi
        movq    %rcx, %r10
        movl    $8, %eax
        leaq    -8(%rsi), %rsi
        int     $0x90
        ret

        .section .note.GNU-stack, "", @progbits
