package org.alcazar.hosts.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostOptionsTest {
    private static HostOptions read(String text) throws HostRefusal {
        return HostOptions.read("test", HostOptionsTest.class, text);
    }

    @Test
    void whatIsNotGivenHasItsDefault() throws HostRefusal {
        HostOptions options = read("");
        assertEquals(0, options.number("memory"));
        assertEquals("thp", options.text("pages"));
        assertFalse(options.on("lock"));
        assertFalse(options.given("pages"));
        assertEquals("", options.text("costs"));
    }

    @Test
    void whatIsGivenIsRead() throws HostRefusal {
        HostOptions options = read("memory=512M, pages=2M,lock=true,priority=99");
        assertEquals(512L << 20, options.number("memory"));
        assertEquals("2M", options.text("pages"));
        assertTrue(options.on("lock"));
        assertTrue(options.given("pages"));
        assertEquals(99, options.number("priority"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "memroy=1G | unknown option 'memroy'; did you mean 'memory'?",
                "zzz=1 | unknown option 'zzz'; there are: memory, pages, lock, priority, costs",
                "lock | option 'lock' lacks its value, as in lock=true",
                "lock= | option 'lock' lacks its value, as in lock=true",
                "lock=maybe | lock: 'maybe' is not one of true, false",
                "pages=4K | pages: '4K' is not one of thp, 2M, 1G",
                "priority=100 | priority: '100' is not a whole number from 0 to 99",
                "priority=-1 | priority: '-1' is not a whole number",
                "memory=1x | memory: '1x' is not a size such as 512M",
                "memory=4K | memory: '4K' is not a size such as 512M from 1M to 1G",
                "memory=9999999999T | memory: '9999999999T' is not a size such as 512M",
                "lock=true,lock=false | option 'lock' is given twice",
                "costs=/no/such | costs: '/no/such' is not a file that can be read",
            })
    void whatIsWrongIsToldInOneLine(String text, String message) {
        HostRefusal refusal = assertThrows(HostRefusal.class, () -> read(text));
        assertEquals("host test: " + message, refusal.getMessage());
    }
}
