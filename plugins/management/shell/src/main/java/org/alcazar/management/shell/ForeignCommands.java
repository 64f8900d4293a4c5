package org.alcazar.management.shell;

import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Commands that other bundles offer in Gogo's way (Felix Gogo, "commands"): services with the
 * properties {@code osgi.command.scope} and {@code osgi.command.function}, whose methods of those
 * names are the commands. Sessions that run get what comes later, too. Any thread.
 */
final class ForeignCommands {
    static final String SCOPE = "osgi.command.scope";
    static final String FUNCTION = "osgi.command.function";

    private record Offer(Object service, String scope, List<String> functions) {
        void addTo(CommandProcessorImpl session) {
            functions.forEach(function -> session.addCommand(scope, service, function));
        }
    }

    private final List<Offer> offers = new ArrayList<>();
    private final Set<CommandProcessorImpl> sessions = new HashSet<>();

    /** A service has come. */
    synchronized void add(Object service, Map<String, ?> properties) {
        Offer offer =
                new Offer(
                        service,
                        String.valueOf(properties.get(SCOPE)),
                        words(properties.get(FUNCTION)));
        offers.add(offer);
        sessions.forEach(offer::addTo);
    }

    private static List<String> words(@Nullable Object value) {
        return value instanceof Object[] many
                ? List.of(many).stream().map(String::valueOf).toList()
                : List.of(String.valueOf(value));
    }

    /** It goes; nothing of it is kept. */
    synchronized void remove(Object service) {
        offers.removeIf(offer -> offer.service == service);
        sessions.forEach(session -> session.removeCommand(service));
    }

    /** A session begins. */
    synchronized void join(CommandProcessorImpl session) {
        offers.forEach(offer -> offer.addTo(session));
        sessions.add(session);
    }

    synchronized void leave(CommandProcessorImpl session) {
        sessions.remove(session);
    }

    /** All of them, such as {@code rng:rate}. */
    synchronized List<String> names() {
        return offers.stream()
                .flatMap(offer -> offer.functions.stream().map(name -> offer.scope + ":" + name))
                .sorted()
                .toList();
    }
}
