package org.alcazar.vmm.device;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a part gives to its successor at a hot-swap beside its state: open files, sockets and the
 * like, which are of host or JDK types. It is never saved.
 */
public final class Handover {
    private final Map<String, Object> things = new LinkedHashMap<>();

    /** Gives a thing away: the giver does not close it. */
    public void give(String name, Object thing) {
        things.put(name, thing);
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
}
