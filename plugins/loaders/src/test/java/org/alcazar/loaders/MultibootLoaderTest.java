package org.alcazar.loaders;

import static org.alcazar.loaders.FakeBoot.MIB;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Multiboot Specification 0.6.96, chapters 3.1 (header), 3.2 (machine state) and 3.3 (information).
 */
class MultibootLoaderTest {
    private static final int MAGIC = 0x1bad_b002;
    private static final int ADDRESSES = 1 << 16;
    private static final long INFO = 0x10000;

    private final MultibootLoader loader = new MultibootLoader();
    private final byte[] code = new byte[5000];

    MultibootLoaderTest() {
        new Random(6).nextBytes(code);
    }

    private static byte[] header(int flags) {
        return Elf.little(12).putInt(MAGIC).putInt(flags).putInt(-MAGIC - flags).array();
    }

    /** Code with a header at its start. */
    private byte[] withHeader(int flags) {
        System.arraycopy(header(flags), 0, code, 0, 12);
        return code;
    }

    private Elf elf(int flags) {
        return Elf.narrow().load(MIB, withHeader(flags)).entry(MIB + 0x20);
    }

    /** An image whose header, at 64, has address fields. */
    private static byte[] image(long header, long load, long loadEnd, long bssEnd, long entry) {
        ByteBuffer out = Elf.little(4000);
        Arrays.fill(out.array(), (byte) 0x11);
        out.position(64);
        out.put(header(ADDRESSES)).putInt((int) header).putInt((int) load);
        out.putInt((int) loadEnd).putInt((int) bssEnd).putInt((int) entry);
        return out.array();
    }

    private FakeBoot load(byte[] image) throws ConfigurationException {
        FakeBoot boot = new FakeBoot(image);
        loader.load(boot);
        return boot;
    }

    private String refusal(byte[] image) {
        return Entry.refusal(loader, new FakeBoot(image));
    }

    @Test
    void aHeaderIsRecognisedWithinItsFirst8KibOnMultiplesOf4() {
        byte[] image = new byte[9000];
        for (int at : new int[] {0, 4, 4096, 8180}) {
            Arrays.fill(image, (byte) 0);
            System.arraycopy(header(3), 0, image, at, 12);
            assertTrue(loader.recognises(new FakeBoot(image).kernel()) > 0, "at " + at);
        }
        for (int at : new int[] {2, 8184, 8192}) {
            Arrays.fill(image, (byte) 0);
            System.arraycopy(header(3), 0, image, at, 12);
            assertEquals(0, loader.recognises(new FakeBoot(image).kernel()), "at " + at);
        }
        byte[] wrongSum = header(3);
        wrongSum[8]++;
        assertEquals(0, loader.recognises(new FakeBoot(wrongSum).kernel()));
        assertEquals(0, loader.recognises(new FakeBoot(new byte[11]).kernel()));
    }

    @Test
    void anElfKernelIsEnteredWithTheMagicAndTheInformation() throws ConfigurationException {
        FakeBoot boot = load(elf(3).build());
        assertArrayEquals(code, boot.memory.bytes(MIB, code.length));
        Entry.assertProtectedMode(boot, MIB + 0x20);
        assertEquals(0x2bad_b002L, boot.general(X86.RAX));
        assertEquals(INFO, boot.general(X86.RBX));
    }

    @Test
    void aHigherHalfKernelIsEnteredWhereItsSegmentLies() throws ConfigurationException {
        Elf elf = Elf.narrow().load(0xc010_0000L, MIB, withHeader(0), 9000).entry(0xc010_0040L);
        Entry.assertProtectedMode(load(elf.build()), MIB + 0x40);
    }

    @Test
    void addressFieldsSayWhatGoesWhere() throws ConfigurationException {
        FakeBoot boot = load(image(MIB + 64, MIB, MIB + 3000, MIB + 8000, MIB + 0x60));
        Entry.assertProtectedMode(boot, MIB + 0x60);
        assertEquals(MAGIC, boot.memory.readInt(MIB + 64));
        assertEquals(0x11, boot.memory.readByte(MIB + 2999));
        assertArrayEquals(new byte[5000], boot.memory.bytes(MIB + 3000, 5000), "cleared");
        assertEquals(0xcc, boot.memory.readByte(MIB + 8000));
    }

    @Test
    void whatLiesBeforeTheLoadAddressIsLeftOut() throws ConfigurationException {
        FakeBoot boot = load(image(MIB, MIB, 0, 0, MIB));
        assertEquals(MAGIC, boot.memory.readInt(MIB), "from the header on");
        assertEquals(0x11, boot.memory.readByte(MIB + 4000 - 64 - 1), "to the end of the file");
        assertEquals(0xcc, boot.memory.readByte(MIB + 4000 - 64));
    }

    @Test
    void addressFieldsWinOverElf() throws ConfigurationException {
        ByteBuffer out = Elf.little(200);
        out.put(Elf.narrow().load(8 * MIB, new byte[4]).entry(8 * MIB).build());
        out.position(120);
        out.put(header(ADDRESSES)).putInt((int) MIB + 120).putInt((int) MIB);
        out.putInt(0).putInt(0).putInt((int) MIB + 160);
        Entry.assertProtectedMode(load(out.array()), MIB + 160);
    }

    @Test
    void contradictingAddressesAreRefused() {
        assertTrue(refusal(image(MIB + 65, MIB, 0, 0, MIB)).contains("contradict"));
        assertTrue(refusal(image(MIB, MIB, MIB - 1, 0, MIB)).contains("contradict"));
        assertTrue(refusal(image(MIB, MIB, MIB + 4000, 0, MIB)).contains("truncated"));
        assertTrue(refusal(image(MIB, 2 * MIB, 0, 0, MIB)).contains("truncated"));
        assertTrue(refusal(image(MIB, MIB, 0, 0xffff_ffffL, MIB)).contains("no RAM"));
        assertTrue(refusal(image(0xa0000, 0xa0000, 0, 0, 0)).contains("no RAM"));
        assertTrue(refusal(image(INFO, INFO, 0, 0, INFO)).contains("loaders need"));
        assertTrue(refusal(image(0x8000, 0x8000, 0, MIB / 4, 0)).contains("loaders need"));
    }

    @Test
    void featuresThatNobodyKnowsAreRefused() {
        assertEquals(
                "guest.img asks for multiboot features 0x18 that are not known; known are 0x7",
                refusal(elf(0x1f).build()));
    }

    @Test
    void a64BitElfFileIsRefusedWithWhatWouldDo() {
        byte[] image = Elf.wide().load(MIB, withHeader(0)).entry(MIB).build();
        assertEquals(
                "guest.img is a 64-bit ELF file; multiboot 1 takes 32-bit ones or the header's"
                        + " address fields",
                refusal(image));
    }

    @Test
    void aTruncatedKernelIsRefused() {
        byte[] image = elf(3).build();
        for (int size : new int[] {100, 1000, image.length - 1}) {
            assertTrue(refusal(Arrays.copyOf(image, size)).contains("truncated"));
        }
        assertTrue(!refusal(header(3)).isEmpty(), "a header alone");
    }

    @Test
    void theInformationHasMemoryCommandLineAndLoader() throws ConfigurationException {
        FakeBoot boot = new FakeBoot(elf(3).build()).append("debug level=3");
        loader.load(boot);
        FakeMemory memory = boot.memory;
        assertEquals(0b10_0100_1101, memory.readInt(INFO));
        assertEquals(0x9fc00 >> 10, memory.readInt(INFO + 4), "KiB from 0");
        assertEquals(62 << 10, memory.readInt(INFO + 8), "KiB from 1 MiB");
        assertEquals("guest.img debug level=3", text(memory, INFO + 16));
        assertEquals(0, memory.readInt(INFO + 20));
        assertEquals("Alcazar", text(memory, INFO + 64));
        assertEquals("guest.img", text(load(elf(3).build()).memory, INFO + 16));
    }

    private static String text(FakeMemory memory, long pointer) {
        return memory.text(memory.readInt(pointer) & 0xffff_ffffL);
    }

    @Test
    void theMemoryMapIsThePlatforms() throws ConfigurationException {
        FakeMemory memory = load(elf(3).build()).memory;
        assertEquals(24 * FakeBoot.PC.size(), memory.readInt(INFO + 44));
        long at = memory.readInt(INFO + 48);
        for (MemoryRange range : FakeBoot.PC) {
            assertEquals(20, memory.readInt(at), "bytes behind this field");
            assertEquals(range.start(), memory.readLong(at + 4));
            assertEquals(range.bytes(), memory.readLong(at + 12));
            assertEquals(range.kind().number(), memory.readInt(at + 20));
            at += 24;
        }
    }

    @Test
    void modulesLieBehindTheKernelOnPagesWithTheirCommandLines() throws ConfigurationException {
        FakeBoot boot =
                new FakeBoot(elf(3).build())
                        .append("x")
                        .initrd(FakeMemory.ascii("disk"))
                        .module("driver.o irq=5", code);
        loader.load(boot);
        FakeMemory memory = boot.memory;
        assertEquals(2, memory.readInt(INFO + 20));
        long list = memory.readInt(INFO + 24);
        assertEquals(MIB + 0x2000, memory.readInt(list));
        assertEquals(MIB + 0x2004, memory.readInt(list + 4));
        assertEquals("initrd.gz", text(memory, list + 8));
        assertEquals(0, memory.readInt(list + 12));
        assertArrayEquals(FakeMemory.ascii("disk"), memory.bytes(MIB + 0x2000, 4));
        assertEquals(MIB + 0x3000, memory.readInt(list + 16));
        assertEquals(MIB + 0x3000 + code.length, memory.readInt(list + 20));
        assertEquals("driver.o irq=5", text(memory, list + 24));
        assertArrayEquals(code, memory.bytes(MIB + 0x3000, code.length));
        assertEquals("guest.img x", text(memory, INFO + 16));
    }

    @Test
    void moduleAndRangesBeyondTheirRoomAreRefused() {
        FakeBoot modules = new FakeBoot(elf(3).build());
        for (int i = 0; i < 33; i++) {
            modules.module("m", code);
        }
        assertEquals(
                "multiboot: at most 32 modules and 64 KiB of command lines fit",
                Entry.refusal(loader, modules));
        assertTrue(
                Entry.refusal(loader, new FakeBoot(elf(3).build()).module("m".repeat(70_000), code))
                        .contains("64 KiB"));
        assertTrue(
                Entry.refusal(loader, new FakeBoot(elf(3).build()).append("x".repeat(70_000)))
                        .contains("command line"));
        assertTrue(
                Entry.refusal(
                                loader,
                                new FakeBoot(elf(3).build()).initrd(new byte[(int) (63 * MIB)]))
                        .startsWith("initrd.gz needs guest memory"));
        List<MemoryRange> ranges = new ArrayList<>();
        for (int i = 0; i < 129; i++) {
            ranges.add(new MemoryRange(i * MIB, 4096, RangeKind.RESERVED));
        }
        assertEquals(
                "multiboot: a memory map of 129 ranges; at most 128 fit",
                Entry.refusal(loader, new FakeBoot(elf(3).build()).map(ranges)));
    }
}
