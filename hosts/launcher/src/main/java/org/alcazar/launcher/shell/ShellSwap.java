package org.alcazar.launcher.shell;

import org.alcazar.launcher.bundle.Swap;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.message.Status;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Swaps bundles through the shell of a running process. */
public final class ShellSwap implements Swap {
    private static final int COLUMNS = 80;

    private final Sockets sockets;
    private final String pid;

    /**
     * A way to swap.
     *
     * @param pid the process's id; empty for the only one that there is at the time
     */
    public ShellSwap(Sockets sockets, String pid) {
        this.sockets = sockets;
        this.pid = pid;
    }

    @Override
    public String swap(Path jar) throws Failure {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        ByteArrayOutputStream refused = new ByteArrayOutputStream();
        ShellClient client =
                new ShellClient(
                        sockets.of(sockets.choose(pid)),
                        jar.toAbsolutePath().resolveSibling("."),
                        false,
                        said,
                        new Messages(refused, false, COLUMNS));
        // Quoted for the other shell, whose words end at blanks.
        int status = client.run("bundle:swap --install '" + jar.toAbsolutePath() + "'");
        if (status != Status.OK) {
            throw Failure.usage(
                    refused.toString(StandardCharsets.UTF_8)
                            .strip()
                            .replaceFirst("(?m)^alcazar: ", ""));
        }
        return said.toString(StandardCharsets.UTF_8).strip();
    }
}
