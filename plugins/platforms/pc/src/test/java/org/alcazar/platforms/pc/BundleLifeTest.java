package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Bundles come and go while the framework runs. */
@AlcazarTest
class BundleLifeTest {
    private static final String UART = "org.alcazar.devices.uart16550";

    /** Ends with what the device at port 0x90 says. */
    private static final String ASKS = "in $0x90, %al\n out %al, $0xf4\n1: hlt\n jmp 1b";

    private static final String PRINTS =
            """
            mov     $0x3f8, %dx
            mov     $'u', %al
            out     %al, %dx
            exit    4
            1:      hlt
            jmp     1b
            """;

    @TempDir private Path folder;

    private final TestFramework framework;

    BundleLifeTest(TestFramework framework) {
        this.framework = framework;
    }

    private Set<String> deviceTypes() {
        return framework.control().types().getOrDefault("device", Map.of()).keySet();
    }

    private Bundle install(String name, int answer) throws Exception {
        Path jar = TinyBundle.build(folder, name, answer);
        Bundle bundle = framework.context().installBundle(jar.toUri().toString());
        bundle.start();
        return bundle;
    }

    private void assertAnswer(TestVm vm, int answer) throws Exception {
        vm.device("answer", Map.of()).assembly(ASKS).run().assertExit(answer);
    }

    private static String refusal(TestVm vm) {
        String message = String.valueOf(assertThrows(HostRefusal.class, vm::create).getMessage());
        assertEquals(1, message.lines().count(), message);
        return message;
    }

    @Test
    void aComponentThatThrowsIsNamedAndItsBundleDropped() throws Exception {
        String name = "org.example.broken";
        String boom = "if (true) throw new IllegalStateException(\"boom\");";
        long good = framework.bundles().install(TinyBundle.build(folder, name, 7).toString());
        Path bad = TinyBundle.build(folder, name, 8, boom);
        List<Executable> ways =
                List.of(
                        () -> framework.bundles().install(bad.toString()),
                        () -> framework.bundles().swap(bad.toString()));
        for (Executable way : ways) {
            assertEquals(
                    "bundle org.example.broken: tiny.Answer can't be made:"
                            + " java.lang.IllegalStateException: boom"
                            + " at tiny.Answer.<init>(Answer.java:14)",
                    assertThrows(HostRefusal.class, way).getMessage());
            assertEquals(good, framework.bundle(name).getBundleId());
        }
        framework.bundles().uninstall(good);
        assertFalse(deviceTypes().contains("answer"));
    }

    @Test
    void aDeviceBundleIsStoppedAndStartedBetweenTwoVms(TestVm before, TestVm during, TestVm after)
            throws Exception {
        Path console = folder.resolve("console");
        printing(before, console).run().assertExit(4);
        assertEquals("u", Files.readString(console));
        before.destroy();

        Bundle uart = framework.bundle(UART);
        uart.stop();
        try {
            assertFalse(deviceTypes().contains("uart16550"));
            String message = refusal(printing(during, console));
            assertTrue(message.contains("unknown device 'uart16550'"), message);
            assertEquals(List.of(), framework.machines().all());
        } finally {
            uart.start();
        }
        assertTrue(deviceTypes().contains("uart16550"));
        printing(after, console).run().assertExit(4);
        assertEquals("u", Files.readString(console));
    }

    private static TestVm printing(TestVm vm, Path console) {
        return vm.platform("pc").set("console", "file:" + console).assembly(PRINTS);
    }

    @Test
    void aVmThatRunsKeepsADeviceWhoseBundleIsStopped(TestVm vm) throws Exception {
        String polls =
                """
                putc    'r'
                1:      in $0x90, %al
                cmp     $0, 0x30000
                je      1b
                out     %al, $0xf4
                2:      hlt
                jmp     2b
                """;
        Bundle bundle = install("tiny.running", 21);
        try {
            vm.device("answer", Map.of()).assembly(polls).start().awaitConsole("r");
            bundle.stop();
            vm.pause();
            vm.machine().memory().writeByte(0x30000, 1);
            vm.resume().assertExit(21);
        } finally {
            bundle.uninstall();
        }
    }

    @Test
    void aBundleInstalledWhileTheFrameworkRunsIsUsableAtOnce(
            TestVm missing, TestVm there, TestVm gone) throws Exception {
        missing.device("answer", Map.of()).assembly(ASKS);
        assertTrue(refusal(missing).contains("unknown device 'answer'"));
        Bundle bundle = install("tiny.first", 7);
        try {
            assertTrue(deviceTypes().contains("answer"));
            assertAnswer(there, 7);
            there.destroy();
        } finally {
            bundle.uninstall();
        }
        gone.device("answer", Map.of()).assembly(ASKS);
        assertTrue(refusal(gone).contains("unknown device 'answer'"));
    }

    @Test
    void ofEqualTypesThatOfTheHighestBundleWins(TestVm one, TestVm two, TestVm three)
            throws Exception {
        Bundle old = install("tiny.old", 1);
        try {
            assertAnswer(one, 1);
            Bundle young = install("tiny.young", 2);
            try {
                assertTrue(young.getBundleId() > old.getBundleId());
                assertAnswer(two, 2);
                // Stopping and starting the older one changes nothing.
                old.stop();
                old.start();
            } finally {
                assertAnswer(three, 2);
                young.uninstall();
            }
        } finally {
            old.uninstall();
        }
    }

    @Test
    void aMisspeltDeviceIsRefusedWithTheNearestName(TestVm vm) throws BundleException {
        vm.device("uart1655", Map.of()).assembly(ASKS);
        String message = refusal(vm);
        assertTrue(message.contains("uart1655'"), message);
        assertTrue(message.contains("uart16550"), message);
    }
}
