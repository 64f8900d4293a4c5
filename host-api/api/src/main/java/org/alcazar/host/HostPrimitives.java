package org.alcazar.host;

import java.util.List;
import java.util.Map;

/**
 * Optional: what this host does at its lowest level, how often it did it, and what that costs on
 * the machine that it is or models. Nothing here delays anything; it is for whoever charges virtual
 * time or explains a figure.
 */
public interface HostPrimitives {
    /** All primitives of this host with their prices, in a fixed order. */
    List<Primitive> primitives();

    /**
     * How often each was done since the host started, by {@link Primitive#name}, in the same order.
     * Counts of a moment that is not quite the same for all.
     */
    Map<String, Long> counts();

    /** The machine whose cycles these are: that which is modelled, or on which was measured. */
    Machine machine();

    /** What the host does by itself, whether anybody wants it or not. */
    Noise noise();

    /**
     * A machine.
     *
     * @param hertz cycles per second, at least 1
     * @param source which one it is, and how that is known
     */
    record Machine(long hertz, String source) {}

    /**
     * One primitive.
     *
     * @param name lower case with hyphens, such as {@code page-allocation}
     * @param meaning one line for people: what is counted
     * @param cycles price of one, in processor cycles, at least 0
     * @param source where the figure comes from
     */
    record Primitive(String name, String meaning, long cycles, String source) {}

    /**
     * What the host takes from everybody.
     *
     * @param ticksPerSecond rate of the periodic timer on each processor; 0 where there is none
     * @param tickCycles length of a tick in processor cycles
     * @param daemons what else runs now and then
     * @param source where the figures come from
     */
    record Noise(long ticksPerSecond, long tickCycles, List<Daemon> daemons, String source) {
        public Noise {
            daemons = List.copyOf(daemons);
        }
    }

    /**
     * Something that runs now and then.
     *
     * @param periodNanos from one start to the next
     * @param cycles length of a run in processor cycles
     */
    record Daemon(String name, long periodNanos, long cycles) {}
}
