package org.alcazar.devices.fwcfg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.alcazar.machine.Width;
import org.alcazar.testkit.device.ArrayMemory;
import org.alcazar.vmm.Counter;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;

class FwCfgTest {
    private static final long REQUEST = 0x100;

    private final ArrayMemory memory = new ArrayMemory(1 << 16);
    private final Counter errors = new Counter();
    private final FwCfg device = new FwCfg(memory, errors);

    @Test
    void tellsItsSignatureByteByByteAndZerosBehindIt() {
        device.write(FwCfg.Reg.SELECTOR, Width.WORD, FwCfg.SIGNATURE);
        assertEquals("QEMU", text(4));
        assertEquals(0, device.read(FwCfg.Reg.DATA, Width.BYTE));
    }

    @Test
    void filesAreInTheDirectoryByName() {
        device.addFile("opt/b", new byte[] {1, 2, 3});
        device.addFile("opt/a", new byte[] {9});
        device.write(FwCfg.Reg.SELECTOR, Width.WORD, FwCfg.FILE_DIR);
        ByteBuffer directory = ByteBuffer.wrap(bytes(4 + 2 * 64));
        assertEquals(2, directory.getInt());
        assertEquals(1, directory.getInt());
        int select = directory.getShort();
        directory.getShort();
        byte[] name = new byte[5];
        directory.get(name);
        assertEquals("opt/a", new String(name, StandardCharsets.US_ASCII));
        device.write(FwCfg.Reg.SELECTOR, Width.WORD, select);
        assertEquals(9, device.read(FwCfg.Reg.DATA, Width.BYTE));
    }

    @Test
    void dmaCopiesAndFillsWithZeros() {
        device.addFile("f", new byte[] {1, 2, 3});
        memory.fill(0x200, 8, 0xff);
        dma(0x20 << 16 | 8 | 2, 5, 0x200);
        assertEquals(0, memory.readInt(REQUEST));
        assertArrayEquals(new byte[] {1, 2, 3, 0, 0, -1}, memory.copy(0x200, 6));
    }

    @Test
    void dmaOutsideOfRamAndWritesSetTheErrorBit() {
        dma(8 | 2, 4, 0x10_0000);
        assertEquals(1, Integer.reverseBytes(memory.readInt(REQUEST)));
        dma(16, 4, 0x200);
        assertEquals(1, Integer.reverseBytes(memory.readInt(REQUEST)));
        assertEquals(2, errors.value());
    }

    @Test
    void theDmaRegisterReadsAsItsSignature() {
        assertEquals(0x554d4551, device.read(FwCfg.Reg.DMA_HIGH, Width.DWORD));
        assertEquals(0x47464320, device.read(FwCfg.Reg.DMA_LOW, Width.DWORD));
    }

    @Test
    void longNamesAndTooManyFilesAreRefused() {
        assertThrows(
                IllegalArgumentException.class, () -> device.addFile("x".repeat(56), new byte[1]));
        for (int i = 0; i < FwCfg.FILES_MAX; i++) {
            device.addFile("f" + i, new byte[i]);
        }
        assertThrows(IllegalArgumentException.class, () -> device.addFile("more", new byte[1]));
    }

    @Test
    void savedStateGoesOnWhereTheGuestStood() {
        device.write(FwCfg.Reg.SELECTOR, Width.WORD, FwCfg.SIGNATURE);
        assertEquals("QE", text(2));
        FwCfg other = new FwCfg(memory, errors);
        other.restore(device.save());
        assertEquals(device.save(), other.save());
        assertEquals('M', other.read(FwCfg.Reg.DATA, Width.BYTE));
    }

    @Test
    void anyAccessIsHarmless() {
        Random random = new Random(1);
        for (int i = 0; i < 100_000; i++) {
            Width width = Width.of(1 << random.nextInt(4));
            long offset = random.nextInt(FwCfg.PORTS);
            if (random.nextBoolean()) {
                assertEquals(0, device.read(offset, width) & ~width.mask());
            } else {
                device.write(offset, width, random.nextLong() & width.mask());
            }
        }
    }

    private void dma(int control, int length, long address) {
        ByteBuffer request = ByteBuffer.allocate(16);
        request.putInt(control).putInt(length).putLong(address);
        memory.write(REQUEST, request.array(), 0, 16);
        device.write(FwCfg.Reg.DMA_HIGH, Width.DWORD, 0);
        device.write(
                FwCfg.Reg.DMA_LOW, Width.DWORD, Integer.reverseBytes((int) REQUEST) & 0xffff_ffffL);
    }

    private String text(int count) {
        return new String(bytes(count), StandardCharsets.US_ASCII);
    }

    private byte[] bytes(int count) {
        byte[] out = new byte[count];
        for (int i = 0; i < count; i++) {
            out[i] = (byte) device.read(FwCfg.Reg.DATA, Width.BYTE);
        }
        return out;
    }
}
