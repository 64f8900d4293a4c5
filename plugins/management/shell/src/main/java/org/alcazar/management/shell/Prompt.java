package org.alcazar.management.shell;

import org.alcazar.vmm.Hook;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.VmState;
import org.apache.felix.gogo.jline.Highlighter;
import org.apache.felix.gogo.jline.Parser;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReader.Option;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;

import java.io.IOError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Lines typed at a terminal, one after the other. */
final class Prompt {
    private static final String PROMPT = "alcazar> ";

    private final Vmm vmm;
    private final ShellSession session;
    private final Terminal terminal;
    private final LineReader reader;

    Prompt(Vmm vmm, ShellSession session, Screen screen, Terminal terminal, Path history) {
        this.vmm = vmm;
        this.session = session;
        this.terminal = terminal;
        makeFolder(history);
        this.reader =
                LineReaderBuilder.builder()
                        .appName("alcazar")
                        .terminal(terminal)
                        .parser(new Parser())
                        .highlighter(new Highlighter(session.gogo()))
                        .completer(new Completions(vmm, screen, session.table()))
                        .variable(LineReader.HISTORY_FILE, history)
                        .option(Option.DISABLE_EVENT_EXPANSION, true)
                        .option(Option.HISTORY_TIMESTAMPED, false)
                        .build();
    }

    /** Where lines are kept from one session to the next (XDG base directories). */
    static Path history(Map<String, String> environment) {
        String state = environment.getOrDefault("XDG_STATE_HOME", "");
        Path folder =
                state.isEmpty()
                        ? Path.of(System.getProperty("user.home", "."), ".local", "state")
                        : Path.of(state);
        return folder.resolve("alcazar").resolve("history");
    }

    private static void makeFolder(Path history) {
        try {
            Path folder = history.getParent();
            if (folder != null) {
                Files.createDirectories(folder);
            }
        } catch (IOException e) {
            // The history of this session alone, then.
        }
    }

    /** Until `quit`, Ctrl-D or the client's end; returns the client's exit status. */
    int run() {
        terminal.handle(Signal.INT, signal -> session.interrupt());
        Hook ends = vmm.machines().listen(this::tell);
        try {
            while (true) {
                try {
                    session.run(reader.readLine(PROMPT));
                } catch (UserInterruptException e) {
                    // Ctrl-C: the line is dropped.
                }
            }
        } catch (QuitException e) {
            return e.status();
        } catch (EndOfFileException | IOError e) {
            return 0;
        } finally {
            ends.close();
        }
    }

    /** Says above the line that is being typed how a VM ended. */
    private void tell(VirtualMachine vm, VmState from, VmState to) {
        if (to == VmState.STOPPED || to == VmState.FAILED) {
            String text = "VM " + vm.id() + " (" + vm.name() + ") is " + LifeCycleCommands.word(to);
            // The thread that makes the transition must not wait for a client.
            Thread.ofVirtual()
                    .start(() -> {
                        if (reader.isReading()) {
                            reader.printAbove(text);
                        }
                    });
        }
    }
}
