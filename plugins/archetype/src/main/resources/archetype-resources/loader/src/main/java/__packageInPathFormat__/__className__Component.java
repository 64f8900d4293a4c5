package ${package};

import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader;
import org.osgi.service.component.annotations.Component;

/** Registers the guest loader {@code ${type}}. */
@Component(service = GuestLoader.class)
@AlcazarType("${type}")
public final class ${className}Component implements GuestLoader {
    private static final int SURE = 100;

    @Override
    public String name() {
        return "${type}";
    }

    @Override
    public String description() {
        return "images that begin with ALC!";
    }

    @Override
    public int recognises(Image image) {
        return new ${className}(image).isOne() ? SURE : 0;
    }

    @Override
    public void load(Boot boot) throws ConfigurationException {
        new ${className}(boot.kernel()).load(boot);
    }
}
