package org.alcazar.host.tck;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * What every host must do. A host's test extends it and says how to make one; what a test of an
 * optional service needs to know beside that is asked by methods which a host may override.
 *
 * <p>The parts, each in a class of its own: {@link MemoryTests}, {@link ThreadTests}, {@link
 * TimerTests}, {@link InterruptTests}, {@link PortalTests}, {@link ServiceTests}.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class HostTck extends ServiceTests {
    /**
     * A fresh host whose memory is not in use. Closed after the test if it is {@link
     * AutoCloseable}.
     */
    protected abstract HostKernel newHost() throws HostRefusal;

    /**
     * The processor that the calling thread runs on now, from 0, as the host counts them; -1 (as
     * here) if the test has no way to find out. Placement is checked by it.
     */
    protected int currentProcessor() {
        return -1;
    }

    /**
     * A name of {@code HostPackets} whose two ends find each other when it is opened twice; empty
     * (as here) where frames can't be tried.
     */
    protected Optional<String> packetChannel() {
        return Optional.empty();
    }

    @Override
    final HostKernel freshHost() throws HostRefusal {
        return newHost();
    }

    @Override
    final int whereThisRuns() {
        return currentProcessor();
    }

    @Override
    final Optional<String> packetPair() {
        return packetChannel();
    }

    @Test
    void hasANameAndAProcessor() {
        assertTrue(host().name().matches("[a-z0-9-]+"), host().name());
        assertTrue(processors().count() >= 1);
        for (int cpu = 0; cpu < processors().count(); cpu++) {
            assertTrue(processors().frequency(cpu) >= 0);
        }
    }
}
