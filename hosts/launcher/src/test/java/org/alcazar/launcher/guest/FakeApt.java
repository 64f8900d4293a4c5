package org.alcazar.launcher.guest;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
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
        String[] wanted = command.getLast().split("=");
        Files.writeString(directory.resolve(wanted[0] + "_1%3a2_amd64.deb"), wanted[0]);
        return new Result(0, "", "");
    }

    @Override
    public Result run(Path directory, List<String> command, Reader reader)
            throws IOException, InterruptedException {
        Result result = run(directory, command);
        if (result.ok()) {
            boolean kernel = command.getLast().contains("linux-image");
            reader.read(new ByteArrayInputStream(tar(kernel ? "./boot/" : "./bin/")));
        }
        return new Result(result.status(), "", result.errors());
    }

    private byte[] tar(String prefix) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        header(out, "./", '5', 0);
        header(out, "./boot/System.map", '0', 3);
        out.write("map".getBytes(StandardCharsets.US_ASCII));
        out.write(new byte[509]);
        for (var file : contents.entrySet()) {
            if (file.getKey().startsWith(prefix)) {
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
