package org.alcazar.platforms.pc.api;

/** Where the ACPI tables are, for loaders that hand the address to the guest. */
public interface AcpiTables {
    /**
     * Guest-physical address of the root system description pointer. The tables are there after a
     * reset.
     */
    long rootPointer();
}
