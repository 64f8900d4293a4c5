/*
 * The smallest guest: no stack, no descriptors, no C. Prints with polling and ends the VM through the
 * debug-exit port.
 */
        .code32
        .text
        .globl  _start
_start: mov     $text, %esi
next:   mov     $0x3f8 + 5, %edx        /* line status */
1:      in      %dx, %al
        test    $0x20, %al              /* transmitter holding register empty */
        jz      1b
        lodsb
        test    %al, %al
        jz      done
        mov     $0x3f8, %edx
        out     %al, %dx
        jmp     next
done:   mov     $0x10, %al
        out     %al, $0xf4
2:      cli
        hlt
        jmp     2b

        .section .rodata
text:   .asciz  "Hello from a tiny guest.\nok hello\n"
