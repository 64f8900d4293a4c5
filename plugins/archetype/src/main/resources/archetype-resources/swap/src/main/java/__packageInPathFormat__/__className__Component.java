package ${package};

import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.Settings;
import org.alcazar.vmm.plugin.SwapPolicyType;
import org.osgi.service.component.annotations.Component;

/** Registers the swap policy {@code ${type}}. */
@Component(service = SwapPolicyType.class)
@AlcazarType("${type}")
public final class ${className}Component implements SwapPolicyType {
    @Override
    public String name() {
        return "${type}";
    }

    @Override
    public String description() {
        return "the page that came first";
    }

    @Override
    public SwapPolicy create(int pages, long seed, Settings settings) {
        return new ${className}(pages);
    }
}
