package org.alcazar.loaders;

import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader;
import org.osgi.service.component.annotations.Component;

/**
 * Raw images at a given address, entered at their first byte: below 1 MiB in real mode at CS 0 (so
 * below 64 KiB for the entry), above in 32-bit protected mode.
 */
@Component(service = GuestLoader.class)
@AlcazarType("raw")
public final class RawLoader implements GuestLoader {
    private static final long REAL_MODE_END = 0x10000;

    @Override
    public String name() {
        return "raw";
    }

    @Override
    public String description() {
        return "raw images, at the address that is given with them";
    }

    /** Nothing in a raw image tells what it is: it has to be asked for by address. */
    @Override
    public int recognises(Image image) {
        return 0;
    }

    @Override
    public void load(Boot boot) throws ConfigurationException {
        long address =
                boot.address()
                        .orElseThrow(() ->
                                new ConfigurationException(
                                        boot.kernel().name()
                                                + " is a raw image; say where it goes with address, such as 0x7c00"));
        Image image = boot.kernel();
        boolean real = address < REAL_MODE_END;
        if (!real) {
            Placement.requireFree(boot.memory(), image, address, image.size());
        }
        Placement.copy(boot.memory(), image, 0, address, image.size());
        EntryState state = new EntryState(boot.cores());
        if (real) {
            state.realMode(address);
        } else {
            state.protectedMode(boot.memory(), address);
        }
    }
}
