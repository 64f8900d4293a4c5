package org.alcazar.launcher.guest;

import org.jspecify.annotations.Nullable;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Takes some files out of a POSIX "ustar" archive while it streams by (IEEE 1003.1, pax, "ustar
 * Interchange Format"). Long names in GNU's form are passed over: the files wanted have short ones.
 */
final class TarReader {
    private static final int BLOCK = 512;
    private static final int NAME_LENGTH = 100;
    private static final int SIZE_OFFSET = 124;
    private static final int SIZE_LENGTH = 12;
    private static final int TYPE_OFFSET = 156;

    private final InputStream in;

    TarReader(InputStream in) {
        this.in = in;
    }

    /**
     * Copies the first regular file that fits each pattern, and stops when it has them all.
     *
     * @param wanted patterns of names without a leading "./", and where each file goes
     * @return the patterns that no file fits
     */
    Set<Pattern> extract(Map<Pattern, Path> wanted) throws IOException {
        Map<Pattern, Path> missing = new LinkedHashMap<>(wanted);
        byte[] header = new byte[BLOCK];
        while (!missing.isEmpty() && in.readNBytes(header, 0, BLOCK) == BLOCK && header[0] != 0) {
            String name = text(header, 0, NAME_LENGTH);
            if (name.startsWith("./")) {
                name = name.substring(2);
            }
            long size = size(header);
            boolean regular = header[TYPE_OFFSET] == '0' || header[TYPE_OFFSET] == 0;
            Path to = regular ? take(missing, name) : null;
            if (to != null) {
                copy(size, to);
                in.skipNBytes(-size & BLOCK - 1);
            } else {
                in.skipNBytes((size + BLOCK - 1) / BLOCK * BLOCK);
            }
        }
        return missing.keySet();
    }

    private static @Nullable Path take(Map<Pattern, Path> missing, String name) {
        for (Pattern pattern : missing.keySet()) {
            if (pattern.matcher(name).matches()) {
                return missing.remove(pattern);
            }
        }
        return null;
    }

    private void copy(long size, Path to) throws IOException {
        try (var out = Files.newOutputStream(to)) {
            byte[] buffer = new byte[1 << 16];
            long left = size;
            while (left > 0) {
                int count = in.read(buffer, 0, (int) Math.min(left, buffer.length));
                if (count < 0) {
                    throw new EOFException("the archive ends within a file");
                }
                out.write(buffer, 0, count);
                left -= count;
            }
        }
    }

    private static long size(byte[] header) throws IOException {
        String digits = text(header, SIZE_OFFSET, SIZE_LENGTH).strip();
        try {
            return digits.isEmpty() ? 0 : Long.parseLong(digits, 8);
        } catch (NumberFormatException e) {
            throw new IOException("no tar archive: a size reads '" + digits + "'", e);
        }
    }

    private static String text(byte[] block, int offset, int length) {
        int end = offset;
        while (end < offset + length && block[end] != 0) {
            end++;
        }
        return new String(block, offset, end - offset, StandardCharsets.ISO_8859_1);
    }
}
