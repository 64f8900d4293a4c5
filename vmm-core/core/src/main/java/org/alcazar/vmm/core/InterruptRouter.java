package org.alcazar.vmm.core;

import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * From devices' wires to the inputs of interrupt controllers: the wires to a number are ored, and
 * all inputs of that number see the result.
 */
final class InterruptRouter {
    private final Map<Integer, Input> inputs = new TreeMap<>();
    private final List<Wire> wires = new CopyOnWriteArrayList<>();
    private volatile boolean quiet;

    /** A new wire to an input, not connected yet. It is low. */
    Wire wire(String owner, int number) {
        return new Wire(owner, input(number));
    }

    /** Says where an input ends. It sees the present level at once. */
    void connect(int number, InterruptLine sink) {
        input(number).add(sink);
    }

    void disconnect(int number, InterruptLine sink) {
        input(number).remove(sink);
    }

    /**
     * While quiet, wires change their levels and controllers hear nothing: during a restore, when
     * each part takes over its own side of the wire.
     */
    void quiet(boolean on) {
        quiet = on;
    }

    /** Levels of all inputs, for {@link #tellChanges}. While quiet. */
    Map<Integer, Boolean> levels() {
        Map<Integer, Boolean> out = new TreeMap<>();
        synchronized (inputs) {
            inputs.forEach((number, input) -> out.put(number, input.level()));
        }
        return out;
    }

    /** Tells controllers which levels are others than they were. Not quiet any more. */
    void tellChanges(Map<Integer, Boolean> before) {
        List<Input> all;
        synchronized (inputs) {
            all = List.copyOf(inputs.values());
        }
        all.forEach(input -> input.tell(before.getOrDefault(input.number, false)));
    }

    /** Levels of all wires; a device's wires to one input are in the order of their making. */
    SavedState save() {
        Map<String, Object> levels = new LinkedHashMap<>();
        wires.forEach(wire -> levels.put(key(wire, levels), wire.level() ? 1L : 0L));
        return new SavedState("lines", 1).put("levels", levels);
    }

    /** While quiet: drives the wires as they were. Wires that are new stay as they are. */
    void restore(SavedState state) {
        Map<String, Object> levels = state.require("lines", 1).getMap("levels");
        Map<String, Object> seen = new LinkedHashMap<>();
        for (Wire wire : wires) {
            String key = key(wire, seen);
            seen.put(key, 0L);
            if (levels.get(key) instanceof Long level) {
                wire.set(level != 0);
            }
        }
    }

    private static String key(Wire wire, Map<String, Object> taken) {
        int n = 0;
        while (taken.containsKey(wire.owner + "/" + wire.input.number + "/" + n)) {
            n++;
        }
        return wire.owner + "/" + wire.input.number + "/" + n;
    }

    private Input input(int number) {
        synchronized (inputs) {
            return inputs.computeIfAbsent(number, Input::new);
        }
    }

    private final class Input {
        private final int number;
        private InterruptLine[] sinks = {};
        private int wiresHigh;

        Input(int number) {
            this.number = number;
        }

        synchronized void add(InterruptLine sink) {
            sinks = Arrays.copyOf(sinks, sinks.length + 1);
            sinks[sinks.length - 1] = sink;
            if (wiresHigh > 0 && !quiet) {
                sink.set(true);
            }
        }

        synchronized void remove(InterruptLine sink) {
            sinks = Arrays.stream(sinks).filter(s -> s != sink).toArray(InterruptLine[]::new);
        }

        synchronized boolean level() {
            return wiresHigh > 0;
        }

        synchronized void tell(boolean before) {
            boolean now = wiresHigh > 0;
            if (now != before) {
                for (InterruptLine sink : sinks) {
                    sink.set(now);
                }
            }
        }

        synchronized void change(boolean level) {
            boolean before = wiresHigh > 0;
            wiresHigh += level ? 1 : -1;
            boolean after = wiresHigh > 0;
            if (before != after && !quiet) {
                for (InterruptLine sink : sinks) {
                    sink.set(after);
                }
            }
        }
    }

    /** One device's wire. */
    final class Wire implements InterruptLine {
        private final String owner;
        private final Input input;
        private boolean level;
        private boolean connected;

        private Wire(String owner, Input input) {
            this.owner = owner;
            this.input = input;
        }

        @Override
        public void set(boolean now) {
            synchronized (input) {
                if (now != level) {
                    level = now;
                    if (connected) {
                        input.change(now);
                    }
                }
            }
        }

        boolean level() {
            synchronized (input) {
                return level;
            }
        }

        /** The input sees the wire's level from now on. */
        void connect() {
            synchronized (input) {
                connected = true;
                if (level) {
                    input.change(true);
                }
            }
            wires.add(this);
        }

        /** The input does not see the wire any more; its level is kept. */
        void disconnect() {
            wires.remove(this);
            synchronized (input) {
                if (connected && level) {
                    input.change(false);
                }
                connected = false;
            }
        }
    }
}
