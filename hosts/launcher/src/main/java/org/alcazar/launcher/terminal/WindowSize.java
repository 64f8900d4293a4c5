package org.alcazar.launcher.terminal;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Proxy;
import java.util.function.Consumer;

/**
 * How much fits on the terminal of standard output.
 *
 * @param columns at least 1
 * @param rows at least 1
 */
public record WindowSize(int columns, int rows) {
    private static final WindowSize USUAL = new WindowSize(80, 24);

    /** Linux: fills a struct winsize, four shorts, the first two of which are rows and columns. */
    private static final long TIOCGWINSZ = 0x5413;

    private static final int STDOUT = 1;

    /** The size now; the usual one where there is no terminal. */
    @SuppressWarnings("restricted") // native access is granted on the command line
    public static WindowSize now() {
        try (Arena arena = Arena.ofConfined()) {
            Linker linker = Linker.nativeLinker();
            MethodHandle ioctl =
                    linker.downcallHandle(
                            linker.defaultLookup().find("ioctl").orElseThrow(),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.ADDRESS),
                            Linker.Option.firstVariadicArg(2));
            MemorySegment size = arena.allocate(ValueLayout.JAVA_SHORT, 4);
            int result = (int) ioctl.invokeExact(STDOUT, TIOCGWINSZ, size);
            int rows = size.getAtIndex(ValueLayout.JAVA_SHORT, 0);
            int columns = size.getAtIndex(ValueLayout.JAVA_SHORT, 1);
            return result == 0 && rows > 0 && columns > 0 ? new WindowSize(columns, rows) : USUAL;
        } catch (Throwable e) {
            return USUAL; // another kind of machine
        }
    }

    /**
     * Calls the listener with the new size at each change (SIGWINCH), on a thread of the JVM; never
     * where the JVM does not tell. The JVM's interface for signals is no part of Java and warned of
     * by the compiler: it is looked up.
     */
    public static void onChange(Consumer<WindowSize> listener) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object told =
                    Proxy.newProxyInstance(
                            WindowSize.class.getClassLoader(),
                            new Class<?>[] {handler},
                            (proxy, method, arguments) -> {
                                if (method.getName().equals("handle")) {
                                    listener.accept(now());
                                }
                                return null;
                            });
            Object change = signal.getConstructor(String.class).newInstance("WINCH");
            signal.getMethod("handle", signal, handler).invoke(null, change, told);
        } catch (ReflectiveOperationException e) {
            // The size of the beginning stays.
        }
    }
}
