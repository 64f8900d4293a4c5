package ${package};

import org.alcazar.vmm.plugin.SwapPolicyType.SwapPolicy;

import java.util.BitSet;

/** First in, first out. */
final class ${className} implements SwapPolicy {
    /** When each page was seen first since it came, counted in calls; 0: it is not there. */
    private final long[] came;

    private long calls;

    ${className}(int pages) {
        came = new long[pages];
    }

    @Override
    public BitSet choose(BitSet present, BitSet used, int count) {
        calls++;
        for (int page = 0; page < came.length; page++) {
            if (!present.get(page)) {
                came[page] = 0;
            } else if (came[page] == 0) {
                came[page] = calls;
            }
        }
        BitSet out = new BitSet();
        present.stream()
                .boxed()
                .sorted((a, b) -> Long.compare(came[a], came[b]))
                .limit(count)
                .forEach(out::set);
        return out;
    }
}
