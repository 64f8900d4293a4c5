package org.alcazar.launcher.framework;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes one line out of the framework's long story about a bundle that does not resolve or start.
 */
final class Resolution {
    private static final Pattern PACKAGE =
            Pattern.compile(
                    "osgi\\.wiring\\.package=([\\w.]+)\\)((?:\\(!\\([^)]*\\)\\)|\\([^)]*\\))*)");
    private static final Pattern FROM = Pattern.compile("\\(version>=([\\w.]+)\\)");
    private static final Pattern BELOW = Pattern.compile("\\(!\\(version>=([\\w.]+)\\)\\)");
    private static final Pattern BUNDLE = Pattern.compile("osgi\\.wiring\\.bundle=([\\w.-]+)\\)");
    private static final Pattern JAVA =
            Pattern.compile("osgi\\.ee=JavaSE\\)[^)]*\\(version=([\\w.]+)\\)");
    private static final Pattern EXTENDER =
            Pattern.compile("missing requirement \\[[^]]*]\\s*(?:\\([^)]*\\)]\\s*)?([\\w.]+); ");

    private Resolution() {}

    /** Why, beginning with a verb: {@code needs the package x.y, which no bundle exports}. */
    static String reason(Throwable e) {
        Throwable deepest = e;
        while (deepest.getCause() != null && deepest.getCause() != deepest) {
            deepest = deepest.getCause();
        }
        String message = String.valueOf(e.getMessage());
        if (!message.contains("missing requirement")) {
            String why = String.valueOf(deepest.getMessage()).strip().replaceAll("\\s+", " ");
            return "does not start: "
                    + (deepest == e ? why : deepest.getClass().getSimpleName() + ": " + why);
        }
        // The last requirement is the one at the bottom; the others only pass it on.
        String last = message.substring(message.lastIndexOf("missing requirement"));
        int end = last.indexOf("Unresolved requirements:");
        return needs(end < 0 ? last : last.substring(0, end));
    }

    /** The same for one requirement: its filter, or the framework's words about it. */
    static String needs(String requirement) {
        Matcher wanted = PACKAGE.matcher(requirement);
        if (wanted.find()) {
            return "needs the package "
                    + wanted.group(1)
                    + versions(wanted.group(2))
                    + ", which no bundle exports";
        }
        wanted = BUNDLE.matcher(requirement);
        if (wanted.find()) {
            return "needs the bundle " + wanted.group(1) + ", which is not installed";
        }
        wanted = JAVA.matcher(requirement);
        if (wanted.find()) {
            return "needs Java "
                    + wanted.group(1)
                    + "; this is Java "
                    + Runtime.version().feature();
        }
        wanted = EXTENDER.matcher(requirement);
        String what = wanted.find() ? wanted.group(1) : requirement.replaceAll("\\s+", " ");
        return "needs what no bundle offers: " + what;
    }

    /** The package that a requirement's filter asks for. */
    static Optional<String> wantedPackage(String filter) {
        Matcher wanted = PACKAGE.matcher(filter);
        return wanted.find() ? Optional.ofNullable(wanted.group(1)) : Optional.empty();
    }

    private static String versions(String filter) {
        Matcher below = BELOW.matcher(filter);
        Optional<String> end = below.find() ? Optional.of(below.group(1)) : Optional.empty();
        Matcher from = FROM.matcher(filter);
        return from.find()
                ? " of version "
                        + from.group(1)
                        + " or newer"
                        + end.map(v -> ", below " + v).orElse("")
                : "";
    }
}
