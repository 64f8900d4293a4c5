package org.alcazar.devices.virtioballoon;

import org.alcazar.devices.virtio.api.VirtioFunction;
import org.alcazar.devices.virtio.api.VirtioKind;
import org.alcazar.devices.virtio.api.VirtioTransport;
import org.alcazar.devices.virtio.api.Virtqueue;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.device.Balloon;
import org.alcazar.vmm.device.DeviceContext;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A traditional memory balloon (Virtio 1.2, 5.5): the host says how many pages it wants, the driver
 * gives it some, and the host's memory beneath them is discarded. With free page reporting
 * (5.5.6.9) the driver also tells of pages that have become free.
 *
 * <p>Pages that the driver takes back need no word before they are used: what is touched is there,
 * and zero. So {@code MUST_TELL_HOST} is not offered.
 */
final class VirtioBalloon implements VirtioFunction, Balloon {
    private static final int ID = 5;

    /** PCI class: RAM. */
    private static final int CLASS = 0x05_00_00;

    /** Features (5.5.3). */
    static final int STATS_VQ = 1, DEFLATE_ON_OOM = 2, PAGE_POISON = 4, REPORTING = 5;

    /**
     * Queues (5.5.2). Drivers that were made after what devices did, not after the text, number the
     * queues that they use in one row: they report in the queue of free page hints, which are not
     * offered, or in that of statistics if they want none.
     */
    static final int INFLATE = 0, DEFLATE = 1, STATISTICS = 2, FREE_PAGE = 3, REPORT = 4;

    private static final List<Integer> QUEUES = List.of(128, 128, 128, 128, 128);

    /** Configuration (5.5.4): four numbers of 32 bits. */
    static final int NUM_PAGES = 0, ACTUAL = 4, COMMAND = 8, POISON = 12;

    private static final int CONFIG_BYTES = 16;

    /** Statistics (5.5.6.3): a tag of 16 bits and a value of 64. */
    private static final int STATISTIC_BYTES = 10;

    private static final List<String> STATISTICS_NAMES =
            List.of(
                    "swapped-in",
                    "swapped-out",
                    "major-faults",
                    "minor-faults",
                    "free",
                    "total",
                    "available",
                    "disk-caches",
                    "huge-page-allocations",
                    "huge-page-failures",
                    "oom-kills",
                    "allocation-stalls",
                    "asynchronous-scans",
                    "direct-scans",
                    "asynchronous-reclaims",
                    "direct-reclaims");

    private static final int PAGE_SHIFT = 12;
    private static final long PAGE = 1L << PAGE_SHIFT;
    private static final long NUMBER = 0xffff_ffffL;

    /** Page numbers that are looked at together: as many as drivers hand over at once. */
    private static final int BATCH = 256;

    /** Bytes of page numbers that a request may have: 256 MiB of pages. */
    private static final long LARGEST = 1 << 18;

    /** Reported bytes that are as much work as a request. */
    private static final long REPORTED = 1 << 21;

    private static final int NONE = -1;

    private final VirtioKind kind;
    private final GuestMemory memory;
    private final GuestClock clock;
    private final long statisticsNanos;
    private final Counter inflated;
    private final Counter reported;
    private final Counter kept;
    private final Counter refused;
    private final GuestTimer poll;
    private final byte[] bytes = new byte[BATCH * Integer.BYTES];
    private final long[] pages = new long[BATCH];
    private @Nullable VirtioTransport transport;

    /** Pages. */
    private long wanted;

    private int actual;
    private int poison;

    /** The buffer that the driver gave for statistics; {@link #NONE} if it has it. */
    private int held = NONE;

    /** By tag; which of them the driver has told is in the bits of another number. */
    private final long[] statistics = new long[STATISTICS_NAMES.size()];

    private long told;

    /** When statistics are asked for next, in guest nanoseconds; {@link #NONE} if never. */
    private long nextPoll = NONE;

    VirtioBalloon(DeviceContext context, VirtioBalloonConfig config) {
        memory = context.memory();
        clock = context.clock();
        statisticsNanos = config.statisticsNanos();
        inflated = context.counter("inflated-pages");
        reported = context.counter("reported-bytes");
        kept = context.counter("pages-kept");
        refused = context.counter("refused-requests");
        poll = clock.timer("statistics", this::askForStatistics);
        long features = 1L << STATS_VQ | 1L << PAGE_POISON;
        features |= config.deflateOnOom() ? 1L << DEFLATE_ON_OOM : 0;
        features |= config.reporting() ? 1L << REPORTING : 0;
        kind = new VirtioKind(ID, CLASS, features, QUEUES, CONFIG_BYTES);
    }

    VirtioKind kind() {
        return kind;
    }

    VirtioFunction behind(VirtioTransport front) {
        transport = front;
        return this;
    }

    private VirtioTransport front() {
        return java.util.Objects.requireNonNull(transport, "not behind a transport yet");
    }

    // Balloon

    @Override
    public void ask(long bytesWanted) {
        synchronized (front().lock()) {
            long number = Math.min(bytesWanted >> PAGE_SHIFT, NUMBER);
            if (number != wanted) {
                wanted = number;
                front().configChanged();
            }
            returnStatistics();
        }
    }

    @Override
    public long asked() {
        synchronized (front().lock()) {
            return wanted << PAGE_SHIFT;
        }
    }

    @Override
    public long given() {
        synchronized (front().lock()) {
            return (actual & NUMBER) << PAGE_SHIFT;
        }
    }

    @Override
    public Map<String, Long> statistics() {
        Map<String, Long> out = new TreeMap<>();
        synchronized (front().lock()) {
            for (int tag = 0; tag < statistics.length; tag++) {
                if ((told & 1L << tag) != 0) {
                    out.put(STATISTICS_NAMES.get(tag), statistics[tag]);
                }
            }
        }
        return out;
    }

    // VirtioFunction

    @Override
    public int readConfig(int offset) {
        int shift = 8 * (offset & 3);
        return switch (offset & -4) {
            case NUM_PAGES -> (int) (wanted >> shift) & 0xff;
            case ACTUAL -> actual >> shift & 0xff;
            case POISON -> poison >> shift & 0xff;
            default -> 0;
        };
    }

    @Override
    public void writeConfig(int offset, int value) {
        int shift = 8 * (offset & 3);
        switch (offset & -4) {
            case ACTUAL -> actual = actual & ~(0xff << shift) | value << shift;
            case POISON -> poison = poison & ~(0xff << shift) | value << shift;
            default -> {}
        }
    }

    @Override
    public void ready() {
        pollAt(statisticsNanos > 0 ? clock.nanos() + statisticsNanos : NONE);
    }

    private void pollAt(long nanos) {
        nextPoll = nanos;
        if (nanos == NONE) {
            poll.cancel();
        } else {
            poll.arm(nanos);
        }
    }

    @Override
    public void notified(int queue) {
        Virtqueue from = front().queue(queue);
        boolean isStatistics = queue == STATISTICS && front().has(STATS_VQ);
        while (from.next()) {
            if (isStatistics) {
                takeStatistics(from);
                continue;
            }
            if (queue == INFLATE) {
                inflate(from);
            } else if (queue != DEFLATE) {
                discardFree(from);
            }
            from.complete(0);
        }
        front().used(queue);
    }

    private void inflate(Virtqueue from) {
        if (from.readableBytes() > LARGEST) {
            refused.increment();
            return;
        }
        from.spend(from.readableBytes() / bytes.length);
        int count;
        for (long at = 0; (count = numbers(from, at)) > 0; at += (long) count * Integer.BYTES) {
            Arrays.sort(pages, 0, count); // each piece that goes costs an invalidation
            for (int i = 0; i < count; ) {
                int end = i + 1;
                while (end < count && pages[end] - pages[end - 1] <= 1) {
                    end++;
                }
                long pieces = pages[end - 1] - pages[i] + 1;
                long gone = memory.discard(pages[i] << PAGE_SHIFT, pieces << PAGE_SHIFT);
                kept.add(pieces - (gone >> PAGE_SHIFT));
                i = end;
            }
            inflated.add(count);
        }
    }

    /** Fetches page numbers, 32 bits each; how many there were. */
    private int numbers(Virtqueue from, long offset) {
        int count = from.read(offset, bytes, 0, bytes.length) / Integer.BYTES;
        for (int i = 0; i < count; i++) {
            pages[i] = number(i * Integer.BYTES, Integer.BYTES);
        }
        return count;
    }

    private long number(int at, int size) {
        long value = 0;
        for (int i = size - 1; i >= 0; i--) {
            value = value << 8 | bytes[at + i] & 0xff;
        }
        return value;
    }

    /** The buffers are the free pages themselves. What is to hold a pattern stays (5.5.6.7.1). */
    private void discardFree(Virtqueue from) {
        if (!front().has(REPORTING) || front().has(PAGE_POISON) && poison != 0) {
            return;
        }
        from.spend(from.writableBytes() / REPORTED);
        for (int i = 0; i < from.buffers(); i++) {
            reported.add(memory.discard(from.address(i), from.bytes(i)));
        }
    }

    private void takeStatistics(Virtqueue from) {
        if (held != NONE) {
            from.complete(held, 0); // there should be one at a time
        }
        held = from.head();
        int count = from.read(0, bytes, 0, statistics.length * STATISTIC_BYTES);
        for (int at = 0; at + STATISTIC_BYTES <= count; at += STATISTIC_BYTES) {
            int tag = (int) number(at, Short.BYTES);
            if (tag < statistics.length) {
                statistics[tag] = number(at + Short.BYTES, Long.BYTES);
                told |= 1L << tag;
            }
        }
    }

    private void askForStatistics() {
        synchronized (front().lock()) {
            returnStatistics();
            boolean again = statisticsNanos > 0 && front().isReady();
            pollAt(again ? clock.nanos() + statisticsNanos : NONE);
        }
    }

    /** The driver fills the buffer anew when it gets it back. */
    private void returnStatistics() {
        if (held != NONE && front().isReady()) {
            int chain = held;
            held = NONE;
            front().queue(STATISTICS).complete(chain, 0);
            front().used(STATISTICS);
        }
    }

    /** What the host wants it wants of the next driver too. */
    @Override
    public void reset() {
        actual = 0;
        poison = 0;
        held = NONE;
        told = 0;
        Arrays.fill(statistics, 0);
        pollAt(NONE);
    }

    @Override
    public SavedState save() {
        return new SavedState("virtio-balloon", 1)
                .put("wanted", wanted)
                .put("actual", actual)
                .put("poison", poison)
                .put("held", held)
                .put("statistics", statistics)
                .put("told", told)
                .put("next-poll", nextPoll);
    }

    @Override
    public void restore(SavedState state) {
        state.require("virtio-balloon", 1);
        wanted = state.getLong("wanted") & NUMBER;
        actual = state.getInt("actual");
        poison = state.getInt("poison");
        held = Math.max(NONE, state.getInt("held"));
        long[] saved = state.getLongs("statistics");
        System.arraycopy(saved, 0, statistics, 0, Math.min(saved.length, statistics.length));
        told = state.getLong("told");
        long at = Math.max(NONE, state.getLong("next-poll"));
        if (statisticsNanos == 0) {
            pollAt(NONE);
        } else if (at == NONE && front().isReady()) {
            pollAt(clock.nanos() + statisticsNanos); // saved where nobody asked
        } else {
            pollAt(at);
        }
    }
}
