package org.alcazar.vmm.management;

import java.util.Map;

/**
 * How much memory a guest has given up.
 *
 * @param asked bytes that it was last asked for
 * @param given bytes that it says it has given up
 * @param absent bytes of its RAM with no memory behind them now: what the guest has given up and
 *     not touched since, be it asked for or reported as free by itself. The host goes on charging
 *     them to the VM
 * @param statistics what the guest says of its memory, by name; sizes are in bytes
 */
public record BalloonReport(long asked, long given, long absent, Map<String, Long> statistics) {
    public BalloonReport {
        statistics = Map.copyOf(statistics);
    }
}
