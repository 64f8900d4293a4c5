package org.alcazar.bench;

import java.util.Collection;
import java.util.List;

/** Figures of one kind, and what is said of them. */
record Samples(List<Double> values) {
    Samples {
        values = List.copyOf(values);
    }

    static Samples of(Collection<Double> values) {
        return new Samples(List.copyOf(values));
    }

    boolean isEmpty() {
        return values.isEmpty();
    }

    /** The middle one, or the mean of the two in the middle; not a number when there is none. */
    double median() {
        List<Double> sorted = values.stream().sorted().toList();
        int n = sorted.size();
        return n == 0 ? Double.NaN : (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
    }

    /** The least; not a number when there is none. */
    double min() {
        return values.stream().mapToDouble(v -> v).min().orElse(Double.NaN);
    }

    /** The greatest; not a number when there is none. */
    double max() {
        return values.stream().mapToDouble(v -> v).max().orElse(Double.NaN);
    }

    double sum() {
        return values.stream().mapToDouble(v -> v).sum();
    }

    /** The geometric mean, that of ratios; not a number when there is none. */
    double geometricMean() {
        return Math.exp(values.stream().mapToDouble(Math::log).average().orElse(Double.NaN));
    }

    /**
     * The lower end of the interval in which the median of what these are a sample of lies with 95
     * %, whatever its distribution: by order, the number below a median being binomial. The least
     * where there are too few.
     */
    double low() {
        return sorted(rank());
    }

    /** The upper end. */
    double high() {
        return sorted(values.size() - 1 - rank());
    }

    private double sorted(int at) {
        return values.isEmpty() ? Double.NaN : values.stream().sorted().toList().get(at);
    }

    /** How many may be left out at each end. */
    private int rank() {
        int n = values.size();
        double term = Math.pow(0.5, n); // of k below the median
        double sum = term;
        int k = 0;
        while (sum <= 0.025) {
            term *= (double) (n - k) / (k + 1);
            sum += term;
            k++;
        }
        return Math.max(0, k - 1);
    }
}
