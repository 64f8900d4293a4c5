package org.alcazar.hosts.support;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The processor's compare-and-exchange of 16 bytes, which Java does not have: by libatomic, GCC's
 * run-time library, where the processor has CMPXCHG16B (the library takes locks elsewhere, which
 * exclude nobody but its own callers). Without it guests' accesses of that width still work; each
 * stops all cores of its machine.
 */
@SuppressWarnings("restricted")
public final class WideExchange {
    private static final Logger LOG = LoggerFactory.getLogger(WideExchange.class);

    /** As the C language numbers them. */
    private static final int SEQUENTIALLY_CONSISTENT = 5;

    private WideExchange() {}

    /** As {@code HostRange.reserve} wants it. */
    public static Optional<MethodHandle> find() {
        if (!processorHasIt()) {
            return Optional.empty();
        }
        try {
            SymbolLookup library = SymbolLookup.libraryLookup("libatomic.so.1", Arena.global());
            return library.find("__atomic_compare_exchange_16").map(WideExchange::bind);
        } catch (IllegalArgumentException e) {
            LOG.info(
                    "libatomic.so.1 is not installed: guests' atomic 16-byte accesses stop all"
                            + " cores of their machine");
            return Optional.empty();
        }
    }

    /** A 128-bit integer is passed like two of 64 bits. The heap may be pointed to. */
    private static MethodHandle bind(MemorySegment symbol) {
        MethodHandle function =
                Linker.nativeLinker()
                        .downcallHandle(
                                symbol,
                                FunctionDescriptor.of(
                                        ValueLayout.JAVA_BOOLEAN,
                                        ValueLayout.JAVA_LONG,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.JAVA_LONG,
                                        ValueLayout.JAVA_LONG,
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.JAVA_INT),
                                Linker.Option.critical(true));
        return MethodHandles.insertArguments(
                function, 4, SEQUENTIALLY_CONSISTENT, SEQUENTIALLY_CONSISTENT);
    }

    private static boolean processorHasIt() {
        if (!System.getProperty("os.arch", "").equals("amd64")) {
            return false;
        }
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.anyMatch(l -> l.startsWith("flags") && (l + ' ').contains(" cx16 "));
        } catch (IOException | UncheckedIOException e) {
            return false;
        }
    }
}
