package org.alcazar.paging.shadow;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Engine;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.Translation;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

import java.util.List;
import java.util.Locale;

/** Registers the paging mode {@code shadow}. */
@Component(service = PagingModeType.class)
@AlcazarType("shadow")
public final class ShadowPagingComponent implements PagingModeType {
    private static final int LEAST = 64;
    private static final int MOST = 1 << 20;

    /** Pages of RAM for each table, where the setting does not tell. */
    private static final int SHARE = 32;

    private static final int LEAST_BY_SHARE = 1024;

    @Override
    public String name() {
        return "shadow";
    }

    @Override
    public String description() {
        return "tables built from the guest's own and kept in step with them";
    }

    @Override
    public Schema configuration() {
        return Schema.of(
                Key.choice(
                        "strategy",
                        List.of("vtlb", "cache", "sync"),
                        "cache",
                        "empty tables at each flush, keep them, or keep and synchronise them"),
                Key.integer(
                        "tables",
                        0,
                        MOST,
                        0,
                        "pages for tables at most, at least 64 and 16 more for each core; 0: a part"
                                + " of the RAM"));
    }

    @Override
    public PagingMode create(PagingContext context, Settings settings)
            throws ConfigurationException, HostRefusal {
        Engine engine = context.engine();
        if (!engine.takes(Translation.SHADOW)) {
            throw new ConfigurationException(
                    "paging shadow: the engine of architecture "
                            + engine.architecture().name()
                            + " takes no shadow tables");
        }
        Strategy strategy = Strategy.valueOf(settings.string("strategy").toUpperCase(Locale.ROOT));
        return new ShadowPaging(context, strategy, limit(context, settings.integer("tables")));
    }

    private static int limit(PagingContext context, long wanted) {
        long tables = wanted;
        if (tables == 0) {
            long bytes = 0;
            for (GuestPhysicalMap.Range range : context.map().ranges()) {
                bytes += range.ram() ? range.bytes() : 0;
            }
            tables = Math.max(LEAST_BY_SHARE, bytes / HostMemory.PAGE_SIZE / SHARE);
        }
        return (int) Math.min(MOST, Math.max(tables, LEAST + 16L * context.cores()));
    }
}
