package org.alcazar.platforms.pc;

import org.alcazar.testkit.Mode;
import org.alcazar.testkit.TestVm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * A guest with several cores in 64-bit mode. The first one starts the others by INIT and SIPI; each
 * goes to the label {@code core} then, when all have come, with its number in EBX, the count of
 * cores in EBP, a stack, its local APIC on and interrupts off. Vectors 0x50 and 0x51 lead to the
 * labels {@code ipi} and {@code tick}, which end with {@code end_of_interrupt}. {@code send} sends
 * 0x50 to the core whose number is in EAX; {@code every} lets the timer tick every so many
 * nanoseconds on the clock of instructions.
 */
final class SmpGuest {
    /** Where guests keep what tests look at; the tables below lie elsewhere. */
    static final long DATA = 0x30000;

    private static final String START =
            """
                    apic = 0xfee00000
                    .macro  send
                    shl     $24, %%eax
                    mov     %%eax, %%gs:0x310
                    movl    $0x4050, %%gs:0x300
                    .endm
                    .macro  every count
                    movl    $0x20051, %%gs:0x320
                    movl    $0xb, %%gs:0x3e0        # divided by 1
                    movl    $\\count, %%gs:0x380
                    .endm
                    .macro  end_of_interrupt
                    movl    $0, %%gs:0xb0
                    iretq
                    .endm
                    movl    $0x60003, 0x2018        # the fourth GiB
                    movl    $0xfee00093, 0x60fb8
                    movw    $ipi, 0x20500
                    movw    $0x18, 0x20502
                    movw    $0x8e00, 0x20504
                    movw    $tick, 0x20510
                    movw    $0x18, 0x20512
                    movw    $0x8e00, 0x20514
                    mov     $%d, %%ebp
                    xor     %%ebx, %%ebx
                    call    own
                    movl    $0xc4500, %%gs:0x300    # INIT and SIPI to all others
                    movl    $0xc4609, %%gs:0x300
                    jmp     come
            own:    mov     $apic, %%eax
                    xor     %%edx, %%edx
                    mov     $0xc0000101, %%ecx      # GS base
                    wrmsr
                    movl    $0x1ff, %%gs:0xf0
                    lidt    idt
                    ret
            come:   lock incl 0x2fff0
            1:      pause
                    cmp     %%ebp, 0x2fff0
                    jne     1b
                    jmp     core
            idt:    .word   0xfff
                    .quad   0x20000
                    .org    0x1000                  # at 0x9000: where SIPI leads
                    .code16
                    cli
                    xor     %%ax, %%ax
                    mov     %%ax, %%ds
                    lgdtl   gdt_pointer
                    mov     %%cr0, %%eax
                    or      $1, %%al
                    mov     %%eax, %%cr0
                    ljmpl   $0x08, $other32
                    .code32
            other32:
                    mov     $0x10, %%ax
                    mov     %%ax, %%ds
                    mov     %%ax, %%es
                    mov     %%ax, %%ss
                    mov     $0x620, %%eax
                    mov     %%eax, %%cr4
                    mov     $0x1000, %%eax
                    mov     %%eax, %%cr3
                    mov     $0xc0000080, %%ecx
                    rdmsr
                    or      $0x101, %%eax
                    wrmsr
                    mov     $0x80000033, %%eax
                    mov     %%eax, %%cr0
                    ljmpl   $0x18, $other64
                    .code64
            other64:
                    mov     $1, %%eax
                    cpuid
                    shr     $24, %%ebx              # the initial APIC id
                    mov     %%ebx, %%eax
                    shl     $10, %%eax
                    mov     $0x50000, %%esp
                    add     %%rax, %%rsp
                    mov     $%d, %%ebp
                    call    own
                    jmp     come
            """;

    private SmpGuest() {}

    /** Makes the VM a PC with so many cores that run the code behind {@code core}. */
    static TestVm on(TestVm vm, int cpus, String code) {
        String start = String.format(START, cpus, cpus);
        return vm.platform("pc")
                .set("cpus", (long) cpus)
                .device("micro-console", Map.of())
                .assembly(Mode.LONG, start + code);
    }

    /** A word of the guest's data, while it stands. */
    static long word(TestVm vm, int offset) {
        byte[] bytes = vm.memory(DATA + offset, 8);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }
}
