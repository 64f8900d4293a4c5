package org.alcazar.devices.apic;

import static org.alcazar.devices.apic.Registers.*;

import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext.VcoreMemory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * All local APICs of a machine: the window in which each core sees its own, and the bus between
 * them. It has no lock and calls one APIC after the other.
 */
final class Apics implements Device, VcoreMemory, ApicBus, LocalApic.Wiring {
    private static final int STRIDE = 16;

    /** By index of the core; complete before the machine starts. */
    private LocalApic[] apics = {};

    /** Replaced as a whole. */
    private IntConsumer[] listeners = {};

    private final List<Hook> owned = new ArrayList<>();

    /** Takes over what is to be closed with the APICs. */
    void own(Hook hook) {
        owned.add(hook);
    }

    void add(LocalApic apic) {
        apics = Arrays.copyOf(apics, apics.length + 1);
        apics[apics.length - 1] = apic;
    }

    /** Registers are 32 bits wide on 16-byte boundaries; other accesses are undefined (16.3.2). */
    @Override
    public long read(Vcore vcore, long offset, Width width) {
        LocalApic apic = apics[vcore.index()];
        int within = (int) offset & STRIDE - 1;
        if (within >= Integer.BYTES) {
            return 0;
        }
        return (apic.read((int) offset & -STRIDE) & 0xffff_ffffL) >>> 8 * within & width.mask();
    }

    @Override
    public void write(Vcore vcore, long offset, Width width, long value) {
        if ((offset & STRIDE - 1) == 0 && width.bytes() >= Integer.BYTES) {
            apics[vcore.index()].write((int) offset, (int) value);
        }
    }

    // The bus

    @Override
    public void deliver(int destination, boolean logical, int mode, int vector, boolean level) {
        if (mode == LOWEST_PRIORITY) {
            deliverLowest(destination, logical, vector, level);
            return;
        }
        for (LocalApic apic : apics) {
            if (apic.matches(destination, logical)) {
                apic.deliver(mode, vector, level);
            }
        }
    }

    private void deliverLowest(int destination, boolean logical, int vector, boolean level) {
        int best = -1;
        int bestPriority = Integer.MAX_VALUE;
        for (int i = 0; i < apics.length; i++) {
            if (apics[i].matches(destination, logical)) {
                int priority = apics[i].arbitrationPriority();
                if (priority < bestPriority) {
                    best = i;
                    bestPriority = priority;
                }
            }
        }
        if (best >= 0) {
            apics[best].deliver(FIXED, vector, level);
        }
    }

    @Override
    public void send(LocalApic from, int low, int high) {
        int mode = low >> ICR_MODE_SHIFT & 7;
        int vector = low & 0xff;
        boolean levelTriggered = (low & ICR_LEVEL) != 0;
        if (mode == INIT && levelTriggered && (low & ICR_ASSERT) == 0) {
            return; // de-assertion: only old APICs did something on it
        }
        if ((mode == FIXED || mode == LOWEST_PRIORITY) && vector < 16) {
            from.sendError();
            return;
        }
        switch (low >> ICR_SHORTHAND_SHIFT & 3) {
            case TO_SELF -> from.deliver(mode, vector, false);
            case TO_ALL -> deliver(0xff, false, mode, vector, false);
            case TO_OTHERS -> {
                for (LocalApic apic : apics) {
                    if (apic != from) {
                        apic.deliver(mode, vector, false);
                    }
                }
            }
            default -> deliver(high >>> 24, (low & ICR_LOGICAL) != 0, mode, vector, false);
        }
    }

    @Override
    public synchronized Hook addEndOfInterrupt(IntConsumer listener) {
        IntConsumer[] more = Arrays.copyOf(listeners, listeners.length + 1);
        more[listeners.length] = listener;
        listeners = more;
        return () -> removeEndOfInterrupt(listener);
    }

    private synchronized void removeEndOfInterrupt(IntConsumer listener) {
        listeners = Arrays.stream(listeners).filter(l -> l != listener).toArray(IntConsumer[]::new);
    }

    @Override
    public void endOfInterrupt(int vector) {
        for (IntConsumer listener : listeners) {
            listener.accept(vector);
        }
    }

    // Life

    @Override
    public void reset() {
        for (LocalApic apic : apics) {
            apic.reset();
        }
    }

    @Override
    public SavedState save() {
        List<SavedState> all = new ArrayList<>();
        for (LocalApic apic : apics) {
            all.add(apic.save());
        }
        return new SavedState("apic", 1).put("apics", all);
    }

    @Override
    public void restore(SavedState state) {
        List<SavedState> all = state.require("apic", 1).getList("apics", SavedState.class);
        if (all.size() != apics.length) {
            throw new IncompatibleStateException(
                    "saved state of apic is of "
                            + all.size()
                            + " vcores, this machine has "
                            + apics.length);
        }
        for (int i = 0; i < apics.length; i++) {
            apics[i].restore(all.get(i));
        }
    }

    @Override
    public void close() {
        for (LocalApic apic : apics) {
            apic.close();
        }
        owned.forEach(Hook::close);
    }
}
