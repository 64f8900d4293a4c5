package org.alcazar.paging.direct;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Engine;
import org.alcazar.machine.Translation;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the paging mode {@code direct}. */
@Component(service = PagingModeType.class)
@AlcazarType("direct")
public final class DirectPagingComponent implements PagingModeType {
    @Override
    public String name() {
        return "direct";
    }

    @Override
    public String description() {
        return "the whole guest-physical map entered at the start, no misses";
    }

    @Override
    public boolean wantsOnePiece() {
        return true;
    }

    @Override
    public PagingMode create(PagingContext context, Settings settings)
            throws ConfigurationException, HostRefusal {
        Engine engine = context.engine();
        if (!engine.takes(Translation.NESTED)) {
            throw new ConfigurationException(
                    "paging direct: the engine of architecture "
                            + engine.architecture().name()
                            + " has no second level of translation");
        }
        return new DirectPaging(context);
    }
}
