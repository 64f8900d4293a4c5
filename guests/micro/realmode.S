/*
 * A boot sector for real mode: segments, strings, far calls, interrupts through the vector table at
 * address 0, a divide error, 32-bit operands. Loaded at 0x7c00, entered at 0000:7c00; uses no BIOS.
 */
        .code16
        .text
        .globl  _start

        .macro  must condition, letter
        mov     $\letter, %bl
        j\condition 99f
        jmp     failed
99:
        .endm

_start: cli
        cld
        ljmp    $0, $1f
1:      xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7c00, %sp

        /* a: the same byte through two segments */
        mov     $0x1000, %ax
        mov     %ax, %es
        movw    $0x1234, %es:0x0008
        mov     $0x0fff, %ax
        mov     %ax, %fs
        cmpw    $0x1234, %fs:0x0018
        must    e, 'a'

        /* b: rep stosw and rep movsb between segments, count and pointers afterwards */
        mov     $0x5aa5, %ax
        xor     %di, %di
        mov     $8, %cx
        rep     stosw
        push    %es
        pop     %ds
        mov     $0x2000, %ax
        mov     %ax, %es
        xor     %si, %si
        mov     $0x100, %di
        mov     $16, %cx
        rep     movsb
        add     %di, %si
        add     %cx, %si
        cmp     $0x120, %si
        must    e, 'b'

        /* c: repe cmpsb stops behind the first difference */
        movb    $0, %es:0x10a
        xor     %si, %si
        mov     $0x100, %di
        mov     $16, %cx
        repe    cmpsb
        must    ne, 'c'
        cmp     $5, %cx
        must    e, 'd'

        /* e: repne scasb, downwards */
        std
        mov     $0x10f, %di
        mov     $16, %cx
        mov     $0, %al
        repne   scasb
        cld
        cmp     $0x109, %di
        must    e, 'e'

        /* f: offsets wrap at 64 KiB within a string */
        xor     %ax, %ax
        mov     %ax, %ds
        mov     $0xffff, %di
        mov     $0xee, %al
        stosb
        stosb
        cmpb    $0xee, %es:0
        must    e, 'f'

        /* g: far call, far return, and what they pushed */
        mov     %sp, %bp
        lcall   $0x07c0, $(far - 0x7c00)
        cmp     %bp, %sp
        must    e, 'g'
        cmp     $0x07c0, %dx
        must    e, 'h'

        /* i: software interrupt through the vector table; iret restores the flags */
        movw    $handler, 0x40 * 4
        movw    $0, 0x40 * 4 + 2
        stc
        mov     $0x1111, %ax
        int     $0x40
        must    c, 'i'
        cmp     $0x2222, %ax
        must    e, 'j'

        /* k: divide error, vector 0, with the address of the division itself */
        movw    $divide, 0
        movw    $0, 2
        xor     %cx, %cx
        mov     $1, %ax
        xor     %dx, %dx
2:      div     %cx
        cmp     $2b, %si
        must    e, 'k'

        /* l: 32-bit operands and addresses */
        mov     $0x12345678, %eax
        mov     $0x00020200, %ebx
        xor     %cx, %cx
        mov     %cx, %ds
        movl    $0xffff, %edx
        inc     %edx
        cmp     $0x10000, %edx
        must    e, 'l'
        rol     $8, %eax
        mov     %eax, 0x600
        mov     $0x600, %esi
        mov     $2, %edx
        cmpw    $0x3456, (%esi,%edx,1)
        must    e, 'm'

        /* n: enter, leave, pusha, popa, bound to 16 bits of SP */
        mov     %sp, %bp
        enter   $8, $0
        pusha
        popa
        leave
        cmp     %sp, %bp
        must    e, 'n'

        /* o: loop and jcxz */
        mov     $3, %cx
        xor     %ax, %ax
3:      inc     %ax
        loop    3b
        cmp     $3, %ax
        must    e, 'o'
        jcxz    4f
        jmp     failed

4:      mov     $good, %si
        call    print
        mov     $0x10, %al
        jmp     end

failed: mov     $bad, %si
        call    print
        mov     %bl, %al
        call    put
        mov     $'\n', %al
        call    put
        mov     $0x11, %al
end:    out     %al, $0xf4
        hlt
        jmp     end

far:    mov     %cs, %dx
        lret

handler:
        mov     $0x2222, %ax
        clc
        iret

divide: pop     %si             /* where it happened */
        add     $2, %si
        push    %si
        sub     $2, %si
        iret

print:  xor     %ax, %ax
        mov     %ax, %ds
5:      lodsb
        test    %al, %al
        jz      6f
        call    put
        jmp     5b
6:      ret

put:    mov     $0x3f8 + 5, %dx
        mov     %al, %ah
7:      in      %dx, %al
        test    $0x20, %al
        jz      7b
        mov     %ah, %al
        mov     $0x3f8, %dx
        out     %al, %dx
        ret

good:   .asciz  "ok realmode\n"
bad:    .asciz  "FAIL realmode: "
