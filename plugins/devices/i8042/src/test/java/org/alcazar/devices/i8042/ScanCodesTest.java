package org.alcazar.devices.i8042;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.HashSet;
import java.util.Set;

class ScanCodesTest {
    @Test
    void keysOfTheMainBlockHaveTheirNumbers() {
        int[] set2 = {0x76, 0x16, 0x15, 0x1c, 0x1a, 0x29, 0x5a, 0x12, 0x14, 0x11, 0x66, 0x05, 0x78};
        int[] set1 = {0x01, 0x02, 0x10, 0x1e, 0x2c, 0x39, 0x1c, 0x2a, 0x1d, 0x38, 0x0e, 0x3b, 0x57};
        for (int i = 0; i < set2.length; i++) {
            assertEquals(set1[i], ScanCodes.translate(set2[i]));
        }
        assertEquals(0x41, ScanCodes.translate(0x83), "F7");
        assertEquals(0x54, ScanCodes.translate(0x84), "system request");
    }

    @Test
    void noTwoKeysHaveTheSameNumber() {
        Set<Integer> seen = new HashSet<>();
        for (int code = 1; code < 0x80; code++) {
            assertTrue(seen.add(ScanCodes.translate(code)), Integer.toHexString(code));
        }
    }

    @Test
    void answersAndPrefixesStayWhatTheyAre() {
        for (int octet : new int[] {0xaa, 0xab, 0xe0, 0xe1, 0xee, 0xfa, 0xfe}) {
            assertEquals(octet, ScanCodes.translate(octet));
        }
    }
}
