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

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** PVH offsets are those of Xen's public/arch-x86/hvm/start_info.h. */
class ElfLoaderTest {
    private static final long START_INFO = 0x10000;
    private static final int PHYS32_ENTRY = 18;

    private final ElfLoader loader = new ElfLoader();
    private final byte[] code = new byte[5000];

    ElfLoaderTest() {
        new Random(4).nextBytes(code);
    }

    private FakeBoot load(Elf elf) throws ConfigurationException {
        FakeBoot boot = new FakeBoot(elf.build());
        loader.load(boot);
        return boot;
    }

    private String refusal(byte[] image) {
        return Entry.refusal(loader, new FakeBoot(image));
    }

    private static byte[] entry32(int entry) {
        return Elf.little(4).putInt(entry).array();
    }

    @Test
    void elfFilesAreRecognisedLittleEndianOnly() {
        byte[] image = Elf.wide().load(MIB, code).build();
        assertTrue(loader.recognises(new FakeBoot(image).kernel()) > 0);
        image[5] = 2;
        assertEquals(0, loader.recognises(new FakeBoot(image).kernel()));
        assertEquals(0, loader.recognises(new FakeBoot(new byte[3]).kernel()));
    }

    @Test
    void a64BitFileIsEnteredInLongMode() throws ConfigurationException {
        FakeBoot boot = load(Elf.wide().load(MIB, code).entry(MIB + 0x10));
        assertArrayEquals(code, boot.memory.bytes(MIB, code.length));
        Entry.assertLongMode(boot, MIB + 0x10);
    }

    @Test
    void a32BitFileIsEnteredInProtectedMode() throws ConfigurationException {
        FakeBoot boot = load(Elf.narrow().load(MIB, code).entry(MIB + 0x10));
        assertArrayEquals(code, boot.memory.bytes(MIB, code.length));
        Entry.assertProtectedMode(boot, MIB + 0x10);
    }

    @Test
    void segmentsLieAtTheirPhysicalAddressesAndTheEntryFollows() throws ConfigurationException {
        long high = 0xffff_ffff_8000_0000L;
        FakeBoot wide =
                load(
                        Elf.wide()
                                .load(high, 4 * MIB, new byte[16], 16)
                                .load(high + 0x5000, 8 * MIB, code, code.length)
                                .entry(high + 0x5004));
        assertArrayEquals(code, wide.memory.bytes(8 * MIB, code.length));
        Entry.assertLongMode(wide, 8 * MIB + 4);
        FakeBoot narrow =
                load(Elf.narrow().load(0xc010_0000L, MIB, code, 6000).entry(0xc010_0020L));
        Entry.assertProtectedMode(narrow, MIB + 0x20);
    }

    @Test
    void memoryBehindTheFilesPartIsCleared() throws ConfigurationException {
        FakeBoot boot = load(Elf.wide().load(MIB, MIB, code, 9000).entry(MIB));
        assertArrayEquals(code, boot.memory.bytes(MIB, code.length));
        assertArrayEquals(new byte[4000], boot.memory.bytes(MIB + 5000, 4000));
        assertEquals(0xcc, boot.memory.readByte(MIB + 9000), "and nothing more");
    }

    @Test
    void aPvhNoteDecidesOnModeAndEntry() throws ConfigurationException {
        for (Elf elf : List.of(Elf.wide(), Elf.narrow())) {
            elf.note("Linux", PHYS32_ENTRY, entry32(1)).note("Xen", 5, entry32(2));
            elf.note("Xen", PHYS32_ENTRY, entry32(0x10_0040));
            elf.load(MIB, code).entry(MIB);
            FakeBoot boot = load(elf);
            Entry.assertProtectedMode(boot, MIB + 0x40);
            assertEquals(START_INFO, boot.general(X86.RBX));
        }
    }

    @Test
    void aNoteMayHaveA64BitEntry() throws ConfigurationException {
        byte[] value = Elf.little(8).putLong(0x10_0080).array();
        FakeBoot boot = load(Elf.wide().note("Xen", PHYS32_ENTRY, value).load(MIB, code));
        Entry.assertProtectedMode(boot, MIB + 0x80);
    }

    @Test
    void theStartInfoTellsOfModulesCommandLineTablesAndMemory() throws ConfigurationException {
        FakeBoot boot =
                new FakeBoot(
                                Elf.wide()
                                        .note("Xen", PHYS32_ENTRY, entry32(0x10_0000))
                                        .load(MIB, MIB, code, 3 * MIB)
                                        .build())
                        .append("root=/dev/ram0")
                        .initrd(code)
                        .module("second", FakeMemory.ascii("abc"))
                        .acpi(0xe0000);
        loader.load(boot);
        FakeMemory memory = boot.memory;
        assertEquals(0x336e_c578, memory.readInt(START_INFO));
        assertEquals(1, memory.readInt(START_INFO + 4), "version");
        assertEquals(0, memory.readInt(START_INFO + 8), "flags");
        assertEquals(2, memory.readInt(START_INFO + 12));
        long modules = memory.readLong(START_INFO + 16);
        assertEquals(4 * MIB, memory.readLong(modules));
        assertEquals(code.length, memory.readLong(modules + 8));
        assertEquals(0, memory.readLong(modules + 16), "no command line of its own");
        assertArrayEquals(code, memory.bytes(4 * MIB, code.length));
        assertEquals(4 * MIB + 0x2000, memory.readLong(modules + 32));
        assertEquals(3, memory.readLong(modules + 40));
        assertEquals("root=/dev/ram0", memory.text(memory.readLong(START_INFO + 24)));
        assertEquals(0xe0000, memory.readLong(START_INFO + 32));
        long map = memory.readLong(START_INFO + 40);
        assertEquals(FakeBoot.PC.size(), memory.readInt(START_INFO + 48));
        assertEquals(0, memory.readInt(START_INFO + 52));
        for (MemoryRange range : FakeBoot.PC) {
            assertEquals(range.start(), memory.readLong(map));
            assertEquals(range.bytes(), memory.readLong(map + 8));
            assertEquals(range.kind().number(), memory.readInt(map + 16));
            assertEquals(0, memory.readInt(map + 20));
            map += 24;
        }
    }

    @Test
    void withoutModulesAndTablesTheirPlacesAreZero() throws ConfigurationException {
        FakeBoot boot =
                load(Elf.wide().note("Xen", PHYS32_ENTRY, entry32(0x10_0000)).load(MIB, code));
        assertEquals(0, boot.memory.readInt(START_INFO + 12));
        assertEquals(0, boot.memory.readLong(START_INFO + 16));
        assertEquals(0, boot.memory.readLong(START_INFO + 32));
        assertEquals("", boot.memory.text(boot.memory.readLong(START_INFO + 24)));
    }

    @Test
    void modulesOfALowKernelLieAboveTheFirstMebibyte() throws ConfigurationException {
        FakeBoot boot =
                new FakeBoot(
                                Elf.narrow()
                                        .note("Xen", PHYS32_ENTRY, entry32(0x8000))
                                        .load(0x8000, code)
                                        .build())
                        .initrd(new byte[200_000]);
        loader.load(boot);
        assertEquals(MIB, boot.memory.readLong(boot.memory.readLong(START_INFO + 16)));
    }

    @Test
    void tooManyModulesOrMemoryRangesAreRefused() {
        byte[] image =
                Elf.wide().note("Xen", PHYS32_ENTRY, entry32(0x10_0000)).load(MIB, code).build();
        FakeBoot modules = new FakeBoot(image);
        for (int i = 0; i < 17; i++) {
            modules.module("m" + i, code);
        }
        assertEquals("PVH: 17 modules; at most 16 fit", Entry.refusal(loader, modules));
        List<MemoryRange> ranges = new ArrayList<>();
        for (int i = 0; i < 147; i++) {
            ranges.add(new MemoryRange(i * MIB, 4096, RangeKind.RESERVED));
        }
        assertEquals(
                "PVH: a memory map of 147 ranges; at most 146 fit",
                Entry.refusal(loader, new FakeBoot(image).map(ranges)));
    }

    @Test
    void aForeignMachineIsNamed() {
        assertEquals(
                "guest.img is an ELF file for machine 20; wanted is x86 (3) or x86-64 (62)",
                refusal(Elf.narrow().machine(20).load(MIB, code).build()));
        assertTrue(refusal(Elf.narrow().machine(Elf.X86_64).build()).contains("machine 62"));
        assertTrue(refusal(Elf.wide().machine(183).build()).contains("machine 183"));
    }

    @Test
    void aTruncatedFileIsRefusedWhereverItEnds() {
        byte[] image = Elf.wide().load(MIB, code).build();
        for (int size : new int[] {16, 40, 64, 100, 119, 120, 2000, image.length - 1}) {
            String message = refusal(Arrays.copyOf(image, size));
            assertTrue(message.startsWith("guest.img"), message);
        }
        assertTrue(refusal(Arrays.copyOf(image, 100)).contains("truncated"));
        assertTrue(refusal(Arrays.copyOf(image, 2000)).contains("truncated"));
    }

    @Test
    void aFileWithNothingToLoadIsRefused() {
        assertEquals(
                "guest.img has no loadable segment",
                refusal(Elf.wide().note("Xen", 1, entry32(1)).build()));
        assertTrue(refusal(Elf.wide().build()).contains("no executable"));
    }

    @Test
    void headersThatPointOutOfTheFileAreRefused() {
        for (long table :
                new long[] {-1, Long.MAX_VALUE, Long.MAX_VALUE - 10, Long.MIN_VALUE, 1L << 40}) {
            byte[] image = Elf.wide().load(MIB, code).build();
            java.nio.ByteBuffer.wrap(image)
                    .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                    .putLong(32, table);
            assertTrue(refusal(image).startsWith("guest.img"));
        }
    }

    @Test
    void aSegmentThatIsLongerInTheFileThanInMemoryIsDamage() {
        assertTrue(
                refusal(Elf.wide().load(MIB, MIB, code, code.length - 1).build())
                        .contains("is damaged"));
    }

    @Test
    void segmentsBeyondRamOrOverTheLoadersPlaceAreRefused() {
        for (long address : new long[] {64 * MIB - 100, 0x9f000, 1L << 40, -4096}) {
            assertTrue(
                    refusal(Elf.wide().load(0, address, code, code.length).build())
                            .contains("no RAM"));
        }
        for (long address : new long[] {0xf000, 0x10000, 0x2f000}) {
            assertTrue(
                    refusal(Elf.wide().load(address, code).build())
                            .contains("loaders need 0x10000 to 0x2ffff"));
        }
        for (long memory : new long[] {-1, Long.MAX_VALUE, 1L << 62}) {
            assertTrue(
                    refusal(Elf.wide().load(MIB, MIB, code, memory).build())
                            .startsWith("guest.img"));
        }
    }

    @Test
    void randomHeadersNeverDoMoreThanBeingRefused() {
        Random random = new Random(8);
        byte[] image =
                Elf.wide().note("Xen", PHYS32_ENTRY, entry32(0x10_0000)).load(MIB, code).build();
        for (int i = 0; i < 400; i++) {
            byte[] wrong = image.clone();
            for (int n = random.nextInt(4); n >= 0; n--) {
                wrong[16 + random.nextInt(200)] = (byte) random.nextInt();
            }
            try {
                loader.load(new FakeBoot(wrong));
            } catch (ConfigurationException e) {
                assertTrue(String.valueOf(e.getMessage()).startsWith("guest.img"), e.getMessage());
            }
        }
    }
}
