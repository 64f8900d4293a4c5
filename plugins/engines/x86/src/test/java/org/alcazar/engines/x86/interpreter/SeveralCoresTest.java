package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.ByteDevice;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.Ranges;
import org.alcazar.machine.Requests;
import org.alcazar.machine.VirtualCore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Two cores that run at the same time on the same memory. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SeveralCoresTest {
    private static final long FIRST = 0x100000, SECOND = 0x110000, FUNCTION = 0x120000;
    private static final long DATA = 0x140000;
    private static final int TIMES = 2000;

    /** Changes a page of code again and again, and waits until the other one has run it. */
    private static final String WRITER =
            "ffc1" // top: inc %ecx
                    + "894e01" // mov %ecx, 1(%rsi)
                    + "890f" // mov %ecx, (%rdi)
                    + "394f08 75fb" // wait: cmp %ecx, 8(%rdi); jne wait
                    + "81f92c010000 75ec" // cmp $300, %ecx; jne top
                    + "f4";

    /** Runs it after a serialising instruction; stops at the first that is old. */
    private static final String READER =
            "41ffc0" // top: inc %r8d
                    + "443907 75fb" // wait: cmp %r8d, (%rdi); jne wait
                    + "31c0 0fa2" // xor %eax, %eax; cpuid
                    + "ffd6" // call *%rsi
                    + "4439c0 750d" // cmp %r8d, %eax; jne out
                    + "44894708" // mov %r8d, 8(%rdi)
                    + "4181f82c010000 75e0" // cmp $300, %r8d; jne top
                    + "f4"; // out: hlt

    private final BareMachine machine = new BareMachine();
    private final ControlBlock block = new ControlBlock(X86.ARCHITECTURE);
    private final VirtualCore second = machine.engine.newCore(1, block);

    SeveralCoresTest() {
        block.ports = Ranges.NONE;
        machine.longMode(FIRST);
        for (int group : new int[] {X86.CONTROL, X86.SEGMENTS, X86.GENERAL}) {
            long[] from = machine.group(group);
            System.arraycopy(from, 0, block.group(group), 0, from.length);
            block.dirty |= 1L << group;
        }
        block.group(X86.GENERAL)[X86.RIP] = SECOND;
        block.group(X86.GENERAL)[X86.RSP] = 0x90000;
        set(X86.RSI, FUNCTION);
        set(X86.RDI, DATA);
        set(X86.RBX, DATA);
        set(X86.RCX, 0);
        set(8, 0);
    }

    @AfterEach
    void close() {
        second.close();
        machine.close();
    }

    /** A register of both. */
    private void set(int register, long value) {
        machine.group(X86.GENERAL)[register] = value;
        block.group(X86.GENERAL)[register] = value;
    }

    private void code(long at, String hex) {
        machine.load(at, HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    /** Until the first core halts; the second one too, or it is kicked. */
    private void runBoth(boolean kick) throws InterruptedException {
        block.budget = ControlBlock.UNLIMITED;
        int[] reason = {-1};
        Thread thread = Thread.ofPlatform().start(() -> reason[0] = second.run(block));
        assertEquals(Exit.IDLE, machine.run(ControlBlock.UNLIMITED));
        if (kick) {
            block.requests().post(Requests.KICK);
        }
        thread.join();
        assertEquals(Exit.name(kick ? Exit.KICK : Exit.IDLE), Exit.name(reason[0]));
    }

    @ParameterizedTest
    @DisplayName("locked additions are not lost at any alignment")
    @CsvSource({
        "66f0830301, 2, ffc9 75f7 f4", // lock addw $1, (%rbx)
        "f0830301,   4, ffc9 75f8 f4", // lock addl
        "f048830301, 8, ffc9 75f7 f4", // lock addq
        "b801000000 f00fc103, 4, ffc9 75f3 f4", // mov $1, %eax; lock xadd %eax, (%rbx)
    })
    void lockedAdditions(String add, int bytes, String loop) throws InterruptedException {
        code(FIRST, add + loop);
        code(SECOND, add + loop);
        for (int offset : new int[] {0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15, 0xffd, 0xfff}) {
            set(X86.RCX, TIMES);
            set(X86.RBX, DATA + offset);
            set(X86.RIP, FIRST);
            block.group(X86.GENERAL)[X86.RIP] = SECOND;
            block.dirty |= 1L << X86.GENERAL;
            HostRam.fill(DATA, 0x2000, (byte) 0);
            activate();
            runBoth(false);
            assertEquals(2 * TIMES, HostRam.getLong(DATA + offset), "at " + offset);
            assertEquals(0, HostRam.getByte(DATA + offset + bytes));
        }
    }

    private void activate() {
        machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        second.fetch(block, 1L << X86.EVENTS);
        block.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        block.dirty |= 1L << X86.EVENTS;
    }

    @Test
    @DisplayName("LOCK CMPXCHG16B loses nothing")
    void sixteenBytes() throws InterruptedException {
        // top: mov (%rsi), %rax; mov 8(%rsi), %rdx; lea 1(%rax), %rbx; lea 2(%rdx), %rcx
        // lock cmpxchg16b (%rsi); jne top; dec %edi; jne top; hlt
        String add = "488b06 488b5608 488d5801 488d4a02 f0480fc70e 75ea ffcf 75e6 f4";
        code(FIRST, add);
        code(SECOND, add);
        set(X86.RSI, DATA);
        set(X86.RDI, TIMES);
        activate();
        runBoth(false);
        assertEquals(2 * TIMES, HostRam.getLong(DATA));
        assertEquals(4 * TIMES, HostRam.getLong(DATA + 8));
    }

    @ParameterizedTest
    @DisplayName("an access inside a quadword is seen whole, aligned or not")
    @CsvSource({"0", "1", "2", "3", "4"})
    void wholeInAQuadword(int offset) throws InterruptedException {
        // top: mov (%rbx), %eax; cmp %al, %ah; jne out; bswap %eax; cmp %al, %ah; jne out
        // dec %ecx; jne top; out: hlt
        code(FIRST, "8b03 38c4 750a 0fc8 38c4 7504 ffc9 75f0 f4");
        code(SECOND, "8903 f7d0 ebfa"); // top: mov %eax, (%rbx); not %eax; jmp top
        set(X86.RCX, 20 * TIMES);
        set(X86.RAX, 0);
        set(X86.RBX, DATA + offset);
        activate();
        runBoth(true);
        assertEquals(0, machine.register(X86.RCX), "seen in parts");
    }

    @Test
    @DisplayName("a serialising instruction makes code seen that another core has written")
    void crossModifyingCode() throws InterruptedException {
        code(FIRST, WRITER);
        code(SECOND, READER);
        code(FUNCTION, "b800000000 c3"); // mov $0, %eax; ret
        activate();
        block.budget = ControlBlock.UNLIMITED;
        Thread thread =
                Thread.ofPlatform()
                        .start(() -> {
                            second.run(block);
                            // Where the reader has stopped early the writer would wait.
                            machine.block.requests().post(Requests.KICK);
                        });
        int reason = machine.core.run(machine.block);
        thread.join();
        second.fetch(block, 1L << X86.GENERAL);
        assertEquals(300, block.group(X86.GENERAL)[8], () -> "old code; " + Exit.name(reason));
        assertEquals(300, block.group(X86.GENERAL)[X86.RAX]);
    }

    /** Runs the first core from its start, until it halts. */
    private long runFirst() {
        machine.group(X86.GENERAL)[X86.RIP] = FIRST;
        machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        assertEquals(Exit.IDLE, machine.run(100));
        return machine.register(X86.RAX);
    }

    @Test
    @DisplayName("it does so even where the other core has a way to write unseen")
    void codeWrittenUnseen() {
        List<Long> results = new ArrayList<>();
        ByteDevice device =
                new ByteDevice() {
                    @Override
                    public int readByte(int offset) {
                        return 0;
                    }

                    @Override
                    public void writeByte(int offset, int value) {
                        results.add(runFirst());
                    }
                };
        machine.bus.attachPorts(0x80, 1, device);
        code(FUNCTION, "b800000000 c3"); // mov $0, %eax; ret
        code(FIRST, "31c0 0fa2 ffd6 f4"); // xor %eax, %eax; cpuid; call *%rsi; hlt
        // Twice in one block: inc %ecx; mov %ecx, 1(%rsi); out %al, $0x80
        code(SECOND, "ffc1 894e01 e680 ffc1 894e01 e680 f4");
        activate();
        block.budget = ControlBlock.UNLIMITED;
        assertEquals(Exit.IDLE, second.run(block));
        assertEquals(List.of(1L, 2L), results);
    }
}
