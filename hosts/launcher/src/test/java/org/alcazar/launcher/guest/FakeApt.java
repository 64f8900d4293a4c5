package org.alcazar.launcher.guest;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A machine with apt in a few maps: package name to version, archive to the files in it. */
final class FakeApt implements CommandRunner {
    static final String KERNEL_PACKAGE = "linux-image-6.1.0-1-cloud-amd64";

    final Set<String> programs = new HashSet<>(Set.of("apt-get", "apt-cache", "dpkg-deb"));
    final Map<String, String> versions = new TreeMap<>();
    final Map<String, String> depends = new TreeMap<>();
    final Map<String, byte[]> contents = new TreeMap<>();
    final List<String> log = new ArrayList<>();
    boolean listsMissing;
    boolean root;
    String failing = "nothing";
    boolean interrupted;

    FakeApt() {
        versions.put("linux-image-cloud-amd64", "6.1.1-1");
        depends.put("linux-image-cloud-amd64", "libx, " + KERNEL_PACKAGE + " (= 6.1.1-1)");
        versions.put(KERNEL_PACKAGE, "6.1.1-1");
        versions.put("busybox-static", "1:1.35-4");
        versions.put("prog", "1:2-1+b1");
        versions.put("libx", "1.2-3");
        contents.put("./boot/vmlinuz-6.1.0-1-cloud-amd64", bzImage(1));
        contents.put("./bin/busybox", busybox());
    }

    /** The least that passes for a kernel. */
    static byte[] bzImage(int fill) {
        byte[] kernel = new byte[2000];
        Arrays.fill(kernel, (byte) fill);
        System.arraycopy("HdrS".getBytes(StandardCharsets.US_ASCII), 0, kernel, 0x202, 4);
        return kernel;
    }

    /** The least that passes for a static program: an ELF header without program headers. */
    static byte[] busybox() {
        byte[] program = new byte[64];
        byte[] start = {0x7f, 'E', 'L', 'F', 2, 1, 1};
        System.arraycopy(start, 0, program, 0, start.length);
        program[18] = 62;
        return program;
    }

    @Override
    public boolean has(String program) {
        return programs.contains(program);
    }

    @Override
    public Result run(Path directory, List<String> command)
            throws IOException, InterruptedException {
        String line = String.join(" ", command);
        log.add(line);
        if (line.contains(failing)) {
            if (interrupted) {
                throw new InterruptedException();
            }
            return new Result(100, "", "W: a warning\nE: Failed to fetch it\nE: more\n");
        }
        return switch (command.getFirst()) {
            case "id" -> new Result(0, root ? "0\n" : "1000\n", "");
            case "apt-cache" -> show(command.getLast());
            case "apt-get" -> aptGet(directory, command);
            case "dpkg-deb" -> unpack(command);
            default -> new Result(0, "bin/ls\nbin/sh\nusr/bin/[\n", "");
        };
    }

    private Result show(String name) {
        String version = versions.get(name);
        if (version == null || listsMissing) {
            return new Result(100, "", "E: No packages found\n");
        }
        String text =
                "Package: %s\nVersion: %s\nDepends: %s\nSize: 1234567\nDescription: x\n"
                        .formatted(name, version, depends.getOrDefault(name, "libc6"));
        return new Result(0, text, "");
    }

    private Result aptGet(Path directory, List<String> command) throws IOException {
        if (command.getLast().equals("update")) {
            listsMissing = false;
            return new Result(0, "", "");
        }
        if (command.contains("install")) {
            return new Result(0, "Conf libx (1)\n" + installs("libx") + installs("prog"), "");
        }
        for (String word : command) {
            if (word.contains("=") && !word.contains("::")) {
                String name = word.substring(0, word.indexOf('='));
                Files.writeString(directory.resolve(name + "_1%3a2_amd64.deb"), name);
            }
        }
        return new Result(0, "", "");
    }

    private String installs(String name) {
        return "Inst %s (%s Debian:12/stable [amd64])\n".formatted(name, versions.get(name));
    }

    private Result unpack(List<String> command) throws IOException {
        if (!command.get(1).equals("--extract")) {
            return new Result(0, "", "");
        }
        String archive = Path.of(command.get(2)).getFileName().toString();
        Path to = Path.of(command.get(3));
        if (archive.startsWith("prog_")) {
            write(to.resolve("usr/bin/prog"), dynamic("/lib64/ld.so.2", "libx.so.1", "ld.so.2"));
            write(to.resolve("usr/share/prog/not-wanted.so"), busybox());
        } else {
            write(to.resolve("lib/libx.so.1.2"), dynamic("", "liby.so.1"));
            Files.createSymbolicLink(to.resolve("lib/libx.so.1"), Path.of("/lib/libx.so.1.2"));
            write(to.resolve("lib/liby.so.1"), busybox());
            write(to.resolve("lib/ld.so.2"), busybox());
        }
        return new Result(0, "", "");
    }

    private static void write(Path file, byte[] content) throws IOException {
        Files.createDirectories(file.resolveSibling("."));
        Files.write(file, content);
    }

    /** An ELF file that names a dynamic linker (if not empty) and shared libraries. */
    static byte[] dynamic(String linker, String... needed) {
        int headers = 64;
        int entries = headers + 3 * 56;
        int strings = entries + 16 * (needed.length + 2);
        byte[] file = Arrays.copyOf(busybox(), 1024);
        ByteBuffer out = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(32, headers).putShort(54, (short) 56).putShort(56, (short) 3);
        int base = 0x10000;
        segment(out, headers, 1, 0, base, file.length);
        segment(out, headers + 56, 2, entries, base + entries, strings - entries);
        segment(out, headers + 112, linker.isEmpty() ? 4 : 3, strings, base + strings, 1);
        byte[] first = linker.getBytes(StandardCharsets.US_ASCII);
        out.put(strings, first);
        int name = first.length + 1;
        int entry = entries;
        for (String library : needed) {
            byte[] text = library.getBytes(StandardCharsets.US_ASCII);
            out.put(strings + name, text);
            out.putLong(entry, 1).putLong(entry + 8, name);
            name += text.length + 1;
            entry += 16;
        }
        out.putLong(entry, 5).putLong(entry + 8, base + strings);
        return file;
    }

    private static void segment(
            ByteBuffer out, int at, int type, long offset, long address, long size) {
        out.putInt(at, type).putLong(at + 8, offset).putLong(at + 16, address);
        out.putLong(at + 32, size);
    }

    @Override
    public Result run(Path directory, List<String> command, Reader reader)
            throws IOException, InterruptedException {
        Result result = run(directory, command);
        if (result.ok()) {
            boolean kernel = command.getLast().contains("linux-image");
            reader.read(
                    new ByteArrayInputStream(
                            tar(
                                    kernel
                                            ? List.of("./boot/", "./lib/modules/")
                                            : List.of("./bin/"))));
        }
        return new Result(result.status(), "", result.errors());
    }

    private byte[] tar(List<String> folders) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        header(out, "./", '5', 0);
        header(out, "./boot/System.map", '0', 3);
        out.write("map".getBytes(StandardCharsets.US_ASCII));
        out.write(new byte[509]);
        for (var file : contents.entrySet()) {
            if (folders.stream().anyMatch(file.getKey()::startsWith)) {
                header(out, file.getKey(), '0', file.getValue().length);
                out.write(file.getValue());
                out.write(new byte[(512 - file.getValue().length % 512) % 512]);
            }
        }
        out.write(new byte[1024]);
        return out.toByteArray();
    }

    private static void header(ByteArrayOutputStream out, String name, char type, int size)
            throws IOException {
        byte[] header = new byte[512];
        byte[] text = name.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(text, 0, header, 0, text.length);
        byte[] digits = "%011o".formatted(size).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(digits, 0, header, 124, digits.length);
        header[156] = (byte) type;
        out.write(header);
    }
}
