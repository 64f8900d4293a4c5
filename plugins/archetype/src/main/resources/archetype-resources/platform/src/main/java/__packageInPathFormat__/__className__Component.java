package ${package};

import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the platform {@code ${type}}. */
@Component(service = PlatformType.class)
@AlcazarType("${type}")
public final class ${className}Component implements PlatformType {
    private static final long SMALLEST = 4 << 20;
    private static final long LARGEST = 3L << 30;

    @Override
    public String name() {
        return "${type}";
    }

    @Override
    public String description() {
        return "RAM, a UART and a debug-exit device";
    }

    @Override
    public String architecture() {
        return "x86";
    }

    @Override
    public Schema configuration() {
        return ${className}Config.SCHEMA;
    }

    @Override
    public Platform create(long memory, int cpus, Settings settings) throws ConfigurationException {
        if (memory < SMALLEST || memory > LARGEST) {
            throw new ConfigurationException(
                    "memory: platform ${type} takes 4 MiB to 3 GiB, not %d KiB"
                            .formatted(memory >> 10));
        }
        if (cpus != 1) {
            throw new ConfigurationException("cpus: platform ${type} has 1, not " + cpus);
        }
        return new ${className}(memory, ${className}Config.of(settings).reserved());
    }
}
