package org.alcazar.launcher.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.launcher.config.GuestConfiguration;
import org.alcazar.launcher.config.GuestKey;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.terminal.EscapeKeys;
import org.alcazar.launcher.terminal.TerminalMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

class GuestRunTest {
    @TempDir private Path folder;

    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final FakeTerminal terminal = new FakeTerminal();
    private final AtomicLong nanos = new AtomicLong();
    private final GuestRun run =
            new GuestRun(
                    new Messages(err, false, 80),
                    new Phases(() -> nanos.addAndGet(500_000_000)),
                    terminal);

    /** Remembers its mode. */
    private static final class FakeTerminal implements TerminalMode {
        private volatile boolean raw;
        private volatile boolean wasRaw;

        @Override
        public boolean present() {
            return true;
        }

        @Override
        public void raw() {
            raw = true;
            wasRaw = true;
        }

        @Override
        public void restore() {
            raw = false;
        }
    }

    private GuestConfiguration configuration(Map<GuestKey, List<String>> more)
            throws IOException, Failure {
        Path kernel = Files.writeString(folder.resolve("k"), "kernel");
        Map<GuestKey, List<String>> options = new EnumMap<>(GuestKey.class);
        options.put(GuestKey.KERNEL, List.of(kernel.toString()));
        options.putAll(more);
        return GuestConfiguration.read(Optional.empty(), options, folder, 1L << 30);
    }

    private String said() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private static FakeVmm ending(int status, String reason, String dump) {
        return new FakeVmm() {
            @Override
            protected void started() {
                end(status, reason, dump);
            }
        };
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 33, 255, 4, 6, 8})
    void theStatusIsTheVms(int status) throws IOException, Failure {
        FakeVmm vmm = ending(status, "reason", "");
        assertEquals(status, run.run(configuration(Map.of()), vmm, false));
        assertEquals(List.of("open jvm", "create", "start", "destroy", "close"), vmm.calls());
        assertTrue(terminal.wasRaw);
        assertFalse(terminal.raw);
    }

    @Test
    void aPowerOffSaysNothing() throws IOException, Failure {
        run.run(configuration(Map.of()), ending(0, "power off", ""), false);
        assertEquals("", said());
    }

    @Test
    void aDeathIsToldWithItsDump() throws IOException, Failure {
        run.run(configuration(Map.of()), ending(4, "triple fault at 0x1000", "rax=0\n"), false);
        assertEquals("alcazar: triple fault at 0x1000\nrax=0\n", said());
    }

    @Test
    void aTimeoutStopsTheVm() throws IOException, Failure {
        FakeVmm vmm = new FakeVmm();
        GuestConfiguration short1 = configuration(Map.of(GuestKey.TIMEOUT, List.of("0.01")));
        assertEquals(124, run.run(short1, vmm, false));
        assertEquals(
                List.of("open jvm", "create", "start", "stop", "destroy", "close"), vmm.calls());
        assertEquals("alcazar: ended after 0.01 s (--timeout)\n", said());
        assertFalse(terminal.raw);
    }

    @Test
    void theKeyboardEndsTheVm() throws IOException, Failure {
        FakeVmm vmm =
                new FakeVmm() {
                    @Override
                    protected void started() {
                        run.command(EscapeKeys.Command.END);
                    }
                };
        assertEquals(130, run.run(configuration(Map.of()), vmm, false));
        assertEquals(
                List.of("open jvm", "create", "start", "stop", "destroy", "close"), vmm.calls());
    }

    @Test
    void thePowerButtonReachesTheVm() throws IOException, Failure {
        FakeVmm vmm =
                new FakeVmm() {
                    @Override
                    protected void started() {
                        run.command(EscapeKeys.Command.POWER);
                    }

                    @Override
                    public void deliver(int vm, String event) {
                        super.deliver(vm, event);
                        end(0, "power off", "");
                    }
                };
        assertEquals(0, run.run(configuration(Map.of()), vmm, false));
        assertTrue(vmm.calls().contains("deliver power-button"), vmm.calls().toString());
    }

    @Test
    void anInterruptOfTheThreadEndsTheVm() throws IOException, Failure {
        FakeVmm vmm =
                new FakeVmm() {
                    @Override
                    protected void started() {
                        Thread.currentThread().interrupt();
                    }
                };
        try {
            assertEquals(130, run.run(configuration(Map.of()), vmm, false));
        } finally {
            assertTrue(Thread.interrupted());
        }
        assertFalse(terminal.raw);
    }

    @Test
    void aRefusalIsStatus2AndLeavesNothing() throws IOException, Failure {
        FakeVmm vmm =
                new FakeVmm() {
                    @Override
                    public int create(Map<String, Object> tree) throws HostRefusal {
                        throw new HostRefusal("kernel k is of no known kind");
                    }
                };
        GuestConfiguration configuration = configuration(Map.of());
        Failure failure = assertThrows(Failure.class, () -> run.run(configuration, vmm, false));
        assertEquals(2, failure.status());
        assertEquals("kernel k is of no known kind", failure.getMessage());
        assertEquals(List.of("open jvm", "close"), vmm.calls());
    }

    @Test
    void aRefusalToStartDestroysTheVm() throws IOException, Failure {
        FakeVmm vmm =
                new FakeVmm() {
                    @Override
                    protected void started() throws HostRefusal {
                        throw new HostRefusal("no more threads");
                    }
                };
        GuestConfiguration configuration = configuration(Map.of());
        Failure failure = assertThrows(Failure.class, () -> run.run(configuration, vmm, false));
        assertEquals(2, failure.status());
        assertEquals(
                List.of("open jvm", "create", "start", "stop", "destroy", "close"), vmm.calls());
        assertFalse(terminal.raw);
    }

    @Test
    void anExceptionOfTheVmmIsStatus6() throws IOException, Failure {
        FakeVmm vmm =
                new FakeVmm() {
                    @Override
                    protected void started() {
                        throw new IllegalStateException("lost\nits way");
                    }
                };
        GuestConfiguration configuration = configuration(Map.of());
        Failure failure = assertThrows(Failure.class, () -> run.run(configuration, vmm, false));
        assertEquals(6, failure.status());
        assertEquals("a fault of the VMM: lost; its way", failure.getMessage());
        assertTrue(vmm.calls().contains("close"));
        assertFalse(terminal.raw);
    }

    @Test
    void statisticsAreWrittenWholeWithThePhases() throws IOException, Failure {
        Path file = folder.resolve("s.json");
        Files.writeString(file, "old");
        run.run(
                configuration(Map.of(GuestKey.STATS, List.of(file.toString()))),
                ending(0, "power off", ""),
                false);
        String json = Files.readString(file);
        assertTrue(json.contains("\"status\": 0,"), json);
        assertTrue(json.contains("\"instructions\": 42"), json);
        assertTrue(json.contains("\"ACCESS\": 7"), json);
        assertTrue(json.contains("\"create\": 0.5"), json);
        assertTrue(json.contains("\"total\": "), json);
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(2, files.count(), "kernel and statistics, and no half-written file");
        }
    }

    @Test
    void statisticsThatCannotBeWrittenAreRefusedBeforeTheVmIsMade() throws IOException, Failure {
        FakeVmm vmm = ending(0, "power off", "");
        String file = folder.resolve("s".repeat(250)).toString(); // too long beside its temporary
        GuestConfiguration configuration = configuration(Map.of(GuestKey.STATS, List.of(file)));
        Failure failure = assertThrows(Failure.class, () -> run.run(configuration, vmm, false));
        assertEquals(2, failure.status());
        String message = String.valueOf(failure.getMessage());
        assertTrue(message.startsWith("--stats: " + file + " cannot be written: "), message);
        assertEquals(List.of(), vmm.calls());
    }

    @Test
    void statisticsForADeviceDoNotReplaceIt() throws IOException {
        Path device = Files.createSymbolicLink(folder.resolve("d"), Path.of("/dev/null"));
        StatisticsFile.check(device);
        StatisticsFile.write(device, Map.of("status", 0));
        assertTrue(Files.isSymbolicLink(device));
    }

    @Test
    void aVmThatDoesNotEndDoesNotHoldTheUser() throws IOException, Failure {
        CountDownLatch never = new CountDownLatch(1);
        FakeVmm vmm =
                new FakeVmm() {
                    @Override
                    public void stop(int vm) {
                        try {
                            never.await();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    }
                };
        GuestRun impatient =
                new GuestRun(
                        new Messages(err, false, 80),
                        new Phases(() -> 0),
                        terminal,
                        Duration.ofMillis(1));
        GuestConfiguration short1 = configuration(Map.of(GuestKey.TIMEOUT, List.of("0.01")));
        assertEquals(124, impatient.run(short1, vmm, false));
        assertTrue(said().contains("the VM did not end within 0 s; leaving it\n"), said());
        assertFalse(terminal.raw);
        never.countDown();
    }

    @Test
    void pauseAndGoOnAlternate() throws IOException, InterruptedException, Failure {
        CountDownLatch paused = new CountDownLatch(1);
        FakeVmm vmm =
                new FakeVmm() {
                    @Override
                    protected void started() {
                        run.command(EscapeKeys.Command.PAUSE);
                    }

                    @Override
                    public void pause(int vm) {
                        super.pause(vm);
                        paused.countDown();
                        end(0, "power off", "");
                    }
                };
        run.run(configuration(Map.of()), vmm, false);
        paused.await();
        assertTrue(vmm.calls().contains("pause"));
    }
}
