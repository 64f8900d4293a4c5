package org.alcazar.testkit.micro;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Settings;

/** The debug-exit port at 0xf4: a write of v ends the VM with status (2v + 1) &amp; 255. */
final class MicroExit implements DeviceType {
    private static final int PORT = 0xf4;

    @Override
    public String name() {
        return "micro-exit";
    }

    @Override
    public String description() {
        return "debug-exit port of the micro platform";
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        context.hookPorts(
                PORT,
                4,
                new BusDevice() {
                    @Override
                    public long read(long offset, Width width) {
                        return 0;
                    }

                    @Override
                    public void write(long offset, Width width, long value) {
                        context.machine().exit((int) (2 * value + 1) & 255);
                    }
                });
        return new Stateless();
    }

    private static final class Stateless implements Device {
        @Override
        public void reset() {}

        @Override
        public SavedState save() {
            return new SavedState("micro-exit", 1);
        }

        @Override
        public void restore(SavedState state) {
            state.require("micro-exit", 1);
        }
    }
}
