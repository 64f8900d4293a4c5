package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.Map;

/** Several cores on threads of their own: wake-ups, pauses, one time for all. */
@AlcazarTest
class SmpTest {
    /** Rounds of two wake-ups; many times as many for a search. */
    private static final int ROUNDS = Integer.getInteger("alcazar.test.rounds", 20_000);

    private static final String NO_TICK = "\ntick: end_of_interrupt\n";

    @TempDir private Path folder;

    /**
     * A number goes to and fro between two cores that sleep until an interrupt says it is there.
     */
    private static final String PING_PONG =
            """
            core:   mov     0x30000, %%eax          # whose turn it is: the lowest bit
                    cmp     $%d, %%eax
                    jae     3f
                    and     $1, %%eax
                    cmp     %%ebx, %%eax
                    je      2f
                    sti
                    hlt
                    cli
                    jmp     core
            2:      incl    0x30000
                    mov     %%ebx, %%eax
                    xor     $1, %%eax
                    send
                    jmp     core
            3:      exit    16
            4:      hlt
                    jmp     4b
            ipi:    end_of_interrupt
            """;

    @Test
    void noWakeUpIsLostBetweenCoresThatSleep(TestVm vm) throws Exception {
        SmpGuest.on(vm, 2, String.format(PING_PONG, 2 * ROUNDS) + NO_TICK)
                .set("clock", "host")
                .run()
                .assertExit(16);
        assertTrue(vm.statistic("exits", "idle") >= ROUNDS, "they did sleep");
    }

    @Test
    void noWakeUpIsLostWithASingleProcessor(TestVm vm) throws Exception {
        SmpGuest.on(vm, 2, String.format(PING_PONG, 2 * ROUNDS) + NO_TICK)
                .set("clock", "host")
                .set("pin", 0L)
                .run()
                .assertExit(16);
    }

    /**
     * By the number modulo four: holds a lock for ever and spins without PAUSE; waits for the lock
     * with PAUSE; sleeps; writes to a port all the time.
     */
    private static final String ALL_KINDS =
            """
            core:   lock incl 0x30008
                    mov     %ebx, %eax
                    and     $3, %eax
                    jz      holds
                    dec     %eax
                    jz      waits
                    dec     %eax
                    jz      sleeps
            1:      out     %al, $0x80
                    in      $0x21, %al
                    jmp     1b
            sleeps: sti
            1:      hlt
                    jmp     1b
            waits:  mov     $1, %ecx
                    xor     %eax, %eax
                    lock cmpxchg %ecx, 0x30000
                    je      holds
            1:      pause
                    cmpl    $0, 0x30000
                    jne     1b
                    jmp     waits
            holds:  movl    $1, 0x30000
                    test    %ebx, %ebx
                    jnz     1f
            2:      cmp     %ebp, 0x30008
                    jne     2b
                    putc    'r'
            1:      incq    0x30040(,%rbx,8)
                    jmp     1b
            ipi:    end_of_interrupt
            """;

    @ParameterizedTest
    @ValueSource(ints = {4, 64})
    void vcoresThatSleepSpinOrSitInAnExitComeToTheBarrier(int cpus, TestVm vm) throws Exception {
        SmpGuest.on(vm, cpus, ALL_KINDS + NO_TICK).set("clock", "host").start().awaitConsole("r");
        for (int i = 0; i < 10; i++) {
            vm.pause();
            long stood = SmpGuest.word(vm, 0x40);
            assertEquals(stood, SmpGuest.word(vm, 0x40));
            vm.resume();
        }
        vm.pause();
        assertTrue(vm.statistic("exits", "spin") > 0, "who waits for the lock spins");
        assertTrue(vm.statistic("exits", "idle") > 0);
    }

    @Test
    void aVcoreStopsAndGoesOnWhateverItDoes(TestVm vm) throws Exception {
        SmpGuest.on(vm, 4, ALL_KINDS + NO_TICK).set("clock", "host").start().awaitConsole("r");
        for (int core = 0; core < 4; core++) {
            vm.control().stopCore(vm.id(), core);
            vm.control().moveCore(vm.id(), core, 0);
            vm.control().startCore(vm.id(), core);
        }
        vm.pause();
        long before = SmpGuest.word(vm, 0x40);
        vm.control().stopCore(vm.id(), 0);
        vm.resume().pause();
        assertEquals(before, SmpGuest.word(vm, 0x40));
    }

    /** The time-stamp counter goes from core to core, and none finds it later than its own. */
    private static final String HAND_OVER =
            """
            core:   xor     %esi, %esi
            1:      pause
                    cmp     %ebx, 0x30010           # whose turn it is
                    jne     1b
                    rdtsc
                    shl     $32, %rdx
                    or      %rdx, %rax
                    cmp     0x30018, %rax           # the last one's time
                    jae     2f
                    incq    0x30020                 # went back
            2:      mov     %rax, 0x30018
                    incq    0x30028
                    lea     1(%rbx), %eax
                    cmp     %ebp, %eax
                    jne     3f
                    xor     %eax, %eax
            3:      mov     %eax, 0x30010
                    inc     %esi
                    cmp     $200, %esi
                    jne     1b
                    putc    'h'
                    jmp     1b
            ipi:    end_of_interrupt
            """;

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void timeGoesNotBackFromCoreToCoreNorOverPausesNorOverSaveAndLoad(
            int cpus, TestVm vm, TestVm loaded) throws Exception {
        SmpGuest.on(vm, cpus, HAND_OVER + NO_TICK).set("clock", "host").start().awaitConsole("h");
        for (int i = 0; i < 20; i++) {
            vm.pause().resume();
        }
        vm.pause();
        String file = folder.resolve("saved").toString();
        vm.control().save(vm.id(), file);
        long before = SmpGuest.word(vm, 0x28);
        long time = SmpGuest.word(vm, 0x18);
        assertEquals(0, SmpGuest.word(vm, 0x20), "time went back");
        vm.destroy();
        loaded.adopt(loaded.control().load(file, Map.of("name", "loaded")));
        while (SmpGuest.word(loaded, 0x28) < before + 200L * cpus) {
            loaded.resume().pause();
        }
        assertEquals(0, SmpGuest.word(loaded, 0x20), "time went back");
        assertTrue(Long.compareUnsigned(SmpGuest.word(loaded, 0x18), time) > 0);
    }
}
