package org.alcazar.vmm.plugin;

import java.util.Collection;
import java.util.Comparator;

/** Finds what somebody may have meant. */
public final class Spelling {
    private Spelling() {}

    /**
     * "; did you mean 'x'?" for the nearest name, or the list of names if none is near; starts with
     * a separator.
     */
    public static String suggest(String given, Collection<String> names) {
        return names.stream()
                .min(Comparator.comparingInt(name -> distance(given, name)))
                .filter(name -> distance(given, name) <= Math.max(2, name.length() / 3))
                .map(name -> "; did you mean '" + name + "'?")
                .orElse(
                        names.isEmpty()
                                ? "; it takes no keys"
                                : "; there are: " + String.join(", ", names));
    }

    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? diagonal : diagonal + 1;
                row[j] = Math.min(change, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
