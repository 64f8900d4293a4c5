package org.alcazar.management.shell;

import org.alcazar.host.HostRefusal;
import org.apache.felix.gogo.jline.Posix;
import org.apache.felix.gogo.jline.Procedural;
import org.apache.felix.gogo.runtime.CommandNotFoundException;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.apache.felix.service.command.Function;
import org.apache.felix.service.command.Job;
import org.apache.felix.service.command.Process;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CancellationException;

/** Gogo with our commands, for one client. */
final class ShellSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShellSession.class);

    /** Of Gogo's own commands those that scripts and pipes need. */
    private static final List<String> POSIX =
            List.of("cat", "echo", "grep", "sort", "head", "tail", "wc", "less", "clear");

    private static final List<String> PROCEDURAL =
            List.of("each", "if", "not", "throw", "try", "until", "while", "break", "continue");

    private final Vmm vmm;
    private final Screen screen;
    private final CommandTable table = new CommandTable();
    private final CommandProcessorImpl processor = new CommandProcessorImpl();
    private final CommandSession session;
    private final PrintStream out;
    private final PrintStream err;

    ShellSession(Vmm vmm, Screen screen, InputStream in, OutputStream out, OutputStream err) {
        this.vmm = vmm;
        this.screen = screen;
        this.out = new PrintStream(out, true, StandardCharsets.UTF_8);
        this.err = new PrintStream(err, true, StandardCharsets.UTF_8);
        for (Command command : table.all()) {
            String name = command.name();
            int colon = name.indexOf(':');
            Function function = (anySession, arguments) -> run(command, arguments);
            processor.addCommand(
                    colon < 0 ? "shell" : name.substring(0, colon),
                    function,
                    name.substring(colon + 1));
        }
        Posix posix = new Posix(processor);
        POSIX.forEach(name -> processor.addCommand("posix", posix, name));
        Procedural procedural = new Procedural();
        PROCEDURAL.forEach(name -> processor.addCommand("gogo", procedural, name));
        vmm.foreign().join(processor);
        session = processor.createSession(in, out, err);
        session.currentDir(screen.folder());
        session.put("SCOPE", "shell:posix:gogo:*");
        if (screen.terminal().isPresent()) {
            session.put(".terminal", screen.terminal().get()); // for less
        } else {
            session.put("GREP_OPTS", "--color=never");
        }
    }

    CommandTable table() {
        return table;
    }

    CommandSession gogo() {
        return session;
    }

    /** Names of Gogo's own commands. */
    static List<String> posix() {
        return POSIX;
    }

    /**
     * Runs a script to its end or its first failure, and says what that was.
     *
     * @return 0, or the failure's status
     * @throws QuitException if the script ends the session
     */
    int run(String script) throws QuitException {
        try {
            Object result = session.execute(script);
            if (result != null) { // of a bundle's command, or of a script's expression
                out.println(session.format(result, Converter.INSPECT));
            }
            return session.get("pipe-exception") == null ? 0 : CommandFailure.REFUSED;
        } catch (QuitException e) {
            throw e;
        } catch (CommandFailure e) {
            err.println(e.getMessage());
            return e.status();
        } catch (InterruptedException | CancellationException e) {
            err.println("interrupted");
            return CommandFailure.INTERRUPTED;
        } catch (CommandNotFoundException e) {
            String name = e.getCommand();
            err.println("unknown command '" + name + "'" + table.suggest(name));
            return CommandFailure.REFUSED;
        } catch (Exception e) { // Gogo's own: the line is wrong
            err.println("wrong input: " + Text.oneLine(e) + "; `help` lists the commands");
            return CommandFailure.REFUSED;
        }
    }

    @SuppressWarnings("NullAway") // Gogo's word for no result
    private Object run(Command command, List<Object> arguments)
            throws CommandFailure, QuitException, InterruptedException {
        PrintStream out = Process.Utils.current().out();
        List<String> words = arguments.stream().map(String::valueOf).toList();
        try {
            Call call = Call.parse(command.usage(), words, vmm, screen, out);
            Shown shown = command.action().run(call);
            if (shown != Shown.NOTHING) {
                String text = call.json() ? Json.text(shown.tree()) : shown.text().get();
                out.print(text.isEmpty() ? "" : text + "\n");
            }
            return null;
        } catch (QuitException | InterruptedException e) {
            throw e;
        } catch (UsageException e) {
            throw new CommandFailure(
                    CommandFailure.REFUSED,
                    command.name() + ": " + e.getMessage() + "\nusage: " + command.usageLine(),
                    e);
        } catch (HostRefusal e) {
            throw new CommandFailure(
                    CommandFailure.REFUSED, command.name() + ": " + Text.oneLine(e), e);
        } catch (Exception | LinkageError e) {
            LOG.debug("{} failed", command.name(), e);
            throw new CommandFailure(
                    CommandFailure.FAULT, command.name() + ": a fault: " + Text.oneLine(e), e);
        }
    }

    /** Interrupts what runs, if something does. */
    void interrupt() {
        Job job = session.foregroundJob();
        if (job != null) {
            job.interrupt();
        }
    }

    @Override
    public void close() {
        vmm.foreign().leave(processor);
        session.close();
    }
}
