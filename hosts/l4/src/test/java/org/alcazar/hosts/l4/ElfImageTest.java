package org.alcazar.hosts.l4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/** What is loaded and what is refused. */
class ElfImageTest {
    private static final long END = UserMemory.END;

    /** A file with code at 0x401000 and data of 0x3000 bytes at 0x402000. */
    static byte[] file(byte... code) {
        ByteBuffer out = ByteBuffer.allocate(0x200 + code.length).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(0, 0x464c457f).put(4, (byte) 2).put(5, (byte) 1);
        out.putShort(16, (short) 2).putShort(18, (short) 62);
        out.putLong(24, 0x401000).putLong(32, 64);
        out.putShort(54, (short) 56).putShort(56, (short) 2);
        header(out, 64, 5, 0x200, 0x401000, code.length, Math.max(code.length, 1));
        header(out, 120, 6, 0x100, 0x402000, 16, 0x3000);
        out.putLong(0x100, 0x1122334455667788L);
        out.position(0x200);
        out.put(code);
        return out.array();
    }

    private static void header(
            ByteBuffer out, int at, int flags, long offset, long address, long file, long memory) {
        out.putInt(at, 1).putInt(at + 4, flags);
        out.putLong(at + 8, offset).putLong(at + 16, address);
        out.putLong(at + 32, file).putLong(at + 40, memory);
    }

    @Test
    void segmentsAreFoundInOrderWithTheirRights() throws HostRefusal {
        ElfImage image = ElfImage.read("p", file(new byte[] {1, 2}), END);
        assertEquals(0x401000, image.entry());
        assertEquals(
                new ElfImage.Segment(0x401000, 2, 0x200, 2, Flexpage.READ | Flexpage.EXECUTE),
                image.segments().get(0));
        assertEquals(
                new ElfImage.Segment(0x402000, 0x3000, 0x100, 16, Flexpage.READ | Flexpage.WRITE),
                image.segments().get(1));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0, is no ELF file",
        "4, 1, is not for x86-64",
        "18, 40, is not for x86-64",
        "16, 3, 'is of ELF type 3, not a static executable (2); link it with -static -no-pie'",
        "56, 0, has no table of 1 to 64 program headers",
        "33, 2, has no table of 1 to 64 program headers",
        "39, -128, has no table of 1 to 64 program headers",
        "64, 3, is linked dynamically; link it with -static -no-pie",
        "74, 1, lacks bytes that its segment at 0x401000 has",
        "79, -1, lacks bytes that its segment at 0x401000 has",
        "97, 1, lacks bytes that its segment at 0x401000 has",
        "160, 1, has a segment at 0x402000 that is larger in the file than in memory",
        "87, 127, has a segment at 0x7f00000000401000 of 0x2 bytes",
        "82, 0, has a segment at 0x1000 of 0x2 bytes",
        "137, 16, has segments that overlap at 0x401000",
        "25, 80, 'starts at 0x405000, where it has no code of its own'",
        "68, 6, 'starts at 0x401000, where it has no code of its own'",
    })
    void anythingWrongIsRefusedInALine(int at, byte value, String why) {
        byte[] file = file(new byte[] {1, 2});
        file[at] = value;
        if (at == 160) {
            file[161] = 0;
        }
        HostRefusal refusal = assertThrows(HostRefusal.class, () -> ElfImage.read("p", file, END));
        String message = String.valueOf(refusal.getMessage());
        assertTrue(message.startsWith("native program p: " + why), message);
        assertFalse(message.contains("\n"));
    }

    @Test
    void noFileHoweverTornDoesMoreThanBeRefused() {
        Random random = new Random(3);
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] file = file(new byte[] {1, 2});
            for (int n = random.nextInt(4); n >= 0; n--) {
                file[random.nextInt(180)] = (byte) random.nextInt();
            }
            byte[] cut = java.util.Arrays.copyOf(file, random.nextInt(file.length + 1));
            try {
                for (ElfImage.Segment s :
                        ElfImage.read("p", i % 2 == 0 ? file : cut, END).segments()) {
                    assertTrue(s.address() >= ElfImage.LOWEST && s.end() <= END);
                    assertTrue(s.offset() >= 0 && s.offset() + s.fileBytes() <= file.length);
                }
            } catch (HostRefusal e) {
                refused++;
            }
        }
        assertTrue(refused > 5_000 && refused < 20_000, "refused " + refused);
    }
}
