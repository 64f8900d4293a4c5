package org.alcazar.devices.apic;

import static org.alcazar.devices.apic.LocalApic.EVERYBODY;
import static org.alcazar.devices.apic.Registers.*;

import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.SavedState;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.platforms.pc.api.LegacyPic;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext.RegisterHandler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/**
 * All local APICs of a machine: which core has which, and the bus between them. It has no lock on
 * the way of a message and calls one APIC after the other.
 */
final class Apics implements Device, ApicBus, LocalApic.Wiring {
    /** Eight bits of destination that mean everybody. */
    private static final int EVERYBODY_8 = 0xff;

    /** By index of the core; complete before the machine starts. */
    private LocalApic[] apics = {};

    /** Replaced as a whole. */
    private volatile IntConsumer[] listeners = {};

    private Windows windows = new Windows(this, Windows.NOWHERE);

    /** Leads the PIC's output to LINT0 of all APICs, until the hook is closed. */
    Hook connect(LegacyPic pic) {
        List<Hook> outputs = Stream.of(apics).map(apic -> pic.addOutput(apic.lint0())).toList();
        return () -> outputs.forEach(Hook::close);
    }

    void add(LocalApic apic) {
        apics = Arrays.copyOf(apics, apics.length + 1);
        apics[apics.length - 1] = apic;
    }

    /** Where the registers appear in memory. */
    void show(Windows where) {
        windows = where;
    }

    LocalApic of(Vcore vcore) {
        return apics[vcore.index()];
    }

    /** Whether the registers of any core are at an address. */
    boolean anyAt(long address) {
        for (LocalApic apic : apics) {
            if (apic.address() == address) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void moved(long from, long to) {
        windows.moved(from, to);
    }

    /** The registers of x2APIC mode. */
    RegisterHandler wideRegisters() {
        return new RegisterHandler() {
            @Override
            public long read(Vcore vcore, long offset) {
                LocalApic apic = of(vcore);
                int register = (int) offset << 4;
                if (!apic.wide() || !X2apic.readable(register)) {
                    vcore.decline();
                    return 0;
                }
                return apic.readWide(register);
            }

            @Override
            public void write(Vcore vcore, long offset, long value) {
                LocalApic apic = of(vcore);
                int register = (int) offset << 4;
                if (apic.wide() && X2apic.writable(register, value)) {
                    apic.writeWide(register, value);
                } else {
                    vcore.decline();
                }
            }
        };
    }

    /** The deadline of the timer: there in all modes. */
    RegisterHandler deadline() {
        return new RegisterHandler() {
            @Override
            public long read(Vcore vcore, long offset) {
                return of(vcore).deadline();
            }

            @Override
            public void write(Vcore vcore, long offset, long value) {
                of(vcore).deadline(value);
            }
        };
    }

    // The bus

    @Override
    public void deliver(int destination, boolean logical, int mode, int vector, boolean level) {
        int whole = destination == EVERYBODY_8 ? EVERYBODY : destination;
        if (mode != REMOTE_READ) {
            route(whole, logical, mode, vector, level);
        }
    }

    /**
     * @return whether anybody has taken it
     */
    private boolean route(int destination, boolean logical, int mode, int vector, boolean level) {
        if (mode == LOWEST_PRIORITY) {
            return routeLowest(destination, logical, vector, level);
        }
        boolean taken = false;
        for (LocalApic apic : apics) {
            if (apic.matches(destination, logical)) {
                taken |= apic.deliver(mode, vector, level);
            }
        }
        return taken;
    }

    private boolean routeLowest(int destination, boolean logical, int vector, boolean level) {
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
        return best >= 0 && apics[best].deliver(FIXED, vector, level);
    }

    @Override
    public void send(LocalApic from, long command, boolean wide) {
        int low = (int) command;
        int mode = low >> ICR_MODE_SHIFT & 7;
        int vector = low & 0xff;
        boolean levelTriggered = (low & ICR_LEVEL) != 0;
        if (mode == INIT && levelTriggered && (low & ICR_ASSERT) == 0) {
            return; // de-assertion: only old APICs did something on it
        }
        if ((mode == FIXED || mode == LOWEST_PRIORITY) && vector < 16) {
            from.sendError(ESR_SENT_ILLEGAL_VECTOR);
            return;
        }
        int destination = destination((int) (command >>> 32), wide);
        boolean logical = (low & ICR_LOGICAL) != 0;
        if (mode == REMOTE_READ) {
            if (!wide) {
                readRemotely(from, destination, logical, (vector & 0x3f) << 4);
            }
            return;
        }
        boolean taken =
                switch (low >> ICR_SHORTHAND_SHIFT & 3) {
                    case TO_SELF -> from.deliver(mode, vector, false);
                    case TO_ALL -> route(EVERYBODY, false, mode, vector, false);
                    case TO_OTHERS -> sendToOthers(from, mode, vector);
                    default -> route(destination, logical, mode, vector, false);
                };
        if (!taken) {
            from.sendError(ESR_SEND_ACCEPT);
        }
    }

    private static int destination(int high, boolean wide) {
        if (wide) {
            return high;
        }
        return high >>> 24 == EVERYBODY_8 ? EVERYBODY : high >>> 24;
    }

    private boolean sendToOthers(LocalApic from, int mode, int vector) {
        boolean taken = false;
        for (LocalApic apic : apics) {
            if (apic != from) {
                taken |= apic.deliver(mode, vector, false);
            }
        }
        return taken;
    }

    /** Brings a register of one other APIC; of several, or of none, nothing. */
    private void readRemotely(LocalApic from, int destination, boolean logical, int register) {
        int found = -1;
        for (int i = 0; i < apics.length; i++) {
            if (apics[i].matches(destination, logical)) {
                if (found >= 0) {
                    return;
                }
                found = i;
            }
        }
        if (found >= 0) {
            from.remoteData(apics[found].readRemotely(register));
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
        return new SavedState("apic", 2).put("apics", all);
    }

    @Override
    public void restore(SavedState state) {
        List<SavedState> all = state.require("apic", 2).getList("apics", SavedState.class);
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
    }
}
