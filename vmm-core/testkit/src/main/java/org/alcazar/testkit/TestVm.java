package org.alcazar.testkit;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.machine.RegisterField;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.machine.Width;
import org.alcazar.testkit.micro.MicroConsole;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.plugin.Spelling;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assertions;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

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
    private final List<Path> temporary = new ArrayList<>();
    private final TreeSet<Long> breakpoints = new TreeSet<>();

    /** Completes at the next change of the VM's state. */
    private final AtomicReference<CompletableFuture<VmState>> nextState =
            new AtomicReference<>(new CompletableFuture<>());

    private boolean probed = true;

    /** The guest expects a micro console. */
    private boolean console;

    private Toolchain.@Nullable Guest guest;
    private @Nullable Map<String, Long> symbols;
    private @Nullable Hook listening;
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
        return guest(Toolchain.assemble(mode, source));
    }

    /**
     * A 64-bit guest in C without a library but {@code alcazar.h}: {@code int main(void)} returns
     * what {@code exit n} takes in assembly. It gets a micro console if the machine has none.
     *
     * @throws IllegalArgumentException with the compiler's messages if it refuses it
     */
    public TestVm c(String source) {
        return compiled(source, Path.of(""));
    }

    private TestVm compiled(String source, Path include) {
        console = true;
        return guest(Toolchain.compile("#include \"alcazar.h\"\n#line 1\n" + source, include));
    }

    /**
     * A guest from a file: assembly ({@code .s}, and {@code .S} with the C preprocessor), C ({@code
     * .c}), machine code as {@link #image} takes it ({@code .bin}), or whatever a loader of the
     * test class path takes, such as ELF.
     *
     * @param path relative to the module's folder, or else a resource of the class path
     * @throws IllegalArgumentException if there is no such file
     */
    public TestVm file(Path path) {
        Path file = GuestFile.find(path, temporary);
        Path folder = Objects.requireNonNull(file.toAbsolutePath().getParent());
        String name = file.toString();
        try {
            return switch (name.substring(name.lastIndexOf('.') + 1)) {
                case "s" -> assembly(Files.readString(file));
                case "S" -> guest(Toolchain.preprocess(Mode.LONG, Files.readString(file), folder));
                case "c" -> compiled(Files.readString(file), folder);
                case "bin" -> image(Files.readAllBytes(file));
                default -> {
                    configuration.put("kernel", name);
                    configuration.remove("loader");
                    guest = Toolchain.ofElf(file);
                    symbols = null;
                    yield this;
                }
            };
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private TestVm guest(Toolchain.Guest made) {
        image(made.image());
        guest = made;
        return this;
    }

    /** Machine code that is loaded at {@link #ENTRY} and entered there in real mode. */
    public TestVm image(byte[] code) {
        try {
            Path file = Files.createTempFile("alcazar-guest", ".bin");
            temporary.add(file);
            Files.write(file, code);
            configuration.put("kernel", file.toString());
            configuration.put("loader", "micro");
            guest = null;
            symbols = null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /**
     * Address of a label, function or variable of the guest, which was given as assembly, C or ELF.
     *
     * @throws IllegalArgumentException if there is none of this name
     */
    public long symbol(String name) {
        Toolchain.Guest made = guest;
        if (made == null) {
            throw new IllegalArgumentException(
                    "no symbol " + name + ": the guest is neither assembly nor C nor ELF");
        }
        Map<String, Long> known = symbols;
        if (known == null) {
            known = made.symbols();
            symbols = known;
        }
        Long address = known.get(name);
        if (address == null) {
            throw new IllegalArgumentException(
                    "the guest has no symbol " + name + Spelling.suggest(name, known.keySet()));
        }
        return address;
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

    /** Time is the host's: timers come when they come, and runs differ. */
    public TestVm hostClock() {
        return set("clock", "host");
    }

    /**
     * Time is counted in instructions, a nanosecond each: as it is unless a test says otherwise.
     */
    public TestVm virtualClock() {
        return set("clock", "instructions");
    }

    /** Without the extension that serves breakpoints, steps, lines and reports of exits. */
    public TestVm withoutProbe() {
        probed = false;
        return this;
    }

    /** The configuration as it stands. */
    public Map<String, Object> configuration() {
        Map<String, Object> all = new LinkedHashMap<>(configuration);
        List<Object> attached = new ArrayList<>(devices);
        if (console && !"micro".equals(all.get("platform")) && !hasConsole()) {
            attached.add(Map.of("type", MicroConsole.TYPE));
        }
        all.put("devices", attached);
        if (probed) {
            List<Object> extensions = new ArrayList<>();
            if (all.get("extensions") instanceof List<?> list) {
                extensions.addAll(list);
            } else if (all.get("extensions") != null) {
                extensions.add(all.get("extensions"));
            }
            extensions.add(Probe.NAME);
            all.put("extensions", extensions);
        }
        return all;
    }

    private boolean hasConsole() {
        return devices.stream().anyMatch(device -> MicroConsole.TYPE.equals(device.get("type")));
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
        listening =
                framework
                        .machines()
                        .listen((machine, from, to) -> {
                            if (machine.id() == id) {
                                nextState.getAndSet(new CompletableFuture<>()).complete(to);
                            }
                        });
        control().onEnd(id, ended::complete);
        setBreakpoints();
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

    /** Goes on after a pause; a vcore that stands at a breakpoint passes it. */
    public TestVm resume() throws HostRefusal {
        probe().ifPresent(Probe::go);
        control().resume(id);
        return this;
    }

    /**
     * Runs the VM, made if need be, for so long in guest time; it is paused then, or has ended, or
     * stands at a breakpoint.
     */
    public TestVm simulate(Duration time) throws HostRefusal {
        if (id == 0) {
            create();
        }
        probe().ifPresent(Probe::go);
        control().simulate(id, time.toNanos());
        awaitState("pause", state -> state != VmState.SIMULATING);
        return this;
    }

    /** Waits for a state; the VM's end is one that all accept. */
    private void awaitState(String what, Predicate<VmState> wanted) {
        while (true) {
            CompletableFuture<VmState> next = nextState.get();
            if (wanted.test(machine().state()) || hasEnded()) {
                return;
            }
            await(CompletableFuture.anyOf(next, ended), what);
        }
    }

    // ---- breakpoints and steps

    Optional<Probe> probe() {
        return machine().find(Probe.class);
    }

    private Probe requireProbe() {
        return probe().orElseThrow(() ->
                new IllegalStateException(
                        machine().name() + " has no probe: made elsewhere, or without"));
    }

    /**
     * The VM stops before each execution of the instruction at a guest-linear address, on any
     * vcore; see {@link #awaitStop}. Before or after the start; a VM that runs is paused for a
     * moment.
     */
    public TestVm breakpoint(long address) throws HostRefusal {
        breakpoints.add(address);
        return changeBreakpoints();
    }

    /** The same at a label or function of the guest. */
    public TestVm breakpoint(String symbol) throws HostRefusal {
        return breakpoint(symbol(symbol));
    }

    public TestVm clearBreakpoint(long address) throws HostRefusal {
        breakpoints.remove(address);
        return changeBreakpoints();
    }

    public TestVm clearBreakpoint(String symbol) throws HostRefusal {
        return clearBreakpoint(symbol(symbol));
    }

    private TestVm changeBreakpoints() throws HostRefusal {
        if (id == 0 || hasEnded()) {
            return this;
        }
        boolean runs = machine().state() == VmState.RUNNING;
        if (runs) {
            pause();
        }
        setBreakpoints();
        // Not if it has come to a breakpoint meanwhile.
        if (runs && requireProbe().stopped() < 0) {
            control().resume(id);
        }
        return this;
    }

    private void setBreakpoints() {
        if (!breakpoints.isEmpty()) {
            requireProbe();
        }
        for (Vcore vcore : machine().vcores()) {
            vcore.block().breakpoints = breakpoints.stream().mapToLong(Long::longValue).toArray();
        }
    }

    /**
     * Waits until a breakpoint or a step has stopped the VM, which is paused then; its end before
     * that is an error.
     */
    public Stop awaitStop() {
        Probe probe = requireProbe();
        awaitState("stop", state -> state == VmState.PAUSED && probe.stopped() >= 0);
        if (hasEnded()) {
            throw new AssertionError("the VM ended before it stopped: " + ended.join());
        }
        int vcore = probe.stopped();
        return new Stop(vcore, pc(vcore));
    }

    /** Linear address of a vcore's next instruction, while the VM does not run. */
    private long pc(int vcore) {
        return register(vcore, "cs.base") + register(vcore, "rip");
    }

    /** Runs one instruction of vcore 0; the others stand. */
    public Stop step() throws HostRefusal {
        return step(1);
    }

    /** Runs {@code count} instructions of vcore 0; the others stand. */
    public Stop step(int count) throws HostRefusal {
        return stepVcore(0, count);
    }

    /**
     * Runs so many instructions of one vcore of a paused VM, or of one that has not started; the
     * others stand. A breakpoint ends it sooner, but for one at the first instruction. What an
     * interrupt makes the vcore execute counts too. A vcore that halts goes on with the interrupt
     * that wakes it.
     *
     * @param count at least 1
     * @throws HostRefusal if the VM runs
     * @throws AssertionError if the vcore halts and nothing is under way that could wake it: no
     *     interrupt that it takes, no timer, no input; the VM is paused then
     */
    public Stop stepVcore(int vcore, int count) throws HostRefusal {
        if (id == 0) {
            create();
        }
        Probe probe = requireProbe();
        List<Integer> standing = new ArrayList<>();
        try {
            VmState state = machine().state();
            if (state != VmState.CREATED && state != VmState.PAUSED) {
                throw new HostRefusal(machine().name() + " is " + state + "; pause it to step");
            }
            for (Vcore other : machine().vcores()) {
                if (other.index() != vcore) {
                    control().stopCore(id, other.index());
                    standing.add(other.index());
                }
            }
            probe.go();
            probe.step(vcore, count);
            if (state == VmState.CREATED) {
                control().start(id);
            } else {
                control().resume(id);
            }
            Stop stop = awaitStop();
            if (probe.halted()) {
                throw new AssertionError(
                        "the step does not end: vcore %d has halted before 0x%x, and no interrupt, timer or input is to come"
                                .formatted(vcore, stop.pc()));
            }
            return stop;
        } finally {
            for (int other : hasEnded() ? List.<Integer>of() : standing) {
                control().startCore(id, other);
            }
        }
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

    /** Guest-physical memory holds these bytes. */
    public TestVm assertMemory(long address, int... bytes) {
        HexFormat hex = HexFormat.ofDelimiter(" ");
        byte[] wanted = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            wanted[i] = (byte) bytes[i];
        }
        Assertions.assertEquals(
                hex.formatHex(wanted),
                hex.formatHex(memory(address, bytes.length)),
                () -> "memory at 0x" + Long.toHexString(address));
        return this;
    }

    /** Guest-physical memory holds a value in the architecture's byte order. */
    public TestVm assertMemory(long address, Width width, long value) {
        byte[] bytes = memory(address, width.bytes());
        boolean big = machine().architecture().byteOrder() == ByteOrder.BIG_ENDIAN;
        long found = 0;
        for (int i = 0; i < bytes.length; i++) {
            found = found << 8 | bytes[big ? i : bytes.length - 1 - i] & 0xff;
        }
        Assertions.assertEquals(
                Long.toHexString(value & width.mask()),
                Long.toHexString(found),
                () -> width + " at 0x" + Long.toHexString(address));
        return this;
    }

    /**
     * A value in the state of a device or extension, as a checkpoint would have it.
     *
     * @param path names joined by dots; in a list the number of the element, from 0
     * @param value a number, boolean, text, byte array, list or map
     */
    public TestVm assertState(String device, String path, Object value) throws HostRefusal {
        Object found = StatePath.find(framework.management().state(id, device), path);
        Assertions.assertEquals(
                StatePath.text(StatePath.normal(value)),
                StatePath.text(found),
                () -> "state of " + device + ", " + path);
        return this;
    }

    /**
     * Whether an interrupt line of the platform is high.
     *
     * @param line number as in {@code DeviceContext.interruptLine}, 0 to 63
     */
    public TestVm assertLine(int line, boolean level) {
        Assertions.assertEquals(level, requireProbe().level(line), () -> "line " + line + " high");
        return this;
    }

    /** How often an interrupt line of the platform, 0 to 63, has risen. */
    public TestVm assertEdges(int line, long rising) {
        Assertions.assertEquals(
                rising, requireProbe().edges(line), () -> "rising edges of line " + line);
        return this;
    }

    /** The vectors that the vcores have taken. */
    public Interrupts interrupts() {
        return requireProbe().interrupts();
    }

    /** A register of vcore 0, all 64 bits, while the VM does not run. */
    public TestVm assertRegister(String name, long value) {
        Assertions.assertEquals(Long.toHexString(value), Long.toHexString(register(name)), name);
        return this;
    }

    // ---- failures

    /** The last exits of a vcore in words. */
    List<String> exits(int vcore, int most) {
        return probe().map(probe -> probe.exits(vcore, most)).orElse(List.of());
    }

    /**
     * What there is to say about the VM where a test fails, which gets it by itself: state,
     * console, registers, code, page walk, last exits and counters. A VM that runs is paused.
     *
     * @return text of many lines; empty if there is no VM any more, or not yet
     */
    public String report() {
        if (id == 0 || destroyed) {
            return "";
        }
        try {
            return VmReport.of(this, Optional.ofNullable(ended.getNow(null)));
        } catch (RuntimeException e) {
            return "no report of VM " + id + ": " + e;
        }
    }

    /** Deletes the guest's file and destroys the VM if there is still one. */
    @Override
    public void close() throws IOException, HostRefusal {
        for (Path file : temporary) {
            Files.deleteIfExists(file);
        }
        if (listening != null) {
            listening.close();
        }
        if (id != 0 && !destroyed) {
            control().destroy(id);
        }
    }
}
