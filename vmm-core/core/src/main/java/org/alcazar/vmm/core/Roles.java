package org.alcazar.vmm.core;

import org.alcazar.vmm.plugin.ConfigurationException;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** What the parts of one VM offer to each other, by class. */
final class Roles {
    private record Offer(String owner, Object service) {}

    private final Map<Class<?>, Offer> offers = new ConcurrentHashMap<>();

    <T> void provide(String owner, Class<T> role, T service) throws ConfigurationException {
        Offer before = offers.putIfAbsent(role, new Offer(owner, service));
        if (before != null) {
            throw new ConfigurationException(
                    "device "
                            + owner
                            + ": "
                            + role.getSimpleName()
                            + " is offered by "
                            + before.owner
                            + " already");
        }
    }

    void withdraw(Class<?> role, Object service) {
        offers.computeIfPresent(role, (key, offer) -> offer.service == service ? null : offer);
    }

    <T> Optional<T> find(Class<T> role) {
        return Optional.ofNullable(offers.get(role)).map(offer -> role.cast(offer.service));
    }
}
