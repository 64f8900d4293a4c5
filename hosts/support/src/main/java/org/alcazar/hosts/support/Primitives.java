package org.alcazar.hosts.support;

import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts a host's primitives and knows their prices. Counting takes no lock and allocates nothing.
 *
 * @param <P> the host's primitives
 */
public final class Primitives<P extends Enum<P> & Counted> implements HostPrimitives {
    /** The resource with the prices, in the package of the primitives. */
    public static final String RESOURCE = "costs.properties";

    private final Map<P, LongAdder> adders;
    private final List<Primitive> priced;
    private final Machine machine;
    private final Noise noise;

    private Primitives(P[] constants, CostTable table) throws HostRefusal {
        adders = new EnumMap<>(constants[0].getDeclaringClass());
        for (P constant : constants) {
            adders.put(constant, new LongAdder());
        }
        priced = table.primitives(List.of(constants));
        machine = table.machine();
        noise = table.noise();
        table.refuseTheRest();
    }

    /**
     * Counters at zero.
     *
     * @param host its name, for messages
     * @param type of the primitives; the host's own prices lie beside its class
     * @param file with other prices, whole; empty for the host's own. See {@link CostTable}
     * @throws HostRefusal if the file can't be read, lacks a key, or has an unknown one
     */
    public static <P extends Enum<P> & Counted> Primitives<P> read(
            String host, Class<P> type, String file) throws HostRefusal {
        P[] constants = type.getEnumConstants();
        if (!file.isEmpty()) {
            try (Reader in = Files.newBufferedReader(Path.of(file))) {
                return new Primitives<>(
                        constants, CostTable.read(in, "host " + host + ": " + file));
            } catch (IOException e) {
                throw new HostRefusal(
                        "host %s: costs: %s can't be read: %s".formatted(host, file, e), e);
            }
        }
        try (InputStream in = type.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(type.getPackageName() + " lacks " + RESOURCE);
            }
            Reader reader = new InputStreamReader(in, StandardCharsets.UTF_8);
            return new Primitives<>(
                    constants, CostTable.read(reader, "host " + host + ": " + RESOURCE));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One more. */
    public void count(P primitive) {
        adder(primitive).increment();
    }

    /** Some more. */
    public void count(P primitive, long times) {
        adder(primitive).add(times);
    }

    /** How often so far. */
    public long counted(P primitive) {
        return adder(primitive).sum();
    }

    private LongAdder adder(P primitive) {
        return Objects.requireNonNull(adders.get(primitive));
    }

    /** The price of one, in cycles. */
    public long cycles(P primitive) {
        return priced.stream()
                .filter(known -> known.name().equals(primitive.key()))
                .mapToLong(Primitive::cycles)
                .findFirst()
                .orElseThrow();
    }

    @Override
    public List<Primitive> primitives() {
        return priced;
    }

    @Override
    public Map<String, Long> counts() {
        Map<String, Long> out = new LinkedHashMap<>();
        adders.forEach((primitive, adder) -> out.put(primitive.key(), adder.sum()));
        return out;
    }

    @Override
    public Machine machine() {
        return machine;
    }

    @Override
    public Noise noise() {
        return noise;
    }
}
