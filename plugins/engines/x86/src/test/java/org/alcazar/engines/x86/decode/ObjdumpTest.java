package org.alcazar.engines.x86.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Compares with objdump where there is one; texts only with the version whose style the
 * disassembler has.
 */
class ObjdumpTest {
    private static final Pattern HEX = Pattern.compile("(?:[0-9a-f]{2} ?)+");

    private static final List<Path> LIBRARIES =
            List.of(
                    Path.of("/lib/x86_64-linux-gnu/libc.so.6"),
                    Path.of("/usr/lib64/libc.so.6"),
                    Path.of("/usr/lib/libc.so.6"));

    @TempDir private Path folder;

    private static Path library() {
        Path found = LIBRARIES.stream().filter(Files::exists).findFirst().orElse(Path.of(""));
        assumeTrue(
                !Objdump.version().isEmpty() && Files.isRegularFile(found),
                "no objdump or no libc");
        return found;
    }

    @Test
    @DisplayName("libc in AT&T syntax, every instruction")
    void att() throws IOException {
        compare(Syntax.ATT, 64, 100_000, "-d", library().toString());
    }

    @Test
    @DisplayName("a part of libc in Intel syntax")
    void intel() throws IOException {
        String[] options = {"-d", "-M", "intel", "--stop-address=0x70000", library().toString()};
        compare(Syntax.INTEL, 64, 50_000, options);
    }

    @Test
    @DisplayName("bytes of libc taken for 32-bit code")
    void code32() throws IOException {
        compare(Syntax.ATT, 32, 20_000, "-D", "-b", "binary", "-m", "i386", sample());
    }

    @Test
    @DisplayName("bytes of libc taken for 16-bit code")
    void code16() throws IOException {
        compare(Syntax.ATT, 16, 20_000, "-D", "-b", "binary", "-m", "i8086", sample());
    }

    /** 60,000 bytes of code: they fit a 16-bit segment. */
    private String sample() throws IOException {
        byte[] all = Files.readAllBytes(library());
        int from = Math.min(all.length / 3, all.length - 60_000);
        Path file = folder.resolve("sample");
        Files.write(file, Arrays.copyOfRange(all, from, from + 60_000));
        return file.toString();
    }

    private static void compare(Syntax syntax, int mode, int atLeast, String... options)
            throws IOException {
        boolean texts = Objdump.version().contains(Objdump.STYLE);
        List<String> command = new ArrayList<>(List.of("objdump", "-w", "--insn-width=16"));
        command.addAll(List.of(options));
        Process process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        Disassembler disassembler = new Disassembler(syntax);
        int count = 0;
        List<String> different = new ArrayList<>();
        try (BufferedReader in =
                new BufferedReader(
                        new InputStreamReader(
                                process.getInputStream(), StandardCharsets.ISO_8859_1))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] part = line.split("\t");
                if (part.length < 3
                        || !HEX.matcher(part[1].strip()).matches()
                        || explained(part[2])) {
                    continue;
                }
                count++;
                String difference = difference(disassembler, mode, part, texts);
                if (!difference.isEmpty() && different.size() < 20) {
                    different.add(difference);
                }
            }
        }
        assertEquals(List.of(), different);
        assertTrue(count >= atLeast, "compared " + count);
    }

    private static String difference(
            Disassembler disassembler, int mode, String[] part, boolean texts) {
        byte[] bytes = HexFormat.of().parseHex(part[1].replace(" ", ""));
        long address = Long.parseUnsignedLong(part[0].strip().replace(":", ""), 16);
        byte[] padded = Arrays.copyOf(bytes, bytes.length + 16);
        String got = Objdump.normal(disassembler.text(padded, 0, padded.length, mode, address));
        String want = Objdump.normal(part[2]);
        boolean same = disassembler.length() == bytes.length && (!texts || got.equals(want));
        return same ? "" : part[1].strip() + " want [" + want + "] got [" + got + "]";
    }

    /** Lines that can't agree. */
    private static boolean explained(String text) {
        String normal = Objdump.normal(text);
        return normal.contains("(bad)")
                || normal.startsWith(".byte")
                // LOCK where it raises #UD, segment registers that don't exist: objdump shows them.
                || normal.startsWith("lock")
                || normal.contains("%?")
                || normal.startsWith("mov") && normal.endsWith(",%cs")
                // What objdump joins with a WAIT before it.
                || normal.matches("f(?:init|stcw|stsw|stenv|save|clex).*")
                // 16-bit branches that wrap: objdump shows more than 16 bits.
                || normal.matches("(?:j|call|loop).* 0xffff[0-9a-f]{4}")
                // Prefixes that are alone at the end of a section.
                || normal.matches("(?:rex\\S*|repz|repnz|data16|cs|ds|es|ss|fs|gs|addr32)");
    }
}
