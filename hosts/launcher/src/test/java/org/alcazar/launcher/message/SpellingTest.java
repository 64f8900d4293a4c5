package org.alcazar.launcher.message;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Optional;

class SpellingTest {
    private static final List<String> NAMES = List.of("memory", "cpus", "kernel", "initrd");

    @Test
    void aSlipOfTheFingersFindsItsName() {
        assertEquals(Optional.of("memory"), Spelling.nearest("memry", NAMES));
        assertEquals(Optional.of("kernel"), Spelling.nearest("kenrel", NAMES));
        assertEquals(Optional.of("cpus"), Spelling.nearest("CPU", NAMES));
    }

    @Test
    void anotherWordFindsNothing() {
        assertEquals(Optional.empty(), Spelling.nearest("colour", NAMES));
    }

    @Test
    void aMessageEndsWithTheNearestNameOrWithAll() {
        assertEquals("; did you mean 'initrd'?", Spelling.suggest("initrb", NAMES));
        assertEquals(
                "; there are: memory, cpus, kernel, initrd", Spelling.suggest("colour", NAMES));
    }
}
