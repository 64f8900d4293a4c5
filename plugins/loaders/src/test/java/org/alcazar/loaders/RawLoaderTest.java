package org.alcazar.loaders;

import static org.alcazar.loaders.FakeBoot.MIB;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.junit.jupiter.api.Test;

class RawLoaderTest {
    private final RawLoader loader = new RawLoader();
    private final byte[] code = FakeMemory.ascii("some code");

    @Test
    void nothingIsRecognisedAsRaw() {
        assertEquals(0, loader.recognises(new FakeBoot(code).kernel()));
    }

    @Test
    void aBootSectorIsEnteredInRealMode() throws ConfigurationException {
        FakeBoot boot = new FakeBoot(code).at(0x7c00);
        loader.load(boot);
        assertArrayEquals(code, boot.memory.bytes(0x7c00, code.length));
        assertEquals(0x7c00, boot.general(X86.RIP));
        assertEquals(2, boot.general(X86.RFLAGS));
        for (int s = X86.ES; s <= X86.GS; s++) {
            assertEquals(0, boot.segment(s, X86.SELECTOR));
            assertEquals(0, boot.segment(s, X86.BASE));
            assertEquals(0xffff, boot.segment(s, X86.LIMIT));
            assertEquals(s == X86.CS ? 0x9b : 0x93, boot.segment(s, X86.ATTRIBUTES));
        }
        assertEquals(0, boot.core.dirty & 1L << X86.CONTROL, "CR0 is as after reset");
        assertFalse(boot.memory.touched(0x11000), "nothing of the loader's lies in memory");
        Entry.assertMemoryTypes(boot);
    }

    @Test
    void aHigherImageIsEnteredInProtectedMode() throws ConfigurationException {
        FakeBoot boot = new FakeBoot(code).at(MIB + 3);
        loader.load(boot);
        assertArrayEquals(code, boot.memory.bytes(MIB + 3, code.length));
        Entry.assertProtectedMode(boot, MIB + 3);
    }

    @Test
    void theLimitsOfRealModeAreThoseOfItsInstructionPointer() throws ConfigurationException {
        FakeBoot last = new FakeBoot(code).at(0xfff0);
        loader.load(last);
        assertEquals(0xfff0, last.general(X86.RIP));
        assertEquals(0, last.core.dirty & 1L << X86.CONTROL);
        FakeBoot next = new FakeBoot(code).at(0x30000);
        loader.load(next);
        Entry.assertProtectedMode(next, 0x30000);
    }

    @Test
    void withoutAnAddressItIsRefused() {
        assertEquals(
                "guest.img is a raw image; say where it goes with address, such as 0x7c00",
                Entry.refusal(loader, new FakeBoot(code)));
    }

    @Test
    void whereThereIsNoRamItIsRefused() {
        for (long address : new long[] {0xa0000, 64 * MIB - 4, 1L << 40, -1, Long.MIN_VALUE}) {
            assertTrue(
                    Entry.refusal(loader, new FakeBoot(code).at(address)).startsWith("guest.img"));
        }
    }

    @Test
    void anImageOverTheDescriptorTableItNeedsIsRefused() {
        String message = Entry.refusal(loader, new FakeBoot(new byte[0x2000]).at(0x10000));
        assertEquals(
                "guest.img wants the memory at 0x10000; loaders need 0x10000 to 0x2ffff for"
                        + " themselves",
                message);
    }
}
