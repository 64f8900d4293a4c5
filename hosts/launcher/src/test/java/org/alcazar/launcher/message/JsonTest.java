package org.alcazar.launcher.message;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

class JsonTest {
    @Test
    void aTreeIsWrittenInItsOrder() {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("status", 0L);
        tree.put("seconds", 1.5);
        tree.put("ok", true);
        tree.put("list", List.of(1L, "two"));
        tree.put("none", Map.of());
        assertEquals(
                """
                {
                  "status": 0,
                  "seconds": 1.5,
                  "ok": true,
                  "list": [
                    1,
                    "two"
                  ],
                  "none": {}
                }
                """,
                Json.text(tree));
    }

    @Test
    void textIsEscaped() {
        assertEquals(
                "{\n  \"a\\\"b\": \"\\\\ \\n \\t \\r \\u0001 é\"\n}\n",
                Json.text(Map.of("a\"b", "\\ \n \t \r \u0001 é")));
    }

    @Test
    void whatIsNoNumberBecomesNull() {
        assertEquals("{\n  \"a\": null\n}\n", Json.text(Map.of("a", Double.NaN)));
        assertEquals("{\n  \"a\": null\n}\n", Json.text(Map.of("a", Double.POSITIVE_INFINITY)));
    }
}
