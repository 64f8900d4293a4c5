package ${package};

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;

/** A guest on the bundle's machine. */
@AlcazarTest
class ${className}GuestTest {
    private static final String GUEST =
            """
            mov     $0x3f8, %edx
            mov     $'p', %al
            out     %al, %dx
            exit    4
            1: hlt
            jmp     1b
            """;

    @TempDir private Path folder;

    @Test
    void aGuestPrintsAndEnds(TestVm vm) throws Exception {
        Path console = folder.resolve("console");
        vm.platform("${type}")
                .set("console", "file:" + console)
                .assembly(GUEST)
                .run()
                .assertExit(4);
        assertEquals("p", Files.readString(console));
    }
}
