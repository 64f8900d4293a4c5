package org.alcazar.paging.nested;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Engine;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.Translation;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PagingModeType;
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
    public PagingMode create(GuestPhysicalMap map, HostMemory memory, String owner, Engine engine)
            throws ConfigurationException, HostRefusal {
        if (!engine.takes(Translation.NESTED)) {
            throw new ConfigurationException(
                    "paging nested: the engine of architecture "
                            + engine.architecture().name()
                            + " has no second level of translation");
        }
        return new NestedPaging(map, memory, owner, engine);
    }
}
