package org.alcazar.launcher.shell;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Consumer;

/**
 * This process's socket. Nothing of the shell is needed, nor loaded, before somebody knocks there.
 */
public final class ShellSocket implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShellSocket.class);

    private final Path path;
    private final ServerSocketChannel server;
    private final Selector selector;

    private ShellSocket(Path path, ServerSocketChannel server, Selector selector) {
        this.path = path;
        this.server = server;
        this.selector = selector;
    }

    /**
     * Listens.
     *
     * @throws IOException if the socket cannot be made
     */
    public static ShellSocket open(Path path) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(path));
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
            server.configureBlocking(false);
            return new ShellSocket(path, server, Selector.open());
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    /** Has the socket, with the first client waiting there, served; on a thread of its own. */
    public void whenSomebodyKnocks(Consumer<ServerSocketChannel> serve) {
        Thread.ofPlatform().daemon().name("shell-socket").start(() -> await(serve));
    }

    private void await(Consumer<ServerSocketChannel> serve) {
        try {
            SelectionKey key = server.register(selector, SelectionKey.OP_ACCEPT);
            while (selector.select() == 0) {
                if (!selector.isOpen()) {
                    return;
                }
            }
            key.cancel();
            selector.close();
            server.configureBlocking(true);
            serve.accept(server);
        } catch (IOException | ClosedSelectorException e) {
            LOG.debug("nobody came to {}", path, e);
        }
    }

    /** Nobody can come any more; sessions that are open are not this object's. */
    @Override
    public void close() {
        try {
            selector.close();
            server.close();
            Files.deleteIfExists(path);
        } catch (IOException e) {
            LOG.debug("closing {} failed", path, e);
        }
    }
}
