package org.alcazar.hosts.linux;

import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.Primitives;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A channel between two processes: a datagram socket at {@code PATH.a}, the other at {@code
 * PATH.b}. Who comes first is a. Either may go and come again; frames that are sent meanwhile are
 * lost. A path that starts with {@code @} is no file but a name that the kernel forgets with its
 * last user.
 */
final class UnixChannel extends PacketChannel {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int MSG = 0x40 | 0x4000; // MSG_DONTWAIT | MSG_NOSIGNAL
    private static final int PATH_BYTES = 108;

    private final String own;
    private final String peer;
    private boolean connected;

    private UnixChannel(
            String name,
            int descriptor,
            String own,
            String peer,
            Primitives<LinuxPrimitive> primitives)
            throws HostRefusal {
        super(name, descriptor, primitives);
        this.own = own;
        this.peer = peer;
        connected = connect(descriptor, peer) >= 0;
    }

    static UnixChannel open(String path, Primitives<LinuxPrimitive> primitives) throws HostRefusal {
        String a = path + ".a";
        String b = path + ".b";
        if (path.isEmpty() || a.getBytes(StandardCharsets.UTF_8).length >= PATH_BYTES) {
            throw new HostRefusal(
                    "host linux: unix:%s: a path of 1 to %d bytes is right"
                            .formatted(path, PATH_BYTES - 3));
        }
        int socket = socket();
        for (List<String> ends : List.of(List.of(a, b), List.of(b, a))) {
            long result = bind(socket, ends.getFirst());
            if (Errno.EADDRINUSE.is(result) && isLeftOver(ends.getFirst())) {
                result = bind(socket, ends.getFirst());
            }
            if (result >= 0) {
                return new UnixChannel(
                        "unix:" + path, socket, ends.getFirst(), ends.getLast(), primitives);
            }
            if (!Errno.EADDRINUSE.is(result)) {
                Descriptors.close(socket);
                throw new HostRefusal(
                        "host linux: unix:%s: %s can't be made: %s"
                                .formatted(path, ends.getFirst(), Errno.text(result)));
            }
        }
        Descriptors.close(socket);
        throw new HostRefusal("host linux: unix:" + path + ": both ends are in use");
    }

    private static int socket() throws HostRefusal {
        int type = SOCK_DGRAM | Descriptors.NONBLOCK | Descriptors.CLOEXEC;
        return Descriptors.opened(Syscall.SOCKET.call(AF_UNIX, type), "socket");
    }

    /** Whether nobody is behind a socket's file; it is gone then. */
    private static boolean isLeftOver(String path) throws HostRefusal {
        int probe = socket();
        try {
            return Errno.ECONNREFUSED.is(connect(probe, path))
                    && Files.deleteIfExists(Path.of(path));
        } catch (IOException e) {
            return false;
        } finally {
            Descriptors.close(probe);
        }
    }

    private static long bind(int socket, String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = address(arena, path);
            return Syscall.BIND.call(socket, address.address(), address.byteSize(), 0);
        }
    }

    private static long connect(int socket, String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = address(arena, path);
            return Syscall.CONNECT.call(socket, address.address(), address.byteSize(), 0);
        }
    }

    /** struct sockaddr_un (unix(7)): an abstract name has a zero where its @ is. */
    private static MemorySegment address(Arena arena, String path) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        boolean isAbstract = path.startsWith("@");
        MemorySegment address = arena.allocate(2L + bytes.length + (isAbstract ? 0 : 1), 2);
        address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(bytes, 0, address, ValueLayout.JAVA_BYTE, 2, bytes.length);
        if (isAbstract) {
            address.set(ValueLayout.JAVA_BYTE, 2, (byte) 0);
        }
        return address;
    }

    /** Sockets that are connected to each other have room by bytes, not for ten frames alone. */
    @Override
    long transmit(int to, long address, int bytes) {
        for (int attempt = 0; attempt < 2; attempt++) {
            connected = connected || connect(to, peer) >= 0;
            if (!connected) {
                break;
            }
            long result = Syscall.SENDTO.call(to, address, bytes, MSG);
            if (!Errno.ECONNREFUSED.is(result) && !Errno.ENOTCONN.is(result)) {
                return result;
            }
            connected = false; // whoever was there has gone; somebody may have come
        }
        return -1;
    }

    @Override
    synchronized void heard(int from) {
        connected = connected || connect(from, peer) >= 0;
    }

    @Override
    void closed() {
        try {
            if (!own.startsWith("@")) {
                Files.deleteIfExists(Path.of(own));
            }
        } catch (IOException e) {
            // The next one to open it finds nobody behind it.
        }
    }
}
