package org.alcazar.testkit.device;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Space;
import org.alcazar.machine.Width;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.device.Agent;
import org.alcazar.vmm.device.BlockBackend;
import org.alcazar.vmm.device.CharacterBackend;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.device.NetworkBackend;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.IntConsumer;

/**
 * A device's surroundings without VM, framework or host: what it hooks is kept in lists and reached
 * through {@link #in}, {@link #out} and their like, wires are recorded, time passes when the test
 * says so. One thread.
 */
public final class FakeDeviceContext implements DeviceContext {
    /** RAM: 640 KiB, and from 1 MiB on; what lies between can be written too. */
    public static final int RAM = 2 << 20;

    private static final int LOW_RAM = 640 << 10;
    private static final int BIOS = 896 << 10;
    private static final int HIGH_RAM = 1 << 20;

    /** Registers that a device has hooked. */
    public record Window(int space, long first, long count, Registers registers) {
        boolean covers(int wanted, long address) {
            return space == wanted && address >= first && address < first + count;
        }
    }

    /** Any kind of handler. */
    public interface Registers {
        long read(Vcore core, long offset, Width width);

        void write(Vcore core, long offset, Width width, long value);
    }

    private final ManualClock clock = new ManualClock();
    private final ArrayMemory memory = new ArrayMemory(RAM);
    private final List<Vcore> vcores = new ArrayList<>();
    private final StubMachine machine = new StubMachine(this);
    private final List<Window> windows = new ArrayList<>();
    private final Map<Integer, RecordingLine> lines = new TreeMap<>();
    private final Map<Integer, List<InterruptLine>> inputs = new TreeMap<>();
    private final Map<Integer, Boolean> levels = new TreeMap<>();
    private final Map<Class<?>, Object> roles = new LinkedHashMap<>();
    private long randomsTaken;
    private final Map<String, Counter> counters = new TreeMap<>();
    private final Map<String, Runnable> events = new TreeMap<>();
    private final Map<String, RecordingBackend> characterBackends = new TreeMap<>();
    private final List<Agent> agents = new ArrayList<>();
    private boolean keepsOutput = true;
    private IntConsumer discardedInput = octet -> {};
    private Vcore current;

    /**
     * @param cores at least 1
     */
    public FakeDeviceContext(int cores) {
        for (int i = 0; i < cores; i++) {
            vcores.add(new StubVcore(i));
        }
        current = vcores.getFirst();
    }

    // What a guest does

    /** Reads a port; all ones where none is hooked. */
    public long in(int port, Width width) {
        return read(Space.PORT, port, width);
    }

    public void out(int port, Width width, long value) {
        write(Space.PORT, port, width, value);
    }

    /** Reads memory that is hooked. */
    public long load(long address, Width width) {
        return read(Space.MEMORY, address, width);
    }

    public void store(long address, Width width, long value) {
        write(Space.MEMORY, address, width, value);
    }

    /** Reads a model-specific register. */
    public long readRegister(long number) {
        return read(Space.REGISTER, number, Width.QWORD);
    }

    public void writeRegister(long number, long value) {
        write(Space.REGISTER, number, Width.QWORD, value);
    }

    /** Which core makes the accesses that follow. */
    public void as(int core) {
        current = vcores.get(core);
    }

    private long read(int space, long address, Width width) {
        for (Window window : windows) {
            if (window.covers(space, address)) {
                return window.registers.read(current, address - window.first, width);
            }
        }
        return width.mask();
    }

    private void write(int space, long address, Width width, long value) {
        for (Window window : windows) {
            if (window.covers(space, address)) {
                window.registers.write(current, address - window.first, width, value);
                return;
            }
        }
    }

    // What the world outside does

    /** Drives interrupt input {@code number} of the device, as other devices would. */
    public void drive(int number, boolean level) {
        levels.put(number, level);
        for (InterruptLine input : inputs.getOrDefault(number, List.of())) {
            input.set(level);
        }
    }

    /** Gives a host's event. */
    public void event(String name) {
        Optional.ofNullable(events.get(name)).ifPresent(Runnable::run);
    }

    /** Input for all character backends. */
    public void type(String text) {
        for (RecordingBackend backend : characterBackends.values()) {
            backend.type(text);
        }
        if (!keepsOutput) {
            text.chars().forEach(discardedInput);
        }
    }

    /** Character backends that are opened from now on forget what is written to them. */
    public FakeDeviceContext discardOutput() {
        keepsOutput = false;
        return this;
    }

    /** Goes on to the time of another context, before the device is made. */
    void moveTo(FakeDeviceContext other) {
        clock.jump(other.clock.nanos() - clock.nanos());
    }

    /** What the VM keeps, not the device, as in another context: RAM, how far randomness is. */
    void vmFrom(FakeDeviceContext other) {
        randomsTaken = other.randomsTaken;
        memory.load(other.memory);
    }

    /** Wires into the device as in another context. */
    void driveAs(FakeDeviceContext other) {
        other.levels.forEach(this::drive);
    }

    // What a test looks at

    @Override
    public ManualClock clock() {
        return clock;
    }

    @Override
    public ArrayMemory memory() {
        return memory;
    }

    @Override
    public StubMachine machine() {
        return machine;
    }

    public List<Window> windows() {
        return List.copyOf(windows);
    }

    /** The wire that the device drives. */
    public RecordingLine line(int number) {
        return lines.computeIfAbsent(number, n -> new RecordingLine());
    }

    /** Wires that are high. */
    public List<Integer> highLines() {
        return lines.keySet().stream().filter(number -> line(number).level()).toList();
    }

    /** Interrupt inputs that the device has. */
    public List<Integer> inputs() {
        return List.copyOf(inputs.keySet());
    }

    public List<String> events() {
        return List.copyOf(events.keySet());
    }

    /** The character backend of a name that the device has opened. */
    public RecordingBackend backend(String name) {
        return Optional.ofNullable(characterBackends.get(name))
                .orElseThrow(() -> new AssertionError("backend " + name + " was not opened"));
    }

    public List<Agent> agents() {
        return List.copyOf(agents);
    }

    // DeviceContext

    @Override
    public String name() {
        return "device";
    }

    @Override
    public List<Vcore> vcores() {
        return vcores;
    }

    /** The vcore that accesses registers which each vcore sees as its own. */
    public Vcore currentVcore() {
        return current;
    }

    @Override
    public List<MemoryRange> memoryMap() {
        return List.of(
                new MemoryRange(0, LOW_RAM, RangeKind.RAM),
                new MemoryRange(BIOS, HIGH_RAM - BIOS, RangeKind.RESERVED),
                new MemoryRange(HIGH_RAM, RAM - HIGH_RAM, RangeKind.RAM));
    }

    @Override
    public Hook hookPorts(int first, int count, BusDevice device) throws ConfigurationException {
        return hook(Space.PORT, first, count, flat(device));
    }

    @Override
    public Hook hookMemory(long start, long bytes, BusDevice device) throws ConfigurationException {
        return hook(Space.MEMORY, start, bytes, flat(device));
    }

    @Override
    public Hook hookMemory(long start, long bytes, VcoreMemory handler)
            throws ConfigurationException {
        return hook(
                Space.MEMORY,
                start,
                bytes,
                new Registers() {
                    @Override
                    public long read(Vcore core, long offset, Width width) {
                        return handler.read(core, offset, width);
                    }

                    @Override
                    public void write(Vcore core, long offset, Width width, long value) {
                        handler.write(core, offset, width, value);
                    }
                });
    }

    @Override
    public Hook hookRegisters(long first, long count, RegisterHandler handler)
            throws ConfigurationException {
        return hook(
                Space.REGISTER,
                first,
                count,
                new Registers() {
                    @Override
                    public long read(Vcore core, long offset, Width width) {
                        return handler.read(core, offset) & width.mask();
                    }

                    @Override
                    public void write(Vcore core, long offset, Width width, long value) {
                        handler.write(core, offset, value);
                    }
                });
    }

    private static Registers flat(BusDevice device) {
        return new Registers() {
            @Override
            public long read(Vcore core, long offset, Width width) {
                return device.read(offset, width);
            }

            @Override
            public void write(Vcore core, long offset, Width width, long value) {
                device.write(offset, width, value);
            }
        };
    }

    private Hook hook(int space, long first, long count, Registers registers)
            throws ConfigurationException {
        Window window = new Window(space, first, count, registers);
        for (Window other : windows) {
            if (other.covers(space, first) || window.covers(space, other.first)) {
                throw new ConfigurationException(
                        "device: %s 0x%x is taken".formatted(Space.name(space), first));
            }
        }
        windows.add(window);
        return () -> windows.remove(window);
    }

    @Override
    public InterruptLine interruptLine(int number) {
        return line(number);
    }

    @Override
    public void interruptInput(int number, InterruptLine input) {
        inputs.computeIfAbsent(number, n -> new ArrayList<>()).add(input);
    }

    @Override
    public void interruptSource(Vcore vcore, InterruptSource source) {
        vcore.block().interrupts = source;
    }

    @Override
    public <T> void provide(Class<T> role, T service) throws ConfigurationException {
        if (roles.putIfAbsent(role, service) != null) {
            throw new ConfigurationException("device: " + role.getSimpleName() + " is taken");
        }
    }

    /** What the device, or the test, offers. */
    public <T> Optional<T> find(Class<T> role) {
        return Optional.ofNullable(roles.get(role)).map(role::cast);
    }

    @Override
    public <T> Hook connect(Class<T> role, Connector<T> connector) throws ConfigurationException {
        Optional<T> service = find(role);
        return service.isPresent() ? connector.connect(service.get()) : () -> {};
    }

    @Override
    public <T> Hook require(Class<T> role, Connector<T> connector) throws ConfigurationException {
        if (find(role).isEmpty()) {
            throw new ConfigurationException("device: there is no " + role.getSimpleName());
        }
        return connect(role, connector);
    }

    @Override
    public CharacterBackend characterBackend(String name) {
        return keepsOutput
                ? characterBackends.computeIfAbsent(name, n -> new RecordingBackend())
                : new DiscardingBackend();
    }

    @Override
    public BlockBackend blockBackend(String name) throws ConfigurationException {
        throw new ConfigurationException("device: no block backend " + name);
    }

    @Override
    public NetworkBackend networkBackend(String name) throws ConfigurationException {
        throw new ConfigurationException("device: no network backend " + name);
    }

    /** The same sequence in each context. */
    @Override
    public long entropy() {
        return new SplittableRandom(randomsTaken++).nextLong();
    }

    @Override
    public Counter counter(String name) {
        return counters.computeIfAbsent(name, n -> new Counter());
    }

    @Override
    public Hook onEvent(String name, Runnable action) {
        events.put(name, action);
        return () -> events.remove(name);
    }

    @Override
    public Hook addAgent(Agent agent) {
        agents.add(agent);
        return () -> agents.remove(agent);
    }

    private final class DiscardingBackend implements CharacterBackend {
        @Override
        public void write(int octet) {}

        @Override
        public void flush() {}

        @Override
        public void onInput(IntConsumer sink) {
            discardedInput = sink;
        }

        @Override
        public void close() {}
    }
}
