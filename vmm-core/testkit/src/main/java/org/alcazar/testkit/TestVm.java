package org.alcazar.testkit;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.machine.RegisterField;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.testkit.micro.MicroConsole;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assertions;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.VarHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One VM of a test: first its configuration, then its run, then what came of it. Time is driven by
 * instructions unless the test says otherwise, so runs repeat exactly.
 */
public final class TestVm implements AutoCloseable {
    /** Where guests are loaded and entered in real mode. */
    public static final long ENTRY = 0x8000;

    /** For a guest or VMM that hangs: the test fails with the VM's state. */
    private static final long LIMIT_SECONDS = Long.getLong("alcazar.test.seconds", 120);

    /** Instructions that count as going on. */
    private static final long PROGRESS = 1_000;

    /** How often progress is looked at. */
    private static final long LOOK_NANOS = 100_000;

    private final TestFramework framework;
    private final Map<String, Object> configuration = new LinkedHashMap<>();
    private final List<Map<String, Object>> devices = new ArrayList<>();
    private final CompletableFuture<VmEnd> ended = new CompletableFuture<>();
    private @Nullable Path image;
    private int id;
    private boolean destroyed;

    TestVm(TestFramework framework, String name) {
        this.framework = framework;
        configuration.put("name", "test-" + name.replaceAll("[^A-Za-z0-9]+", "-"));
        configuration.put("platform", "micro");
        configuration.put("memory", "16M");
        configuration.put("console", "none");
        configuration.put("clock", "instructions");
        configuration.put("seed", 1L);
    }

    /** A 64-bit guest in GNU assembly; macros {@code putc} and {@code exit} are there. */
    public TestVm assembly(String source) {
        return assembly(Mode.LONG, source);
    }

    /**
     * A guest in GNU assembly that begins in a mode of its choice.
     *
     * @throws AssertionError or another unchecked exception if the assembler refuses it
     */
    public TestVm assembly(Mode mode, String source) {
        return image(Assembler.assemble(mode, source, ENTRY));
    }

    /** Machine code that is loaded at {@link #ENTRY} and entered there in real mode. */
    public TestVm image(byte[] code) {
        try {
            Path file = image;
            if (file == null) {
                file = Files.createTempFile("alcazar-guest", ".bin");
                image = file;
            }
            Files.write(file, code);
            configuration.put("kernel", file.toString());
            configuration.put("loader", "micro");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /**
     * Another machine than {@code micro}, such as {@code pc}; its bundle is on the test class path.
     */
    public TestVm platform(String type) {
        return set("platform", type);
    }

    /** Any key of a VM's configuration; a wrong one is refused by {@link #create}. */
    public TestVm set(String key, Object value) {
        configuration.put(key, value);
        return this;
    }

    /**
     * Adds a device behind those of the platform.
     *
     * @param settings its keys, {@code name} among them if there is one
     */
    public TestVm device(String type, Map<String, Object> settings) {
        Map<String, Object> device = new LinkedHashMap<>(settings);
        device.put("type", type);
        devices.add(device);
        return this;
    }

    /** The configuration as it stands. */
    public Map<String, Object> configuration() {
        Map<String, Object> all = new LinkedHashMap<>(configuration);
        all.put("devices", List.copyOf(devices));
        return all;
    }

    /**
     * Makes the VM without starting it.
     *
     * @throws HostRefusal if the configuration is wrong or the host lacks memory
     */
    public TestVm create() throws HostRefusal {
        return adopt(control().create(configuration()));
    }

    /** Goes on with a VM that somebody else has made, such as a loaded one. */
    public TestVm adopt(int vm) throws HostRefusal {
        id = vm;
        control().onEnd(id, ended::complete);
        return this;
    }

    /** Makes the VM if need be, and starts it. */
    public TestVm start() throws HostRefusal {
        if (id == 0) {
            create();
        }
        control().start(id);
        return this;
    }

    /** Runs the guest to its end, and fails if that takes too long (120 s by default). */
    public TestVm run() throws HostRefusal {
        start();
        end();
        return this;
    }

    /** Waits for the end, however it comes; fails after the same time. */
    public VmEnd end() {
        await(ended, "end");
        return ended.join();
    }

    /** Whether it has ended. */
    public boolean hasEnded() {
        return ended.isDone();
    }

    private void await(CompletableFuture<?> event, String what) {
        try {
            event.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("the VM does not " + what + "; console: " + console(), e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the VM ran", e);
        }
    }

    /** The VM's number, 0 before it is made. */
    public int id() {
        return id;
    }

    /** What a host does with VMs, for what has no method here. */
    public VmmControl control() {
        return framework.control();
    }

    /**
     * The VM as plugins see it.
     *
     * @throws java.util.NoSuchElementException if it is not made yet, or destroyed
     */
    public VirtualMachine machine() {
        return framework.machines().find(id).orElseThrow();
    }

    /** Text on the micro console so far. */
    public String console() {
        return machine().find(MicroConsole.class).map(MicroConsole::text).orElse("");
    }

    /** Waits until the micro console shows a text; an end of the VM before that is an error. */
    public TestVm awaitConsole(String text) {
        MicroConsole shown = machine().find(MicroConsole.class).orElseThrow();
        await(CompletableFuture.anyOf(shown.until(text), ended), "show " + text);
        if (!console().contains(text)) {
            throw new AssertionError("the VM ended before it showed " + text + ": " + ended.join());
        }
        return this;
    }

    /** Guest instructions that all vcores have retired so far. */
    public long retired() {
        VarHandle.fullFence();
        return machine().vcores().stream().mapToLong(Vcore::retired).sum();
    }

    /**
     * Waits until the guest has retired more than a thousand instructions beyond {@code from}; its
     * end before that is an error.
     */
    public TestVm awaitProgress(long from) {
        HostKernel host = framework.host();
        long limit = host.clock().nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (retired() < from + PROGRESS) {
            if (hasEnded()) {
                throw new AssertionError("the VM has ended: " + ended.join());
            }
            if (host.clock().nanoTime() > limit) {
                throw new AssertionError("the guest does not go on; console: " + console());
            }
            host.processors().sleep(LOOK_NANOS);
        }
        return this;
    }

    /** Stops all vcores; when it returns they stand. */
    public TestVm pause() throws HostRefusal {
        control().pause(id);
        return this;
    }

    /** Goes on after a pause. */
    public TestVm resume() throws HostRefusal {
        control().resume(id);
        return this;
    }

    /** Gives back what the VM holds, before the test's end does. */
    public void destroy() throws HostRefusal {
        destroyed = true;
        control().destroy(id);
    }

    /** A register of vcore 0 by the architecture's name, while the VM does not run. */
    public long register(String name) {
        return register(0, name);
    }

    /**
     * A register of any vcore, while the VM does not run.
     *
     * @param name such as {@code rax} or {@code cs.base}
     * @throws IllegalArgumentException if the architecture has none of this name
     */
    public long register(int vcore, String name) {
        Vcore core = machine().vcores().get(vcore);
        for (RegisterGroup group : machine().architecture().groups()) {
            RegisterField field = group.byName().get(name);
            if (field != null) {
                core.fetch(group.mask());
                return core.block().group(group.id())[field.index()];
            }
        }
        throw new IllegalArgumentException("no register " + name);
    }

    /** A copy of guest-physical memory; 0xff where there is no RAM. */
    public byte[] memory(long address, int bytes) {
        byte[] out = new byte[bytes];
        machine().memory().read(address, out, 0, bytes);
        return out;
    }

    /**
     * A value of the statistics tree by its path, such as {@code "exits", "access"}; 0 if absent.
     */
    public long statistic(String... path) {
        try {
            Object at = control().statistics(id);
            for (String key : path) {
                at = at instanceof Map<?, ?> map && map.get(key) != null ? map.get(key) : 0L;
            }
            return ((Number) at).longValue();
        } catch (HostRefusal e) {
            throw new IllegalStateException(e);
        }
    }

    /** All of the micro console's text so far is this. */
    public TestVm assertConsole(String text) {
        Assertions.assertEquals(text, console(), () -> "console; " + ended);
        return this;
    }

    /** The guest ended with {@code exit value}, whose status is (2 * value + 1) & 255. */
    public TestVm assertExit(int value) {
        return assertStatus(2 * value + 1 & 255);
    }

    /** Waits for the end and compares the VM's exit status, 0 to 255. */
    public TestVm assertStatus(int status) {
        VmEnd end = end();
        Assertions.assertEquals(
                status, end.status(), () -> end.reason() + "\n" + end.dump() + console());
        return this;
    }

    /** The guest left for one reason so many times, such as {@code "access"}. */
    public TestVm assertExits(String reason, long count) {
        Assertions.assertEquals(count, statistic("exits", reason), () -> "exits by " + reason);
        return this;
    }

    /** A register of vcore 0, all 64 bits, while the VM does not run. */
    public TestVm assertRegister(String name, long value) {
        Assertions.assertEquals(Long.toHexString(value), Long.toHexString(register(name)), name);
        return this;
    }

    /** Deletes the guest's file and destroys the VM if there is still one. */
    @Override
    public void close() throws IOException, HostRefusal {
        if (image != null) {
            Files.deleteIfExists(image);
        }
        if (id != 0 && !destroyed) {
            control().destroy(id);
        }
    }
}
