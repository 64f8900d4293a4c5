package org.alcazar.management.shell;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Serves the process's socket; each client has a thread and a session of its own. */
final class ShellServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShellServer.class);

    private final Vmm vmm;
    private final Path history;
    private final ServerSocketChannel server;
    private final Set<SocketChannel> clients = ConcurrentHashMap.newKeySet();

    /**
     * Serves from now on.
     *
     * @param server that listens; closed with this
     * @param history file of the lines that people type
     */
    ShellServer(Vmm vmm, ServerSocketChannel server, Path history) {
        this.vmm = vmm;
        this.server = server;
        this.history = history;
        Thread.ofPlatform().daemon().name("shell-server").start(this::accept);
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel client = server.accept();
                clients.add(client);
                Thread.ofPlatform().daemon().name("shell-client").start(() -> serve(client));
            }
        } catch (ClosedChannelException e) {
            // This is the end.
        } catch (IOException e) {
            LOG.warn("the shell takes no more clients: {}", e.getMessage());
        }
    }

    private void serve(SocketChannel client) {
        try {
            new Connection(vmm, client, history).serve();
        } finally {
            clients.remove(client);
        }
    }

    /** Ends all sessions. */
    @Override
    public void close() {
        try {
            server.close();
            for (SocketChannel client : clients) {
                client.close();
            }
        } catch (IOException e) {
            LOG.debug("closing the socket failed", e);
        }
    }
}
