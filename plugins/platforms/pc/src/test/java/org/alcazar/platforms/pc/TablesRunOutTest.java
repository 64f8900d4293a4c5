package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.VmState;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/** The host has no memory left while a guest makes its paging mode want more and more tables. */
@AlcazarTest
class TablesRunOutTest {
    /** A table of the guest's and a page of data in each of so many large pages. */
    private static final int TABLES = 56;

    private static final int ROUNDS = 20;

    /** Pages that the host has left: a few more than the first ones that a mode takes. */
    private static final long LEFT = 24;

    private static final long NEVER = 3_600_000_000_000L;

    private static final String GUEST =
            """
            # Behind 512 GiB: table i at 4 MiB + 2 MiB * i, which has one page, 8 KiB behind it.
                    movl    $0x100003, 0x1008
                    movl    $0x101003, 0x100000
                    xor     %%ecx, %%ecx
                    mov     $0x400000, %%rax
            1:      lea     3(%%rax), %%rdx
                    mov     %%rdx, 0x101000(,%%rcx,8)
                    lea     0x2003(%%rax), %%rdx
                    mov     %%rdx, (%%rax)
                    add     $0x200000, %%rax
                    inc     %%ecx
                    cmp     $%1$d, %%ecx
                    jne     1b
                    mov     %%cr3, %%rax
                    mov     %%rax, %%cr3
                    putc    '.'
                    mov     $%2$d, %%ebx
            2:      xor     %%ecx, %%ecx
                    mov     $0x8000000000, %%rdi
            3:      add     %%rcx, (%%rdi)
                    incq    8(%%rdi)
                    add     $0x200000, %%rdi
                    inc     %%ecx
                    cmp     $%1$d, %%ecx
                    jne     3b
                    dec     %%ebx
                    jne     2b
                    xor     %%ecx, %%ecx            # all is there, by the other address of each
                    mov     $0x402000, %%rdi
            4:      imul    $%2$d, %%rcx, %%rax
                    cmp     %%rax, (%%rdi)
                    jne     5f
                    cmpq    $%2$d, 8(%%rdi)
                    jne     5f
                    add     $0x200000, %%rdi
                    inc     %%ecx
                    cmp     $%1$d, %%ecx
                    jne     4b
                    exit    4
            5:      exit    5
            """
                    .formatted(TABLES, ROUNDS);

    /** Goes on, by exits that are counted, and makes no new tables. */
    private static final String OTHER = "1: in $0x80, %al\n jmp 1b\n";

    private final TestFramework framework;
    private final HostMemory memory;

    TablesRunOutTest(TestFramework framework) {
        this.framework = framework;
        memory = framework.host().memory();
    }

    /** All that the host has but so many pages. */
    private PageExtent allBut(long pages) throws HostRefusal {
        long free = memory.totalBytes() - memory.bytesInUse("") >> HostMemory.PAGE_SHIFT;
        return memory.allocate(PageRequest.of("hog", free - pages));
    }

    /** The guest at its first instruction. */
    private TestVm guest(Map<String, Object> mode) throws Exception {
        TestVm vm = framework.vm("runs-out").platform("pc").set("paging", mode);
        return vm.set("memory", "128M").assembly(GUEST).create();
    }

    /** Each small page needs an entry of its own from now on. */
    private void wantTables(TestVm vm) throws HostRefusal {
        framework.management().memory().startAccess(vm.id(), NEVER, true);
    }

    @ParameterizedTest
    @ValueSource(strings = {"vtlb", "cache", "sync"})
    void shadowGivesTablesUpAndGoesOn(String strategy) throws Exception {
        long before = memory.bytesInUse("");
        try (TestVm vm = guest(Map.of("type", "shadow", "strategy", strategy))) {
            PageExtent hog = allBut(LEFT);
            try {
                wantTables(vm);
                vm.run().assertExit(4);
                assertTrue(vm.statistic("paging", "counters", "reclaimed") > 0, "none given up");
            } finally {
                memory.free(hog);
            }
        }
        assertEquals(before, memory.bytesInUse(""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"nested", "direct"})
    void tablesBeneathTheGuestFailThisVmAloneInOneLine(String mode) throws Exception {
        long before = memory.bytesInUse("");
        try (TestVm other = framework.vm("goes-on");
                TestVm vm = guest(Map.of("type", mode))) {
            other.platform("pc").set("paging", mode).hostClock().assembly(OTHER).start();
            other.awaitProgress(0);
            PageExtent hog = allBut(LEFT);
            try {
                wantTables(vm);
                VmEnd end = vm.run().end();
                assertEquals(6, end.status(), end::reason);
                assertTrue(
                        end.reason().startsWith("the host refuses what the guest's memory needs: "),
                        end::reason);
                assertEquals(1, end.reason().lines().count(), end::reason);
                other.awaitProgress(other.retired());
                assertEquals(VmState.RUNNING, other.machine().state());
                vm.destroy();
                other.awaitProgress(other.retired());
            } finally {
                memory.free(hog);
            }
        }
        assertEquals(before, memory.bytesInUse(""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"nested", "direct", "shadow"})
    void aVmWithoutTheFirstTableIsRefusedAndARunningOneKeepsItsMode(String mode) throws Exception {
        try (TestVm other = framework.vm("goes-on")) {
            other.platform("pc").hostClock().assembly(OTHER).start();
            other.awaitProgress(0);
            long before = memory.bytesInUse("");
            PageExtent hog = allBut(0);
            try {
                HostRefusal refusal =
                        assertThrows(
                                HostRefusal.class,
                                () -> framework.management().paging(other.id(), mode, Map.of()));
                assertEquals(1, String.valueOf(refusal.getMessage()).lines().count());
                other.awaitProgress(other.retired());
            } finally {
                memory.free(hog);
            }
            PageExtent ramOnly = allBut(128 << 20 >> HostMemory.PAGE_SHIFT);
            try (TestVm vm = framework.vm("refused")) {
                vm.platform("pc").set("memory", "128M").set("paging", mode).assembly(OTHER);
                HostRefusal refusal = assertThrows(HostRefusal.class, vm::create);
                assertEquals(1, String.valueOf(refusal.getMessage()).lines().count());
            } finally {
                memory.free(ramOnly);
            }
            assertEquals(before, memory.bytesInUse(""));
        }
    }
}
