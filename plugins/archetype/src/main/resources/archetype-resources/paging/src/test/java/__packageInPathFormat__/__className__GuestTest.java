package ${package};

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;

/** The bundle beneath a guest that goes through memory. */
@AlcazarTest
class ${className}GuestTest {
    private static final int PAGES = 200;

    @Test
    void aGuestFindsWhatItHasWrittenAndEachPageIsEnteredOnce(TestVm vm) throws Exception {
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
        vm.set("paging", "${type}")
                .assembly(guest)
                .run()
                .assertExit(1)
                .assertRegister("rbx", PAGES * (PAGES + 1) / 2);
        long misses = vm.statistic("exits", "translation");
        assertTrue(misses >= PAGES && misses < 2 * PAGES, misses + " misses");
    }
}
