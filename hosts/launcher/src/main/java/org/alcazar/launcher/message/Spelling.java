package org.alcazar.launcher.message;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds what somebody may have meant. */
public final class Spelling {
    private Spelling() {}

    /** The name nearest to what was given, if one is near. */
    public static Optional<String> nearest(String given, Collection<String> names) {
        String wanted = given.toLowerCase(Locale.ROOT);
        return names.stream()
                .min(Comparator.comparingInt(name -> distance(wanted, name)))
                .filter(name -> distance(wanted, name) <= tolerated(name));
    }

    private static int tolerated(String name) {
        return name.length() < 4 ? 1 : Math.max(2, name.length() / 3);
    }

    /** The end of a message about an unknown name: the nearest one, or all there are. */
    public static String suggest(String given, Collection<String> names) {
        return nearest(given, names)
                .map(name -> "; did you mean '" + name + "'?")
                .orElseGet(() -> "; there are: " + String.join(", ", names));
    }

    /**
     * Insertions, deletions, changes and swaps of neighbours that lead from one word to another.
     */
    private static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                d[i][j] =
                        Math.min(
                                d[i - 1][j - 1] + change,
                                Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1));
                boolean swapped =
                        i > 1
                                && j > 1
                                && a.charAt(i - 1) == b.charAt(j - 2)
                                && a.charAt(i - 2) == b.charAt(j - 1);
                if (swapped) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
