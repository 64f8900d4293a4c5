package org.alcazar.vmm.device;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a part gives to its successor at a hot-swap beside its state: open files, sockets and the
 * like, which are of host or JDK types. It is never saved.
 */
public final class Handover implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Handover.class);

    private final Map<String, Object> things = new LinkedHashMap<>();

    /**
     * Gives a thing away: the giver does not close it.
     *
     * @throws IllegalArgumentException if something of that name has been given and not been taken;
     *     the giver keeps its thing then
     */
    public void give(String name, Object thing) {
        if (things.putIfAbsent(name, thing) != null) {
            throw new IllegalArgumentException("'" + name + "' has been handed over already");
        }
    }

    /**
     * Takes a thing over: the taker closes it in the end.
     *
     * @return empty if there is none of that name and class
     */
    public <T> Optional<T> take(String name, Class<T> type) {
        return type.isInstance(things.get(name))
                ? Optional.of(type.cast(things.remove(name)))
                : Optional.empty();
    }

    /** Whether nothing is left to take. */
    public boolean isEmpty() {
        return things.isEmpty();
    }

    /** Closes what nobody has taken. For the core, when the exchange is over. */
    @Override
    public void close() {
        for (Object thing : things.values()) {
            if (thing instanceof AutoCloseable closeable) {
                try {
                    closeable.close();
                } catch (Exception e) {
                    LOG.warn("what nobody took over could not be closed: {}", thing, e);
                }
            }
        }
        things.clear();
    }
}
