package ${package};

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A VM that is saved to the store and goes on as another one. */
@AlcazarTest
class ${className}GuestTest {
    private static final String COUNTS =
            "putc 'a'\n 1: inc %rbx\n cmp $3000000, %rbx\n jb 1b\n putc 'b'\n exit 7\n 2: hlt\n jmp 2b";

    @TempDir private Path folder;

    @Test
    void aSavedVmGoesOn(TestVm vm, TestFramework framework) throws Exception {
        String name = "${type}:" + folder.resolve("guest");
        vm.assembly(COUNTS).start().awaitConsole("a").pause();
        vm.control().save(vm.id(), name);
        vm.control().save(vm.id(), name);
        vm.destroy();
        assertTrue(Files.size(folder.resolve("guest.2")) > 0);
        try (TestVm copy = framework.vm("copy")) {
            copy.adopt(copy.control().load(name, Map.of("name", "copy"))).resume();
            copy.assertExit(7);
        }
        HostRefusal refusal =
                assertThrows(
                        HostRefusal.class,
                        () -> framework.control().load("${type}:" + folder.resolve("other"), Map.of()));
        assertTrue(String.valueOf(refusal.getMessage()).contains("there is no"), refusal::toString);
        assertEquals(2, folder.toFile().list().length);
    }
}
