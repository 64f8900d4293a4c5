package org.alcazar.host.tck;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostNative;
import org.alcazar.host.HostPackets;
import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.host.HostTimer;
import org.alcazar.host.PageExtent;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A host that does all that another one does, until its n-th call: that one fails, as its contract
 * says if it says so, else with an unchecked exception, as a fault of the host's would. Calls that
 * can't fail (the time, a wake, what gives something back) are not counted.
 *
 * <p>It also keeps account of everything that was taken and not given back: {@link #held}.
 */
public final class FaultyHost implements HostKernel {
    /** What may fail, by interface; {@code find} beside it, which then finds nothing. */
    private static final Map<Class<?>, Set<String>> FALLIBLE =
            Map.ofEntries(
                    Map.entry(HostMemory.class, Set.of("allocate")),
                    Map.entry(HostProcessors.class, Set.of("start", "callOn")),
                    Map.entry(HostThread.class, Set.of("move")),
                    Map.entry(HostInterrupts.class, Set.of("hook")),
                    Map.entry(HostClock.class, Set.of("timer")),
                    Map.entry(HostTimer.class, Set.of("arm")),
                    Map.entry(HostFiles.class, Set.of("size", "read", "write")),
                    Map.entry(HostConsoles.class, Set.of("open")),
                    Map.entry(HostConsoles.Console.class, Set.of("write", "flush", "onInput")),
                    Map.entry(HostPackets.class, Set.of("open")),
                    Map.entry(HostPackets.Channel.class, Set.of("send", "onReceive")),
                    Map.entry(HostExitPortal.class, Set.of("open")),
                    Map.entry(HostExitPortal.Gate.class, Set.of("exchange", "move")),
                    Map.entry(HostNative.class, Set.of("start")));

    private final HostKernel inner;
    private final HostMemory memory;
    private final HostProcessors processors;
    private final HostInterrupts interrupts;
    private final HostClock clock;
    private final Map<Class<?>, Optional<?>> services = new ConcurrentHashMap<>();
    private final AtomicLong left = new AtomicLong(Long.MAX_VALUE);
    private final AtomicReference<String> failed = new AtomicReference<>("");

    /** What is held, and in words what it is. */
    private final Map<Object, String> held = new ConcurrentHashMap<>();

    /** A host that fails at nothing yet. */
    public FaultyHost(HostKernel inner) {
        this.inner = inner;
        memory = wrap(HostMemory.class, inner.memory());
        processors = wrap(HostProcessors.class, inner.processors());
        interrupts = wrap(HostInterrupts.class, inner.interrupts());
        clock = wrap(HostClock.class, inner.clock());
    }

    /**
     * Fails once, at a call from now on, and forgets what failed before.
     *
     * @param call from 1; {@link Long#MAX_VALUE} for none
     */
    public void failAt(long call) {
        failed.set("");
        left.set(call);
    }

    /** The call that failed, such as {@code HostMemory.allocate}; empty if none has. */
    public String failed() {
        return failed.get();
    }

    /**
     * What was taken and not given back: extents, threads that have not ended, and whatever has a
     * {@code close} that was not called; in words.
     */
    public List<String> held() {
        List<String> out = new ArrayList<>();
        held.forEach((thing, words) -> {
            if (!(thing instanceof HostThread thread && thread.join(0))) {
                out.add(words);
            }
        });
        return out;
    }

    @Override
    public String name() {
        return inner.name();
    }

    @Override
    public HostMemory memory() {
        return memory;
    }

    @Override
    public HostProcessors processors() {
        return processors;
    }

    @Override
    public HostInterrupts interrupts() {
        return interrupts;
    }

    @Override
    public HostClock clock() {
        return clock;
    }

    @Override
    public <T> Optional<T> find(Class<T> service) {
        if (fails("HostKernel.find(" + service.getSimpleName() + ")")) {
            return Optional.empty();
        }
        return services.computeIfAbsent(
                        service, type -> inner.find(type).map(found -> wrapped(type, found)))
                .map(service::cast);
    }

    /** Whether this call is the one. */
    private boolean fails(String call) {
        if (left.getAndDecrement() == 1) {
            failed.set(call);
            return true;
        }
        return false;
    }

    private <T> T wrap(Class<T> type, T target) {
        return type.cast(wrapped(type, target));
    }

    private Object wrapped(Class<?> type, Object target) {
        if (!type.getName().startsWith("org.alcazar.host.") || !type.isInterface()) {
            return target;
        }
        return Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) -> {
                    Object[] given = arguments == null ? new Object[0] : arguments;
                    if (method.getDeclaringClass() == Object.class) {
                        return ofObject(self, method, given, target);
                    }
                    return call(type, target, method, given);
                });
    }

    private static Object ofObject(Object self, Method method, Object[] given, Object target) {
        return switch (method.getName()) {
            case "equals" -> self == given[0];
            case "hashCode" -> System.identityHashCode(self);
            default -> "faulty " + target;
        };
    }

    private Object call(Class<?> type, Object target, Method method, Object[] given)
            throws Throwable {
        String what =
                type.getName().substring("org.alcazar.host.".length()).replace('$', '.')
                        + "."
                        + method.getName();
        boolean fallible = FALLIBLE.getOrDefault(type, Set.of()).contains(method.getName());
        if (fallible && fails(what)) {
            return fail(method, what);
        }
        for (int i = 0; i < given.length; i++) {
            if (given[i] instanceof HostFiles.Writer writer) {
                HostFiles.Writer faulty = out -> writer.writeTo(new FaultyOutput(out));
                given[i] = faulty;
            }
        }
        Object result;
        try {
            result = method.invoke(target, given);
        } catch (InvocationTargetException e) {
            throw e.getTargetException();
        }
        return account(target, method, given, result);
    }

    /** What the caller gets, and what is held by it. */
    private Object account(Object target, Method method, Object[] given, Object result) {
        if (target instanceof HostMemory && method.getName().equals("free")) {
            held.remove(given[0]);
        } else if (method.getName().equals("close")) {
            held.remove(target);
        }
        return switch (result) {
            case PageExtent extent -> {
                held.put(extent, extent.toString());
                yield extent;
            }
            case InputStream in -> {
                held.put(in, "open for reading: " + given[0]);
                yield new FaultyInput(in);
            }
            case HostThread thread -> {
                held.put(thread, "thread " + given[0]);
                yield wrapped(HostThread.class, thread);
            }
            case AutoCloseable open -> {
                String name = given.length == 0 ? "" : " " + given[0];
                held.put(open, method.getReturnType().getSimpleName() + name);
                yield wrapped(method.getReturnType(), open);
            }
            case null, default -> result;
        };
    }

    private static Object fail(Method method, String what) throws HostRefusal, IOException {
        for (Class<?> declared : method.getExceptionTypes()) {
            if (declared == HostRefusal.class) {
                throw new HostRefusal(message(what));
            }
            if (declared == IOException.class) {
                throw new IOException(message(what));
            }
        }
        if (method.getReturnType() == boolean.class) {
            return false; // a frame that is lost
        }
        throw new IllegalStateException(message(what));
    }

    private static String message(String what) {
        return "injected fault of the host: " + what;
    }

    private final class FaultyInput extends FilterInputStream {
        FaultyInput(InputStream in) {
            super(in);
        }

        private void check() throws IOException {
            if (fails("InputStream.read")) {
                throw new IOException(message("InputStream.read"));
            }
        }

        @Override
        public int read() throws IOException {
            check();
            return in.read();
        }

        @Override
        public int read(byte[] into, int offset, int count) throws IOException {
            check();
            return in.read(into, offset, count);
        }

        @Override
        public void close() throws IOException {
            held.remove(in);
            in.close();
        }
    }

    private final class FaultyOutput extends FilterOutputStream {
        FaultyOutput(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int octet) throws IOException {
            check();
            out.write(octet);
        }

        @Override
        public void write(byte[] from, int offset, int count) throws IOException {
            check();
            out.write(from, offset, count);
        }

        private void check() throws IOException {
            if (fails("OutputStream.write")) {
                throw new IOException(message("OutputStream.write"));
            }
        }
    }
}
