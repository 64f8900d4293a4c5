package org.alcazar.engines.x86.decode;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Binutils' disassembler as a second opinion. */
final class Objdump {
    /** The version whose style the disassembler has. */
    static final String STYLE = "2.40";

    private static final Pattern SYMBOL = Pattern.compile("<[^>]*>");
    private static final Pattern SPACE = Pattern.compile("\\s+");
    private static final Pattern TARGET = Pattern.compile(" ([0-9a-f]+)$");

    private Objdump() {}

    /** First line of what objdump says about its version; empty if there is none. */
    static String version() {
        try {
            Process p = new ProcessBuilder("objdump", "--version").start();
            String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return text.lines().findFirst().orElse("");
        } catch (IOException e) {
            return "";
        }
    }

    static void assumePresent() {
        assumeTrue(version().contains(STYLE), "no objdump " + STYLE);
    }

    /** The lines for a file of nothing but code, split at tabs: address, bytes, text. */
    static Map<Long, String[]> lines(Syntax syntax, int mode, Path file) throws IOException {
        String machine = mode == 64 ? "i386:x86-64" : mode == 32 ? "i386" : "i8086";
        String style = syntax == Syntax.ATT ? "att-mnemonic" : "intel";
        List<String> command =
                List.of(
                        "objdump",
                        "-w",
                        "--insn-width=16",
                        "-D",
                        "-b",
                        "binary",
                        "-m",
                        machine,
                        "-M",
                        style,
                        file.toString());
        Process process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        Map<Long, String[]> lines = new HashMap<>();
        try (BufferedReader in =
                new BufferedReader(
                        new InputStreamReader(
                                process.getInputStream(), StandardCharsets.ISO_8859_1))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] part = line.split("\t");
                if (part.length >= 3) {
                    String address = part[0].strip().replace(":", "");
                    lines.put(Long.parseUnsignedLong(address, 16), part);
                }
            }
        }
        return lines;
    }

    /** Text without comments, symbols and superfluous space. */
    static String normal(String text) {
        int comment = text.indexOf('#');
        String cut = comment < 0 ? text : text.substring(0, comment);
        cut = SPACE.matcher(SYMBOL.matcher(cut).replaceAll("").strip()).replaceAll(" ");
        return TARGET.matcher(cut).replaceAll(" 0x$1");
    }
}
