package org.alcazar.hosts.linux;

import org.alcazar.host.HostPackets;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.Primitives;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** One end of a channel: a descriptor that takes and gives a frame at a time, and never blocks. */
class PacketChannel implements HostPackets.Channel {
    private static final Logger LOG = LoggerFactory.getLogger(PacketChannel.class);

    /** ECONNRESET: the other end of a socket went with frames unread. Told once. */
    private static final int CONNECTION_RESET = 104;

    private final String name;
    private final int descriptor;
    private final int stop;
    private final Primitives<LinuxPrimitive> primitives;
    private final LongAdder dropped = new LongAdder();

    /** What is sent next. Guarded by this, as is the rest. */
    private final MemorySegment outgoing =
            Arena.ofAuto().allocate(HostPackets.LONGEST_FRAME, Long.BYTES);

    private Thread receiver = new Thread();
    private boolean closed;

    /**
     * @param descriptor non-blocking; closed with the channel, or at once if this throws
     */
    PacketChannel(String name, int descriptor, Primitives<LinuxPrimitive> primitives)
            throws HostRefusal {
        this.name = name;
        this.descriptor = descriptor;
        this.primitives = primitives;
        try {
            stop = Descriptors.event();
        } catch (HostRefusal e) {
            Descriptors.close(descriptor);
            throw e;
        }
    }

    @Override
    public final synchronized boolean send(byte[] frame, int offset, int bytes) {
        Objects.checkFromIndexSize(offset, bytes, frame.length);
        if (bytes < 1 || bytes > HostPackets.LONGEST_FRAME) {
            throw new IllegalArgumentException("bytes=" + bytes);
        }
        if (!closed) {
            MemorySegment.copy(frame, offset, outgoing, ValueLayout.JAVA_BYTE, 0, bytes);
            if (transmit(descriptor, outgoing.address(), bytes) == bytes) {
                primitives.count(LinuxPrimitive.PACKET_SENT);
                return true;
            }
        }
        drop();
        return false;
    }

    /** Sends; the result is that of the system call. */
    long transmit(int to, long address, int bytes) {
        return Syscall.WRITE.call(to, address, bytes, 0);
    }

    /** A frame has come; for channels that learn from it who is there. */
    void heard(int from) {}

    /** After the descriptor has been closed. */
    void closed() {}

    private void drop() {
        dropped.increment();
        primitives.count(LinuxPrimitive.PACKET_DROPPED);
    }

    @Override
    public final synchronized void onReceive(HostPackets.Sink sink) {
        if (!closed) {
            receiver =
                    Thread.ofPlatform().daemon().name("packets-" + name).start(() -> receive(sink));
        }
    }

    private void receive(HostPackets.Sink sink) {
        Arena arena = Arena.ofAuto();
        MemorySegment incoming = arena.allocate(HostPackets.LONGEST_FRAME, Long.BYTES);
        MemorySegment state = Syscall.state(arena);
        byte[] frame = new byte[HostPackets.LONGEST_FRAME];
        Descriptors.Poll poll = new Descriptors.Poll(descriptor, stop);
        for (poll.await(); !poll.ready(1); poll.await()) {
            if (!poll.ready(0)) {
                continue;
            }
            long bytes =
                    Syscall.READ.call(state, descriptor, incoming.address(), frame.length, 0, 0, 0);
            if (bytes == 0) {
                return; // the other end has gone for good
            }
            if (bytes < 0 && !passing(bytes)) {
                LOG.error(
                        "host linux: {} receives nothing any more: {}; it must be there until the VM ends",
                        name,
                        Errno.text(bytes));
                return;
            }
            if (bytes > 0) {
                heard(descriptor);
                MemorySegment.copy(incoming, ValueLayout.JAVA_BYTE, 0, frame, 0, (int) bytes);
                deliver(sink, frame, (int) bytes);
            }
        }
    }

    /** Others stay, as that of a TAP device which was deleted: whoever waited would spin. */
    private static boolean passing(long result) {
        return Errno.EAGAIN.is(result)
                || Errno.EINTR.is(result)
                || Errno.ECONNREFUSED.is(result)
                || result == -CONNECTION_RESET;
    }

    private void deliver(HostPackets.Sink sink, byte[] frame, int bytes) {
        try {
            primitives.count(LinuxPrimitive.PACKET_RECEIVED);
            sink.received(frame, bytes);
        } catch (RuntimeException | Error e) { // lack of memory passes, an ended thread stays so
            drop();
            LOG.error("the receiver of {} failed", name, e);
        }
    }

    @Override
    public final long dropped() {
        return dropped.sum();
    }

    @Override
    public final void close() {
        Thread running;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            running = receiver;
            Descriptors.signal(stop);
        }
        if (running == Thread.currentThread()) {
            // Its loop needs the descriptors once more, and sees the signal then.
            Thread.ofPlatform().daemon().name("close-" + name).start(() -> release(running));
        } else {
            release(running);
        }
    }

    private void release(Thread running) {
        try {
            running.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return; // a descriptor that is left open harms less than one that somebody else gets
        }
        Descriptors.close(descriptor);
        Descriptors.close(stop);
        closed();
    }
}
