package ${package};

import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * Settings of the backend.
 *
 * @param letters what becomes of letters: {@code upper}, {@code lower} or {@code same}
 */
record ${className}Config(String letters) {
    static final Schema SCHEMA =
            Schema.of(
                    Key.choice(
                            "letters",
                            List.of("upper", "lower", "same"),
                            "upper",
                            "what becomes of letters"));

    static ${className}Config of(Settings settings) {
        return new ${className}Config(settings.string("letters"));
    }

    IntUnaryOperator change() {
        return switch (letters) {
            case "upper" -> Character::toUpperCase;
            case "lower" -> Character::toLowerCase;
            default -> IntUnaryOperator.identity();
        };
    }
}
