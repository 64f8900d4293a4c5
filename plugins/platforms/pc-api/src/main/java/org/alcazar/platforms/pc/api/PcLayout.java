package org.alcazar.platforms.pc.api;

/** Guest-physical addresses that parts of a PC agree on. */
public final class PcLayout {
    /**
     * End of RAM below 1 MiB that guests may use: the extended BIOS data area and the BIOS follow.
     */
    public static final long LOW_MEMORY_END = 0x9_fc00;

    /** The frame buffer window: no RAM. */
    public static final long VIDEO_START = 0xa_0000;

    public static final long VIDEO_END = 0xc_0000;

    /** Where firmware leaves tables; RAM, reserved in the memory map up to 1 MiB. */
    public static final long TABLES_START = 0xe_0000;

    public static final long TABLES_END = 0x10_0000;

    /** RAM below 4 GiB ends here at the latest; device windows follow. */
    public static final long HOLE_START = 0xc000_0000L;

    /** PCI memory windows lie between {@link #HOLE_START} and here. */
    public static final long PCI_MEMORY_END = 0xfec0_0000L;

    public static final long IO_APIC = 0xfec0_0000L;
    public static final long LOCAL_APIC = 0xfee0_0000L;
    public static final long HOLE_END = 0x1_0000_0000L;

    /** ACPI's interrupt. */
    public static final int SCI = 9;

    /**
     * First of the four I/O APIC pins that PCI interrupts share: pin A of device 0 comes in here.
     */
    public static final int PCI_INTERRUPTS = 16;

    private PcLayout() {}

    /** Interrupt number of pin 0 (INTA#) to 3 (INTD#) of a device on the first PCI bus. */
    public static int pciInterrupt(int device, int pin) {
        return PCI_INTERRUPTS + (device + pin & 3);
    }
}
