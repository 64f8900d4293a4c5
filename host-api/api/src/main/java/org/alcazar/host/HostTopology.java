package org.alcazar.host;

import java.util.List;

/** Optional: how processors, memory and caches lie to each other. */
public interface HostTopology {
    /** Memory nodes by their numbers, which {@link PageRequest#numaNode} takes; at least one. */
    List<Node> nodes();

    /** Caches, the smallest level first; empty where they are not known. */
    List<Cache> caches();

    /**
     * A memory node.
     *
     * @param number as {@link PageRequest#numaNode} takes it
     * @param cpus processors of {@link HostProcessors} that lie at this node; may be none
     * @param bytes memory of the node
     * @param distances to each node in the order of {@link HostTopology#nodes}; 10 is the node
     *     itself, 20 twice as far
     */
    record Node(int number, List<Integer> cpus, long bytes, List<Integer> distances) {
        public Node {
            cpus = List.copyOf(cpus);
            distances = List.copyOf(distances);
        }
    }

    /** What a cache holds. */
    enum Content {
        DATA,
        INSTRUCTIONS,
        BOTH
    }

    /**
     * A cache.
     *
     * @param level 1 is next to the processor
     * @param bytes its size
     * @param lineBytes the size of its lines
     * @param cpus processors of {@link HostProcessors} that share it
     */
    record Cache(int level, Content content, long bytes, int lineBytes, List<Integer> cpus) {
        public Cache {
            cpus = List.copyOf(cpus);
        }
    }
}
