package org.alcazar.hosts.linux;

import org.alcazar.host.HostPackets;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.Primitives;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Channels of frames: {@code tap:NAME}, {@code unix:PATH} between processes, {@code pair:NAME}
 * between two VMs of this process.
 */
final class LinuxPackets implements HostPackets, AutoCloseable {
    private static final int AF_UNIX = 1;
    private static final int SOCK_SEQPACKET = 5;
    private static final int AT_FDCWD = -100;
    private static final int O_RDWR = 2;
    private static final long TUNSETIFF = 0x4004_54caL;

    /** IFF_TAP and IFF_NO_PI. */
    private static final short TAP = 0x1002;

    private static final int NAME_BYTES = 16;

    private final Privileges privileges;
    private final Primitives<LinuxPrimitive> primitives;

    /** Second ends of pairs that nobody has opened yet. */
    private final Map<String, Integer> waiting = new HashMap<>();

    LinuxPackets(Privileges privileges, Primitives<LinuxPrimitive> primitives) {
        this.privileges = privileges;
        this.primitives = primitives;
    }

    @Override
    public Channel open(String name) throws HostRefusal {
        int colon = name.indexOf(':');
        String rest = name.substring(colon + 1);
        return switch (name.substring(0, Math.max(0, colon))) {
            case "pair" -> pair(name, rest);
            case "unix" -> UnixChannel.open(rest, primitives);
            case "tap" -> new PacketChannel(name, tap(rest), primitives);
            default ->
                    throw new HostRefusal(
                            "host linux: packets '%s': there are tap:NAME, unix:PATH and pair:NAME"
                                    .formatted(name));
        };
    }

    private synchronized Channel pair(String name, String key) throws HostRefusal {
        Integer second = waiting.remove(key);
        if (second != null) {
            return new PacketChannel(name, second, primitives);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(8, Long.BYTES);
            int type = SOCK_SEQPACKET | Descriptors.NONBLOCK | Descriptors.CLOEXEC;
            Descriptors.opened(
                    Syscall.SOCKETPAIR.call(AF_UNIX, type, 0, ends.address()), "socketpair");
            int first = ends.get(ValueLayout.JAVA_INT, 0);
            int other = ends.get(ValueLayout.JAVA_INT, 4);
            try {
                PacketChannel channel =
                        new PacketChannel(name, first, primitives) {
                            @Override
                            void closed() {
                                forget(key, other);
                            }
                        };
                waiting.put(key, other);
                return channel;
            } catch (HostRefusal e) {
                Descriptors.close(other);
                throw e;
            }
        }
    }

    /** The first end is closed: a second one that nobody wanted goes with it. */
    private synchronized void forget(String key, int other) {
        if (waiting.remove(key, other)) {
            Descriptors.close(other);
        }
    }

    private int tap(String name) throws HostRefusal {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0 || bytes.length >= NAME_BYTES) {
            throw new HostRefusal(
                    "host linux: tap:%s: a name of 1 to %d bytes is right"
                            .formatted(name, NAME_BYTES - 1));
        }
        try (Arena arena = Arena.ofConfined()) {
            int flags = O_RDWR | Descriptors.NONBLOCK | Descriptors.CLOEXEC;
            long opened =
                    Syscall.OPENAT.call(
                            AT_FDCWD, arena.allocateFrom("/dev/net/tun").address(), flags, 0);
            if (opened < 0) {
                throw refused(name, "/dev/net/tun", opened);
            }
            MemorySegment request = arena.allocate(40, Long.BYTES); // struct ifreq
            MemorySegment.copy(bytes, 0, request, ValueLayout.JAVA_BYTE, 0, bytes.length);
            request.set(ValueLayout.JAVA_SHORT, NAME_BYTES, TAP);
            long result = Syscall.IOCTL.call(opened, TUNSETIFF, request.address(), 0);
            if (result < 0) {
                Descriptors.close((int) opened);
                throw refused(name, "TUNSETIFF", result);
            }
            return (int) opened;
        }
    }

    private HostRefusal refused(String name, String what, long result) {
        return new HostRefusal(
                "host linux: tap:%s: %s is refused (%s), CAP_NET_ADMIN %s; unix:PATH and pair:NAME"
                                .formatted(
                                        name,
                                        what,
                                        Errno.text(result),
                                        privileges.present(Privileges.Capability.CAP_NET_ADMIN))
                        + " need no privilege");
    }

    /** Ends that nobody has opened. */
    @Override
    public synchronized void close() {
        waiting.values().forEach(Descriptors::close);
        waiting.clear();
    }
}
