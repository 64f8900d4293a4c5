package ${package};

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;

import java.util.HexFormat;

/** Guests that the bundle loads. */
@AlcazarTest
class ${className}GuestTest {
    /** {@code mov $7, %al; out %al, $0xf4; 1: hlt; jmp 1b}. */
    private static final String CODE = "b007e6f4f4ebfd";

    private static byte[] image(String entry, String code) {
        return HexFormat.of().parseHex("414c4321" + entry + code);
    }

    @Test
    void anImageIsRecognisedAndEntered(TestVm vm) throws Exception {
        vm.image(image("00700000", CODE)).set("loader", "").run().assertExit(7);
    }

    @Test
    void anImageThatDoesNotFitIsRefused(TestVm vm) {
        vm.image(image("fcff0000", CODE)).set("loader", "${type}");
        String message = String.valueOf(assertThrows(HostRefusal.class, vm::run).getMessage());
        assertTrue(message.contains("no RAM for 7 bytes at 0xfffc"), message);
    }
}
