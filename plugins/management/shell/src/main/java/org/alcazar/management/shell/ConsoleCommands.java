package org.alcazar.management.shell;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.management.GuestConsole;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Terminal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A guest's console: on this terminal, or line by line for scripts. */
final class ConsoleCommands {
    private static final int BUFFER = 8192;
    private static final int CTRL_A = 1;

    private ConsoleCommands() {}

    static List<Command> all() {
        return List.of(
                Command.of(
                        "vm:console",
                        "VM [--recent]",
                        "puts this terminal on a guest's console; Ctrl-A d takes it off."
                                + " --recent only shows the last output",
                        "vm:console linux",
                        ConsoleCommands::console),
                Command.of(
                        "vm:type",
                        "VM TEXT...",
                        "types words on a guest's console, and \\n, \\t, \\e and \\xHH",
                        "vm:type linux 'ls /\\n'",
                        ConsoleCommands::type),
                Command.of(
                        "vm:expect",
                        "VM TEXT",
                        "waits until a guest's console has shown a text",
                        "vm:expect linux login:",
                        ConsoleCommands::expect));
    }

    private static Shown console(Call call) throws HostRefusal, IOException {
        VirtualMachine vm = call.vm();
        GuestConsole console = call.vmm().management().console(vm.id());
        if (call.has("--recent")) {
            return recent(console);
        }
        Terminal terminal =
                call.screen()
                        .terminal()
                        .orElseThrow(() ->
                                new HostRefusal(
                                        "there is no terminal here; --recent shows the last output,"
                                                + " vm:expect waits for one"));
        OutputStream out = terminal.output();
        out.write(line("on the console of " + vm.name() + "; Ctrl-A d leaves it"));
        Attributes before = terminal.enterRawMode();
        Attributes raw = terminal.getAttributes();
        raw.setLocalFlag(LocalFlag.ISIG, false);
        terminal.setAttributes(raw);
        boolean left;
        try {
            left = attached(terminal, console, out);
        } finally {
            terminal.setAttributes(before);
        }
        out.write(line("\n" + (left ? "off the console" : "the console is closed")));
        return Shown.NOTHING;
    }

    /** Whether the person left, not the console. */
    private static boolean attached(Terminal terminal, GuestConsole console, OutputStream out)
            throws IOException {
        Thread typist = Thread.currentThread();
        CompletableFuture<Void> shown;
        boolean left;
        try (GuestConsole.Reader reader = console.reader()) {
            shown =
                    CompletableFuture.runAsync(
                            () -> show(reader, out, typist),
                            task -> Thread.ofPlatform().daemon().name("console").start(task));
            left = typeUntilLeft(terminal, console);
        }
        shown.join();
        Thread.interrupted(); // its farewell, if it came late
        return left;
    }

    private static byte[] line(String text) {
        return (text + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private static Shown recent(GuestConsole console) {
        String text = new String(console.recent(), StandardCharsets.UTF_8);
        return new Shown(
                LifeCycleCommands.ordered("console", text), () -> text.replaceFirst("\r?\n$", ""));
    }

    /** Ends at the end of the console, and has the typist notice. */
    private static void show(GuestConsole.Reader reader, OutputStream out, Thread typist) {
        byte[] bytes = new byte[BUFFER];
        try {
            for (int count = reader.read(bytes); count >= 0; count = reader.read(bytes)) {
                out.write(bytes, 0, count);
                out.flush();
            }
        } catch (IOException | InterruptedException e) {
            // The client has gone.
        }
        typist.interrupt();
    }

    /** Whether the keys to leave were typed; else the console or the terminal has ended. */
    private static boolean typeUntilLeft(Terminal terminal, GuestConsole console)
            throws IOException {
        try {
            boolean escaped = false;
            for (int key = terminal.input().read(); key >= 0; key = terminal.input().read()) {
                if (!escaped && key == CTRL_A) {
                    escaped = true;
                    continue;
                }
                if (escaped && (key == 'd' || key == ('d' & 0x1f))) {
                    return true;
                }
                // Ctrl-A twice is one for the guest; any other key after it is a slip.
                if (!escaped || key == CTRL_A || key == 'a') {
                    console.type(new byte[] {(byte) (escaped ? CTRL_A : key)});
                }
                escaped = false;
            }
        } catch (InterruptedIOException e) {
            // The console has ended, or the session.
        }
        return false;
    }

    private static Shown type(Call call) throws HostRefusal, UsageException {
        VirtualMachine vm = call.vm();
        byte[] bytes = unescaped(String.join(" ", call.all("TEXT")));
        call.vmm().management().console(vm.id()).type(bytes);
        return new Shown(LifeCycleCommands.ordered("id", vm.id(), "bytes", bytes.length), () -> "");
    }

    private static byte[] unescaped(String text) throws UsageException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) != '\\' || i + 1 == text.length()) {
                out.writeBytes(text.substring(i, i + 1).getBytes(StandardCharsets.UTF_8));
                continue;
            }
            switch (text.charAt(++i)) {
                case 'n' -> out.write('\n');
                case 'r' -> out.write('\r');
                case 't' -> out.write('\t');
                case 'e' -> out.write(0x1b);
                case '\\' -> out.write('\\');
                case 'x' -> {
                    String digits = text.substring(i + 1, Math.min(i + 3, text.length()));
                    if (!digits.matches("[0-9a-fA-F]{2}")) {
                        throw new UsageException("TEXT: \\x takes two hexadecimal digits");
                    }
                    out.write(Integer.parseInt(digits, 16));
                    i += 2;
                }
                default ->
                        throw new UsageException(
                                "TEXT: unknown \\"
                                        + text.charAt(i)
                                        + "; there are \\n \\r \\t \\e \\xHH \\\\");
            }
        }
        return out.toByteArray();
    }

    private static Shown expect(Call call) throws HostRefusal, InterruptedException {
        VirtualMachine vm = call.vm();
        String text = call.text("TEXT");
        GuestConsole console = call.vmm().management().console(vm.id());
        try (GuestConsole.Reader reader = console.reader()) {
            StringBuilder seen = new StringBuilder();
            // Bytes: a character of several may come in two pieces.
            String wanted =
                    new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
            byte[] bytes = new byte[BUFFER];
            while (seen.indexOf(wanted) < 0) {
                int count = reader.read(bytes);
                if (count < 0) {
                    throw new HostRefusal(
                            "the console of VM " + vm.name() + " has ended without '" + text + "'");
                }
                seen.delete(0, Math.max(0, seen.length() - wanted.length()));
                seen.append(new String(bytes, 0, count, StandardCharsets.ISO_8859_1));
            }
        }
        return new Shown(LifeCycleCommands.ordered("id", vm.id(), "seen", text), () -> "");
    }
}
