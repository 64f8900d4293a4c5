package org.alcazar.management.shell;

import org.alcazar.host.GuestDescriptions;
import org.alcazar.host.HostClock;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostTimer;
import org.alcazar.host.VmmControl;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.VirtualMachines;
import org.alcazar.vmm.VmListener;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.management.BundleInfo;
import org.alcazar.vmm.management.ForkReport;
import org.alcazar.vmm.management.GuestConsole;
import org.alcazar.vmm.management.HookInfo;
import org.alcazar.vmm.management.MemoryManagement;
import org.alcazar.vmm.management.PartInfo;
import org.alcazar.vmm.management.PluginBundles;
import org.alcazar.vmm.management.StuckCall;
import org.alcazar.vmm.management.SwapReport;
import org.alcazar.vmm.management.VmEvent;
import org.alcazar.vmm.management.VmManagement;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;

import java.io.ByteArrayOutputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** A VMM with a VM {@code tiny} that does nothing but remember what it was told. */
final class FakeVmm {
    static final RegisterGroup GENERAL = RegisterGroup.of(0, "general", "acc", "pc");
    static final Architecture ARCHITECTURE =
            new Architecture("fake", ByteOrder.LITTLE_ENDIAN, 40, List.of(GENERAL));

    /** What was asked, a line each. */
    final List<String> log = new CopyOnWriteArrayList<>();

    final Map<Integer, VmState> states = new TreeMap<>(Map.of(1, VmState.RUNNING));
    final Map<Integer, String> names = new TreeMap<>(Map.of(1, "tiny"));
    final List<VmListener> listeners = new CopyOnWriteArrayList<>();
    final byte[] ram = new byte[4096];
    final ControlBlock block = new ControlBlock(ARCHITECTURE);
    final ByteArrayOutputStream typed = new ByteArrayOutputStream();
    final FakeConsole console = new FakeConsole();
    final ForeignCommands foreign = new ForeignCommands();
    final List<VmEvent> events = new CopyOnWriteArrayList<>();
    final List<Consumer<VmEvent>> watchers = new CopyOnWriteArrayList<>();
    final List<String> guestBundles = new CopyOnWriteArrayList<>();
    Runnable onListen = () -> {};
    boolean withBundles = true;
    boolean withGuests = true;
    long nanos;

    Vmm vmm() {
        return new Vmm(
                forward(VmmControl.class, new Control()),
                new Machines(),
                new Parts(),
                new Clock(),
                () -> withBundles ? Optional.of(new Bundles()) : Optional.empty(),
                () -> withGuests ? Optional.of(new Guests()) : Optional.empty(),
                foreign);
    }

    /** An interface whose methods a smaller object has; the others fail. */
    private static <T> T forward(Class<T> type, Object target) {
        InvocationHandler handler =
                (proxy, method, arguments) -> {
                    try {
                        return target.getClass()
                                .getDeclaredMethod(method.getName(), method.getParameterTypes())
                                .invoke(target, arguments);
                    } catch (java.lang.reflect.InvocationTargetException e) {
                        throw e.getCause();
                    } catch (NoSuchMethodException e) {
                        throw new UnsupportedOperationException(method.toString());
                    }
                };
        return type.cast(
                Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private VmState require(int vm) throws HostRefusal {
        VmState state = states.get(vm);
        if (state == null) {
            throw new HostRefusal("there is no VM " + vm);
        }
        return state;
    }

    void change(int vm, VmState to) throws HostRefusal {
        VmState from = require(vm);
        states.put(vm, to);
        listeners.forEach(listener -> listener.stateChanged(machine(vm), from, to));
        happened(vm, "state", LifeCycleCommands.word(to));
    }

    void happened(int vm, String kind, String text) {
        VmEvent event = new VmEvent(events.size() + 1, vm, "vm" + vm, 1_500_000_000, kind, text);
        events.add(event);
        watchers.forEach(watcher -> watcher.accept(event));
    }

    VirtualMachine machine(int id) {
        return forward(VirtualMachine.class, new Machine(id));
    }

    @SuppressWarnings({"unused", "EffectivelyPrivate"}) // called by name
    final class Control {
        public int create(Map<String, Object> tree) throws HostRefusal {
            log.add("create " + tree);
            if (tree.containsKey("memroy")) {
                throw new HostRefusal("unknown key 'memroy'; did you mean 'memory'?");
            }
            int id = states.size() + 1;
            names.put(id, tree.getOrDefault("name", "vm-" + id).toString());
            states.put(id, VmState.CREATED);
            return id;
        }

        public void start(int vm) throws HostRefusal {
            change(vm, VmState.RUNNING);
        }

        public void pause(int vm) throws HostRefusal {
            if (require(vm) != VmState.RUNNING) {
                throw new HostRefusal("VM " + vm + " does not run");
            }
            change(vm, VmState.PAUSED);
        }

        public void resume(int vm) throws HostRefusal {
            change(vm, VmState.RUNNING);
        }

        public void stop(int vm) throws HostRefusal {
            change(vm, VmState.STOPPED);
        }

        public void reset(int vm) throws HostRefusal {
            log.add("reset " + vm);
        }

        public void simulate(int vm, long time) throws HostRefusal {
            log.add("simulate " + time);
            change(vm, VmState.SIMULATING);
            change(vm, VmState.PAUSED);
        }

        public void destroy(int vm) throws HostRefusal {
            require(vm);
            states.remove(vm);
        }

        public void save(int vm, String path) {
            log.add("save " + path);
        }

        public int load(String path, Map<String, Object> overrides) throws HostRefusal {
            log.add("load " + path);
            return create(overrides);
        }

        public void moveCore(int vm, int core, int cpu) {
            log.add("move " + core + " " + cpu);
        }

        public void stopCore(int vm, int core) {
            log.add("stop-core " + core);
        }

        public void startCore(int vm, int core) {
            log.add("start-core " + core);
        }

        public void deliver(int vm, String event) {
            log.add("event " + event);
        }

        public void onEnd(int vm, Consumer<VmmControl.VmEnd> listener) {
            listener.accept(new VmmControl.VmEnd(3, "debug exit", ""));
        }

        public Map<String, Object> statistics(int vm) throws HostRefusal {
            Map<String, Object> tree = new LinkedHashMap<>();
            tree.put("id", (long) vm);
            tree.put("name", names.get(vm));
            tree.put("state", LifeCycleCommands.word(require(vm)));
            tree.put("engine", "fake");
            tree.put("memory", Map.of("guest-bytes", 16L << 20));
            tree.put("instructions", 1000L + nanos);
            tree.put("mips", 2.5);
            tree.put("time", Map.of("run", 1.5, "guest", 1.0, "vmm", 0.25, "idle", 0.25));
            tree.put("exits", new TreeMap<>(Map.of("access", 7L + nanos, "idle", 2L, "call", 0L)));
            tree.put("devices", Map.of("com1", Map.of("overruns", 4L)));
            tree.put("engine-counters", Map.of("blocks", 12L));
            return tree;
        }

        public Map<String, Map<String, String>> types() {
            return Map.of(
                    "device",
                    new TreeMap<>(Map.of("uart16550", "a serial line", "rtc", "a clock")),
                    "engine",
                    Map.of("fake", "no engine"));
        }
    }

    private final class Machines implements VirtualMachines {
        @Override
        public List<VirtualMachine> all() {
            return states.keySet().stream().map(FakeVmm.this::machine).toList();
        }

        @Override
        public Optional<VirtualMachine> find(int id) {
            return states.containsKey(id) ? Optional.of(machine(id)) : Optional.empty();
        }

        @Override
        public Hook listen(VmListener listener) {
            listeners.add(listener);
            return () -> listeners.remove(listener);
        }
    }

    @SuppressWarnings({"unused", "EffectivelyPrivate"}) // called by name
    final class Machine {
        private final int id;

        Machine(int id) {
            this.id = id;
        }

        public int id() {
            return id;
        }

        public String name() {
            return names.getOrDefault(id, "gone");
        }

        public VmState state() {
            return states.getOrDefault(id, VmState.STOPPED);
        }

        public Architecture architecture() {
            return ARCHITECTURE;
        }

        public List<Vcore> vcores() {
            return List.of(forward(Vcore.class, new Core(machine(id))));
        }

        public GuestMemory memory() {
            return forward(GuestMemory.class, new Memory());
        }
    }

    @SuppressWarnings({"unused", "EffectivelyPrivate"}) // called by name
    final class Core {
        private final VirtualMachine vm;

        Core(VirtualMachine vm) {
            this.vm = vm;
        }

        public VirtualMachine vm() {
            return vm;
        }

        public ControlBlock block() {
            return block;
        }

        public void fetch(long groups) {
            block.valid |= groups;
        }

        public long translate(long address) {
            return address < 0x8000 ? -1 : address - 0x8000;
        }

        public List<String> disassemble(long address, int count) {
            return List.of(CpuCommands.hex(address) + " nop x " + count);
        }

        public List<String> walk(long address) {
            return List.of(CpuCommands.hex(address) + " leads nowhere");
        }

        public String describe() {
            return "acc 0\npc 0\n";
        }
    }

    @SuppressWarnings({"unused", "EffectivelyPrivate"}) // called by name
    final class Memory {
        public boolean isRam(long address, long bytes) {
            return address >= 0 && address + bytes <= ram.length;
        }

        public int readByte(long address) {
            return ram[(int) address] & 0xff;
        }

        public void writeByte(long address, int value) {
            ram[(int) address] = (byte) value;
        }

        public void read(long address, byte[] into, int offset, int bytes) {
            System.arraycopy(ram, (int) address, into, offset, bytes);
        }

        public void write(long address, byte[] from, int offset, int bytes) {
            System.arraycopy(from, offset, ram, (int) address, bytes);
        }
    }

    private final MemoryManagement memory = new FakeMemory(log);

    private final class Parts implements VmManagement {
        @Override
        public List<PartInfo> parts(int vm) {
            return List.of(
                    new PartInfo("engine", "engine", "fake", "Engine", 3),
                    new PartInfo("device", "com1", "uart16550", "Uart", 4));
        }

        @Override
        public <T> T standing(int vm, Callable<T> work) throws Exception {
            log.add("standing " + vm);
            return work.call();
        }

        @Override
        public long engine(int vm, String type) {
            log.add("engine " + type);
            return 250_000;
        }

        @Override
        public long paging(int vm, String type, Map<String, ?> settings) throws HostRefusal {
            if (!type.equals("direct")) {
                throw new HostRefusal("unknown paging mode '" + type + "'");
            }
            log.add("paging " + type + (settings.isEmpty() ? "" : " " + settings));
            return 1_000_000;
        }

        @Override
        public ForkReport fork(int vm, String name) {
            log.add("fork " + vm + " " + name);
            return new ForkReport(vm, 1_500_000, 64L << 20);
        }

        @Override
        public MemoryManagement memory() {
            return memory;
        }

        @Override
        public String attach(int vm, String type, Map<String, ?> settings) throws HostRefusal {
            if (!type.equals("uart16550")) {
                throw new HostRefusal("unknown device '" + type + "'");
            }
            log.add("attach " + settings);
            return String.valueOf(settings.containsKey("name") ? settings.get("name") : type);
        }

        @Override
        public void detach(int vm, String device) {
            log.add("detach " + device);
        }

        @Override
        public SavedState state(int vm, String part) {
            return new SavedState("uart16550", 2)
                    .put("lcr", 0x83)
                    .put("fifo", new byte[] {1, (byte) 0xfe});
        }

        @Override
        public List<HookInfo> hooks(int vm) {
            return List.of(new HookInfo("port", 0x3f8, 0x3ff, "com1", 5, 6));
        }

        @Override
        public GuestConsole console(int vm) {
            return console;
        }

        @Override
        public Optional<Schema> schema(String family, String type) {
            return type.equals("uart16550")
                    ? Optional.of(
                            Schema.of(
                                    Key.integer("irq", 0, 23, 4, "interrupt"),
                                    Key.choice("speed", List.of("slow", "fast"), "fast", "pace")))
                    : Optional.empty();
        }

        @Override
        public List<VmEvent> events(int vm) {
            return events.stream().filter(event -> event.vm() == vm).toList();
        }

        @Override
        public Hook listen(Consumer<VmEvent> listener) {
            watchers.add(listener);
            onListen.run();
            return () -> watchers.remove(listener);
        }

        @Override
        public List<StuckCall> stuck() {
            return List.of(new StuckCall(1, "tiny", "com1: a read of port 0x3f8", 12.5));
        }
    }

    /** What was shown before stays; what comes is given by the test. */
    final class FakeConsole implements GuestConsole {
        private final List<byte[]> coming = new ArrayList<>();
        private boolean ended;
        private int readers;

        /** Until somebody waits for output. */
        synchronized void awaitReader() {
            awaitReaders(1);
        }

        /** Until nobody does any more. */
        synchronized void awaitNoReader() {
            awaitReaders(0);
        }

        private void awaitReaders(int wanted) {
            try {
                while (readers != wanted) {
                    wait();
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        synchronized void show(String text) {
            coming.add(text.getBytes(StandardCharsets.UTF_8));
            notifyAll();
        }

        @Override
        public byte[] recent() {
            return "booted\n".getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public void type(byte[] bytes) {
            typed.writeBytes(bytes);
        }

        @Override
        public synchronized Reader reader() {
            coming.addFirst(recent());
            return new Reader() {
                @Override
                public int read(byte[] into) throws InterruptedException {
                    synchronized (FakeConsole.this) {
                        readers++;
                        FakeConsole.this.notifyAll();
                        try {
                            while (coming.isEmpty() && !ended) {
                                FakeConsole.this.wait();
                            }
                        } finally {
                            readers--;
                            FakeConsole.this.notifyAll();
                        }
                        if (coming.isEmpty()) {
                            return -1;
                        }
                        byte[] next = coming.removeFirst();
                        System.arraycopy(next, 0, into, 0, next.length);
                        return next.length;
                    }
                }

                @Override
                public void close() {
                    end();
                }
            };
        }

        synchronized void end() {
            ended = true;
            notifyAll();
        }
    }

    private final class Guests implements GuestDescriptions {
        @Override
        public Map<String, String> names() {
            return Map.of("linux", "a kernel", "echo", "");
        }

        @Override
        public Guest read(
                String guest,
                Map<String, List<String>> keys,
                String folder,
                Consumer<String> progress)
                throws HostRefusal {
            if (!names().containsKey(guest)) {
                throw new HostRefusal("no guest '" + guest + "'; there are: echo, linux");
            }
            log.add("read " + guest + " " + keys + " in " + folder);
            progress.accept("fetching " + guest);
            return new Guest(Map.of("name", guest), guestBundles);
        }
    }

    private final class Bundles implements PluginBundles {
        @Override
        public List<BundleInfo> all() {
            return List.of(
                    new BundleInfo(1, "org.example.lib", "1.0.0", "resolved", List.of(), List.of()),
                    new BundleInfo(
                            4,
                            "org.alcazar.devices.uart16550",
                            "0.1.0",
                            "active",
                            List.of("device uart16550"),
                            List.of("tiny/com1")));
        }

        @Override
        public long install(String file) throws HostRefusal {
            if (!file.endsWith(".jar")) {
                throw new HostRefusal(file + ": is no bundle");
            }
            log.add("install " + file);
            return 4;
        }

        @Override
        public void start(long bundle) {
            log.add("bundle start " + bundle);
        }

        @Override
        public void stop(long bundle) {
            log.add("bundle stop " + bundle);
        }

        @Override
        public void uninstall(long bundle) {
            log.add("bundle uninstall " + bundle);
        }

        private boolean there(String file) {
            return file.endsWith("uart16550.jar");
        }

        @Override
        public boolean installIfMissing(String file) throws HostRefusal {
            if (there(file)) {
                return false;
            }
            install(file);
            return true;
        }

        @Override
        public SwapReport swapOrInstall(String file) throws HostRefusal {
            if (there(file)) {
                return swap(file);
            }
            install(file);
            return new SwapReport("org.alcazar.devices.uart16550", "", "4 (0.1.0)", 0, List.of());
        }

        @Override
        public SwapReport swap(String file) {
            log.add("swap " + file);
            return new SwapReport(
                    "org.alcazar.devices.uart16550",
                    "4 (0.1.0)",
                    "9 (0.2.0)",
                    3_000_000,
                    List.of(new SwapReport.Exchange("tiny", List.of("com1"), 250_000)));
        }
    }

    /** Timers fire at once, and time goes to where they were set. */
    private final class Clock implements HostClock {
        @Override
        public long nanoTime() {
            return nanos;
        }

        @Override
        public long epochNanos() {
            return nanos;
        }

        @Override
        public HostTimer timer(String name, Runnable action) {
            return new HostTimer() {
                @Override
                public void arm(long deadline) {
                    nanos = deadline;
                    action.run();
                }

                @Override
                public void cancel() {}

                @Override
                public void close() {}
            };
        }
    }
}
