package org.alcazar.devices.acpi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

class TablesTest {
    private static final int ANCHOR = 0xe_0000;
    private static final int BASE = 0x1ffe_0000;

    private final Tables built =
            new Tables(new AcpiConfig(0x600, 9, 0, true, true), 2, ANCHOR, BASE);
    private final ByteBuffer anchor = wrap(built.anchor());
    private final ByteBuffer tables = wrap(built.tables());

    private static ByteBuffer wrap(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static int sum(byte[] bytes) {
        int sum = 0;
        for (byte b : bytes) {
            sum += b;
        }
        return sum & 0xff;
    }

    private static String text(ByteBuffer from, int at, int length) {
        return new String(from.array(), at, length, StandardCharsets.US_ASCII);
    }

    /** A table by its guest-physical address. */
    private byte[] table(int address) {
        int at = address - BASE;
        return Arrays.copyOfRange(tables.array(), at, at + tables.getInt(at + 4));
    }

    /** Address of the table that RSDT entry {@code index} names. */
    private int entry(int index) {
        return wrap(table(anchor.getInt(16))).getInt(Tables.HEADER + 4 * index);
    }

    private byte[] dsdt() {
        return table(wrap(table(entry(0))).getInt(40));
    }

    @Test
    void theRootPointerHasBothChecksums() {
        assertEquals("RSD PTR ", text(anchor, 0, 8));
        assertEquals(0, sum(Arrays.copyOf(anchor.array(), 20)));
        assertEquals(0, sum(Arrays.copyOf(anchor.array(), 36)));
    }

    @Test
    void everyTableHasItsChecksum() {
        assertEquals(0, sum(table(anchor.getInt(16))));
        assertEquals(0, sum(table((int) anchor.getLong(24))));
        assertEquals(0, sum(table(entry(0))));
        assertEquals(0, sum(table(entry(1))));
        assertEquals(0, sum(dsdt()));
    }

    @Test
    void bothRootTablesNameTheSameTables() {
        ByteBuffer xsdt = wrap(table((int) anchor.getLong(24)));
        assertEquals(entry(0), xsdt.getLong(Tables.HEADER));
        assertEquals(entry(1), xsdt.getLong(Tables.HEADER + 8));
    }

    @Test
    void theFadtNamesRegistersFacsAndDsdt() {
        ByteBuffer fadt = wrap(table(entry(0)));
        assertEquals("FACP", text(fadt, 0, 4));
        assertEquals(244, fadt.capacity());
        assertEquals(ANCHOR + 64, fadt.getInt(36));
        assertEquals("FACS", text(anchor, 64, 4));
        assertEquals(9, fadt.getShort(46));
        assertEquals(0x600, fadt.getInt(56));
        assertEquals(0x604, fadt.getInt(64));
        assertEquals(0x608, fadt.getInt(76));
        assertEquals(0xcf9, fadt.getLong(120));
        assertEquals(6, fadt.get(128));
        assertEquals(fadt.getInt(40), fadt.getLong(140));
        assertEquals(0x600, fadt.getLong(152));
    }

    @Test
    void theMadtHasACoreForEachVcore() {
        ByteBuffer madt = wrap(table(entry(1)));
        assertEquals("APIC", text(madt, 0, 4));
        assertEquals(0xfee0_0000, madt.getInt(36));
        assertArrayEquals(
                new byte[] {0, 8, 1, 1, 1, 0, 0, 0}, Arrays.copyOfRange(madt.array(), 52, 60));
        assertEquals(1, madt.get(60));
        assertEquals(0xfec0_0000, madt.getInt(64));
    }

    @Test
    void theDsdtNamesTheBusAndPowerOff() {
        String dsdt = new String(dsdt(), StandardCharsets.ISO_8859_1);
        assertTrue(dsdt.contains("PCI0"));
        assertTrue(dsdt.contains("_PRT"));
        assertTrue(dsdt.contains("_S5_"));
        assertTrue(dsdt.contains("COM1"));
    }

    @Test
    void eachCoreIsAProcessorDeviceWithTheIdOfItsEntry() {
        byte[] all = new Tables(new AcpiConfig(0x600, 9, 0, true, true), 64, ANCHOR, BASE).tables();
        String text = new String(all, StandardCharsets.ISO_8859_1);
        for (int i = 0; i < 64; i++) {
            String uid = i < 2 ? "" + (char) i : "\n" + (char) i;
            assertTrue(text.contains("C%03X\b_HID\rACPI0007\0\b_UID".formatted(i) + uid));
            String entry = "\0\b" + (char) i + (char) i + "\1\0\0\0";
            assertTrue(text.contains(entry), "entry of core " + i);
        }
    }

    @Test
    void absentDevicesAreNotNamed() {
        Tables bare = new Tables(new AcpiConfig(0x600, 9, 0, false, false), 1, ANCHOR, BASE);
        String all = new String(bare.tables(), StandardCharsets.ISO_8859_1);
        assertTrue(!all.contains("COM1") && !all.contains("KBD"));
    }

    @Test
    void plugAndPlayIdsAreCompressed() {
        assertArrayEquals(new byte[] {0x0c, 0x41, (byte) 0xd0, 0x0a, 0x03}, Aml.eisaId("PNP0A03"));
    }

    @Test
    void lengthsTakeAsManyBytesAsTheyNeed() {
        byte[] small = Aml.scope("\\_SB", new byte[10]);
        assertEquals(small.length - 1, small[1]);
        byte[] large = Aml.scope("\\_SB", new byte[5000]);
        int length = large[1] & 15 | (large[2] & 255) << 4 | (large[3] & 255) << 12;
        assertEquals(0x80, large[1] & 0xc0);
        assertEquals(large.length - 1, length);
    }

    @Test
    void theAcpiCompilerReadsTheDsdt(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("dsdt.dat");
        Files.write(file, dsdt());
        Process compiler;
        try {
            compiler =
                    new ProcessBuilder("iasl", "-d", file.toString())
                            .redirectErrorStream(true)
                            .start();
        } catch (IOException e) {
            Assumptions.abort("iasl is not installed");
            return;
        }
        String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, compiler.waitFor(), said);
        assertTrue(!said.contains("Error") && !said.contains("Warning"), said);
    }
}
