package org.alcazar.vmm.core;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostExitPortal.Gate;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.Rights;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

import java.util.List;

/**
 * Where the host keeps guest code and VMM apart: a thread of the VMM serves exits, one of the VM
 * runs its cores, and this turns exits and replies into the messages between them. Nothing is
 * allocated here.
 *
 * <p>The control block itself is memory that both share, as the control block of hardware
 * virtualization is. What belongs to a single exit travels:
 *
 * <pre>
 * exit:   label reason + 1; program counter, address, value, kind, retired; registers
 *         kind: size | space &lt;&lt; 16 | write &lt;&lt; 23 | length &lt;&lt; 24 | code &lt;&lt; 32
 * reply:  label {@link #RUN}; vcore, reply | its code &lt;&lt; 32, value, events; registers, a page's mapping
 *         events: requests of {@code Requests} that wait for the core
 * </pre>
 */
final class ExitPortal implements HostExitPortal.Guest, AutoCloseable {
    /** Labels of messages. Exits have 1 to {@link Exit#COUNT}. */
    static final int RUN = 0;

    /** The engine threw. */
    static final int FAILED = Exit.COUNT + 1;

    /** Plain words of exit and reply. */
    static final int PC = 1, ADDRESS = 2, VALUE = 3, KIND = 4, RETIRED = 5;

    static final int VCORE = 1, REPLY = 2, REPLY_VALUE = 3, EVENTS = 4;

    private static final int EXIT_WORDS = 5;
    private static final int REPLY_WORDS = 4;
    private static final int MAP_WORDS = 2;

    /** Words that are left for registers in the shorter of both messages, headers included. */
    static final int REGISTER_WORDS = HostExitPortal.WORDS - 1 - EXIT_WORDS - MAP_WORDS;

    /** Largest page that is mapped at once: what the tables of any paging mode may hold. */
    private static final int LARGEST_PAGE_SHIFT = 30;

    private final VcoreThread thread;
    private final List<VcoreImpl> vcores;
    private final GuestPhysicalMap map;

    /** Groups that come along with every exit, and those that come with a call. */
    private final long carried;

    private final long carriedByCalls;
    private final long[] message = new long[HostExitPortal.WORDS];
    private @Nullable Gate gate;
    private @Nullable Throwable failure;
    private boolean named;

    /**
     * @param vcores that the thread runs
     * @param carried groups whose registers come along with every exit
     */
    ExitPortal(VcoreThread thread, List<VcoreImpl> vcores, GuestPhysicalMap map, long carried) {
        this.thread = thread;
        this.vcores = vcores;
        this.map = map;
        this.carried = carried;
        // A call's number and arguments are registers: of the first group, as everywhere.
        long withArguments = carried | 1;
        ControlBlock first = vcores.getFirst().block();
        carriedByCalls = words(first, withArguments) <= REGISTER_WORDS ? withArguments : carried;
    }

    /** Words that groups take in a message. */
    static int words(ControlBlock block, long groups) {
        int words = 0;
        for (long left = groups; left != 0; left &= left - 1) {
            words += 1 + block.group(Long.numberOfTrailingZeros(left)).length;
        }
        return words;
    }

    void open(HostExitPortal host, String space, String name, int cpu) throws HostRefusal {
        gate = host.open(space, name, cpu, this);
    }

    void move(int cpu) throws HostRefusal {
        gate().move(cpu);
    }

    void interrupt() {
        gate().interrupt();
    }

    StackTraceElement[] trace() {
        return gate().trace();
    }

    private Gate gate() {
        return Machine.there(gate);
    }

    @Override
    public void close() {
        Gate open = gate;
        if (open != null) {
            open.close();
        }
    }

    // The VMM's side

    /** Lets a core run until its next exit. On the VMM's thread. */
    int run(VcoreImpl vcore) {
        ControlBlock block = vcore.block();
        ExitFrame frame = block.frame();
        message[VCORE] = vcores.size() == 1 ? 0 : vcores.indexOf(vcore);
        message[REPLY] = frame.reply | (long) frame.replyCode << 32;
        message[REPLY_VALUE] = frame.value;
        message[EVENTS] = block.requests().pending();
        int end = writeRegisters(block, block.dirty, 1 + REPLY_WORDS);
        if (frame.reason == Exit.TRANSLATION && frame.reply == ExitFrame.RETRY) {
            end = writeMapping(frame.address, end);
        }
        message[0] = HostExitPortal.tag(RUN, REPLY_WORDS, end - 1 - REPLY_WORDS);
        gate().exchange(message);
        int label = (int) HostExitPortal.label(message[0]);
        if (label == FAILED) {
            throw rethrown(Machine.there(failure));
        }
        readExit(frame, label - 1);
        block.retired = message[RETIRED];
        readRegisters(block, 1 + EXIT_WORDS);
        return frame.reason;
    }

    @SuppressWarnings("unchecked") // whoever catches it does so by its class
    private static <E extends Throwable> RuntimeException rethrown(Throwable failure) throws E {
        throw (E) failure;
    }

    private void readExit(ExitFrame frame, int reason) {
        frame.reason = reason;
        frame.pc = message[PC];
        frame.address = message[ADDRESS];
        frame.value = message[VALUE];
        kind(frame, message[KIND]);
    }

    static long kind(ExitFrame frame) {
        return frame.size & 0xffff
                | (frame.space & 0x7f) << 16
                | (frame.write ? 1 << 23 : 0)
                | (frame.length & 0xffL) << 24
                | (long) frame.code << 32;
    }

    static void kind(ExitFrame frame, long kind) {
        frame.size = (int) kind & 0xffff;
        frame.space = (int) (kind >>> 16) & 0x7f;
        frame.write = (kind & 1 << 23) != 0;
        frame.length = (int) (kind >>> 24) & 0xff;
        frame.code = (int) (kind >>> 32);
    }

    /** The largest piece of guest memory around an address that is in one piece on the host too. */
    private int writeMapping(long address, int at) {
        int index = map.find(address);
        long page = map.page(address);
        if (page < 0 || index < 0 || !map.range(index).ram()) {
            return at;
        }
        int shift = HostMemory.PAGE_SHIFT;
        long larger = map.uniform(address, 2L << shift);
        while (larger >= 0 && shift < LARGEST_PAGE_SHIFT) {
            shift++;
            page = larger;
            larger = map.uniform(address, 2L << shift);
        }
        message[at] = address & -(1L << shift) | HostExitPortal.MAP;
        message[at + 1] =
                page & -HostMemory.PAGE_SIZE | (long) shift << 4 | rwx((int) page & Rights.ALL);
        return at + MAP_WORDS;
    }

    /** Rights as an fpage has them. */
    private static int rwx(int rights) {
        return ((rights & Rights.READ) != 0 ? 4 : 0)
                | ((rights & Rights.WRITE) != 0 ? 2 : 0)
                | ((rights & Rights.EXECUTE) != 0 ? 1 : 0);
    }

    // The VM's side

    @Override
    public void run(long[] received) {
        VcoreImpl vcore = vcores.get((int) received[VCORE]);
        ControlBlock block = vcore.block();
        if (!named) {
            named = true;
            MDC.put("vm", thread.vm.name());
            MDC.put("vcore", thread.name);
        }
        int label;
        try {
            ExitFrame frame = block.frame();
            frame.reply = (int) received[REPLY];
            frame.replyCode = (int) (received[REPLY] >>> 32);
            frame.value = received[REPLY_VALUE];
            readRegisters(block, received, 1 + REPLY_WORDS);
            if (received[EVENTS] != 0) {
                block.requests().post((int) received[EVENTS]);
            }
            label = vcore.core().run(block) + 1;
            frame = block.frame();
            received[PC] = frame.pc;
            received[ADDRESS] = frame.address;
            received[VALUE] = frame.value;
            received[KIND] = kind(frame);
            received[RETIRED] = block.retired;
            long wanted = label - 1 == Exit.CALL ? carriedByCalls : carried;
            vcore.core().fetch(block, wanted);
            int end = writeRegisters(block, received, wanted, 1 + EXIT_WORDS);
            received[0] = HostExitPortal.tag(label, EXIT_WORDS, end - 1 - EXIT_WORDS);
        } catch (Throwable e) { // the VMM's thread says what it means for the VM
            failure = e;
            received[0] = HostExitPortal.tag(FAILED, 0, 0);
        }
    }

    // Both

    private int writeRegisters(ControlBlock block, long groups, int from) {
        return writeRegisters(block, message, groups, from);
    }

    private void readRegisters(ControlBlock block, int from) {
        readRegisters(block, message, from);
    }

    /** Adds groups as far as they fit; the others are in the control block alone. */
    private static int writeRegisters(ControlBlock block, long[] words, long groups, int from) {
        int at = from;
        for (long left = groups; left != 0; left &= left - 1) {
            int id = Long.numberOfTrailingZeros(left);
            long[] group = block.group(id);
            if (at + 1 + group.length > HostExitPortal.WORDS - MAP_WORDS) {
                continue;
            }
            words[at] = HostExitPortal.REGISTERS | (long) id << 8 | (long) group.length << 16;
            System.arraycopy(group, 0, words, at + 1, group.length);
            at += 1 + group.length;
        }
        return at;
    }

    private static void readRegisters(ControlBlock block, long[] words, int from) {
        int end = from + HostExitPortal.typed(words[0]);
        int at = from;
        while (at < end) {
            if ((words[at] & 0xf) != HostExitPortal.REGISTERS) {
                at += MAP_WORDS;
                continue;
            }
            int count = (int) (words[at] >>> 16) & 0xffff;
            int first = (int) (words[at] >>> 32) & 0xffff;
            System.arraycopy(
                    words, at + 1, block.group((int) (words[at] >>> 8) & 0xff), first, count);
            at += 1 + count;
        }
    }
}
