package org.alcazar.devices.acpi;

import org.alcazar.platforms.pc.api.PcLayout;

/**
 * Lays out the ACPI tables (ACPI 6.4, 5.2) for two places in guest memory: root pointer and FACS
 * where firmware keeps what must stay (and guests search), RSDT, XSDT, FADT, MADT and DSDT where
 * guests may reclaim them.
 */
final class Tables {
    static final int HEADER = 36;
    static final int CHECKSUM_AT = 9;

    /** Room that root pointer and FACS take. */
    static final int ANCHOR_BYTES = 128;

    private static final int ROOT_BYTES = 36, FACS_BYTES = 64, FADT_BYTES = 244, ALIGNMENT = 64;

    /** I/O space, in generic addresses (5.2.3.2). */
    private static final int IO_SPACE = 1;

    /**
     * FADT: fixed power button; no sleep button; WBINVD works; C1 on all cores; a reset register.
     */
    private static final int FLAGS = 1 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 10;

    /** FADT: ISA devices there, a keyboard controller, no VGA. */
    private static final int BOOT_LEGACY = 1, BOOT_8042 = 2, BOOT_NO_VGA = 4;

    private static final int RESET_PORT = 0xcf9, RESET_VALUE = 6;
    private static final int CENTURY = 0x32;

    /** MADT: flags of an interrupt that is active high and level triggered. */
    private static final int HIGH_LEVEL = 0x0d;

    private final AcpiConfig config;
    private final int cpus;
    private final byte[] anchor;
    private final byte[] tables;

    /**
     * @param anchorAt where root pointer and FACS will lie, below 1 MiB, a multiple of 64
     * @param tablesAt where the tables will lie, below 4 GiB, a multiple of 64
     */
    Tables(AcpiConfig config, int cpus, long anchorAt, long tablesAt) {
        this.config = config;
        this.cpus = cpus;
        byte[] madtBytes = table("APIC", 3, madt());
        long facs = anchorAt + ALIGNMENT;
        long rsdt = tablesAt;
        long xsdt = rsdt + ALIGNMENT;
        long fadt = xsdt + ALIGNMENT;
        long madt = align(fadt + FADT_BYTES);
        long dsdt = align(madt + madtBytes.length);
        anchor =
                new Bytes()
                        .add(rootPointer(rsdt, xsdt))
                        .zeros(ALIGNMENT - ROOT_BYTES)
                        .add(facs())
                        .toArray();
        Bytes out = new Bytes();
        put(out, 0, table("RSDT", 1, new Bytes().u32(fadt).u32(madt).toArray()));
        put(out, xsdt - tablesAt, table("XSDT", 1, new Bytes().u64(fadt).u64(madt).toArray()));
        put(out, fadt - tablesAt, table("FACP", 3, fadt(facs, dsdt)));
        put(out, madt - tablesAt, madtBytes);
        put(out, dsdt - tablesAt, table("DSDT", 2, Dsdt.build(config, cpus)));
        tables = out.toArray();
    }

    /** Root pointer and FACS. */
    byte[] anchor() {
        return anchor;
    }

    byte[] tables() {
        return tables;
    }

    private static long align(long address) {
        return (address + ALIGNMENT - 1) & -ALIGNMENT;
    }

    private static void put(Bytes out, long at, byte[] table) {
        out.zeros((int) at - out.size()).add(table);
    }

    private static byte[] table(String signature, int revision, byte[] body) {
        int length = HEADER + body.length;
        return new Bytes()
                .text(signature)
                .u32(length)
                .u8(revision)
                .u8(0)
                .text("ALCZR ")
                .text("ALCAZAR ")
                .u32(1)
                .text("ALCZ")
                .u32(1)
                .add(body)
                .checksum(CHECKSUM_AT, length)
                .toArray();
    }

    /** 5.2.5.3; the first checksum covers the 20 bytes of ACPI 1.0. */
    private static byte[] rootPointer(long rsdt, long xsdt) {
        return new Bytes()
                .text("RSD PTR ")
                .u8(0)
                .text("ALCZR ")
                .u8(2)
                .u32(rsdt)
                .u32(ROOT_BYTES)
                .u64(xsdt)
                .u32(0)
                .checksum(8, 20)
                .checksum(32, ROOT_BYTES)
                .toArray();
    }

    private static byte[] facs() {
        return new Bytes().text("FACS").u32(FACS_BYTES).zeros(24).u8(2).zeros(31).toArray();
    }

    /** 5.2.9, revision 3. */
    private byte[] fadt(long facs, long dsdt) {
        int pm = config.base();
        int boot = BOOT_LEGACY | BOOT_NO_VGA | (config.keyboard() ? BOOT_8042 : 0);
        Bytes out = new Bytes().u32(facs).u32(dsdt).u8(0).u8(0).u16(config.irq());
        out.u32(0).u8(0).u8(0).u8(0).u8(0); // no SMI command port: always in ACPI mode
        out.u32(pm + Acpi.PM1_STS).u32(0).u32(pm + Acpi.PM1_CNT).u32(0).u32(0);
        out.u32(pm + Acpi.PM_TMR).u32(0).u32(0);
        out.u8(4).u8(2).u8(0).u8(4).u8(0).u8(0).u8(0).u8(0);
        out.u16(0xfff).u16(0xfff).u16(0).u16(0).u8(0).u8(0); // no C2, C3, flush, duty
        out.u8(0).u8(0).u8(CENTURY).u16(boot).u8(0).u32(FLAGS);
        address(out, RESET_PORT, 8).u8(RESET_VALUE).u16(0).u8(0);
        out.u64(0).u64(dsdt);
        address(out, pm + Acpi.PM1_STS, 32);
        noAddress(out);
        address(out, pm + Acpi.PM1_CNT, 16);
        noAddress(out);
        noAddress(out);
        address(out, pm + Acpi.PM_TMR, 32);
        noAddress(out);
        noAddress(out);
        return out.toArray();
    }

    private static Bytes address(Bytes out, int port, int bits) {
        int accessSize = bits == 8 ? 1 : bits == 16 ? 2 : 3;
        return out.u8(IO_SPACE).u8(bits).u8(0).u8(accessSize).u64(port);
    }

    private static void noAddress(Bytes out) {
        out.zeros(12);
    }

    /**
     * 5.2.12: a local APIC for each core (ids below 255 need no entries for x2APIC), the I/O APIC,
     * and which ISA interrupts are not as on the ISA bus.
     */
    private byte[] madt() {
        Bytes out = new Bytes().u32(PcLayout.LOCAL_APIC).u32(1);
        for (int i = 0; i < cpus; i++) {
            out.u8(0).u8(8).u8(i).u8(i).u32(1);
        }
        out.u8(1).u8(12).u8(config.ioApicId()).u8(0).u32(PcLayout.IO_APIC).u32(0);
        out.u8(2).u8(10).u8(0).u8(0).u32(2).u16(0); // the timer, at pin 2
        out.u8(2).u8(10).u8(0).u8(config.irq()).u32(config.irq()).u16(HIGH_LEVEL);
        out.u8(4).u8(6).u8(0xff).u16(0).u8(1); // NMI at LINT1 of all cores
        return out.toArray();
    }
}
