package ${package};

import org.alcazar.machine.ControlBlock;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.Settings;

import java.util.List;
import java.util.Map;

/** RAM, and the test kit's console port 0xe9 and debug-exit port 0xf4. */
final class TestMachine implements PlatformType {
    @Override
    public String name() {
        return "test-machine";
    }

    @Override
    public String description() {
        return "the smallest machine of the engine's architecture";
    }

    @Override
    public String architecture() {
        return "${type}";
    }

    @Override
    public Platform create(long memory, int cpus, Settings settings) {
        List<MemoryRange> ram = List.of(new MemoryRange(0, memory, RangeKind.RAM));
        return new Platform() {
            @Override
            public List<MemoryRange> ram() {
                return ram;
            }

            @Override
            public List<MemoryRange> memoryMap() {
                return ram;
            }

            @Override
            public List<DeviceSpec> devices() {
                return List.of(
                        new DeviceSpec("micro-console", "console", Map.of()),
                        new DeviceSpec("micro-exit", "exit", Map.of()));
            }
        };
    }

    /** Puts an image to address 0, where cores begin. */
    static final class Loader implements GuestLoader {
        @Override
        public String name() {
            return "test-loader";
        }

        @Override
        public String description() {
            return "flat images at 0";
        }

        @Override
        public int recognises(Image image) {
            return 0;
        }

        @Override
        public void load(Boot boot) {
            byte[] image = new byte[(int) boot.kernel().size()];
            boot.kernel().read(0, image, 0, image.length);
            boot.memory().write(0, image, 0, image.length);
            ControlBlock core = boot.bootCore();
            core.group(0)[core.architecture().groups().getFirst().byName().get("pc").index()] = 0;
            core.dirty |= 1;
        }
    }
}
