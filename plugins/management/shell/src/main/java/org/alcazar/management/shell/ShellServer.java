package org.alcazar.management.shell;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Listens on the process's socket; each client has a thread and a session of its own. */
final class ShellServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShellServer.class);

    private final Vmm vmm;
    private final Path socket;
    private final Path history;
    private final ServerSocketChannel server;
    private final Set<SocketChannel> clients = ConcurrentHashMap.newKeySet();

    /**
     * Listens.
     *
     * @param history file of the lines that people type
     * @throws IOException if the socket cannot be made
     */
    ShellServer(Vmm vmm, Path socket, Path history) throws IOException {
        this.vmm = vmm;
        this.socket = socket;
        this.history = history;
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(socket));
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException | UnsupportedOperationException e) {
            server.close();
            throw new IOException(e.getMessage(), e);
        }
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

    /** Ends all sessions and takes the socket away. */
    @Override
    public void close() {
        try {
            server.close();
            Files.deleteIfExists(socket);
            for (SocketChannel client : clients) {
                client.close();
            }
        } catch (IOException e) {
            LOG.debug("closing {} failed", socket, e);
        }
    }
}
