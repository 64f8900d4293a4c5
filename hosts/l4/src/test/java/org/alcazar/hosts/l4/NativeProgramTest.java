package org.alcazar.hosts.l4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostNative;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.l4.ScriptedEngine.Machine;
import org.alcazar.hosts.l4.ScriptedEngine.Step;
import org.alcazar.hosts.support.HostOptions;
import org.alcazar.machine.Exit;
import org.alcazar.machine.RamPages;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;

/** Native programs, whose code is Java here: what the micro-kernel makes of their exits. */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class NativeProgramTest {
    private static final long HEAP = 0x1000_0000;
    private static final int RAX = 0;
    private static final int RDX = 2;

    /** Output as text; input by hand. */
    private static final class Terminal implements HostConsoles.Console {
        final StringBuilder out = new StringBuilder();
        final CompletableFuture<IntConsumer> in = new CompletableFuture<>();

        volatile Runnable reader = () -> {};
        private int flushed;

        @Override
        public void write(int octet) {
            reader.run();
            synchronized (this) {
                out.append((char) octet);
            }
        }

        @Override
        public synchronized void flush() {
            flushed = out.length();
        }

        synchronized boolean allFlushed() {
            return flushed == out.length();
        }

        @Override
        public void onInput(IntConsumer sink) {
            in.complete(sink);
        }

        @Override
        public void close() {}
    }

    private final Terminal terminal = new Terminal();

    private HostNative.Wish wish(long memory) {
        return new HostNative.Wish(
                "p", ElfImageTest.file(new byte[2]), List.of("x"), "", memory, terminal);
    }

    private L4Host host(Step... steps) throws HostRefusal {
        return new L4Host(
                HostOptions.read("l4", L4Host.class, "memory=16M"),
                () -> List.of(new ScriptedEngine(steps)));
    }

    private HostNative.End run(Step... steps) throws Exception {
        try (L4Host host = host(steps)) {
            int threads = host.kernel().threadsAlive();
            HostNative.Program program =
                    host.find(HostNative.class).orElseThrow().start(wish(1 << 20));
            CompletableFuture<HostNative.End> end = new CompletableFuture<>();
            program.onEnd(end::complete);
            HostNative.End reached = end.get();
            assertEquals(0, host.memory().bytesInUse("native:p"), "all is returned");
            assertEquals(0, host.memory().bytesInUse(""));
            while (host.kernel().threadsAlive() > threads) { // the carrier is about to end
                Thread.onSpinWait();
            }
            return reached;
        }
    }

    private static int exit(Machine machine, long code) {
        return machine.call(SystemCalls.EXIT, code);
    }

    private static String complaint(HostNative.End end) {
        assertEquals(HostNative.Cause.FAILED, end.cause());
        assertEquals(1, end.complaints().size());
        assertTrue(!end.complaints().getFirst().contains("\n"));
        return end.complaints().getFirst();
    }

    /** Touches memory: a page fault until it is there, then what follows. */
    private static Step touching(long address, int error, Step then) {
        return machine ->
                machine.translate(address, error) < 0
                        ? machine.fault(X86Exceptions.PAGE_FAULT, error | 4, address)
                        : then.run(machine);
    }

    @Test
    void aProgramIsLoadedWithItsArgumentsAndEndsWithItsStatus() throws Exception {
        HostNative.End end =
                run(
                        touching(
                                0x402000,
                                0,
                                m -> {
                                    long data = HostRam.getLong(m.translate(0x402000, 2));
                                    assertEquals(0x1122334455667788L, data);
                                    assertEquals(-1, m.translate(0x401000, 2), "code is read-only");
                                    assertEquals(2, m.registers()[7], "arguments");
                                    return m.call(SystemCalls.TIME);
                                }),
                        touching(
                                UserMemory.END - 0x1_0100,
                                0,
                                m -> {
                                    long pointers = m.registers()[6];
                                    long second = HostRam.getLong(m.translate(pointers + 8, 0));
                                    assertEquals('x', HostRam.getByte(m.translate(second, 0)));
                                    return exit(m, 300);
                                }));
        assertEquals(new HostNative.End(HostNative.Cause.EXITED, 44, List.of()), end);
    }

    @Test
    void memoryIsGivenWhenItIsTouchedUpToTheLimit() throws Exception {
        long[] next = {HEAP};
        HostNative.End end =
                run(m -> {
                    while (m.translate(next[0], 2) >= 0) {
                        HostRam.setLong(m.translate(next[0], 2), 1);
                        next[0] += 4096;
                    }
                    return m.fault(X86Exceptions.PAGE_FAULT, 6, next[0]);
                });
        assertTrue(complaint(end).contains("its 1024 KiB of memory are used up"));
        assertTrue(next[0] - HEAP > 900 << 10, "most of it was had: " + (next[0] - HEAP));
    }

    @Test
    void pagesThatAreUnmappedAreUsedAgain() throws Exception {
        int[] round = {0};
        long page = Flexpage.of(HEAP, 19, Flexpage.ALL);
        HostNative.End end =
                run(
                        m -> m.call(SystemCalls.GET_PAGES, page),
                        m -> {
                            assertEquals(0, m.registers()[RAX]);
                            return m.call(SystemCalls.UNMAP, page, 1);
                        },
                        m -> {
                            assertEquals(-1, m.translate(HEAP, 0));
                            if (++round[0] < 10) {
                                m.registers()[16] = ScriptedEngine.at(0);
                                return Exit.BUDGET;
                            }
                            return exit(m, 0);
                        });
        assertEquals(new HostNative.End(HostNative.Cause.EXITED, 0, List.of()), end);
    }

    @Test
    void whatAThreadMayNotDoEndsItWithALine() throws Exception {
        assertEquals(
                "native program p: thread 0 wrote to 0x8, where nothing is, by the instruction at"
                        + " 0x401000; it has ended",
                complaint(run(m -> m.fault(X86Exceptions.PAGE_FAULT, 6, 8))));
        assertTrue(
                complaint(run(m -> m.fault(X86Exceptions.PAGE_FAULT, 7, 0x401000)))
                        .contains("wrote to 0x401000, which it may not"));
        assertTrue(
                complaint(run(m -> m.fault(X86Exceptions.PAGE_FAULT, 20, HEAP)))
                        .contains("jumped to 0x10000000, where nothing is"));
        assertTrue(
                complaint(run(m -> m.fault(X86Exceptions.PAGE_FAULT, 4, -4096)))
                        .contains("read from 0xfffffffffffff000"));
        assertTrue(
                complaint(run(m -> m.fault(X86Exceptions.PAGE_FAULT, 6, UserMemory.UTCBS - 4096)))
                        .contains("where nothing is"));
        assertTrue(complaint(run(m -> m.fault(6, 0, 0))).contains("raised an invalid opcode"));
        assertTrue(complaint(run(m -> m.fault(29, 0, 0))).contains("raised exception 29"));
        assertTrue(complaint(run(m -> m.call(99))).contains("made the system call 99, which does"));
        assertTrue(complaint(run(m -> Exit.SHUTDOWN)).contains("left user mode by shutdown"));
    }

    @Test
    void wrongArgumentsAreAnsweredNotPunished() throws Exception {
        HostNative.End end =
                run(
                        m -> m.call(SystemCalls.WRITE, 16, 4),
                        answered(-1, m -> m.call(SystemCalls.WRITE, HEAP, -1)),
                        answered(-1, m -> m.call(SystemCalls.WRITE, -8, 100)),
                        answered(-1, m -> m.call(SystemCalls.GET_PAGES, 0x55)),
                        answered(-1, m -> m.call(SystemCalls.GET_PAGES, Flexpage.of(HEAP, 12, 0))),
                        answered(-1, m -> m.call(SystemCalls.GET_PAGES, Flexpage.of(0, 12, 7))),
                        answered(-1, m -> m.call(SystemCalls.GET_PAGES, Flexpage.of(0, 40, 7))),
                        answered(-1, m -> m.call(SystemCalls.UNMAP, 0x55, 1)),
                        answered(-1, m -> m.call(SystemCalls.SET_PAGER, 77, 0)),
                        answered(-1, m -> m.call(SystemCalls.KILL, 77)),
                        answered(-1, m -> m.call(SystemCalls.NEW_THREAD, 1, 1, 1, 77, 0)),
                        answered(0, m -> m.call(SystemCalls.IPC, 77, 0, 0)),
                        m -> {
                            assertEquals(IpcError.NO_PARTNER, m.registers()[RDX]);
                            return m.call(SystemCalls.IPC, 0, -1, Timeouts.ZERO);
                        },
                        m -> {
                            assertEquals(
                                    IpcError.TIMEOUT | IpcError.RECEIVE_PHASE, m.registers()[RDX]);
                            return exit(m, 0);
                        });
        assertEquals(HostNative.Cause.EXITED, end.cause(), end.complaints().toString());
    }

    private static Step answered(long answer, Step then) {
        return m -> {
            assertEquals(answer, m.registers()[RAX], "at " + m.registers()[16]);
            return then.run(m);
        };
    }

    @Test
    void textGoesToTheConsoleAndInputToWhoReads() throws Exception {
        try (L4Host host =
                host(
                        touching(HEAP, 2, m -> m.call(SystemCalls.READ, HEAP, 10)),
                        m -> {
                            assertEquals(1, m.registers()[RAX]);
                            return m.call(SystemCalls.WRITE, HEAP, 1);
                        },
                        answered(1, m -> exit(m, 0)))) {
            HostNative.Program program =
                    host.find(HostNative.class).orElseThrow().start(wish(1 << 20));
            CompletableFuture<HostNative.End> end = new CompletableFuture<>();
            program.onEnd(end::complete);
            terminal.in.get().accept('k');
            assertEquals(HostNative.Cause.EXITED, end.get().cause());
            assertEquals("k", terminal.out.toString());
            assertEquals(3, program.statistics().get("system-calls"));
        }
    }

    @Test
    void threadsInTwoSpacesTalkAndMapPagesOnAFault() throws Exception {
        long[] child = new long[1];
        HostNative.End end =
                run(
                        m -> m.call(SystemCalls.GET_PAGES, Flexpage.of(HEAP, 12, 6)),
                        touching(
                                HEAP,
                                2,
                                m -> {
                                    HostRam.setLong(m.translate(HEAP, 2), 41);
                                    long self = HostRam.getLong(m.utcb() + 520);
                                    return m.call(
                                            SystemCalls.NEW_THREAD,
                                            ScriptedEngine.at(5),
                                            HEAP,
                                            self,
                                            -1,
                                            self);
                                }),
                        m -> {
                            child[0] = m.registers()[RAX];
                            return m.call(SystemCalls.IPC, 0, child[0], 0);
                        },
                        m -> { // the pager: a fault at HEAP + 8 in the child
                            long at = m.utcb();
                            assertEquals(child[0], m.registers()[RAX]);
                            assertEquals(
                                    HostExitPortal.tag(Message.FAULT_LABEL | Flexpage.WRITE, 2, 0),
                                    HostRam.getLong(at));
                            assertEquals(HEAP + 8, HostRam.getLong(at + 8));
                            HostRam.setLong(at, HostExitPortal.tag(0, 0, 2));
                            HostRam.setLong(at + 8, HEAP | HostExitPortal.MAP);
                            HostRam.setLong(at + 16, Flexpage.of(HEAP, 12, 6));
                            return m.call(SystemCalls.IPC, child[0], child[0], 0);
                        },
                        m -> {
                            assertEquals(7, HostExitPortal.label(HostRam.getLong(m.utcb())));
                            assertEquals(42, HostRam.getLong(m.translate(HEAP + 8, 0)));
                            return exit(m, 5);
                        },
                        touching( // the child
                                HEAP + 8,
                                2,
                                m -> {
                                    long at = m.translate(HEAP, 2);
                                    HostRam.setLong(at + 8, HostRam.getLong(at) + 1);
                                    HostRam.setLong(m.utcb(), HostExitPortal.tag(7, 0, 0));
                                    return m.call(SystemCalls.IPC, m.registers()[7], -1, 0);
                                }));
        assertEquals(new HostNative.End(HostNative.Cause.EXITED, 5, List.of()), end);
    }

    @Test
    void threadsThatAllWaitForEverHaveFailed() throws Exception {
        assertTrue(
                complaint(run(m -> m.call(SystemCalls.IPC, 0, -1, 0)))
                        .contains("each of its 1 threads waits for a message"));
    }

    @Test
    void aWriterWhomNobodyReadsIsStoppedAllTheSame() throws Exception {
        CountDownLatch reader = new CountDownLatch(1);
        CountDownLatch stuck = new CountDownLatch(1);
        terminal.reader =
                () -> {
                    stuck.countDown();
                    try {
                        reader.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                };
        try (L4Host host =
                host(
                        m -> m.call(SystemCalls.WRITE, HEAP, 1 << 16),
                        m -> {
                            m.registers()[16] = ScriptedEngine.at(0);
                            return Exit.BUDGET;
                        })) {
            HostNative.Program program =
                    host.find(HostNative.class).orElseThrow().start(wish(1 << 20));
            CompletableFuture<HostNative.End> end = new CompletableFuture<>();
            program.onEnd(end::complete);
            stuck.await();
            while (program.statistics().get("system-calls") < 2) { // more than there is room for
                Thread.onSpinWait();
            }
            program.stop();
            assertEquals(HostNative.Cause.STOPPED, end.get().cause());
            assertEquals(0, host.memory().bytesInUse(""));
        } finally {
            reader.countDown();
        }
    }

    @Test
    void moreOutputThanThereIsRoomForArrivesWhole() throws Exception {
        int[] round = {0};
        HostNative.End end =
                run(
                        touching(
                                HEAP,
                                2,
                                m -> {
                                    RamPages.setByte(m.translate(HEAP, 2), (byte) 'a');
                                    return m.call(SystemCalls.WRITE, HEAP, 1 << 16);
                                }),
                        answered(
                                1 << 16,
                                m -> {
                                    if (++round[0] < 4) {
                                        m.registers()[16] = ScriptedEngine.at(0);
                                        return Exit.BUDGET;
                                    }
                                    return exit(m, 0);
                                }));
        assertEquals(HostNative.Cause.EXITED, end.cause());
        String one = "a" + "\0".repeat((1 << 16) - 1);
        assertEquals(one.repeat(4), terminal.out.toString());
        assertTrue(terminal.allFlushed(), "nothing is left in the console");
    }

    @Test
    void anEngineIsClosedWhateverStoodInTheWay() throws Exception {
        ScriptedEngine engine = new ScriptedEngine();
        try (L4Host host =
                new L4Host(
                        HostOptions.read("l4", L4Host.class, "memory=16M"),
                        () -> List.of(engine))) {
            HostNative service = host.find(HostNative.class).orElseThrow();
            assertThrows(IllegalStateException.class, () -> service.start(wish(1 << 20)));
            assertEquals(0, engine.open.get());
            byte[] late = wish(0).image();
            ByteBuffer.wrap(late)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(136, UserMemory.END - 0x80_0000); // where the stack grows
            HostNative.Wish wish = new HostNative.Wish("p", late, List.of(), "", 1 << 20, terminal);
            HostRefusal refusal = assertThrows(HostRefusal.class, () -> service.start(wish));
            assertTrue(
                    String.valueOf(refusal.getMessage()).contains("has a segment at"),
                    refusal.getMessage());
            assertEquals(0, engine.open.get());
        }
    }

    @Test
    void aSpaceThatDoesNotFitCostsNothing() throws Exception {
        long[] next = {HEAP};
        long two = Flexpage.of(HEAP, 13, Flexpage.ALL);
        HostNative.End end =
                run(
                        m -> m.call(SystemCalls.GET_PAGES, Flexpage.of(next[0], 12, 6)),
                        m -> {
                            if (m.registers()[RAX] == 0) {
                                next[0] += 4096;
                                m.registers()[16] = ScriptedEngine.at(0);
                                return Exit.BUDGET;
                            }
                            return m.call(SystemCalls.UNMAP, two, 1);
                        },
                        m -> m.call(SystemCalls.NEW_THREAD, ScriptedEngine.at(0), HEAP, 0, -1, 0),
                        answered(0, m -> m.call(SystemCalls.GET_PAGES, two)),
                        answered(0, m -> exit(m, 0)));
        assertEquals(HostNative.Cause.EXITED, end.cause(), end.complaints().toString());
    }

    @Test
    void anEndlessProgramIsStopped() throws Exception {
        try (L4Host host = host(m -> Exit.BUDGET)) {
            HostNative service = host.find(HostNative.class).orElseThrow();
            HostNative.Program program = service.start(wish(1 << 20));
            HostRefusal twice = assertThrows(HostRefusal.class, () -> service.start(wish(1 << 20)));
            assertEquals("native program p: one of that name runs already", twice.getMessage());
            program.stop();
            CompletableFuture<HostNative.End> end = new CompletableFuture<>();
            program.onEnd(end::complete);
            assertEquals(HostNative.Cause.STOPPED, end.get().cause());
            assertEquals(0, host.memory().bytesInUse(""));
        }
    }

    @Test
    void aProgramThatDoesNotFitTakesNothing() throws Exception {
        try (L4Host host = host(m -> exit(m, 0))) {
            HostNative service = host.find(HostNative.class).orElseThrow();
            for (long memory = 0; memory < 12 << 12; memory += 4096) {
                long given = memory;
                HostRefusal small =
                        assertThrows(HostRefusal.class, () -> service.start(wish(given)));
                assertTrue(
                        String.valueOf(small.getMessage()).contains("does not fit into"),
                        small.getMessage());
                assertEquals(0, host.memory().bytesInUse(""));
            }
            HostNative.Wish other =
                    new HostNative.Wish("p", wish(0).image(), List.of(), "kvm", 1 << 20, terminal);
            HostRefusal engine = assertThrows(HostRefusal.class, () -> service.start(other));
            assertEquals(
                    "native programs: no engine 'kvm' for x86-64; there are: interpreter",
                    engine.getMessage());
        }
    }
}
