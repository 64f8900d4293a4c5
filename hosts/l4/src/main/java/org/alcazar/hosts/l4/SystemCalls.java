package org.alcazar.hosts.l4;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.machine.RamPages;
import org.jspecify.annotations.Nullable;

/**
 * The system calls of native programs. {@code int $0x90} with the number in RAX and arguments in
 * RDI, RSI, RDX, R10, R8; the answer is in RAX and, for IPC, RDX. Nothing else changes. There is no
 * interrupt table, so the instruction raises a general-protection exception whose error code names
 * its vector, which leaves the core.
 */
final class SystemCalls {
    /** Error code of the exception that {@code int $0x90} raises (APM volume 2, 8.2.13). */
    static final long GATE = 0x90 * 8 + 2;

    private static final int INSTRUCTION_BYTES = 2;

    static final int EXIT = 0;
    static final int END_THREAD = 1;
    static final int WRITE = 2;
    static final int READ = 3;
    static final int TIME = 4;
    static final int IPC = 5;
    static final int UNMAP = 6;
    static final int GET_PAGES = 7;
    static final int NEW_THREAD = 8;
    static final int SET_PAGER = 9;
    static final int YIELD = 10;
    static final int SET_SLICE = 11;
    static final int KILL = 12;
    static final int INSTRUCTIONS = 13;

    private static final long FAILED = -1;

    /** In the page of message registers, behind them: the receive window, then what it is told. */
    private static final int WINDOW = 512;

    private static final int SELF = 520;

    /** Bytes that one call writes at most, so that none holds the kernel for long. */
    private static final int MOST_BYTES = 1 << 16;

    /** What one call gets, or one message maps, at most. */
    private static final int MOST_PAGES_SHIFT = 22;

    private static final long LEAST_SLICE = 1_000;
    private static final long GREATEST_SLICE = 10_000_000;

    // Numbers of registers in encodings, as everywhere in x86.
    private static final int RAX = 0;
    private static final int RDX = 2;
    private static final int RSI = 6;
    private static final int RDI = 7;
    private static final int R8 = 8;
    private static final int R10 = 10;

    private final MicroKernel kernel;
    private final NativeProgram program;
    private final UserMemory memory;
    private final UserCore core;
    private final OutputQueue output;

    SystemCalls(
            MicroKernel kernel,
            NativeProgram program,
            UserMemory memory,
            UserCore core,
            OutputQueue output) {
        this.kernel = kernel;
        this.program = program;
        this.memory = memory;
        this.core = core;
        this.output = output;
    }

    /** A new thread's page of message registers. */
    void prepare(NativeThread thread) {
        HostRam.setLong(thread.utcb + WINDOW, Flexpage.COMPLETE);
        HostRam.setLong(thread.utcb + SELF, thread.tcb.id);
    }

    /** Does what the thread in the core asks for. */
    void call(NativeThread thread) {
        long[] registers = core.changedRegisters();
        registers[core.programCounter()] += INSTRUCTION_BYTES;
        long first = registers[RDI];
        long second = registers[RSI];
        switch ((int) Math.min(Math.max(registers[RAX], -1), Integer.MAX_VALUE)) {
            case EXIT -> program.exit((int) first);
            case END_THREAD -> program.end(thread);
            case WRITE -> write(thread, first, second);
            case READ -> read(thread, first, second);
            case TIME -> registers[RAX] = kernel.nanoTime();
            case IPC -> ipc(thread, first, second, registers[RDX]);
            case UNMAP -> registers[RAX] = unmap(thread, first, second);
            case GET_PAGES -> registers[RAX] = getPages(thread, first);
            case NEW_THREAD -> registers[RAX] = newThread(thread, registers);
            case SET_PAGER -> registers[RAX] = setPager(first, second);
            case YIELD -> registers[RAX] = 0; // the next one's turn comes by itself
            case SET_SLICE -> registers[RAX] = setSlice(first, second);
            case KILL -> kill(thread, registers, first);
            case INSTRUCTIONS -> registers[RAX] = program.instructions();
            default -> {
                registers[core.programCounter()] -= INSTRUCTION_BYTES;
                program.fail(
                        thread,
                        "made the system call %d, which does not exist".formatted(registers[RAX]));
            }
        }
    }

    // Console.

    private void write(NativeThread thread, long address, long bytes) {
        if (bytes <= 0) {
            program.changedRegisters(thread)[RAX] = bytes == 0 ? 0 : FAILED;
            return;
        }
        thread.wait = NativeThread.Wait.OUTPUT;
        thread.outputAt = address;
        thread.outputBytes = Math.min(bytes, MOST_BYTES);
        thread.outputDone = 0;
        finishWrite(thread);
    }

    /** Takes of a thread's output what there is room for. @return whether that was the last */
    boolean finishWrite(NativeThread thread) {
        while (thread.outputDone < thread.outputBytes) {
            long at = thread.outputAt + thread.outputDone;
            if (output.isFull()) {
                return false;
            }
            long host = memory.translate(thread, at, Flexpage.READ);
            if (host == 0) {
                break;
            }
            thread.outputDone +=
                    output.put(
                            host,
                            UserMemory.leftInPage(at, thread.outputBytes - thread.outputDone));
        }
        thread.wait = NativeThread.Wait.NOTHING;
        program.changedRegisters(thread)[RAX] = thread.outputDone == 0 ? FAILED : thread.outputDone;
        return true;
    }

    private void read(NativeThread thread, long address, long bytes) {
        if (bytes <= 0) {
            program.changedRegisters(thread)[RAX] = bytes == 0 ? 0 : FAILED;
            return;
        }
        thread.wait = NativeThread.Wait.INPUT;
        thread.inputAt = address;
        thread.inputBytes = Math.min(bytes, MOST_BYTES);
    }

    /** Gives a thread the input that there is. @return whether there was any */
    boolean finishRead(NativeThread thread) {
        InputQueue input = program.input();
        if (input.isEmpty()) {
            return false;
        }
        thread.wait = NativeThread.Wait.NOTHING;
        long at = thread.inputAt;
        long end = at + thread.inputBytes;
        while (at < end && !input.isEmpty()) {
            long host = memory.translate(thread, at, Flexpage.WRITE);
            if (host == 0) {
                break;
            }
            RamPages.setByte(host, (byte) input.take());
            at++;
        }
        program.changedRegisters(thread)[RAX] = at == thread.inputAt ? FAILED : at - thread.inputAt;
        return true;
    }

    // IPC.

    private void ipc(NativeThread thread, long to, long from, long timeouts) {
        Tcb tcb = thread.tcb;
        int sendTimeout = (int) (timeouts >>> 16) & 0xffff;
        int receiveTimeout = (int) timeouts & 0xffff;
        NativeThread receiver = to == ThreadIds.NIL ? null : program.find(to);
        loadMessage(thread);
        int error = IpcError.NONE;
        if (!Timeouts.known(sendTimeout) || !Timeouts.known(receiveTimeout)) {
            error = IpcError.ABORTED;
        } else if (to != ThreadIds.NIL && (receiver == null || receiver == thread)) {
            error = IpcError.NO_PARTNER;
        } else if (to != ThreadIds.NIL
                && (!Message.wrong(tcb.registers).isEmpty()
                        || Message.pageBytes(tcb.registers) > 1L << MOST_PAGES_SHIFT)) {
            error = IpcError.OVERFLOW;
        } else if (from != ThreadIds.NIL && from != ThreadIds.ANY && program.find(from) == null) {
            error = IpcError.NO_PARTNER | IpcError.RECEIVE_PHASE;
        }
        if (error != IpcError.NONE) {
            long[] registers = program.changedRegisters(thread);
            registers[RAX] = ThreadIds.NIL;
            registers[RDX] = error;
            return;
        }
        tcb.window = window(HostRam.getLong(thread.utcb + WINDOW));
        tcb.sender = ThreadIds.NIL;
        long nanos = Timeouts.nanos(sendTimeout);
        thread.sendUntil = nanos == Long.MAX_VALUE ? nanos : kernel.nanoTime() + nanos;
        thread.receiveNanos = Timeouts.nanos(receiveTimeout);
        thread.receiveUntil = Long.MAX_VALUE;
        thread.wait = NativeThread.Wait.IPC;
        kernel.begin(tcb, receiver == null ? null : receiver.tcb, from);
        if (tcb.state == Tcb.SENDING && sendTimeout == Timeouts.ZERO
                || tcb.state == Tcb.RECEIVING && receiveTimeout == Timeouts.ZERO) {
            kernel.cancel(tcb, IpcError.TIMEOUT);
        }
        // The processor goes with the message; without one the sender keeps it.
        program.prefer(tcb.state == Tcb.RUNNING ? thread : receiver);
    }

    private static long window(long acceptor) {
        long page = acceptor & -16;
        return page == Flexpage.COMPLETE || Flexpage.proper(page) ? page : Flexpage.NIL;
    }

    private static void loadMessage(NativeThread thread) {
        long[] to = thread.tcb.registers;
        to[0] = HostRam.getLong(thread.utcb);
        int words = Math.min(Message.words(to[0]), HostExitPortal.WORDS);
        for (int i = 1; i < words; i++) {
            to[i] = HostRam.getLong(thread.utcb + 8L * i);
        }
    }

    /** What came is put where the thread finds it. */
    void finishIpc(NativeThread thread) {
        Tcb tcb = thread.tcb;
        thread.wait = NativeThread.Wait.NOTHING;
        if (tcb.sender != ThreadIds.NIL) {
            int words = Message.words(tcb.registers[0]);
            for (int i = 0; i < words; i++) {
                UserMemory.word(thread.utcb + 8L * i, tcb.registers[i]);
            }
        }
        long[] registers = program.changedRegisters(thread);
        registers[RAX] = tcb.sender;
        registers[RDX] = tcb.error;
    }

    // Memory.

    private long unmap(NativeThread thread, long page, long flush) {
        if (page >= 0 && (page & -16) == Flexpage.COMPLETE) {
            long all = Flexpage.of(0, Flexpage.GREATEST_SHIFT, Flexpage.rights(page));
            kernel.unmap(thread.space.space(), all, flush != 0);
            return 0;
        }
        if (!Flexpage.proper(page)) {
            return FAILED;
        }
        kernel.unmap(thread.space.space(), page, flush != 0);
        return 0;
    }

    private long getPages(NativeThread thread, long page) {
        if (!Flexpage.proper(page)
                || Flexpage.rights(page) == 0
                || Flexpage.shift(page) > MOST_PAGES_SHIFT) {
            return FAILED;
        }
        long end = Flexpage.start(page) + Flexpage.bytes(page);
        for (long at = Flexpage.start(page); at < end; at += HostMemory.PAGE_SIZE) {
            if (memory.pageAt(thread.space, at) == PagePool.NONE
                    && memory.give(thread.space, at, Flexpage.rights(page))
                            != UserMemory.Outcome.PRESENT) {
                return FAILED;
            }
        }
        return 0;
    }

    // Threads.

    private long newThread(NativeThread thread, long[] registers) {
        long where = registers[R10];
        @Nullable NativeSpace space;
        if (where == ThreadIds.NIL) {
            space = thread.space;
        } else if (where == ThreadIds.ANY) {
            space = program.newSpace();
        } else {
            NativeThread neighbour = program.find(where);
            space = neighbour == null ? null : neighbour.space;
        }
        if (space == null) {
            return ThreadIds.NIL;
        }
        long pager = registers[R8] == ThreadIds.NIL ? ThreadIds.SIGMA0 : registers[R8];
        NativeThread made =
                program.newThread(space, registers[RDI], registers[RSI], registers[RDX], 0, pager);
        if (made == null && where == ThreadIds.ANY) {
            program.drop(space);
        }
        return made == null ? ThreadIds.NIL : made.tcb.id;
    }

    private long setPager(long id, long pager) {
        NativeThread thread = program.find(id);
        if (thread == null) {
            return FAILED;
        }
        thread.pager = pager == ThreadIds.NIL ? ThreadIds.SIGMA0 : pager;
        return 0;
    }

    private long setSlice(long id, long instructions) {
        NativeThread thread = program.find(id);
        if (thread == null) {
            return FAILED;
        }
        thread.slice = Math.clamp(instructions, LEAST_SLICE, GREATEST_SLICE);
        return 0;
    }

    private void kill(NativeThread thread, long[] registers, long id) {
        NativeThread other = program.find(id);
        registers[RAX] = other == null ? FAILED : 0;
        if (other != null) {
            program.end(other);
        }
        if (other != thread) {
            program.prefer(thread);
        }
    }
}
