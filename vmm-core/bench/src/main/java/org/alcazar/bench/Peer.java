package org.alcazar.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Somebody who boots a Linux guest: one vcore, 512 MiB, the first serial port as its console. */
sealed interface Peer {
    String MEMORY = "512M";

    /** As it is called in tables and files. */
    String name();

    /** The program that is missing and the package that has it, or empty. */
    Optional<String> missing();

    /** Whether it has to be left out because it is missing, which is said. */
    default boolean isLeftOut() {
        Optional<String> missing = missing();
        missing.ifPresent(
                what -> System.err.println("alcazar: " + what + " is not installed, left out"));
        return missing.isPresent();
    }

    /** The program itself, which tells its version when asked with {@code --version}. */
    String program();

    /** The command that boots the guest, with its console on standard output, and ends with it. */
    List<String> command(LinuxGuest guest, String append);

    /**
     * This tree's Alcazar, through its own script.
     *
     * @param options further ones for {@code alcazar run}
     */
    record Alcazar(Path root, List<String> options) implements Peer {
        @Override
        public String name() {
            return "alcazar";
        }

        @Override
        public Optional<String> missing() {
            return Optional.empty();
        }

        @Override
        public String program() {
            return root.resolve("alcazar").toString();
        }

        @Override
        public List<String> command(LinuxGuest guest, String append) {
            List<String> command = new ArrayList<>();
            command.add(program());
            command.addAll(List.of("run", "--kernel", guest.kernel().toString()));
            command.addAll(List.of("--initrd", guest.initrd().toString()));
            command.addAll(List.of("--append", append, "--memory", MEMORY));
            command.addAll(options);
            return command;
        }
    }

    /** QEMU's translator, as the distribution has it. */
    record Qemu() implements Peer {
        @Override
        public String name() {
            return "qemu-tcg";
        }

        @Override
        public Optional<String> missing() {
            String path = System.getenv().getOrDefault("PATH", "");
            boolean there =
                    Stream.of(path.split(":", -1))
                            .anyMatch(folder -> Files.isExecutable(Path.of(folder, program())));
            return there ? Optional.empty() : Optional.of(program() + " (package qemu-system-x86)");
        }

        @Override
        public String program() {
            return "qemu-system-x86_64";
        }

        @Override
        public List<String> command(LinuxGuest guest, String append) {
            return List.of(
                    program(),
                    "-accel",
                    "tcg",
                    "-smp",
                    "1",
                    "-m",
                    MEMORY,
                    "-nographic",
                    "-no-reboot",
                    "-kernel",
                    guest.kernel().toString(),
                    "-initrd",
                    guest.initrd().toString(),
                    "-append",
                    append);
        }
    }
}
