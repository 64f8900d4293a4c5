package org.alcazar.bench;

import java.util.List;
import java.util.Optional;

/**
 * A benchmark that a guest runs.
 *
 * @param name that of the program in {@code guests/bench}
 */
record Program(String name, BenchClass kind) {
    /** Not a program: the time until the guest's {@code /init} reports itself. */
    static final Program BOOT = new Program("boot", BenchClass.BOOT);

    /** All there are, in the order in which they run. */
    static final List<Program> ALL =
            List.of(
                    BOOT,
                    new Program("integer", BenchClass.INTEGER),
                    new Program("crc", BenchClass.INTEGER),
                    new Program("sha256", BenchClass.INTEGER),
                    new Program("strings", BenchClass.INTEGER),
                    new Program("sieve", BenchClass.MEMORY),
                    new Program("copy", BenchClass.MEMORY),
                    new Program("sort", BenchClass.MEMORY),
                    new Program("random", BenchClass.MEMORY_TLB),
                    new Program("stride", BenchClass.MEMORY_TLB),
                    new Program("matmul", BenchClass.FLOATING_POINT),
                    new Program("stencil", BenchClass.FLOATING_POINT),
                    new Program("spmv", BenchClass.FLOATING_POINT),
                    new Program("fft", BenchClass.FLOATING_POINT),
                    new Program("calls", BenchClass.DIRECT_CALLS),
                    new Program("indirect", BenchClass.INDIRECT_CALLS),
                    new Program("interpret", BenchClass.INDIRECT_CALLS),
                    new Program("syscall", BenchClass.SYSTEM),
                    new Program("fault", BenchClass.SYSTEM),
                    new Program("switch", BenchClass.SYSTEM),
                    new Program("shell", BenchClass.SHELL));

    static Optional<Program> named(String name) {
        return ALL.stream().filter(program -> program.name.equals(name)).findFirst();
    }
}
