package org.alcazar.devices.acpi;

import org.alcazar.platforms.pc.api.PcLayout;

/**
 * The table of Intel's MultiProcessor Specification 1.4 (chapter 4), for guests that do without
 * ACPI: floating pointer first, the configuration table behind it.
 */
final class MpTable {
    /** Guests search for the floating pointer from here on. */
    static final long ADDRESS = 0xf_0000;

    private static final int POINTER_BYTES = 16, HEADER_BYTES = 44;
    private static final int PROCESSOR = 0,
            BUS = 1,
            IO_APIC = 2,
            IO_INTERRUPT = 3,
            LOCAL_INTERRUPT = 4;

    /** Types of interrupts. */
    private static final int VECTORED = 0, NMI = 1, EXTERNAL = 3;

    /** Polarity in bits 0 and 1, trigger mode in 2 and 3; 0 is as on the bus. */
    private static final int AS_BUS = 0, HIGH_LEVEL = 0x0d, LOW_LEVEL = 0x0f;

    private static final int PCI = 0, ISA = 1;
    private static final int ISA_INTERRUPTS = 16, CASCADE = 2, TIMER_PIN = 2;
    private static final int DEVICES = 32, PINS = 4;
    private static final int LOCAL_APIC_VERSION = 0x14, IO_APIC_VERSION = 0x20, ALL = 0xff;

    private final AcpiConfig config;
    private final Bytes entries = new Bytes();
    private int count;

    private MpTable(AcpiConfig config) {
        this.config = config;
    }

    static byte[] build(AcpiConfig config, int cpus) {
        return new MpTable(config).build(cpus);
    }

    private byte[] build(int cpus) {
        for (int i = 0; i < cpus; i++) {
            entry(PROCESSOR).u8(i).u8(LOCAL_APIC_VERSION).u8(i == 0 ? 3 : 1).zeros(16);
        }
        entry(BUS).u8(PCI).text("PCI   ");
        entry(BUS).u8(ISA).text("ISA   ");
        entry(IO_APIC).u8(config.ioApicId()).u8(IO_APIC_VERSION).u8(1).u32(PcLayout.IO_APIC);
        isaInterrupts();
        for (int i = 0; i < DEVICES * PINS; i++) {
            int pin = PcLayout.pciInterrupt(i / PINS, i % PINS);
            ioInterrupt(VECTORED, LOW_LEVEL, PCI, i, pin);
        }
        entry(LOCAL_INTERRUPT).u8(EXTERNAL).u16(AS_BUS).u8(ISA).u8(0).u8(ALL).u8(0);
        entry(LOCAL_INTERRUPT).u8(NMI).u16(AS_BUS).u8(ISA).u8(0).u8(ALL).u8(1);
        return pointer().add(table()).toArray();
    }

    private void isaInterrupts() {
        ioInterrupt(EXTERNAL, AS_BUS, ISA, 0, 0); // the PIC
        for (int irq = 0; irq < ISA_INTERRUPTS; irq++) {
            if (irq != CASCADE) {
                int flags = irq == config.irq() ? HIGH_LEVEL : AS_BUS;
                ioInterrupt(VECTORED, flags, ISA, irq, irq == 0 ? TIMER_PIN : irq);
            }
        }
    }

    private void ioInterrupt(int type, int flags, int bus, int source, int pin) {
        entry(IO_INTERRUPT).u8(type).u16(flags).u8(bus).u8(source).u8(config.ioApicId()).u8(pin);
    }

    private Bytes entry(int type) {
        count++;
        return entries.u8(type);
    }

    /** 4.1: the board is in virtual wire mode, without an IMCR. */
    private static Bytes pointer() {
        return new Bytes()
                .text("_MP_")
                .u32(ADDRESS + POINTER_BYTES)
                .u8(1)
                .u8(4)
                .zeros(6)
                .checksum(10, POINTER_BYTES);
    }

    /** 4.2 */
    private Bytes table() {
        int length = HEADER_BYTES + entries.size();
        return new Bytes()
                .text("PCMP")
                .u16(length)
                .u8(4)
                .u8(0)
                .text("ALCAZAR ")
                .text("PC          ")
                .u32(0)
                .u16(0)
                .u16(count)
                .u32(PcLayout.LOCAL_APIC)
                .u32(0)
                .add(entries)
                .checksum(7, length);
    }
}
