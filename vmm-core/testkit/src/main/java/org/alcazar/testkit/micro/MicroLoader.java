package org.alcazar.testkit.micro;

import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.RegisterField;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader;

/**
 * Loads a flat image at {@link TestVm#ENTRY} and enters it in real mode with CS 0. Registers are
 * found by name, so that the testkit needs no plugin.
 */
final class MicroLoader implements GuestLoader {
    @Override
    public String name() {
        return "micro";
    }

    @Override
    public String description() {
        return "flat images of the testkit";
    }

    @Override
    public int recognises(Image image) {
        return 0;
    }

    @Override
    public void load(Boot boot) throws ConfigurationException {
        byte[] image = new byte[Math.toIntExact(boot.kernel().size())];
        boot.kernel().read(0, image, 0, image.length);
        boot.memory().write(TestVm.ENTRY, image, 0, image.length);
        set(boot.bootCore(), "cs.selector", 0);
        set(boot.bootCore(), "cs.base", 0);
        set(boot.bootCore(), "rip", TestVm.ENTRY);
    }

    private static void set(ControlBlock core, String register, long value)
            throws ConfigurationException {
        for (RegisterGroup group : core.architecture().groups()) {
            RegisterField field = group.byName().get(register);
            if (field != null) {
                core.group(group.id())[field.index()] = value;
                core.dirty |= group.mask();
                return;
            }
        }
        throw new ConfigurationException(
                "loader micro: architecture "
                        + core.architecture().name()
                        + " has no register "
                        + register);
    }
}
