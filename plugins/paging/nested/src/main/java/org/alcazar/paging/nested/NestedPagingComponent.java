package org.alcazar.paging.nested;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Engine;
import org.alcazar.machine.Translation;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the paging mode {@code nested}. */
@Component(service = PagingModeType.class)
@AlcazarType("nested")
public final class NestedPagingComponent implements PagingModeType {
    @Override
    public String name() {
        return "nested";
    }

    @Override
    public String description() {
        return "two-dimensional walks: guest tables, then the VMM's, filled on demand";
    }

    @Override
    public PagingMode create(PagingContext context, Settings settings)
            throws ConfigurationException, HostRefusal {
        Engine engine = context.engine();
        if (!engine.takes(Translation.NESTED)) {
            throw new ConfigurationException(
                    "paging nested: the engine of architecture "
                            + engine.architecture().name()
                            + " has no second level of translation");
        }
        return new NestedPaging(context);
    }
}
