package org.alcazar.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Registers that move together between an engine and a control block.
 *
 * @param id 0 to 63, the group's bit in valid and dirty masks
 * @param name lower case, the section's name in saved state
 */
public record RegisterGroup(int id, String name, List<RegisterField> fields) {
    public RegisterGroup {
        fields = List.copyOf(fields);
    }

    /** A group of 64-bit (or narrower, but a long each) registers in the given order. */
    public static RegisterGroup of(int id, String name, String... registers) {
        List<RegisterField> fields = new ArrayList<>();
        for (String register : registers) {
            fields.add(new RegisterField(register, fields.size(), 64));
        }
        return new RegisterGroup(id, name, fields);
    }

    /** Longs in the group's array. */
    public int words() {
        return fields.isEmpty() ? 0 : fields.getLast().index() + fields.getLast().words();
    }

    public long mask() {
        return 1L << id;
    }

    /** Fields by name. */
    public Map<String, RegisterField> byName() {
        return fields.stream().collect(Collectors.toMap(RegisterField::name, Function.identity()));
    }
}
