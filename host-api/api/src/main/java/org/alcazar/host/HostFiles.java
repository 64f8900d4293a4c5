package org.alcazar.host;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** Optional: files by name. Kernels, images and saved VMs come through here. */
public interface HostFiles {
    /** Size in bytes. */
    long size(String path) throws IOException;

    InputStream read(String path) throws IOException;

    /**
     * Writes a file atomically: it appears whole under its name when {@code writer} has returned,
     * or not at all.
     */
    void write(String path, Writer writer) throws IOException;

    /**
     * Makes a file to read and write anywhere, which nobody else sees in use and which is removed
     * when it is closed.
     *
     * @throws IOException if there is such a file already, it can't be made, or this host has no
     *     files of this kind
     */
    default Scratch scratch(String path) throws IOException {
        throw new IOException(path + ": this host has no files to write at random");
    }

    /** A file that is open. Not for several threads at once. */
    interface Scratch extends AutoCloseable {
        /**
         * Fills the rest of the buffer.
         *
         * @param at offset in bytes
         * @throws IOException also if the file ends before
         */
        void read(long at, ByteBuffer into) throws IOException;

        /** Writes the rest of the buffer; the file grows as needed. */
        void write(long at, ByteBuffer from) throws IOException;

        /** Removes the file. */
        @Override
        void close() throws IOException;
    }

    /** Fills a stream. */
    @FunctionalInterface
    interface Writer {
        void writeTo(OutputStream out) throws IOException;
    }
}
