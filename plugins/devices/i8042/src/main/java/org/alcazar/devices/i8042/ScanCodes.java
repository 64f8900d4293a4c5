package org.alcazar.devices.i8042;

import java.util.HexFormat;

/** Scan code set 2 to set 1, as the controller of an AT translates it. */
final class ScanCodes {
    /** In set 2: the key whose code follows was let go. */
    static final int BREAK = 0xf0;

    /** In set 1: the key was let go. */
    static final int RELEASED = 0x80;

    /** Codes of set 1, indexed by those of set 2, 0x00 to 0x84. */
    private static final byte[] SET_1 =
            HexFormat.of()
                    .parseHex(
                            "ff43413f3d3b3c58644442403e0f2959" // 00
                                    + "65382a701d10025a66712c1f1e11035b" // 10
                                    + "672e2d201205045c68392f211413065d" // 20
                                    + "693130232215075e6a7232241608095f" // 30
                                    + "6b332517180b0a606c34352627190c61" // 40
                                    + "6d7328741a0d626e3a361c1b752b6376" // 50
                                    + "55567778797a0e7b7c4f7d4b477e7f6f" // 60
                                    + "5253504c4d480145574e514a37494654" // 70
                                    + "8081824154"); // 80

    private ScanCodes() {}

    /**
     * A byte of set 2 in set 1. Those above the table (prefixes, answers of the keyboard) stay what
     * they are. {@link #BREAK} is the caller's matter.
     */
    static int translate(int octet) {
        return octet < SET_1.length ? SET_1[octet] & 0xff : octet;
    }
}
