package ${package};

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Engine;
import org.alcazar.machine.Translation;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the paging mode {@code ${type}}. */
@Component(service = PagingModeType.class)
@AlcazarType("${type}")
public final class ${className}Component implements PagingModeType {
    @Override
    public String name() {
        return "${type}";
    }

    @Override
    public String description() {
        return "a page of 4 KiB at each miss";
    }

    @Override
    public PagingMode create(PagingContext context, Settings settings)
            throws ConfigurationException, HostRefusal {
        Engine engine = context.engine();
        if (!engine.takes(Translation.NESTED)) {
            throw new ConfigurationException(
                    "paging ${type}: the engine of architecture "
                            + engine.architecture().name()
                            + " has no second level of translation");
        }
        return new ${className}(context);
    }
}
