package org.alcazar.vmm.core;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import java.util.zip.Deflater;

/**
 * Writes a file of named, versioned sections:
 *
 * <pre>
 * file    = MAGIC format(int) section… end
 * section = name(int length, UTF-8) version(int) packing(int) length(int) contents crc(int)
 * end     = -1(int) sections(int) crc(int)
 * </pre>
 *
 * Numbers are big-endian. A section's CRC-32C covers all of the section before it, the last one
 * covers the whole file before it.
 */
final class SectionWriter {
    static final byte[] MAGIC = "ALCAZAR\n".getBytes(StandardCharsets.US_ASCII);
    static final int FORMAT = 1;

    /** Packings. */
    static final int PLAIN = 0;

    static final int DEFLATED = 1;
    static final int END = -1;

    /** Sections are small enough to be held whole. */
    static final int MAX_SECTION = 64 << 20;

    private final CRC32C whole = new CRC32C();
    private final DataOutputStream out;
    private int sections;

    SectionWriter(OutputStream stream) throws IOException {
        out = new DataOutputStream(new CheckedOutputStream(stream, whole));
        out.write(MAGIC);
        out.writeInt(FORMAT);
    }

    void write(String name, int version, byte[] contents, int length) throws IOException {
        write(name, version, PLAIN, contents, length);
    }

    /** Packs the contents if that makes them smaller. */
    void writePacked(String name, int version, byte[] contents, int length) throws IOException {
        byte[] packed = new byte[length];
        try (Deflater deflater = new Deflater(Deflater.BEST_SPEED)) {
            deflater.setInput(contents, 0, length);
            deflater.finish();
            int size = 0;
            while (!deflater.finished() && size < length) {
                size += deflater.deflate(packed, size, length - size);
            }
            if (deflater.finished() && size < length) {
                write(name, version, DEFLATED, packed, size);
                return;
            }
        }
        write(name, version, PLAIN, contents, length);
    }

    private void write(String name, int version, int packing, byte[] contents, int length)
            throws IOException {
        if (length > MAX_SECTION) {
            throw new IOException("section " + name + " is too large: " + length + " bytes");
        }
        byte[] header = header(name, version, packing, length);
        CRC32C crc = new CRC32C();
        crc.update(header);
        crc.update(contents, 0, length);
        out.write(header);
        out.write(contents, 0, length);
        out.writeInt((int) crc.getValue());
        sections++;
    }

    static byte[] header(String name, int version, int packing, int length) {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(4 * Integer.BYTES + text.length)
                .putInt(text.length)
                .put(text)
                .putInt(version)
                .putInt(packing)
                .putInt(length)
                .array();
    }

    /** Ends the file; the stream stays open. */
    void finish() throws IOException {
        out.writeInt(END);
        out.writeInt(sections);
        int crc = (int) whole.getValue();
        out.writeInt(crc);
        out.flush();
    }
}
