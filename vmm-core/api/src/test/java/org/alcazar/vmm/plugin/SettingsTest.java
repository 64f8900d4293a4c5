package org.alcazar.vmm.plugin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;

class SettingsTest {
    private static final Schema SCHEMA =
            Schema.of(
                    Key.integer("irq", 0, 15, 4, "interrupt line"),
                    Key.size("memory", 4096, 1L << 40, "64K", "bytes of memory"),
                    Key.bool("loop", false, "loop-back"),
                    Key.string("label", "none", "text"),
                    Key.path("file", "a file"),
                    Key.choice("mode", List.of("fast", "exact"), "exact", "how"),
                    Key.backend("backend", "console", "where output goes"));

    private static Settings check(Map<String, ?> raw) throws ConfigurationException {
        return Settings.check("device uart", SCHEMA, raw);
    }

    private static String refusal(Map<String, ?> raw) {
        String message =
                String.valueOf(
                        assertThrows(ConfigurationException.class, () -> check(raw)).getMessage());
        assertFalse(message.contains("\n"));
        assertTrue(message.startsWith("device uart: "), message);
        return message;
    }

    @Test
    void whatIsNotGivenHasItsDefault() throws ConfigurationException {
        Settings settings = check(Map.of());
        assertEquals(4, settings.integer("irq"));
        assertEquals(65536, settings.integer("memory"));
        assertFalse(settings.bool("loop"));
        assertEquals("none", settings.string("label"));
        assertEquals("", settings.string("file"));
        assertEquals("exact", settings.string("mode"));
        assertEquals("console", settings.string("backend"));
        assertEquals(7, settings.values().size());
    }

    @Test
    void valuesMayBeTextOrOfTheirType() throws ConfigurationException {
        Settings text =
                check(
                        Map.of(
                                "irq", " 0xF ", "memory", "2G", "loop", "Yes", "mode", "fast",
                                "file", "a b.img", "label", "x"));
        assertEquals(15, text.integer("irq"));
        assertEquals(2L << 30, text.integer("memory"));
        assertTrue(text.bool("loop"));
        assertEquals("fast", text.string("mode"));
        assertEquals("a b.img", text.string("file"));
        Settings typed = check(Map.of("irq", 3L, "memory", 8192, "loop", true));
        assertEquals(3, typed.integer("irq"));
        assertEquals(8192, typed.integer("memory"));
        assertTrue(typed.bool("loop"));
    }

    @ParameterizedTest
    @CsvSource({"true, true", "on, true", "YES, true", "false, false", "off, false", "No, false"})
    void truthHasThreeSpellings(String text, boolean value) throws ConfigurationException {
        assertEquals(value, check(Map.of("loop", text)).bool("loop"));
    }

    @Test
    void wrongValuesAreRefusedWithWhatWouldBeRight() {
        assertEquals("device uart: irq=16 is not a value from 0 to 15", refusal(Map.of("irq", 16)));
        assertEquals("device uart: irq=-1 is not a value from 0 to 15", refusal(Map.of("irq", -1)));
        assertEquals("device uart: irq=four is not a whole number", refusal(Map.of("irq", "four")));
        assertEquals(
                "device uart: memory=12X is not a size such as 512M",
                refusal(Map.of("memory", "12X")));
        assertEquals(
                "device uart: memory=0 is not a value from 4096 to 1099511627776",
                refusal(Map.of("memory", "0")));
        assertEquals(
                "device uart: loop=maybe is not true or false", refusal(Map.of("loop", "maybe")));
        assertEquals(
                "device uart: mode=slow is not one of fast, exact",
                refusal(Map.of("mode", "slow")));
        assertEquals("device uart: irq=3.5 is not a whole number", refusal(Map.of("irq", 3.5)));
        assertEquals(
                "device uart: irq=[1] is not a whole number", refusal(Map.of("irq", List.of(1))));
    }

    @Test
    void unknownKeysAreRefusedWithTheNearestOne() {
        assertEquals(
                "device uart: unknown key 'irk'; did you mean 'irq'?", refusal(Map.of("irk", 1)));
        assertEquals(
                "device uart: unknown key 'memroy'; did you mean 'memory'?",
                refusal(Map.of("memroy", 1)));
        assertEquals(
                "device uart: unknown key 'frequency'; there are: irq, memory, loop, label, file,"
                        + " mode, backend",
                refusal(Map.of("frequency", 1)));
        String none =
                assertThrows(
                                ConfigurationException.class,
                                () -> Settings.check("x", Schema.EMPTY, Map.of("a", 1)))
                        .getMessage();
        assertEquals("x: unknown key 'a'; it takes no keys", none);
    }

    @Test
    void aMandatoryKeyMustBeGiven() throws ConfigurationException {
        Schema schema = Schema.of(Key.path("file", "the image").mandatory());
        String message =
                assertThrows(
                                ConfigurationException.class,
                                () -> Settings.check("backend file", schema, Map.of()))
                        .getMessage();
        assertEquals("backend file: key 'file' is missing: the image", message);
        assertEquals("x", Settings.check("b", schema, Map.of("file", "x")).string("file"));
    }

    @Test
    void askingForAKeyOutsideTheSchemaIsTheCallersMistake() throws ConfigurationException {
        Settings settings = check(Map.of());
        assertThrows(IllegalArgumentException.class, () -> settings.integer("speed"));
        assertThrows(IllegalArgumentException.class, () -> settings.string("speed"));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "4096, 4096",
        "64K, 65536",
        "64k, 65536",
        "1KiB, 1024",
        "1kB, 1024",
        "512M, 536870912",
        " 2G , 2147483648",
        "1T, 1099511627776",
        "0x1000, 4096",
        "0x10K, 16384",
        "0x1B, 27",
        "0xB, 11",
        "16B, 16",
        "010, 10",
        "0512M, 536870912",
        "8388607T, 9223370937343148032"
    })
    void sizesHaveUnits(String text, long bytes) {
        assertEquals(bytes, Settings.parseSize(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "K",
                "M5",
                "-1",
                "-1K",
                "1.5G",
                "12 M",
                "0x",
                "#10",
                "+5",
                "--5",
                "1KK",
                "8388608T",
                "9223372036854775808",
                "0xg",
                "B"
            })
    void whatIsNoSizeIsRefused(String text) {
        assertThrows(NumberFormatException.class, () -> Settings.parseSize(text));
    }

    @Test
    void integersAreDecimalUnlessTheySayOtherwise() throws ConfigurationException {
        assertEquals(10, check(Map.of("irq", "010")).integer("irq"));
        assertEquals(8, check(Map.of("irq", "08")).integer("irq"));
        Schema wide = Schema.of(Key.integer("n", Long.MIN_VALUE, Long.MAX_VALUE, 0, "any"));
        assertEquals(-16, Settings.check("x", wide, Map.of("n", "-0x10")).integer("n"));
        assertEquals(
                Long.MAX_VALUE,
                Settings.check("x", wide, Map.of("n", Long.MAX_VALUE)).integer("n"));
        assertEquals(
                Long.MIN_VALUE,
                Settings.check("x", wide, Map.of("n", Long.MIN_VALUE)).integer("n"));
    }
}
