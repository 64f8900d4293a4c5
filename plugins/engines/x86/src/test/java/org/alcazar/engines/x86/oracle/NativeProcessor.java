package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.isa.Feature;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** The machine's own processor, through a C program that is compiled on the spot. */
final class NativeProcessor implements AutoCloseable {
    private static final String SOURCE = "oracle.c";
    private static final List<Integer> LEAVES = List.of(0, 1, 7, 0xd, 0x80000001, 0x80000008);

    private final Process process;
    private final OutputStream out;
    private final DataInputStream in;
    private final ByteBuffer leaves;

    private NativeProcessor(Process process) throws IOException {
        this.process = process;
        out = new BufferedOutputStream(process.getOutputStream(), 1 << 20);
        in = new DataInputStream(process.getInputStream());
        leaves = ByteBuffer.wrap(in.readNBytes(16 * LEAVES.size())).order(ByteOrder.LITTLE_ENDIAN);
        out.write(Descriptor.userDescriptors().array());
    }

    /** Why there is no oracle on this machine; empty if there is. */
    static String missing() {
        if (!List.of("amd64", "x86_64").contains(System.getProperty("os.arch"))) {
            return "the native oracle needs an x86-64 processor";
        }
        if (!System.getProperty("os.name").equals("Linux")) {
            return "the native oracle needs Linux";
        }
        try {
            String flags = Files.readString(Path.of("/proc/cpuinfo"));
            if (!flags.contains("AuthenticAMD") || !flags.contains("fsgsbase")) {
                return "the native oracle needs a processor of the engine's vendor with FSGSBASE";
            }
            new ProcessBuilder("gcc", "--version")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
            return "";
        } catch (IOException e) {
            return "the native oracle needs gcc";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    }

    /** Compiles the program into a directory and starts it. */
    static NativeProcessor start(Path directory) throws IOException, InterruptedException {
        Path source = directory.resolve(SOURCE);
        try (InputStream in = NativeProcessor.class.getResourceAsStream(SOURCE)) {
            Files.write(source, Objects.requireNonNull(in, SOURCE).readAllBytes());
        }
        Path program = directory.resolve("oracle");
        List<String> command =
                List.of(
                        "gcc",
                        "-O2",
                        "-Wall",
                        "-fno-stack-protector",
                        "-fcf-protection=none",
                        "-mfsgsbase",
                        "-fPIE",
                        "-static-pie",
                        "-o",
                        program.toString(),
                        source.toString());
        Process gcc = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (gcc.waitFor() != 0) {
            throw new IOException("gcc refused " + SOURCE + ": " + said);
        }
        return new NativeProcessor(
                new ProcessBuilder(program.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start());
    }

    /** Features that this processor has. */
    Set<Feature> features() {
        EnumSet<Feature> has = EnumSet.noneOf(Feature.class);
        for (Feature f : Feature.values()) {
            int leaf = LEAVES.indexOf(f.leaf());
            // In CPUID's order: EAX, EBX, ECX, EDX.
            int register =
                    switch (f.register()) {
                        case Feature.EBX -> 1;
                        case Feature.ECX -> 2;
                        case Feature.EDX -> 3;
                        default -> 0;
                    };
            boolean set =
                    leaf >= 0 && (leaves.getInt(16 * leaf + 4 * register) >> f.bit() & 1) != 0;
            if (f.leaf() == -1 || set) {
                has.add(f);
            }
        }
        return has;
    }

    /** Sends cases; {@link #receive} gets their outcomes. */
    void send(byte[] cases, int count) throws IOException {
        byte[] head = new byte[4];
        ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).putInt(count);
        out.write(head);
        out.write(cases, 0, count * Layout.SIZE);
        out.flush();
    }

    void receive(byte[] outcomes, int count) throws IOException {
        in.readFully(outcomes, 0, count * Layout.SIZE);
    }

    @Override
    public void close() throws IOException {
        out.close();
        process.destroy();
    }
}
