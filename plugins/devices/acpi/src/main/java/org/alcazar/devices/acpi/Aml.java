package org.alcazar.devices.acpi;

/** Builds the ACPI machine language of declarations (ACPI 6.4, chapter 20): terms in, bytes out. */
final class Aml {
    private static final int NAME = 0x08,
            BYTE = 0x0a,
            WORD = 0x0b,
            DWORD = 0x0c,
            STRING = 0x0d,
            SCOPE = 0x10;
    private static final int BUFFER = 0x11, PACKAGE = 0x12, EXTENDED = 0x5b, DEVICE = 0x82;

    private Aml() {}

    static byte[] scope(String path, byte[]... terms) {
        return new Bytes()
                .u8(SCOPE)
                .add(withLength(new Bytes().add(path(path)).add(join(terms)).toArray()))
                .toArray();
    }

    static byte[] device(String name, byte[]... terms) {
        return new Bytes()
                .u8(EXTENDED)
                .u8(DEVICE)
                .add(withLength(new Bytes().add(path(name)).add(join(terms)).toArray()))
                .toArray();
    }

    static byte[] name(String path, byte[] value) {
        return new Bytes().u8(NAME).add(path(path)).add(value).toArray();
    }

    /** The shortest constant. */
    static byte[] integer(long value) {
        if (value == 0 || value == 1) {
            return new byte[] {(byte) value};
        }
        if (value <= 0xff) {
            return new Bytes().u8(BYTE).u8(value).toArray();
        }
        if (value <= 0xffff) {
            return new Bytes().u8(WORD).u16(value).toArray();
        }
        return new Bytes().u8(DWORD).u32(value).toArray();
    }

    static byte[] string(String text) {
        return new Bytes().u8(STRING).text(text).u8(0).toArray();
    }

    static byte[] aPackage(byte[]... elements) {
        return new Bytes()
                .u8(PACKAGE)
                .add(withLength(new Bytes().u8(elements.length).add(join(elements)).toArray()))
                .toArray();
    }

    static byte[] buffer(byte[] contents) {
        return new Bytes()
                .u8(BUFFER)
                .add(withLength(new Bytes().add(integer(contents.length)).add(contents).toArray()))
                .toArray();
    }

    /** A plug and play id such as PNP0A03, compressed (19.3.4). */
    static byte[] eisaId(String id) {
        int vendor = (id.charAt(0) - '@') << 10 | (id.charAt(1) - '@') << 5 | id.charAt(2) - '@';
        int product = Integer.parseInt(id.substring(3), 16);
        return new Bytes()
                .u8(DWORD)
                .u8(vendor >> 8)
                .u8(vendor)
                .u8(product >> 8)
                .u8(product)
                .toArray();
    }

    /** Segments have four characters; a root prefix stays. */
    private static byte[] path(String path) {
        Bytes out = new Bytes();
        String name = path;
        if (name.startsWith("\\")) {
            out.u8('\\');
            name = name.substring(1);
        }
        return out.text((name + "____").substring(0, 4)).toArray();
    }

    /** Prefixes the length, which counts itself (20.2.4). */
    private static byte[] withLength(byte[] body) {
        Bytes out = new Bytes();
        if (body.length + 1 < 0x40) {
            out.u8(body.length + 1);
        } else if (body.length + 2 < 0x1000) {
            int length = body.length + 2;
            out.u8(0x40 | length & 0xf).u8(length >> 4);
        } else {
            int length = body.length + 3;
            out.u8(0x80 | length & 0xf).u8(length >> 4).u8(length >> 12);
        }
        return out.add(body).toArray();
    }

    private static byte[] join(byte[]... terms) {
        Bytes out = new Bytes();
        for (byte[] term : terms) {
            out.add(term);
        }
        return out.toArray();
    }
}
