package org.alcazar.management.shell;

import org.alcazar.vmm.management.AccessReport;
import org.alcazar.vmm.management.AccessReport.Area;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;

/**
 * Which pages a guest uses, as a list and as pictures. A picture has a dot for each page, 512 in a
 * row, so that a row is 2 MiB: the brighter, the more often used; red ones were written.
 */
final class HeatMap {
    private static final long PAGE = 4096;
    private static final int COLUMNS = 512;

    /** A letter of a text picture stands for so many pages: a row of 64 is 2 MiB. */
    private static final int PAGES_A_LETTER = 8;

    private static final String SHADES = " .:-=+*#%@";

    private HeatMap() {}

    private record Heat(long address, int used, int written) {}

    /** The pages used most often, the first ones first among equals. */
    static List<Map<String, Object>> top(AccessReport report, long count) {
        List<Heat> all = new ArrayList<>();
        for (Area area : report.areas()) {
            for (int i = 0; i < area.used().length; i++) {
                if (area.used()[i] > 0) {
                    all.add(new Heat(area.start() + i * PAGE, area.used()[i], area.written()[i]));
                }
            }
        }
        all.sort(Comparator.comparingInt(Heat::used).reversed());
        List<Map<String, Object>> out = new ArrayList<>();
        for (Heat heat : all.subList(0, (int) Math.min(count, all.size()))) {
            out.add(
                    LifeCycleCommands.ordered(
                            "page",
                            "0x%x".formatted(heat.address),
                            "used",
                            heat.used,
                            "written",
                            heat.written,
                            "samples",
                            report.samples()));
        }
        return out;
    }

    /** A line for each 2 MiB: its address, and how much of it is used. */
    static List<String> text(AccessReport report) {
        List<String> out = new ArrayList<>();
        for (Area area : report.areas()) {
            for (int row = 0; row < area.used().length; row += COLUMNS) {
                StringBuilder line = new StringBuilder();
                int end = Math.min(row + COLUMNS, area.used().length);
                for (int i = row; i < end; i += PAGES_A_LETTER) {
                    int most = 0;
                    for (int k = i; k < Math.min(end, i + PAGES_A_LETTER); k++) {
                        most = Math.max(most, area.used()[k]);
                    }
                    long shades = SHADES.length() - 1;
                    long shade = (most * shades + report.samples() - 1) / most(report);
                    line.append(SHADES.charAt((int) Math.min(shade, shades)));
                }
                out.add("%10x |%s|".formatted(area.start() + row * PAGE, line));
            }
        }
        return out;
    }

    private static long most(AccessReport report) {
        return Math.max(1, report.samples());
    }

    /** The areas below each other, as a PNG file (ISO/IEC 15948). */
    static byte[] png(AccessReport report) throws IOException {
        int rows = 0;
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (DeflaterOutputStream pixels = new DeflaterOutputStream(packed)) {
            for (Area area : report.areas()) {
                for (int row = 0; row < area.used().length; row += COLUMNS) {
                    rows++;
                    pixels.write(0); // no filter
                    for (int i = row; i < row + COLUMNS; i++) {
                        pixels.write(pixel(report, area, i));
                    }
                }
            }
            if (rows == 0) {
                rows = 1;
                pixels.write(new byte[1 + 3 * COLUMNS]);
            }
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeLong(0x89504e470d0a1a0aL);
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        DataOutputStream fields = new DataOutputStream(header);
        fields.writeInt(COLUMNS);
        fields.writeInt(rows);
        fields.write(new byte[] {8, 2, 0, 0, 0}); // 8 bits of red, green and blue each
        chunk(out, "IHDR", header.toByteArray());
        chunk(out, "IDAT", packed.toByteArray());
        chunk(out, "IEND", new byte[0]);
        return bytes.toByteArray();
    }

    private static byte[] pixel(AccessReport report, Area area, int page) {
        if (page >= area.used().length) {
            return new byte[] {64, 64, 64}; // no RAM
        }
        int used = shade(area.used()[page], report);
        int written = shade(area.written()[page], report);
        int both = used - Math.min(used, written);
        return new byte[] {(byte) used, (byte) both, (byte) both};
    }

    /** 0 for never, 80 to 255 for once to always. */
    private static int shade(int count, AccessReport report) {
        return count == 0 ? 0 : (int) (80 + 175L * Math.min(count, most(report)) / most(report));
    }

    private static void chunk(DataOutputStream out, String type, byte[] content)
            throws IOException {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 sum = new CRC32();
        sum.update(name);
        sum.update(content);
        out.writeInt(content.length);
        out.write(name);
        out.write(content);
        out.writeInt((int) sum.getValue());
    }
}
