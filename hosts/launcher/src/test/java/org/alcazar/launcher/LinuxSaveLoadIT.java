package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.framework.BundleFolder;
import org.alcazar.launcher.framework.FelixVmm;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Linux on four processors under stress-ng goes to a file and comes back, time and again, from its
 * first instructions to its end, and notices nothing.
 */
@Tag("machine")
@Tag("slow")
class LinuxSaveLoadIT {
    private static final long LONGEST_MILLIS = 8_000;
    private static final int LEAST_ROUNDS = 8;
    private static final long LIMIT_MINUTES = 20;

    @TempDir private Path folder;

    private final Random random = new Random(4);

    private CompletableFuture<VmEnd> endOf(VmmControl control, int vm) throws HostRefusal {
        CompletableFuture<VmEnd> end = new CompletableFuture<>();
        control.onEnd(vm, end::complete);
        return end;
    }

    /** Lets it run for a random time. @return whether it has ended */
    private boolean ended(CompletableFuture<VmEnd> end) throws Exception {
        try {
            end.get(random.nextLong(LONGEST_MILLIS), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    @Test
    void linuxUnderStressGoesOnWhereItStood() throws Exception {
        Path built = LinuxIT.guest("linux-stress");
        BundleFolder bundles = new BundleFolder(ProgramRun.home().resolve("bundles"));
        try (FelixVmm vmm =
                FelixVmm.start(bundles, HostChoice.DEFAULT, List.of(), Optional.empty())) {
            VmmControl control = vmm.control();
            Map<String, Object> configuration =
                    Map.of(
                            "name",
                            "stressed",
                            "platform",
                            "pc",
                            "memory",
                            "512M",
                            "cpus",
                            4L,
                            "kernel",
                            built.resolve("vmlinuz").toString(),
                            "initrd",
                            built.resolve("initrd.gz").toString(),
                            "console",
                            "file:" + folder.resolve("0"),
                            "append",
                            "console=ttyS0 alcazar.run=stress stress.seconds=40"
                                    + " stress.of=fork,switch,futex,hrtimers,mmap,signal");
            int vm = control.create(configuration);
            control.start(vm);
            int rounds = 0;
            CompletableFuture<VmEnd> end = endOf(control, vm);
            while (!ended(end)) {
                try {
                    control.pause(vm);
                } catch (HostRefusal e) {
                    end.get(LIMIT_MINUTES, TimeUnit.MINUTES); // it ends at this moment
                    break;
                }
                rounds++;
                String saved = folder.resolve("saved").toString();
                control.save(vm, saved);
                control.destroy(vm);
                String console = "file:" + folder.resolve(Integer.toString(rounds));
                vm = control.load(saved, Map.of("console", console));
                end = endOf(control, vm);
                control.resume(vm);
            }
            String out = output(rounds);
            assertEquals(0, end.join().status(), end.join().reason() + end.join().dump() + out);
            assertTrue(out.contains("alcazar: stress ended with status 0"), out);
            assertTrue(rounds >= LEAST_ROUNDS, rounds + " rounds");
            KernelLog.assertClean(out);
        }
    }

    private String output(int rounds) throws Exception {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i <= rounds; i++) {
            Path part = folder.resolve(Integer.toString(i));
            out.append(Files.readString(part, StandardCharsets.UTF_8));
        }
        return out.toString();
    }
}
