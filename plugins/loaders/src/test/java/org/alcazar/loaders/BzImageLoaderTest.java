package org.alcazar.loaders;

import static org.alcazar.loaders.FakeBoot.MIB;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Offsets are those of Documentation/arch/x86/boot.rst and zero-page.rst. */
class BzImageLoaderTest {
    private static final int SETUP = 1024;
    private static final int PAYLOAD = 5000;
    private static final long PREFERRED = 16 * MIB;
    private static final long ZERO_PAGE = 0x10000;

    private final BzImageLoader loader = new BzImageLoader();
    private final ByteBuffer image = image();

    /** A kernel of protocol 2.15 with a 64-bit entry. */
    private static ByteBuffer image() {
        byte[] bytes = new byte[SETUP + PAYLOAD];
        new Random(1).nextBytes(bytes);
        ByteBuffer image = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0x1f1, (byte) 1);
        image.putInt(0x1f4, (PAYLOAD + 15) / 16);
        image.put(0x200, (byte) 0xeb).put(0x201, (byte) 0x6a);
        image.putInt(0x202, 0x53726448);
        image.putShort(0x206, (short) 0x20f);
        image.put(0x211, (byte) 1);
        image.putInt(0x22c, 0x7fff_ffff);
        image.putInt(0x230, 2 << 20).put(0x234, (byte) 1);
        image.putShort(0x236, (short) 1);
        image.putInt(0x238, 255);
        image.putLong(0x258, PREFERRED);
        image.putInt(0x260, 2 << 20);
        return image;
    }

    private FakeBoot boot() {
        return new FakeBoot(image.array());
    }

    private String refusal() {
        return Entry.refusal(loader, boot());
    }

    @Test
    void aKernelIsRecognisedByItsMagic() {
        assertTrue(loader.recognises(boot().kernel()) > 0);
        image.putInt(0x202, 0);
        assertEquals(0, loader.recognises(boot().kernel()));
        assertEquals(0, loader.recognises(new FakeBoot.Bytes("empty", new byte[0])));
    }

    @Test
    void theKernelLiesWhereItWantsToAndIsEnteredInLongMode() throws ConfigurationException {
        FakeBoot boot = boot();
        loader.load(boot);
        assertArrayEquals(
                Arrays.copyOfRange(image.array(), SETUP, SETUP + PAYLOAD),
                boot.memory.bytes(PREFERRED, PAYLOAD));
        Entry.assertLongMode(boot, PREFERRED + 0x200);
        assertEquals(ZERO_PAGE, boot.general(X86.RSI));
        assertEquals(0, boot.general(X86.RBX) | boot.general(X86.RBP) | boot.general(X86.RDI));
    }

    @Test
    void aKernelWithoutA64BitEntryIsEnteredInProtectedMode() throws ConfigurationException {
        image.putShort(0x236, (short) 0);
        FakeBoot boot = boot();
        loader.load(boot);
        Entry.assertProtectedMode(boot, PREFERRED);
        assertEquals(ZERO_PAGE, boot.general(X86.RSI));
    }

    @Test
    void anOlderKernelGoesToItsAlignmentOrOneMebibyte() throws ConfigurationException {
        image.putShort(0x206, (short) 0x209);
        FakeBoot relocatable = boot();
        loader.load(relocatable);
        Entry.assertProtectedMode(relocatable, 2 * MIB);
        image.put(0x234, (byte) 0);
        FakeBoot fixed = boot();
        loader.load(fixed);
        Entry.assertProtectedMode(fixed, MIB);
    }

    @Test
    void theZeroPageHasTheHeaderAndWhatTheLoaderSays() throws ConfigurationException {
        FakeBoot boot = boot().append("console=ttyS0 quiet").acpi(0xe0010);
        loader.load(boot);
        FakeMemory memory = boot.memory;
        assertEquals(0x53726448, memory.readInt(ZERO_PAGE + 0x202));
        assertEquals(0x20f, memory.readShort(ZERO_PAGE + 0x206));
        assertEquals(1, memory.readByte(ZERO_PAGE + 0x1f1));
        assertEquals(2 << 20, memory.readInt(ZERO_PAGE + 0x260));
        assertArrayEquals(
                Arrays.copyOfRange(image.array(), 0x264, 0x26c),
                memory.bytes(ZERO_PAGE + 0x264, 8),
                "to the end that the jump tells");
        assertEquals(0, memory.readInt(ZERO_PAGE + 0x26c));
        assertEquals(0, memory.readByte(ZERO_PAGE + 0x1f0), "nothing before the header");
        assertEquals(0xff, memory.readByte(ZERO_PAGE + 0x210));
        assertEquals(0x81, memory.readByte(ZERO_PAGE + 0x211));
        assertEquals(0xfe00, memory.readShort(ZERO_PAGE + 0x224));
        assertEquals(PREFERRED, memory.readInt(ZERO_PAGE + 0x214));
        assertEquals("console=ttyS0 quiet", memory.text(memory.readInt(ZERO_PAGE + 0x228)));
        assertEquals(0, memory.readInt(ZERO_PAGE + 0xc8));
        assertEquals(0xe0010, memory.readLong(ZERO_PAGE + 0x70));
        assertEquals(0, memory.readLong(ZERO_PAGE + 0xc0), "no initrd");
        assertEquals(0, memory.readInt(ZERO_PAGE + 0x21c));
        assertEquals(0, memory.readInt(ZERO_PAGE + 0xffc));
    }

    @Test
    void theMemoryMapIsThePlatforms() throws ConfigurationException {
        FakeBoot boot = boot();
        loader.load(boot);
        assertEquals(FakeBoot.PC.size(), boot.memory.readByte(ZERO_PAGE + 0x1e8));
        for (int i = 0; i < FakeBoot.PC.size(); i++) {
            MemoryRange range = FakeBoot.PC.get(i);
            long entry = ZERO_PAGE + 0x2d0 + 20L * i;
            assertEquals(range.start(), boot.memory.readLong(entry));
            assertEquals(range.bytes(), boot.memory.readLong(entry + 8));
            assertEquals(range.kind().number(), boot.memory.readInt(entry + 16));
        }
        assertEquals(62 << 10, boot.memory.readInt(ZERO_PAGE + 0x1e0), "KiB above 1 MiB");
        assertEquals(0, boot.memory.readLong(ZERO_PAGE + 0x70), "no ACPI");
    }

    @Test
    void aMapOfTooManyRangesIsCut() throws ConfigurationException {
        List<MemoryRange> many = new ArrayList<>(FakeBoot.PC);
        for (int i = 0; i < 200; i++) {
            many.add(new MemoryRange((1L << 32) + i * MIB, 4096, RangeKind.RESERVED));
        }
        FakeBoot boot = boot().map(many);
        loader.load(boot);
        assertEquals(128, boot.memory.readByte(ZERO_PAGE + 0x1e8));
        assertEquals(0, boot.memory.readInt(ZERO_PAGE + 0x2d0 + 128 * 20));
    }

    @Test
    void theInitrdLiesAsHighAsItMay() throws ConfigurationException {
        byte[] initrd = new byte[10_000];
        new Random(2).nextBytes(initrd);
        FakeBoot boot = boot().initrd(initrd);
        loader.load(boot);
        long at = 63 * MIB - 12288;
        assertEquals(at, boot.memory.readInt(ZERO_PAGE + 0x218));
        assertEquals(10_000, boot.memory.readInt(ZERO_PAGE + 0x21c));
        assertArrayEquals(initrd, boot.memory.bytes(at, initrd.length));
        image.putInt(0x22c, (int) (40 * MIB - 1));
        FakeBoot lower = boot().initrd(initrd);
        loader.load(lower);
        assertEquals(40 * MIB - 12288, lower.memory.readInt(ZERO_PAGE + 0x218));
    }

    @Test
    void anInitrdThatDoesNotFitBehindTheKernelIsRefused() {
        image.putInt(0x22c, (int) (20 * MIB - 1));
        String message = Entry.refusal(loader, boot().initrd(new byte[(int) (2 * MIB) + 1]));
        assertEquals(
                "initrd.gz with its 2048 KiB does not fit into guest memory beside the kernel; give"
                        + " the VM more memory",
                message);
    }

    @Test
    void aTruncatedKernelIsRefusedWithBothSizes() {
        FakeBoot boot = new FakeBoot(Arrays.copyOf(image.array(), SETUP + PAYLOAD - 100));
        assertEquals(
                "guest.img is truncated: it has 5924 bytes, its header speaks of 6032",
                Entry.refusal(loader, boot));
        for (int size : new int[] {0x210, 0x262, SETUP}) {
            FakeBoot shorter = new FakeBoot(Arrays.copyOf(image.array(), size));
            assertTrue(!Entry.refusal(loader, shorter).isEmpty());
        }
    }

    @Test
    void aKernelOfAnOldProtocolOrForLowMemoryIsRefused() {
        image.putShort(0x206, (short) 0x205);
        assertTrue(refusal().contains("boot protocol 2.05"), refusal());
        image.putShort(0x206, (short) 0x20f).put(0x211, (byte) 0);
        assertTrue(refusal().contains("loads low"), refusal());
    }

    @Test
    void theCommandLineMayBeAsLongAsTheKernelSays() throws ConfigurationException {
        FakeBoot longest = boot().append("x".repeat(255));
        loader.load(longest);
        assertEquals(255, longest.memory.text(longest.memory.readInt(ZERO_PAGE + 0x228)).length());
        assertEquals(
                "append: the command line has 256 bytes, guest.img takes 255 at most",
                Entry.refusal(loader, boot().append("x".repeat(256))));
        assertTrue(
                Entry.refusal(loader, boot().append("ä".repeat(128))).contains("256 bytes"),
                "bytes count, not letters");
    }

    @Test
    void aKernelThatNeedsMoreMemoryThanThereIsIsRefused() {
        image.putInt(0x260, (int) (60 * MIB));
        assertTrue(refusal().contains("0x1000000 to 0x4bfffff"), refusal());
        image.putLong(0x258, -4096);
        assertTrue(refusal().startsWith("guest.img"), refusal());
    }

    @Test
    void aKernelThatWantsTheLoadersPlaceIsRefused() {
        image.putLong(0x258, 0x10000).putInt(0x260, 8192);
        assertTrue(refusal().contains("loaders need 0x10000 to 0x2ffff"), refusal());
    }

    @Test
    void debiansKernelLoads() throws IOException, ConfigurationException {
        Path folder = Path.of("../../guests/linux/build");
        assumeTrue(Files.isDirectory(folder), "guests/linux was not built");
        List<Path> kernels;
        try (var files = Files.walk(folder)) {
            kernels =
                    files.filter(f -> String.valueOf(f.getFileName()).startsWith("vmlinuz"))
                            .filter(Files::isRegularFile)
                            .toList();
        }
        assumeTrue(!kernels.isEmpty(), "guests/linux was not built");
        for (Path kernel : kernels) {
            FakeBoot boot = new FakeBoot(Files.readAllBytes(kernel)).append("quiet");
            boot.memory.ram(64 * MIB, 256 * MIB);
            boot.map(List.of(new MemoryRange(MIB, 319 * MIB, RangeKind.RAM)));
            boot.initrd(new byte[100]);
            boot.memory.ram(MIB, 319 * MIB);
            assertTrue(loader.recognises(boot.kernel()) > 0);
            loader.load(boot);
            long entry = boot.general(X86.RIP);
            Entry.assertLongMode(boot, entry);
            assertEquals(entry - 0x200, boot.memory.readInt(ZERO_PAGE + 0x214) & 0xffff_ffffL);
            assertTrue(boot.memory.touched(entry));
        }
    }
}
