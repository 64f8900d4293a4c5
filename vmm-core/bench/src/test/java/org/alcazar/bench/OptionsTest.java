package org.alcazar.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.bench.Options.Option;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Optional;

class OptionsTest {
    private static final Option QUICK = Option.flag("--quick");
    private static final List<Option> KNOWN =
            List.of(Options.AGAINST, Options.ROUNDS, QUICK, Options.JSON);

    private static Options parse(String text) throws Options.Wrong {
        return Options.parse("x", KNOWN, text.isEmpty() ? List.of() : List.of(text.split(" ")));
    }

    @Test
    void valuesAndSwitches() throws Exception {
        Options options = parse("--quick --against qemu --rounds 12");
        assertTrue(options.has(QUICK));
        assertTrue(options.has(Options.AGAINST));
        assertEquals(12, options.number(Options.ROUNDS, 3));
        assertEquals(Optional.empty(), options.text(Options.JSON));
        assertFalse(parse("").has(QUICK));
        assertEquals(3, parse("").number(Options.ROUNDS, 3));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--rounds", "--rounds 0", "--rounds x", "--against vmware", "--fast"})
    void whatIsWrongIsSaidWithWhatIsRight(String text) {
        Options.Wrong wrong = assertThrows(Options.Wrong.class, () -> parse(text));
        assertEquals(
                "bench x takes --against qemu, --rounds N, --quick, --json FILE, not '%s'"
                        .formatted(text),
                wrong.getMessage());
    }
}
