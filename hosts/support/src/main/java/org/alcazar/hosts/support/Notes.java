package org.alcazar.hosts.support;

import org.alcazar.host.HostNotes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What a host has found out. A thing that falls short of what was wished is logged once. */
public final class Notes implements HostNotes {
    private static final Logger LOG = LoggerFactory.getLogger(Notes.class);

    private final String host;
    private final Map<String, String> shortcomings = new LinkedHashMap<>();
    private final List<Supplier<String>> states = new ArrayList<>();

    /**
     * No notes yet.
     *
     * @param host its name, for the log
     */
    public Notes(String host) {
        this.host = host;
    }

    /** A line that is asked for each time; an empty one is left out. */
    public synchronized void state(Supplier<String> line) {
        states.add(line);
    }

    /**
     * Says, once for each topic, that something is less than was asked for, and why.
     *
     * @param topic the option, or what it is about
     */
    public synchronized void shortOf(String topic, String line) {
        if (shortcomings.putIfAbsent(topic, line) == null) {
            LOG.warn("host {}: {}: {}", host, topic, line);
        }
    }

    @Override
    public synchronized List<String> notes() {
        List<String> lines = new ArrayList<>();
        states.stream().map(Supplier::get).filter(line -> !line.isEmpty()).forEach(lines::add);
        shortcomings.forEach((topic, line) -> lines.add(topic + ": " + line));
        return lines;
    }
}
