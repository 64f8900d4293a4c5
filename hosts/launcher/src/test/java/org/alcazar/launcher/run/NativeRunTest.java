package org.alcazar.launcher.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostNative;
import org.alcazar.launcher.config.GuestConfiguration;
import org.alcazar.launcher.config.GuestKey;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.message.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

class NativeRunTest {
    @TempDir private Path folder;

    /** Output that nobody reads. */
    private static final class UnreadConsole implements HostConsoles.Console {
        final CountDownLatch reader = new CountDownLatch(1);

        @Override
        public void write(int octet) {
            flush();
        }

        @Override
        public void flush() {
            try {
                reader.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void onInput(IntConsumer sink) {}

        @Override
        public void close() {
            flush();
        }
    }

    /** Ends when it is stopped. */
    private static final class Endless implements HostNative.Program {
        private final CompletableFuture<HostNative.End> end = new CompletableFuture<>();

        @Override
        public void onEnd(Consumer<HostNative.End> action) {
            end.thenAccept(action);
        }

        @Override
        public void stop() {
            end.complete(new HostNative.End(HostNative.Cause.STOPPED, 0, List.of()));
        }

        @Override
        public Map<String, Long> statistics() {
            return Map.of();
        }
    }

    @Test
    @Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aTimeoutEndsAlsoAProgramWhoseOutputNobodyReads() throws Exception {
        UnreadConsole console = new UnreadConsole();
        Map<Class<?>, Object> services =
                Map.of(
                        HostNative.class,
                        (HostNative) wish -> new Endless(),
                        HostConsoles.class,
                        (HostConsoles) name -> console);
        FakeVmm vmm =
                new FakeVmm() {
                    @Override
                    public <T> Optional<T> hostService(Class<T> type) {
                        return Optional.ofNullable(services.get(type)).map(type::cast);
                    }
                };
        Path image = Files.writeString(folder.resolve("p.elf"), "program");
        GuestConfiguration configuration =
                GuestConfiguration.read(
                        Optional.empty(),
                        Map.of(
                                GuestKey.KERNEL,
                                List.of(image.toString()),
                                GuestKey.TIMEOUT,
                                List.of("0.01")),
                        folder,
                        1L << 30);
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status =
                new NativeRun(new Messages(err, false, 80), new Phases(System::nanoTime))
                        .run(ProgramFile.read(image), configuration, vmm, false);
        console.reader.countDown();
        assertEquals(Status.TIMEOUT, status);
        assertEquals(
                "alcazar: ended after 0.01 s (--timeout)\n", err.toString(StandardCharsets.UTF_8));
        assertEquals("close", vmm.calls().getLast());
    }
}
