package org.alcazar.hosts.support;

import org.alcazar.host.HostFiles;

import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Files of the file system. */
public final class PathFiles implements HostFiles {
    @Override
    public long size(String path) throws IOException {
        return Files.size(Path.of(path));
    }

    @Override
    public InputStream read(String path) throws IOException {
        return Files.newInputStream(Path.of(path));
    }

    @Override
    public Scratch scratch(String path) throws IOException {
        Path file = Path.of(path);
        FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
        return new Scratch() {
            @Override
            public void read(long at, ByteBuffer into) throws IOException {
                long next = at;
                while (into.hasRemaining()) {
                    int done = channel.read(into, next);
                    if (done < 0) {
                        throw new EOFException("the file ends at " + next);
                    }
                    next += done;
                }
            }

            @Override
            public void write(long at, ByteBuffer from) throws IOException {
                long next = at;
                while (from.hasRemaining()) {
                    next += channel.write(from, next);
                }
            }

            @Override
            public void close() throws IOException {
                try {
                    channel.close();
                } finally {
                    Files.deleteIfExists(file);
                }
            }
        };
    }

    @Override
    public void write(String path, Writer writer) throws IOException {
        Path target = Path.of(path).toAbsolutePath();
        Path folder = target.getParent();
        Path temporary =
                Files.createTempFile(
                        folder == null ? target : folder, "." + target.getFileName(), ".part");
        try {
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                var out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
                writer.writeTo(out);
                out.flush();
                channel.force(true);
            }
            Files.move(
                    temporary,
                    target,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }
}
