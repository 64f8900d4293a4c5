package org.alcazar.hosts.support;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostRefusal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.function.Consumer;

/** Standard input and output, and files that take output. */
public final class StreamConsoles implements HostConsoles {
    private static final Logger LOG = LoggerFactory.getLogger(StreamConsoles.class);

    /** What a console reads and writes. */
    public record Streams(InputStream in, OutputStream out) {}

    @Override
    public Console open(String name) throws HostRefusal {
        Streams streams = streams(name);
        return new StreamConsole(streams.in(), streams.out(), loss(name));
    }

    /** Whom a console tells why output was lost: the log, where it is a file's. */
    public static Consumer<String> loss(String name) {
        return name.startsWith("file:")
                ? why ->
                        LOG.warn(
                                "console {}: output could not be written, some is lost: {}",
                                name,
                                why)
                : why -> {};
    }

    /**
     * Opens what lies beneath a console.
     *
     * @throws HostRefusal if there is no such console or it can't be opened
     */
    public static Streams streams(String name) throws HostRefusal {
        if (name.equals("none")) {
            return new Streams(InputStream.nullInputStream(), OutputStream.nullOutputStream());
        }
        if (name.equals("stdio")) {
            // Not closed with the console: the process keeps them.
            return new Streams(System.in, System.out);
        }
        if (name.startsWith("file:") && name.length() > 5) {
            try {
                Path path = Path.of(name.substring(5));
                if (Files.isDirectory(path)) {
                    throw new HostRefusal("console " + name + ": is a directory, not a file");
                }
                return new Streams(
                        InputStream.nullInputStream(), new FileOutputStream(path.toFile()));
            } catch (InvalidPathException e) { // whose message has the path as it is
                throw new HostRefusal(
                        "console file: the path can't be one (%s)".formatted(e.getReason()), e);
            } catch (IOException e) {
                throw new HostRefusal("console " + name + ": " + e.getMessage(), e);
            }
        }
        throw new HostRefusal(
                "console '" + name + "' does not exist; there are stdio, none and file:PATH");
    }
}
