package org.alcazar.vmm.management;

import java.util.List;

/**
 * What a swap of a bundle has done.
 *
 * @param bundle symbolic name
 * @param from id and version before, such as {@code 12 (1.0.0)}
 * @param to id and version now
 * @param trialNanos how long the trial took, while the guests ran
 * @param exchanges one for each VM with parts of the bundle
 */
public record SwapReport(
        String bundle, String from, String to, long trialNanos, List<Exchange> exchanges) {
    public SwapReport {
        exchanges = List.copyOf(exchanges);
    }

    /**
     * The exchange in one VM.
     *
     * @param parts names of the parts
     * @param pauseNanos how long the guest stood still, from the stop of the last vcore on
     */
    public record Exchange(String vm, List<String> parts, long pauseNanos) {
        public Exchange {
            parts = List.copyOf(parts);
        }
    }
}
