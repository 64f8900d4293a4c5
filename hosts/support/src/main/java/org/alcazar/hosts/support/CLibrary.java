package org.alcazar.hosts.support;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Optional;

/** Functions of the C library, where the system is Linux. */
@SuppressWarnings("restricted")
public final class CLibrary {
    private CLibrary() {}

    /** A function; empty if the system is not Linux or has none of this name. */
    public static Optional<MethodHandle> find(
            String name, FunctionDescriptor type, Linker.Option... options) {
        if (!isLinux()) {
            return Optional.empty();
        }
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup()
                .find(name)
                .map(symbol -> linker.downcallHandle(symbol, type, options));
    }

    /** Whether this system is Linux. */
    public static boolean isLinux() {
        return System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux");
    }
}
