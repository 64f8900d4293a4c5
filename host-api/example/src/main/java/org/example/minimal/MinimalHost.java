package org.example.minimal;

import java.io.*;
import java.nio.file.*;
import java.util.Optional;
import org.alcazar.host.*;

/** A host of the least that carries the VMM: memory, threads, time, and files to boot from. */
final class MinimalHost implements HostKernel, AutoCloseable {
    private final MinimalMemory memory = new MinimalMemory();
    private final MinimalProcessors processors = new MinimalProcessors();
    private final MinimalClock clock = new MinimalClock();

    @Override public String name() { return "minimal"; }
    @Override public HostMemory memory() { return memory; }
    @Override public HostProcessors processors() { return processors; }
    @Override public HostInterrupts interrupts() { return new NoLines(); }
    @Override public HostClock clock() { return clock; }

    /** Files are optional, but kernels come out of them. No consoles: output goes nowhere. */
    @Override public <T> Optional<T> find(Class<T> service) {
        return service == HostFiles.class ? Optional.of(service.cast(new PlainFiles())) : Optional.empty();
    }

    @Override public void close() { clock.close(); }

    private record NoLines() implements HostInterrupts {
        @Override public int lines() { return 0; }

        @Override public Registration hook(int line, Runnable handler) throws HostRefusal {
            throw new HostRefusal("host minimal: there is no interrupt line " + line + ", nor any other");
        }

        @Override public void acknowledge(int line) {}
    }

    private record PlainFiles() implements HostFiles {
        @Override public long size(String path) throws IOException { return Files.size(Path.of(path)); }
        @Override public InputStream read(String path) throws IOException { return Files.newInputStream(Path.of(path)); }

        /** Whole or not at all: under another name first. */
        @Override public void write(String path, Writer writer) throws IOException {
            Path target = Path.of(path).toAbsolutePath();
            Path part = Files.createTempFile(target.getParent(), ".", ".part");
            try {
                try (OutputStream out = Files.newOutputStream(part)) {
                    writer.writeTo(out);
                }
                Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(part);
            }
        }
    }
}
