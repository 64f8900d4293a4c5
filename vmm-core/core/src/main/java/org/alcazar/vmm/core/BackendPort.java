package org.alcazar.vmm.core;

import org.alcazar.vmm.Counter;
import org.alcazar.vmm.device.Backend;
import org.alcazar.vmm.device.BlockBackend;
import org.alcazar.vmm.device.CharacterBackend;
import org.alcazar.vmm.device.NetworkBackend;
import org.alcazar.vmm.plugin.BackendType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * A backend that a device has opened, with the way for its input through the VM's event queue. It
 * belongs to the core and not to the device, so that both can be exchanged: a device and the
 * successor that is made on trial have a {@link View} each, of which one is connected.
 */
abstract class BackendPort<B extends Backend> {
    /** Posts input on behalf of a device. */
    interface Poster {
        void post(String source, Runnable action);
    }

    /** How the backend was opened, for opening it again. */
    record Origin(BackendType type, Map<String, Object> settings) {}

    final String name;
    private Optional<Origin> origin;
    private final Class<B> kind;
    private final Consumer<BackendPort<B>> closer;
    private B inner;
    private int views;

    /**
     * @param closer closes the backend when no device has an end any more
     */
    BackendPort(
            String name,
            Optional<Origin> origin,
            Class<B> kind,
            B inner,
            Consumer<BackendPort<B>> closer) {
        this.name = name;
        this.origin = origin;
        this.kind = kind;
        this.inner = inner;
        this.closer = closer;
    }

    final B inner() {
        return inner;
    }

    final Optional<Origin> origin() {
        return origin;
    }

    /** A device's end of the port. */
    interface View {
        /** Input and output go through this end now. In the barrier, or while devices are made. */
        void connect();

        /** No more of it; input waits. */
        void disconnect();

        /** The device is gone. */
        void close();
    }

    final synchronized void viewed() {
        views++;
    }

    /** One end less; the last one closes the backend. */
    final void left() {
        boolean last;
        synchronized (this) {
            last = --views == 0;
        }
        if (last) {
            closer.accept(this);
        }
    }

    /**
     * Puts another backend behind the port; see {@link #listen}. In the barrier.
     *
     * @throws ConfigurationException if it is of another kind
     */
    final void put(Backend successor, Origin from) throws ConfigurationException {
        if (!kind.isInstance(successor)) {
            throw new ConfigurationException(
                    "backend " + name + " would be no " + kind.getSimpleName() + " any more");
        }
        inner = kind.cast(successor);
        origin = Optional.of(from);
    }

    /** Leads the input of the present backend here. */
    abstract void listen();

    /** Bytes. */
    static final class CharacterPort extends BackendPort<CharacterBackend> {
        private final Poster poster;
        private final InputBuffer buffer = new InputBuffer(new Counter());

        /** Where input comes from, for its stamp. */
        private final String source;

        private volatile @Nullable IntConsumer sink;
        private boolean listening;

        CharacterPort(
                String name,
                Optional<Origin> origin,
                CharacterBackend inner,
                Poster poster,
                Consumer<BackendPort<CharacterBackend>> closer) {
            super(name, origin, CharacterBackend.class, inner, closer);
            this.poster = poster;
            this.source = name.equals(Backends.CONSOLE) ? name : "character";
        }

        @Override
        void listen() {
            if (listening) {
                inner().onInput(octet -> {
                    if (buffer.offer(octet)) {
                        poster.post(source, this::drain);
                    }
                });
            }
        }

        private void drain() {
            IntConsumer to = sink;
            if (to != null) {
                buffer.drain(to);
            }
        }

        private void sink(@Nullable IntConsumer to) {
            sink = to;
            if (to == null) {
                return;
            }
            if (!listening) {
                listening = true;
                listen();
            }
            if (!buffer.isEmpty()) {
                poster.post(source, this::drain);
            }
        }

        /**
         * @param dropped counts input that does not fit while this end is at work
         */
        CharacterView view(Counter dropped) {
            viewed();
            return new CharacterView(dropped);
        }

        final class CharacterView implements CharacterBackend, View {
            private final Counter dropped;
            private boolean connected;
            private @Nullable IntConsumer wanted;

            CharacterView(Counter dropped) {
                this.dropped = dropped;
            }

            @Override
            public void write(int octet) {
                if (connected) {
                    inner().write(octet);
                }
            }

            @Override
            public void flush() {
                if (connected) {
                    inner().flush();
                }
            }

            @Override
            public void onInput(IntConsumer to) {
                wanted = to;
                if (connected) {
                    sink(to);
                }
            }

            @Override
            public void connect() {
                connected = true;
                buffer.countInto(dropped);
                if (wanted != null) {
                    sink(wanted);
                }
            }

            @Override
            public void disconnect() {
                connected = false;
                sink(null);
            }

            @Override
            public void close() {
                left();
            }
        }
    }

    /** Frames. */
    static final class NetworkPort extends BackendPort<NetworkBackend> {
        /** Frames that wait for the guest: a sender that pours does not fill the heap. */
        private static final int MOST_FRAMES = 1024;

        private final AtomicInteger waiting = new AtomicInteger();
        private final Poster poster;
        private volatile NetworkBackend.@Nullable FrameSink sink;
        private boolean listening;

        NetworkPort(
                String name,
                Optional<Origin> origin,
                NetworkBackend inner,
                Poster poster,
                Consumer<BackendPort<NetworkBackend>> closer) {
            super(name, origin, NetworkBackend.class, inner, closer);
            this.poster = poster;
        }

        @Override
        void listen() {
            if (listening) {
                inner().onReceive(frame -> {
                    if (waiting.incrementAndGet() > MOST_FRAMES) {
                        waiting.decrementAndGet();
                        return false;
                    }
                    poster.post("network", () -> deliver(frame));
                    return true;
                });
            }
        }

        private void deliver(byte[] frame) {
            waiting.decrementAndGet();
            NetworkBackend.FrameSink to = sink;
            if (to != null) {
                to.frame(frame);
            }
        }

        private void sink(NetworkBackend.@Nullable FrameSink to) {
            sink = to;
            if (to != null && !listening) {
                listening = true;
                listen();
            }
        }

        NetworkView view() {
            viewed();
            return new NetworkView();
        }

        final class NetworkView implements NetworkBackend, View {
            private boolean connected;
            private @Nullable FrameSink wanted;

            @Override
            public void send(byte[] frame, int offset, int bytes) {
                if (connected) {
                    inner().send(frame, offset, bytes);
                }
            }

            @Override
            public void onReceive(FrameSink to) {
                wanted = to;
                if (connected) {
                    sink(to);
                }
            }

            @Override
            public void connect() {
                connected = true;
                if (wanted != null) {
                    sink(wanted);
                }
            }

            @Override
            public void disconnect() {
                connected = false;
                sink(null);
            }

            @Override
            public void close() {
                left();
            }
        }
    }

    /** Sectors. */
    static final class BlockPort extends BackendPort<BlockBackend> {
        BlockPort(
                String name,
                Optional<Origin> origin,
                BlockBackend inner,
                Consumer<BackendPort<BlockBackend>> closer) {
            super(name, origin, BlockBackend.class, inner, closer);
        }

        @Override
        void listen() {}

        BlockView view() {
            viewed();
            return new BlockView();
        }

        /** A device on trial may ask for the size, and no more. */
        final class BlockView implements BlockBackend, View {
            private boolean connected;

            @Override
            public long sectors() {
                return inner().sectors();
            }

            @Override
            public boolean readOnly() {
                return inner().readOnly();
            }

            @Override
            public void read(long position, byte[] into, int offset, int bytes) throws IOException {
                check();
                inner().read(position, into, offset, bytes);
            }

            @Override
            public void write(long position, byte[] from, int offset, int bytes)
                    throws IOException {
                check();
                inner().write(position, from, offset, bytes);
            }

            @Override
            public void flush() throws IOException {
                check();
                inner().flush();
            }

            private void check() throws IOException {
                if (!connected) {
                    throw new IOException("backend " + name + ": the device does not run yet");
                }
            }

            @Override
            public void connect() {
                connected = true;
            }

            @Override
            public void disconnect() {
                connected = false;
            }

            @Override
            public void close() {
                left();
            }
        }
    }
}
