package org.alcazar.vmm.plugin;

import org.alcazar.machine.ControlBlock;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;

import java.util.List;
import java.util.Optional;

/**
 * Family: puts a kind of guest image into memory and sets the boot core's registers, as firmware
 * and boot loader would.
 */
public interface GuestLoader extends PluginType {
    /**
     * How sure it is that the image is of its kind: 0 no, higher wins. Looks at the contents, never
     * throws.
     */
    int recognises(Image image);

    /**
     * Loads the guest. Also called again at each reset.
     *
     * @throws ConfigurationException if the image is truncated or does not fit the machine
     */
    void load(Boot boot) throws ConfigurationException;

    /** A file's contents. */
    interface Image {
        /** For messages. */
        String name();

        long size();

        /** Copies bytes; what lies behind the end reads as zero. */
        void read(long position, byte[] into, int offset, int bytes);
    }

    /** What a loader gets. */
    interface Boot {
        Image kernel();

        Optional<Image> initrd();

        /** Modules for multiboot, in order, each with its command line as name. */
        List<Image> modules();

        /** Kernel command line, maybe empty. */
        String commandLine();

        /** Address for raw images, if given. */
        Optional<Long> address();

        GuestMemory memory();

        List<MemoryRange> memoryMap();

        /**
         * Registers of all cores after reset, the boot core first: change the arrays, then mark the
         * groups dirty. The others wait to be started.
         */
        List<ControlBlock> cores();

        default ControlBlock bootCore() {
            return cores().getFirst();
        }

        /** What devices and platform offer, such as the address of ACPI tables. */
        <T> Optional<T> find(Class<T> role);
    }
}
