package org.alcazar.host;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

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

    /** Fills a stream. */
    @FunctionalInterface
    interface Writer {
        void writeTo(OutputStream out) throws IOException;
    }
}
