package org.alcazar.host.tck.tiny;

import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Standstill;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Engine of the test machine. Its translations are the TLBs, which the VMM writes by the control
 * blocks: invalidation takes them over.
 */
public final class TinyEngine implements Engine {
    private final PhysicalBus bus;
    private final Standstill standstill = new Standstill();
    private final List<TinyCore> cores = new CopyOnWriteArrayList<>();

    private TinyEngine(PhysicalBus bus) {
        this.bus = bus;
    }

    /** Makes such engines. */
    public static final class Provider implements EngineProvider {
        @Override
        public String name() {
            return "tiny";
        }

        @Override
        public Architecture architecture() {
            return Tiny.ARCHITECTURE;
        }

        @Override
        public Engine create(PhysicalBus bus, Map<String, String> options) {
            return new TinyEngine(bus);
        }
    }

    @Override
    public Architecture architecture() {
        return Tiny.ARCHITECTURE;
    }

    @Override
    public boolean takes(Translation translation) {
        return translation == Translation.NONE || translation == Translation.SOFTWARE_TLB;
    }

    @Override
    public VirtualCore newCore(int index, ControlBlock block) {
        TinyCore core = new TinyCore(bus, standstill, block);
        cores.add(core);
        return core;
    }

    @Override
    public void invalidate(Scope scope, long start, long bytes) {
        standstill.begin();
        try {
            cores.forEach(TinyCore::takeTranslations);
        } finally {
            standstill.end();
        }
    }

    @Override
    public void close() {}
}
