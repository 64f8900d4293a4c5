package org.alcazar.testkit.paging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.management.VmManagement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * What every paging mode for 64-bit x86 guests has to keep, on guest code: the architecture's
 * faults, accessed and dirty bits, sizes and flushes, tables that are pages of their own, and a
 * random life of page tables against a model; then the VMM's side: taking over under a running
 * guest, save and load, and memory that comes back. A mode's own test extends this:
 *
 * <pre>{@code
 * class FlatContractTest extends PagingContractTest {
 *     @Override
 *     protected String mode() {
 *         return "flat";
 *     }
 * }
 * }</pre>
 */
@AlcazarTest
public abstract class PagingContractTest {
    private static final int SWITCHES = 12;

    @TempDir private Path folder;

    /** For subclasses. */
    protected PagingContractTest() {}

    /** The mode's name. */
    protected abstract String mode();

    /** Its settings. */
    protected Map<String, String> settings() {
        return Map.of();
    }

    private static String guest() {
        try (InputStream in =
                Objects.requireNonNull(
                        TestVm.class.getResourceAsStream("paging-contract.c"), "the guest")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private TestVm machine(TestVm vm, String source) {
        Map<String, Object> choice = new LinkedHashMap<>(settings());
        choice.put("type", mode());
        return vm.set("paging", choice).set("memory", "16M").c(source);
    }

    private static String forEver() {
        return "#define FOR_EVER\n" + guest();
    }

    @Test
    void theInterpretersGuestFindsPagingRight(TestVm vm) throws Exception {
        machine(vm, guest()).set("engine", "interpreter").run();
        vm.assertConsole("paging is right\n").assertExit(0);
    }

    @Test
    void theTranslatorsGuestFindsPagingRight(TestVm vm) throws Exception {
        machine(vm, guest()).set("engine", "translator").run();
        vm.assertConsole("paging is right\n").assertExit(0);
    }

    @Test
    void itTakesOverUnderARunningGuestTimeAndAgain(TestVm vm, VmManagement management)
            throws Exception {
        machine(vm, forEver()).start();
        for (int i = 0; i < SWITCHES; i++) {
            vm.awaitProgress(vm.retired());
            assertTrue(management.paging(vm.id(), mode(), settings()) >= 0);
        }
        int lives = vm.console().length();
        while (vm.console().length() <= lives + 1) {
            vm.awaitProgress(vm.retired());
        }
        vm.pause();
        assertTrue(vm.console().chars().allMatch(c -> c == '.'), vm.console());
    }

    @Test
    void aSavedGuestGoesOnElsewhere(TestVm first, TestVm second) throws Exception {
        machine(first, forEver()).start().awaitConsole(".").pause();
        String file = folder.resolve("saved").toString();
        first.control().save(first.id(), file);
        second.adopt(second.control().load(file, Map.of("name", "loaded")));
        second.resume();
        second.awaitConsole("..").pause();
        assertTrue(second.console().chars().allMatch(c -> c == '.'), second.console());
    }

    @Test
    void allMemoryComesBack(TestVm vm, HostKernel host) throws HostRefusal {
        long before = host.memory().bytesInUse("");
        machine(vm, forEver()).start().awaitConsole(".");
        assertTrue(host.memory().bytesInUse("") > before);
        vm.destroy();
        assertEquals(before, host.memory().bytesInUse(""));
    }
}
