package org.alcazar.vmm.management;

import java.util.Map;

/**
 * What became of equal pages.
 *
 * @param pages that were in the host's memory and were looked at
 * @param merged pages that lie in another's host page now
 * @param savedBytes of the host's memory that are free for it
 * @param pauseNanos how long each VM stood still at a time, at most, by its number
 */
public record ShareReport(long pages, long merged, long savedBytes, Map<Integer, Long> pauseNanos) {
    public ShareReport {
        pauseNanos = Map.copyOf(pauseNanos);
    }
}
