package org.alcazar.vmm.core;

import org.alcazar.vmm.Hook;
import org.alcazar.vmm.device.DeviceContext.Connector;
import org.alcazar.vmm.plugin.ConfigurationException;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** What the parts of one VM offer to each other, by class, and who is connected with it. */
final class Roles {
    private record Offer(String owner, Object service) {}

    private final Map<Class<?>, Offer> offers = new ConcurrentHashMap<>();
    private final List<Connection<?>> connections = new ArrayList<>();

    synchronized <T> void provide(String owner, Class<T> role, T service)
            throws ConfigurationException {
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
        for (Connection<?> connection : List.copyOf(connections)) {
            if (connection.role == role) {
                connection.make();
            }
        }
    }

    synchronized void withdraw(Class<?> role, Object service) {
        Offer offer = offers.get(role);
        if (offer != null && offer.service == service) {
            connections.stream().filter(c -> c.role == role).forEach(Connection::end);
            offers.remove(role);
        }
    }

    <T> Optional<T> find(Class<T> role) {
        return Optional.ofNullable(offers.get(role)).map(offer -> role.cast(offer.service));
    }

    /** Who can't do without an offer of {@code owner}; empty if nobody. */
    synchronized List<String> dependents(String owner) {
        return connections.stream()
                .filter(c -> c.needed && !c.owner.equals(owner))
                .filter(c ->
                        Optional.ofNullable(offers.get(c.role))
                                .filter(offer -> offer.owner.equals(owner))
                                .isPresent())
                .map(c -> c.owner)
                .distinct()
                .toList();
    }

    /** A part's wish to be connected; nothing happens before {@link Connection#begin}. */
    <T> Connection<T> connection(
            String owner, Class<T> role, boolean needed, Connector<T> connector) {
        return new Connection<>(owner, role, needed, connector);
    }

    /** One part's connection with whatever offers a role. */
    final class Connection<T> {
        private final String owner;
        private final Class<T> role;
        private final boolean needed;
        private final Connector<T> connector;
        private Hook made = () -> {};

        Connection(String owner, Class<T> role, boolean needed, Connector<T> connector) {
            this.owner = owner;
            this.role = role;
            this.needed = needed;
            this.connector = connector;
        }

        void begin() throws ConfigurationException {
            synchronized (Roles.this) {
                if (needed && find(role).isEmpty()) {
                    throw new ConfigurationException(
                            "device "
                                    + owner
                                    + " needs a device that offers "
                                    + role.getSimpleName()
                                    + "; the platform has none before it");
                }
                connections.add(this);
                boolean connected = false;
                try {
                    make();
                    connected = true;
                } finally {
                    if (!connected) {
                        connections.remove(this);
                    }
                }
            }
        }

        void stop() {
            synchronized (Roles.this) {
                connections.remove(this);
                end();
            }
        }

        private void make() throws ConfigurationException {
            Optional<T> service = find(role);
            if (service.isPresent()) {
                made = connector.connect(service.get());
            }
        }

        private void end() {
            Hook before = made;
            made = () -> {};
            before.close();
        }
    }
}
