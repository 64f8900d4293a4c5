package org.alcazar.vmm.core;

import org.alcazar.vmm.plugin.ConfigurationException;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Reads what {@link SectionWriter} has written, and checks every byte of it. */
final class SectionReader {
    private static final int MAX_NAME = 4096;

    /** Takes sections in the order of the file. */
    interface Sink {
        void section(String name, int version, byte[] contents) throws ConfigurationException;
    }

    private final String path;
    private final CRC32C whole = new CRC32C();
    private final DataInputStream in;

    SectionReader(String path, InputStream stream) {
        this.path = path;
        this.in = new DataInputStream(new CheckedInputStream(stream, whole));
    }

    /**
     * @throws ConfigurationException if the file is not whole, or not one of ours
     */
    void read(Sink sink) throws IOException, ConfigurationException {
        try {
            readAll(sink);
        } catch (EOFException e) {
            throw wrong("is cut off");
        }
    }

    private void readAll(Sink sink) throws IOException, ConfigurationException {
        byte[] magic = in.readNBytes(SectionWriter.MAGIC.length);
        if (!Arrays.equals(magic, SectionWriter.MAGIC)) {
            throw wrong(magic.length == 0 ? "is empty" : "is no saved VM");
        }
        int format = in.readInt();
        if (format != SectionWriter.FORMAT) {
            throw wrong(
                    "has format "
                            + format
                            + "; this version of Alcazar reads format "
                            + SectionWriter.FORMAT);
        }
        int sections = 0;
        for (int length = in.readInt(); length != SectionWriter.END; length = in.readInt()) {
            readSection(length, sink);
            sections++;
        }
        int expected = in.readInt();
        int crc = (int) whole.getValue();
        if (in.readInt() != crc || expected != sections) {
            throw wrong("is damaged: its checksum is wrong");
        }
        if (in.read() >= 0) {
            throw wrong("goes on behind its end");
        }
    }

    private void readSection(int nameLength, Sink sink) throws IOException, ConfigurationException {
        if (nameLength < 0 || nameLength > MAX_NAME) {
            throw wrong("is damaged: a section's name has " + nameLength + " bytes");
        }
        String name = new String(exactly(nameLength), StandardCharsets.UTF_8);
        int version = in.readInt();
        int packing = in.readInt();
        int length = in.readInt();
        if (length < 0 || length > SectionWriter.MAX_SECTION) {
            throw wrong("is damaged: section '" + name + "' has " + length + " bytes");
        }
        byte[] contents = exactly(length);
        CRC32C crc = new CRC32C();
        crc.update(SectionWriter.header(name, version, packing, length));
        crc.update(contents);
        if (in.readInt() != (int) crc.getValue()) {
            throw wrong("is damaged: the checksum of section '" + name + "' is wrong");
        }
        sink.section(name, version, unpack(name, packing, contents));
    }

    private byte[] exactly(int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException();
        }
        return bytes;
    }

    private byte[] unpack(String name, int packing, byte[] contents) throws ConfigurationException {
        if (packing == SectionWriter.PLAIN) {
            return contents;
        }
        if (packing != SectionWriter.DEFLATED) {
            throw wrong("has section '" + name + "' in an unknown packing " + packing);
        }
        try (Inflater inflater = new Inflater()) {
            inflater.setInput(contents);
            byte[] out = new byte[Math.max(1 << 16, 4 * contents.length)];
            int size = 0;
            while (!inflater.finished()) {
                int step = inflater.inflate(out, size, out.length - size);
                size += step;
                if (size == out.length && size < SectionWriter.MAX_SECTION) {
                    out = Arrays.copyOf(out, Math.min(2 * size, SectionWriter.MAX_SECTION));
                } else if (step == 0) {
                    throw new DataFormatException("no end");
                }
            }
            return Arrays.copyOf(out, size);
        } catch (DataFormatException e) {
            throw new ConfigurationException(
                    "saved VM " + path + ": section '" + name + "' can't be unpacked", e);
        }
    }

    private ConfigurationException wrong(String what) {
        String line = what.replaceAll("\\p{Cntrl}", "?"); // a damaged name may hold anything
        return new ConfigurationException("saved VM " + path + " " + line);
    }
}
