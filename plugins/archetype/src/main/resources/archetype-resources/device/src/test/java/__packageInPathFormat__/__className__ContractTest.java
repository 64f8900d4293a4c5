package ${package};

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.vmm.plugin.DeviceType;

/** What every device has to keep: harmless at any access, all of its state saved and restored. */
class ${className}ContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new ${className}Component();
    }
}
