package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Space;
import org.alcazar.machine.Width;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.HypercallHandler;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

class HookTest {
    private static final Toy.Op FOREVER = new Toy.Jump(0);

    /** Notes accesses; reads give the offset in each byte. */
    private static final class Probe implements BusDevice {
        final String name;
        final List<String> seen;

        Probe(String name, List<String> seen) {
            this.name = name;
            this.seen = seen;
        }

        @Override
        public long read(long offset, Width width) {
            seen.add(String.format("%s r %x/%d", name, offset, width.bytes()));
            long value = 0;
            for (int i = 0; i < width.bytes(); i++) {
                value |= (offset + i & 0xff) << 8 * i;
            }
            return value;
        }

        @Override
        public void write(long offset, Width width, long value) {
            seen.add(String.format("%s w %x/%d=%x", name, offset, width.bytes(), value));
        }
    }

    private final List<String> seen = Collections.synchronizedList(new ArrayList<>());

    /** Runs instructions, and then has the accumulator. */
    private long run(Bench.Fitting fitting, Toy.Op... program) throws Exception {
        Toy.Op[] all = java.util.Arrays.copyOf(program, program.length + 3);
        all[program.length] = Toy.out(0x3000, 8);
        all[program.length + 1] = new Toy.Jump(program.length + 1);
        all[program.length + 2] = new Toy.Halt();
        long[] result = new long[1];
        try (Bench bench =
                new Bench(all)
                        .device(
                                "dut",
                                context -> {
                                    fitting.fit(context);
                                    context.hookPorts(
                                            0x3000,
                                            8,
                                            LifeCycleTest.onWrite(value -> {
                                                result[0] = value;
                                                context.machine().powerOff();
                                            }));
                                })) {
            assertEquals(0, bench.run().status());
        }
        return result[0];
    }

    @Test
    void aPortAccessReachesItsHookWithOffsetAndWidth() throws Exception {
        long acc =
                run(
                        c -> c.hookPorts(0x60, 8, new Probe("a", seen)),
                        new Toy.Set(0x1234),
                        Toy.out(0x62, 2),
                        Toy.in(0x64, 4));
        assertEquals(List.of("a w 2/2=1234", "a r 4/4"), seen);
        assertEquals(0x07060504, acc);
    }

    @Test
    void portsWithoutAHookReadAllOnes() throws Exception {
        assertEquals(0xffff_ffffL, run(c -> {}, Toy.out(0x99, 4), Toy.in(0x99, 4)));
        assertEquals(0xff, run(c -> {}, Toy.in(0xffff, 1)));
    }

    @Test
    void anAccessAcrossTwoHooksAndAGapIsSplit() throws Exception {
        long acc =
                run(
                        c -> {
                            c.hookPorts(0x60, 1, new Probe("a", seen));
                            c.hookPorts(0x62, 2, new Probe("b", seen));
                        },
                        new Toy.Set(0x44332211),
                        Toy.out(0x60, 4),
                        Toy.in(0x60, 4));
        assertEquals(List.of("a w 0/1=11", "b w 0/2=4433", "a r 0/1", "b r 0/2"), seen);
        assertEquals(0x0100_ff00L, acc);
    }

    @Test
    void anAccessBehindTheLastPortReadsOnesThere() throws Exception {
        long acc = run(c -> c.hookPorts(0xffff, 1, new Probe("a", seen)), Toy.in(0xffff, 2));
        assertEquals(0xff00, acc);
    }

    @Test
    void memoryThatIsNoRamReachesItsHook() throws Exception {
        long hole = Bench.Board.HOLE;
        long acc =
                run(
                        c -> {
                            c.hookMemory(hole, 16, new Probe("a", seen));
                            c.hookMemory(hole + 16, 4, new Probe("b", seen));
                        },
                        new Toy.Set(-1),
                        new Toy.Write(Space.MEMORY, hole + 8, 8),
                        new Toy.Write(Space.MEMORY, hole + 12, 8),
                        new Toy.Read(Space.MEMORY, hole + 18, 4));
        assertEquals(
                List.of(
                        "a w 8/8=ffffffffffffffff",
                        "a w c/4=ffffffff",
                        "b w 0/4=ffffffff",
                        "b r 2/2"),
                seen);
        assertEquals(0xffff_0302L, acc);
    }

    @Test
    void memoryOfNobodyReadsAllOnesAndRamIsJustRam() throws Exception {
        assertEquals(-1, run(c -> {}, new Toy.Read(Space.MEMORY, Bench.Board.HOLE, 8)));
        assertEquals(
                99,
                run(
                        c -> {},
                        new Toy.Set(99),
                        new Toy.Write(Space.MEMORY, Bench.Board.HIGH + 64, 8),
                        new Toy.Set(0),
                        new Toy.Read(Space.MEMORY, Bench.Board.HIGH + 64, 8)));
    }

    @Test
    void registersAndPerCoreMemoryKnowTheirVcore() throws Exception {
        long acc =
                run(
                        c -> {
                            c.hookRegisters(
                                    0x800,
                                    4,
                                    new DeviceContext.RegisterHandler() {
                                        @Override
                                        public long read(Vcore vcore, long offset) {
                                            return 100 + vcore.index() + offset;
                                        }

                                        @Override
                                        public void write(Vcore vcore, long offset, long value) {
                                            seen.add(offset + "=" + value);
                                        }
                                    });
                        },
                        new Toy.Set(5),
                        new Toy.Write(Space.REGISTER, 0x803, 8),
                        new Toy.Read(Space.REGISTER, 0x802, 8));
        assertEquals(102, acc);
        assertEquals(List.of("3=5"), seen);
        assertEquals(-3, run(c -> {}, new Toy.Read(Space.REGISTER, 0x802, 8)));
    }

    @Test
    void aRegisterThatItsHandlerDeclinesIsTheEngines() throws Exception {
        DeviceContext.RegisterHandler handler =
                new DeviceContext.RegisterHandler() {
                    @Override
                    public long read(Vcore vcore, long offset) {
                        vcore.decline();
                        return 5;
                    }

                    @Override
                    public void write(Vcore vcore, long offset, long value) {}
                };
        // The toy engine says -2 to any reply but DONE.
        assertEquals(
                -2,
                run(
                        c -> c.hookRegisters(0x800, 4, handler),
                        new Toy.Read(Space.REGISTER, 0x801, 8)));
    }

    @Test
    void vcoresComeAtOnceToWhatIsTheirOwn() throws Exception {
        CountDownLatch inside = new CountDownLatch(2);
        AtomicBoolean together = new AtomicBoolean();
        DeviceContext.RegisterHandler handler =
                new DeviceContext.RegisterHandler() {
                    @Override
                    public long read(Vcore vcore, long offset) {
                        inside.countDown();
                        try {
                            together.set(inside.await(20, TimeUnit.SECONDS));
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                        vcore.vm().powerOff();
                        return 0;
                    }

                    @Override
                    public void write(Vcore vcore, long offset, long value) {}
                };
        try (Bench bench =
                new Bench(new Toy.Read(Space.REGISTER, 0x800, 8), new Toy.Halt(), new Toy.Jump(1))
                        .with("cpus", 2)
                        .device(
                                "dut",
                                context -> {
                                    context.hookRegisters(0x800, 1, handler);
                                    Vcore second = context.vcores().get(1);
                                    context.interruptSource(second, () -> 0x20);
                                    second.post(Requests.INTERRUPT);
                                })) {
            assertEquals(0, bench.run().status());
        }
        assertTrue(together.get());
    }

    @Test
    void aHookThatIsClosedHearsNothingAnyMore() throws Exception {
        List<Hook> hooks = new ArrayList<>();
        long acc =
                run(
                        c -> {
                            hooks.add(c.hookPorts(0x60, 4, new Probe("a", seen)));
                            c.hookPorts(
                                    0x70, 1, LifeCycleTest.onWrite(v -> hooks.getFirst().close()));
                        },
                        Toy.in(0x60, 1),
                        Toy.out(0x70, 1),
                        Toy.in(0x60, 1));
        assertEquals(0xff, acc);
        assertEquals(List.of("a r 0/1"), seen);
    }

    @Test
    void exitsTimersAndLinesAllocateNothing() throws Exception {
        com.sun.management.ThreadMXBean threads =
                java.lang.management.ManagementFactory.getPlatformMXBean(
                        com.sun.management.ThreadMXBean.class);
        long[] bytes = new long[2];
        int[] passes = new int[1];
        try (Bench bench =
                new Bench(
                                Toy.out(0x60, 4),
                                Toy.in(0x99, 2),
                                new Toy.Write(Space.MEMORY, Bench.Board.HOLE, 4),
                                new Toy.Write(Space.REGISTER, 0x800, 8),
                                new Toy.Call(9),
                                FOREVER)
                        .device(
                                "dut",
                                c -> {
                                    InterruptLine line = c.interruptLine(3);
                                    c.interruptInput(3, level -> {});
                                    org.alcazar.vmm.GuestTimer timer =
                                            c.clock().timer("t", () -> {});
                                    c.hookMemory(
                                            Bench.Board.HOLE,
                                            16,
                                            LifeCycleTest.onWrite(v -> line.pulse()));
                                    c.hookPorts(
                                            0x60,
                                            4,
                                            LifeCycleTest.onWrite(v -> {
                                                timer.arm(1_000_000_000 + passes[0]);
                                                int pass = passes[0]++;
                                                if (pass == 2000 || pass == 22_000) {
                                                    bytes[pass / 20_000] =
                                                            threads
                                                                    .getCurrentThreadAllocatedBytes();
                                                }
                                                if (pass == 22_000) {
                                                    c.machine().powerOff();
                                                }
                                            }));
                                })) {
            assertEquals(0, bench.run().status());
        }
        // Less than a byte for each of the 100,000 exits: what a JVM does once.
        assertTrue(bytes[1] - bytes[0] < 20_000, () -> (bytes[1] - bytes[0]) + " bytes");
    }

    @Test
    void aRangeThatIsTakenIsRefusedAndNamesBoth() throws Exception {
        Bench bench =
                new Bench(FOREVER)
                        .device("one", c -> c.hookPorts(0x60, 4, new Probe("a", seen)))
                        .device("two", c -> c.hookPorts(0x63, 4, new Probe("b", seen)));
        String message = refusal(bench);
        assertTrue(message.contains("two: ports 0x63-0x66 belongs to one (0x60-0x63)"), message);
        assertEquals(0, bench.host.memory.bytesInUse(""));
    }

    @Test
    void memoryHooksOverRamAreRefused() throws Exception {
        assertTrue(
                refusal(
                                new Bench(FOREVER)
                                        .device(
                                                "one",
                                                c ->
                                                        c.hookMemory(
                                                                Bench.Board.HOLE - 1,
                                                                2,
                                                                new Probe("a", seen))))
                        .contains("is RAM"));
    }

    private static String refusal(Bench bench) {
        return String.valueOf(assertThrows(HostRefusal.class, bench::create).getMessage());
    }

    @Test
    void hypercallsReachTheirExtensionAndOthersProceed() throws Exception {
        List<Long> calls = new ArrayList<>();
        try (Bench bench =
                new Bench(new Toy.Call(7), new Toy.Call(9), Toy.out(0x10, 1), FOREVER)
                        .device(
                                "power",
                                c ->
                                        c.hookPorts(
                                                0x10,
                                                1,
                                                LifeCycleTest.onWrite(
                                                        v -> c.machine().powerOff())))) {
            bench.types.add(
                    ExtensionType.class,
                    extension("calls", 7, (vcore, number) -> calls.add(number)),
                    1);
            bench.with("extensions", List.of(Map.of("type", "calls")));
            assertEquals(0, bench.run().status());
        }
        assertEquals(List.of(7L), calls);
    }

    static ExtensionType extension(String name, long number, HypercallHandler handler) {
        return new ExtensionType() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public String description() {
                return "for tests";
            }

            @Override
            public Extension create(ExtensionContext context, Settings settings)
                    throws ConfigurationException {
                context.hookHypercall(number, number, handler);
                return new Extension() {
                    private int entries;

                    @Override
                    public void onEntry(Vcore vcore) {
                        entries++;
                    }

                    @Override
                    public void onExit(Vcore vcore, int reason) {
                        entries--;
                        if (entries != 0) {
                            throw new IllegalStateException("exits and entries do not alternate");
                        }
                    }

                    @Override
                    public org.alcazar.machine.SavedState save() {
                        return new org.alcazar.machine.SavedState(name, 1);
                    }

                    @Override
                    public void restore(org.alcazar.machine.SavedState state) {
                        state.require(name, 1);
                    }
                };
            }
        };
    }

    private static InterruptRouter.Wire wire(InterruptRouter router, int number, String owner) {
        InterruptRouter.Wire wire = router.wire(owner, number);
        wire.connect();
        return wire;
    }

    @Test
    void wiresToOneInputAreOredAndReachAllItsEnds() throws Exception {
        InterruptRouter router = new InterruptRouter();
        List<String> heard = new ArrayList<>();
        router.connect(4, level -> heard.add("pic " + level));
        router.connect(4, level -> heard.add("apic " + level));
        InterruptRouter.Wire a = wire(router, 4, "a");
        InterruptRouter.Wire b = wire(router, 4, "b");
        a.raise();
        b.raise();
        a.lower();
        assertEquals(List.of("pic true", "apic true"), heard);
        b.disconnect();
        assertEquals(List.of("pic true", "apic true", "pic false", "apic false"), heard);
        b.raise();
        assertEquals(4, heard.size());
    }

    @Test
    void aQuietRouterTakesLevelsOverWithoutAnEdge() {
        InterruptRouter router = new InterruptRouter();
        List<Boolean> heard = new ArrayList<>();
        router.connect(1, heard::add);
        InterruptLine wire = wire(router, 1, "a");
        wire.raise();
        org.alcazar.machine.SavedState saved = router.save();
        InterruptRouter other = new InterruptRouter();
        List<Boolean> there = new ArrayList<>();
        other.connect(1, there::add);
        InterruptRouter.Wire twin = wire(other, 1, "a");
        other.quiet(true);
        other.restore(saved);
        other.quiet(false);
        assertTrue(twin.level());
        assertEquals(List.of(), there);
        assertEquals(saved, other.save());
        twin.lower();
        assertEquals(List.of(false), there);
    }

    private static <T> DeviceContext.Connector<T> kept(List<Object> found) {
        return service -> {
            found.add(service);
            return () -> {};
        };
    }

    @Test
    void rolesAreFoundByLaterDevicesAndMissingOnesAreNamed() throws Exception {
        interface Bus {}
        interface Other {}
        List<Object> found = new ArrayList<>();
        Bus bus = new Bus() {};
        try (Bench bench =
                new Bench(FOREVER)
                        .device("a", c -> c.provide(Bus.class, bus))
                        .device("b", c -> c.require(Bus.class, kept(found)))) {
            bench.create();
        }
        assertEquals(List.of(bus), found);
        String message =
                refusal(new Bench(FOREVER).device("b", c -> c.require(Other.class, kept(found))));
        assertTrue(message.contains("device b needs") && message.contains("Other"), message);
    }
}
