package org.alcazar.platforms.pc;

import org.alcazar.testkit.Mode;
import org.alcazar.testkit.TestVm;

import java.nio.file.Path;
import java.util.Map;

/**
 * A guest for the PC whose result depends on every device on its way and on the exact instruction
 * at which each interrupt comes: the 8254 ticks through the 8259, the handler writes a letter to
 * the UART, and the main program computes until the last tick.
 */
final class Ticker {
    /** Where the guest counts its ticks; the time-stamp counter at each of them follows. */
    static final long TICKS = 0x21000;

    private static final String SOURCE =
            """
                    movw    $tick, 0x20200          # vector 0x20
                    movw    $0x18, 0x20202
                    movw    $0x8e00, 0x20204
                    lidt    idt
                    .irp    value, 0x11, 0x20, 0x04, 0x01, 0xfe
                    mov     $\\value, %%al
                    .ifeq   \\value - 0x11
                    out     %%al, $0x20
                    .else
                    out     %%al, $0x21
                    .endif
                    .endr
                    mov     $0x34, %%al             # channel 0, mode 2
                    out     %%al, $0x43
                    mov     $0xa9, %%al             # 1193: 1 kHz, 1 000 000 instructions
                    out     %%al, $0x40
                    mov     $0x04, %%al
                    out     %%al, $0x40
                    mov     $1, %%ebx
                    sti
            1:      imul    $0x41c64e6d, %%rbx
                    add     $12345, %%rbx
                    cmpl    $%d, 0x21000
                    jb      1b
                    cli
                    exit    16
            2:      hlt
                    jmp     2b
            tick:   push    %%rax
                    push    %%rdx
                    rdtsc
                    shl     $32, %%rdx
                    or      %%rax, %%rdx
                    incl    0x21000
                    mov     0x21000, %%eax
                    mov     %%rdx, 0x21000(,%%rax,8)
                    and     $15, %%al
                    add     $'a', %%al
                    mov     $0x3f8, %%dx
                    out     %%al, %%dx
                    out     %%al, $0xe9
                    mov     $0x20, %%al
                    out     %%al, $0x20
                    pop     %%rdx
                    pop     %%rax
                    iretq
            idt:    .word   0xfff
                    .quad   0x20000
            """;

    private Ticker() {}

    /** The same, but it sleeps between ticks, at the label {@code sleep}. */
    static TestVm sleeping(TestVm vm, int ticks, Path console) {
        return on(
                vm,
                ticks,
                console,
                SOURCE.replace("imul    $0x41c64e6d, %%rbx", "nop\nsleep: hlt"));
    }

    /** Makes the VM a PC that runs so many ticks and writes its serial line to a file. */
    static TestVm on(TestVm vm, int ticks, Path console) {
        return on(vm, ticks, console, SOURCE);
    }

    private static TestVm on(TestVm vm, int ticks, Path console, String source) {
        return vm.platform("pc")
                .assembly(Mode.LONG, String.format(source, ticks))
                .device("micro-console", Map.of())
                .set("console", "file:" + console);
    }
}
