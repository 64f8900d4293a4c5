package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Under the clock of instructions a run can be had again. */
@AlcazarTest
class RepeatedRunTest {
    private static final List<String> FIGURES =
            List.of("instructions", "exits", "hooks", "events", "devices");

    @TempDir private Path folder;

    private static Object figures(TestVm vm) throws Exception {
        Map<String, Object> all = vm.control().statistics(vm.id());
        return FIGURES.stream().map(all::get).toList();
    }

    @Test
    void aRunUnderTheClockOfInstructionsIsIdenticalTwice(TestVm one, TestVm two) throws Exception {
        Ticker.on(one, 10, folder.resolve("one")).run().assertExit(16);
        Ticker.on(two, 10, folder.resolve("two")).run().assertExit(16);
        assertEquals("bcdefghijk", Files.readString(folder.resolve("one")));
        assertEquals(
                Files.readString(folder.resolve("one")), Files.readString(folder.resolve("two")));
        assertEquals(figures(one), figures(two));
        two.assertRegister("rbx", one.register("rbx"));
        assertArrayEquals(one.memory(0, 0xa0000), two.memory(0, 0xa0000));
    }

    @Test
    void aPauseInBetweenChangesNothing(TestVm one, TestVm two) throws Exception {
        Ticker.on(one, 10, folder.resolve("one")).run().assertExit(16);
        Ticker.on(two, 10, folder.resolve("two")).start();
        for (String tick : List.of("b", "d", "e")) {
            two.awaitConsole(tick).pause().resume();
        }
        two.assertExit(16).assertRegister("rbx", one.register("rbx"));
        assertEquals(one.statistic("instructions"), two.statistic("instructions"));
        assertNotEquals(one.statistic("pauses", "count"), two.statistic("pauses", "count"));
    }

    @Test
    void twoCoresUnderTheClockOfInstructionsAreIdenticalTwice(TestVm one, TestVm two)
            throws Exception {
        Ticker.on(one, 5, folder.resolve("one")).set("cpus", 2L).run().assertExit(16);
        Ticker.on(two, 5, folder.resolve("two")).set("cpus", 2L).run().assertExit(16);
        assertEquals(figures(one), figures(two));
        two.assertRegister("rbx", one.register("rbx"));
    }

    /**
     * Cores that take a lock, pause while another one has it, send interrupts to each other, and
     * have a timer each; a number under the lock and one of the handlers depend on every turn.
     * Takes long enough to be paused on the way.
     */
    private static final String CONTENTION =
            """
            core:   every   7919
                    sti
                    mov     $20000, %r12d
            take:   mov     $1, %ecx
                    xor     %eax, %eax
                    lock cmpxchg %ecx, 0x30000
                    je      2f
            1:      pause
                    cmpl    $0, 0x30000
                    jne     1b
                    jmp     take
            2:      imul    $0x41c64e6d, 0x30008, %rax
                    lea     1(%rax,%rbx), %rax
                    mov     %rax, 0x30008
                    mov     $100, %ecx
            3:      dec     %ecx
                    jnz     3b
                    movl    $0, 0x30000
                    test    $15, %r12d
                    jnz     4f
                    lea     1(%rbx), %eax
                    cmp     %ebp, %eax
                    sbb     %ecx, %ecx
                    and     %ecx, %eax
                    cli
                    send
                    sti
            4:      dec     %r12d
                    jnz     take
                    lock incl 0x30018
                    test    %ebx, %ebx
                    jnz     6f
            5:      pause
                    cmp     %ebp, 0x30018
                    jne     5b
                    cli
                    exit    16
                    .rept   8
                    pause
                    .endr
            6:      hlt
                    jmp     6b
            ipi:    push    %rax
                    mov     $3, %eax
                    jmp     1f
            tick:   push    %rax
                    mov     $5, %eax
            1:      add     0x30010, %rax
                    imul    $0x41c64e6d, %rax
                    add     %rbx, %rax
                    add     %r12, %rax
                    mov     %rax, 0x30010
                    incq    0x30020
                    pop     %rax
                    end_of_interrupt
            """;

    /** Regions come in the background at other moments each time, which nobody may see. */
    @ParameterizedTest
    @ValueSource(longs = {1, 50, 1000})
    void translatedItIsTheRunOfTheInterpreter(long threshold, TestVm one, TestVm two)
            throws Exception {
        Map<String, Object> translator = Map.of("type", "translator", "translate-after", threshold);
        SmpGuest.on(one, 2, CONTENTION).set("engine", "interpreter").run().assertExit(16);
        SmpGuest.on(two, 2, CONTENTION).set("engine", translator).run().assertExit(16);
        assertEquals(figures(one), figures(two));
        assertArrayEquals(one.memory(0, 0xa0000), two.memory(0, 0xa0000));
        assertTrue(two.statistic("engine-counters", "region-runs") > 0);
    }

    /** Cores of one thread take turns, so that what they do can be verified. */
    @Test
    void coresThatContendDoInLockstepWhatTheyDoApart(TestVm one, TestVm two) throws Exception {
        Map<String, Object> lockstep = Map.of("type", "lockstep", "translate-after", 10L);
        SmpGuest.on(one, 2, CONTENTION).set("engine", "interpreter").run().assertExit(16);
        SmpGuest.on(two, 2, CONTENTION).set("engine", lockstep).run().assertExit(16);
        assertEquals(figures(one), figures(two));
        assertTrue(two.statistic("engine-counters", "lockstep-verified") > 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void coresThatContendAreIdenticalTwiceAndOverAPause(
            int cpus, TestVm one, TestVm two, TestVm paused) throws Exception {
        SmpGuest.on(one, cpus, CONTENTION).run().assertExit(16);
        SmpGuest.on(two, cpus, CONTENTION).run().assertExit(16);
        assertEquals(figures(one), figures(two));
        SmpGuest.on(paused, cpus, CONTENTION).start();
        paused.pause().resume().assertExit(16); // wherever that falls
        assertEquals(one.statistic("instructions"), paused.statistic("instructions"));
        assertEquals(one.statistic("exits", "spin"), paused.statistic("exits", "spin"));
        for (TestVm other : List.of(two, paused)) {
            assertArrayEquals(one.memory(0, 0xa0000), other.memory(0, 0xa0000));
            assertEquals(
                    one.control().statistics(one.id()).get("exit-traces"),
                    other.control().statistics(other.id()).get("exit-traces"));
        }
        assertTrue(one.statistic("exits", "spin") > 20, "locks were waited for");
        assertTrue(SmpGuest.word(one, 0x20) > 100, "interrupts came");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void coresThatContendGoOnFromAFileAsIfNothingHadHappened(
            int cpus, TestVm whole, TestVm first, TestVm second) throws Exception {
        SmpGuest.on(whole, cpus, CONTENTION).run().assertExit(16);
        SmpGuest.on(first, cpus, CONTENTION).start().pause();
        while (SmpGuest.word(first, 0x20) < 50) {
            first.resume().pause();
        }
        String file = folder.resolve("saved").toString();
        first.control().save(first.id(), file);
        first.destroy();
        second.adopt(second.control().load(file, Map.of("name", "loaded")));
        second.resume().assertExit(16);
        assertEquals(whole.statistic("instructions"), second.statistic("instructions"));
        assertArrayEquals(whole.memory(0, 0xa0000), second.memory(0, 0xa0000));
    }

    @Test
    void bothPagingModesGiveTheSameRun(TestVm nested, TestVm direct) throws Exception {
        Ticker.on(nested, 5, folder.resolve("nested")).set("paging", "nested").run().assertExit(16);
        Ticker.on(direct, 5, folder.resolve("direct")).set("paging", "direct").run().assertExit(16);
        direct.assertRegister("rbx", nested.register("rbx"));
        assertEquals(nested.statistic("instructions"), direct.statistic("instructions"));
        assertEquals(
                Files.readString(folder.resolve("nested")),
                Files.readString(folder.resolve("direct")));
        assertNotEquals(0, nested.statistic("exits", "translation"), "filled on demand");
    }
}
