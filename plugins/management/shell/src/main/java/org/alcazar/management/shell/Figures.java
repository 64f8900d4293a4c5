package org.alcazar.management.shell;

import java.util.LinkedHashMap;
import java.util.Map;

/** Values in a VM's tree of statistics. */
final class Figures {
    private Figures() {}

    /** A branch; empty where there is none. */
    static Map<String, Object> tree(Map<String, Object> tree, String key) {
        Map<String, Object> found = new LinkedHashMap<>();
        if (tree.get(key) instanceof Map<?, ?> branch) {
            branch.forEach((name, value) -> found.put(String.valueOf(name), value));
        }
        return found;
    }

    /** A whole number; 0 where there is none. */
    static long number(Map<String, Object> tree, String... path) {
        return leaf(tree, path).longValue();
    }

    /** A number; 0 where there is none. */
    static double real(Map<String, Object> tree, String... path) {
        return leaf(tree, path).doubleValue();
    }

    private static Number leaf(Map<String, Object> tree, String... path) {
        Map<String, Object> at = tree;
        for (int i = 0; i < path.length - 1; i++) {
            at = tree(at, path[i]);
        }
        return at.get(path[path.length - 1]) instanceof Number number ? number : 0L;
    }
}
