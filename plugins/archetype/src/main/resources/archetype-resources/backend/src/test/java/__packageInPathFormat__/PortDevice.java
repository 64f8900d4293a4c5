package ${package};

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.vmm.device.CharacterBackend;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/** The test's own device: port 0x90 writes to the backend, and reads its last input, or 0. */
final class PortDevice implements DeviceType {
    @Override
    public String name() {
        return "test-port";
    }

    @Override
    public String description() {
        return "a port with a backend";
    }

    @Override
    public Schema configuration() {
        return Schema.of(Key.backend("backend", "none", "what stands behind it"));
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        Port port = new Port(context.characterBackend(settings.string("backend")));
        context.hookPorts(0x90, 1, port);
        return port;
    }

    private static final class Port implements Device, BusDevice {
        private final CharacterBackend backend;
        private int input;

        Port(CharacterBackend backend) {
            this.backend = backend;
            backend.onInput(octet -> input = octet);
        }

        @Override
        public long read(long offset, Width width) {
            return input;
        }

        @Override
        public void write(long offset, Width width, long value) {
            backend.write((int) value & 0xff);
        }

        @Override
        public void reset() {
            input = 0;
        }

        @Override
        public SavedState save() {
            return new SavedState("test-port", 1).put("input", input);
        }

        @Override
        public void restore(SavedState state) {
            input = state.require("test-port", 1).getInt("input");
        }

        @Override
        public void close() {
            backend.close();
        }
    }
}
