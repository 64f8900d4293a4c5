package org.alcazar.vmm.plugin;

import java.util.List;
import java.util.Map;

/**
 * Family: a kind of machine: its memory layout, its standard devices, and which architecture it is
 * of.
 */
public interface PlatformType extends PluginType {
    /** Such as {@code x86}. */
    String architecture();

    /**
     * Lays out a machine.
     *
     * @param memory bytes of RAM
     * @param cpus count of vcores
     * @throws ConfigurationException if the platform can't have so many
     */
    Platform create(long memory, int cpus, Settings settings) throws ConfigurationException;

    /** A machine's plan. */
    interface Platform {
        /** RAM ranges, ascending, together at most as many bytes as asked for. */
        List<MemoryRange> ram();

        /** The map that firmware or loader tells to the guest, ascending. */
        List<MemoryRange> memoryMap();

        /**
         * Standard devices in the order of creation; {@code --device} adds to them, or replaces the
         * settings of one with the same name.
         */
        List<DeviceSpec> devices();

        /**
         * Frequency of the time-stamp counter in hertz that guests are told; 0 lets the VMM choose.
         */
        default long counterFrequency() {
            return 0;
        }
    }

    /** Kinds of ranges in a memory map, numbered as ACPI's address range types. */
    enum RangeKind {
        RAM(1),
        RESERVED(2),
        ACPI(3),
        NVS(4);

        private final int number;

        RangeKind(int number) {
            this.number = number;
        }

        /** ACPI 6.4, table 15-374. */
        public int number() {
            return number;
        }
    }

    /** A guest-physical range. */
    record MemoryRange(long start, long bytes, RangeKind kind) {}

    /**
     * A device to create.
     *
     * @param type of {@link DeviceType}
     * @param name unique in the VM, such as {@code com1}
     */
    record DeviceSpec(String type, String name, Map<String, Object> settings) {}
}
