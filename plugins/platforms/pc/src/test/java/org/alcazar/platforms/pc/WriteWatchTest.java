package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.WriteWatcher;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** What an extension sees of a guest's writes, and what it keeps from being written. */
@AlcazarTest
class WriteWatchTest {
    private static final long WATCHED = 0x30000;

    /** The guest's page directory, in which its page walks set bits. */
    private static final long TABLE = 0x3000;

    /** Plain, locked, repeated and split writes to a watched page, and others beside it. */
    private static final String GUEST =
            """
                movl $1, 0x31000
                movl 0x30000, %eax
                movl $0x12345678, 0x30000
                movb $0x55, 0x30010
                movl $5, %ebx
                lock xaddl %ebx, 0x30000
                movl $0x30020, %edi
                movl $2, %ecx
                movl $0x61626364, %eax
                cld
                rep stosl
                movl $0x11223344, 0x2fffe
                movl $0xbad, 0x30040
                movl 0x30040, %eax
                cmpl $0, %eax
                jne 1f
                lock incl 0x30040
                js 1f
                cmpl $0, 0x30040
                jne 1f
                lock incl 0x30050
                jz 1f
                cmpl $0x12345678, %ebx
                jne 2f
                exit 7
            1:  exit 8
            2:  exit 9
            """;

    private static final class Watching implements ExtensionType, WriteWatcher {
        final List<String> seen = new CopyOnWriteArrayList<>();

        @Override
        public String name() {
            return "watching";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public Extension create(ExtensionContext context, Settings settings)
                throws ConfigurationException {
            context.watchWrites(WATCHED, 0x1000, this);
            context.watchWrites(TABLE, 0x1000, this);
            return new Extension() {
                @Override
                public SavedState save() {
                    return new SavedState("watching", 1);
                }

                @Override
                public void restore(SavedState state) {}
            };
        }

        @Override
        public boolean write(Vcore vcore, long address, int bytes) {
            seen.add("%x %d".formatted(address, bytes));
            return address != 0x30040;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"nested", "shadow"})
    void eachWriteOfAGuestIsSeenAndOneIsRefused(String mode, TestFramework framework)
            throws Exception {
        Watching watching = new Watching();
        Hook offer = framework.offer(ExtensionType.class, watching);
        try (TestVm vm = framework.vm(mode)) {
            vm.set("paging", mode)
                    .set("extensions", List.of(Map.of("type", "watching")))
                    .assembly(GUEST)
                    .run();
            vm.assertExit(7);
            assertEquals(
                    List.of(
                            "30000 4", "30010 1", "30000 4", "30020 1", "30000 2", "30040 4",
                            "30040 4", "30050 4"),
                    watching.seen.stream().filter(w -> w.matches("300.. .")).toList());
            assertTrue(watching.seen.contains("3000 8"), "tables are written, too");
            vm.assertMemory(0x2fffe, Width.DWORD, 0x11223344);
            vm.assertMemory(0x30010, Width.BYTE, 0x55);
            vm.assertMemory(0x30024, Width.DWORD, 0x61626364);
            vm.assertMemory(0x30040, Width.DWORD, 0);
            vm.assertMemory(0x30050, Width.DWORD, 1);
        } finally {
            offer.close();
        }
    }
}
