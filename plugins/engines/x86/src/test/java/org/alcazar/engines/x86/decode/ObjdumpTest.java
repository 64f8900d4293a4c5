package org.alcazar.engines.x86.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Compares every instruction of Debian's C library, BusyBox and kernel with objdump, where there is
 * one of the version whose style the disassembler has. The kernel's millions take a minute: {@code
 * -Dalcazar.objdump.kernel=true}.
 */
class ObjdumpTest {
    private static final Pattern HEX = Pattern.compile("(?:[0-9a-f]{2} ?)+");

    /** Why a text may differ. */
    private enum Reason {
        /** Objdump knows the bytes as no instruction, and says so for one byte or all. */
        BAD,
        /** Objdump shows an instruction with a LOCK prefix, which raises #UD. */
        LOCKED,
        /** Objdump shows registers that do not exist, and MOV to CS. */
        NO_REGISTER,
        /** Objdump joins WAIT with what follows. */
        WAITING,
        /** Objdump shows more than 16 bits of a 16-bit branch that wraps. */
        WRAPPED,
        /** Prefixes alone at the end of a section, where more bytes should be. */
        CUT,
        /** Objdump takes the immediates 2 and 3 of PCLMULQDQ for 10h and 11h. */
        CARRYLESS
    }

    private final Map<Reason, Integer> explained = new EnumMap<>(Reason.class);
    private final List<String> different = new ArrayList<>();
    private int count;

    @TempDir private Path folder;

    @BeforeEach
    void present() {
        Objdump.assumePresent();
    }

    private static String library() {
        Optional<Path> found = Programs.library();
        assumeTrue(found.isPresent(), "no C library");
        return found.orElseThrow().toString();
    }

    @ParameterizedTest
    @EnumSource(Syntax.class)
    @DisplayName("the C library, every instruction")
    void libc(Syntax syntax) throws IOException {
        compare("libc", syntax, 64, 300_000, "-d", library());
    }

    @ParameterizedTest
    @EnumSource(Syntax.class)
    @DisplayName("BusyBox, every instruction")
    void busybox(Syntax syntax) throws IOException {
        Optional<Path> file = Programs.busybox();
        assumeTrue(file.isPresent(), "the Linux guest is not built: no BusyBox");
        compare("busybox", syntax, 64, 300_000, "-d", file.orElseThrow().toString());
    }

    @ParameterizedTest
    @EnumSource(Syntax.class)
    @DisplayName("the kernel, every instruction")
    @EnabledIfSystemProperty(named = "alcazar.objdump.kernel", matches = "true")
    void kernel(Syntax syntax) throws Exception {
        Optional<Path> image = Programs.bzImage();
        assumeTrue(image.isPresent(), "the Linux guest is not built: no kernel");
        Optional<Path> file = Programs.vmlinux(image.orElseThrow(), folder);
        assumeTrue(file.isPresent(), "no program that unpacks the kernel");
        compare("kernel", syntax, 64, 3_000_000, "-d", file.orElseThrow().toString());
    }

    @Test
    @DisplayName("bytes of the C library taken for 32-bit code")
    void code32() throws IOException {
        compare("code32", Syntax.ATT, 32, 20_000, "-D", "-b", "binary", "-m", "i386", sample());
    }

    @Test
    @DisplayName("bytes of the C library taken for 16-bit code")
    void code16() throws IOException {
        compare("code16", Syntax.ATT, 16, 20_000, "-D", "-b", "binary", "-m", "i8086", sample());
    }

    /** 60,000 bytes of code: they fit a 16-bit segment. */
    private String sample() throws IOException {
        byte[] all = Files.readAllBytes(Path.of(library()));
        int from = Math.min(all.length / 3, all.length - 60_000);
        Path file = folder.resolve("sample");
        Files.write(file, Arrays.copyOfRange(all, from, from + 60_000));
        return file.toString();
    }

    private void compare(String what, Syntax syntax, int mode, int atLeast, String... options)
            throws IOException {
        List<String> command = new ArrayList<>(List.of("objdump", "-w", "--insn-width=16"));
        command.addAll(List.of("-M", syntax == Syntax.ATT ? "att-mnemonic" : "intel"));
        command.addAll(List.of(options));
        Process process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        Disassembler disassembler = new Disassembler(syntax);
        try (BufferedReader in =
                new BufferedReader(
                        new InputStreamReader(
                                process.getInputStream(), StandardCharsets.ISO_8859_1))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] part = line.split("\t");
                if (part.length >= 3 && HEX.matcher(part[1].strip()).matches()) {
                    count++;
                    compare(disassembler, mode, part);
                }
            }
        }
        System.out.println(
                what + " " + syntax + ": " + count + " compared, explained " + explained);
        assertEquals("", String.join("\n", different));
        assertTrue(count >= atLeast, "compared " + count);
    }

    private void compare(Disassembler disassembler, int mode, String[] part) {
        byte[] bytes = HexFormat.of().parseHex(part[1].replace(" ", ""));
        long address = Long.parseUnsignedLong(part[0].strip().replace(":", ""), 16);
        byte[] padded = Arrays.copyOf(bytes, bytes.length + 16);
        String got = Objdump.normal(disassembler.text(padded, 0, padded.length, mode, address));
        String want = Objdump.normal(part[2]);
        if (disassembler.length() == bytes.length && got.equals(want)) {
            return;
        }
        Optional<Reason> reason = reason(bytes, want, got);
        if (reason.isPresent()) {
            explained.merge(reason.orElseThrow(), 1, Integer::sum);
        } else if (different.size() < 20) {
            different.add(part[1].strip() + " want [" + want + "] got [" + got + "]");
        }
    }

    private static Optional<Reason> reason(byte[] bytes, String want, String got) {
        Reason reason = null;
        if (want.contains("(bad)") || want.startsWith(".byte")) {
            reason = Reason.BAD;
        } else if (want.matches(".*\\block .*") && got.equals("(bad)")) {
            reason = Reason.LOCKED;
        } else if (want.contains("%?") || want.matches("mov.*,%cs")) {
            reason = Reason.NO_REGISTER;
        } else if (bytes[0] == (byte) 0x9b
                && want.matches("f(?:init|stcw|stsw|stenv|save|clex).*")) {
            reason = Reason.WAITING;
        } else if (want.matches("(?:.* )?(?:j|call|loop|xbegin).* 0xffff[0-9a-f]{4}")) {
            reason = Reason.WRAPPED;
        } else if (want.matches("(?:rex\\S*|repz|repnz|data16|cs|ds|es|ss|fs|gs|addr32|lock)")) {
            reason = Reason.CUT;
        } else if (want.contains("pclmul") && (bytes[bytes.length - 1] & ~1) == 2) {
            reason = Reason.CARRYLESS;
        }
        return Optional.ofNullable(reason);
    }
}
