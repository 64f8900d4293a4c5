package ${package};

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.BitSet;
import java.util.Map;

/** The policy beneath a guest that writes more than may stay in the host's memory. */
@AlcazarTest
class ${className}GuestTest {
    private static final int PAGES = 600;

    @TempDir private Path folder;

    @Test
    void aGuestFindsWhatItHasWritten(TestVm vm) throws Exception {
        String guest =
                """
                mov     $0x200000, %%edi
                mov     $%1$d, %%ecx
                1: mov  %%ecx, (%%rdi)
                add     $4096, %%edi
                loop    1b
                mov     $%1$d, %%ecx
                xor     %%ebx, %%ebx
                2: sub  $4096, %%edi
                add     (%%rdi), %%ebx
                loop    2b
                exit    1
                3: hlt
                jmp     3b
                """
                        .formatted(PAGES);
        String file = folder.resolve("swap").toString();
        vm.set("swap", Map.of("type", "${type}", "file", file, "limit", "1M"))
                .assembly(guest)
                .run()
                .assertExit(1)
                .assertRegister("rbx", PAGES * (PAGES + 1) / 2);
    }

    @Test
    void thePageThatCameFirstGoesFirst() {
        ${className} policy = new ${className}(8);
        BitSet present = new BitSet();
        present.set(5);
        policy.choose(present, new BitSet(), 0);
        present.set(2, 8);
        assertEquals(BitSet.valueOf(new long[] {1 << 5}), policy.choose(present, new BitSet(), 1));
    }
}
