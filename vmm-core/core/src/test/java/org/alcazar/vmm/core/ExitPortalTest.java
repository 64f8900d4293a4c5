package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Space;
import org.alcazar.machine.Width;
import org.alcazar.vmm.HypercallHandler;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.plugin.ExtensionType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;

/** On a host that keeps guest code and VMM apart, all that belongs to an exit is in messages. */
class ExitPortalTest {
    private static final long RUN_END = 0x500;

    private final List<Bench> open = new ArrayList<>();
    private final FakePortal portal = new FakePortal();

    private Bench bench(Toy.Op... program) {
        Bench bench = new Bench(program);
        bench.host.portal = portal;
        open.add(bench);
        return bench;
    }

    @AfterEach
    void allThreadsEnd() {
        open.forEach(Bench::close);
        Bench.until(portal::allEnded);
    }

    /** Reads give 0x41; a write to the port ends the VM. */
    private static Bench withPorts(Bench bench, List<Long> written) {
        return bench.device(
                "ports",
                context -> {
                    context.hookPorts(
                            0x60,
                            1,
                            new BusDevice() {
                                @Override
                                public long read(long offset, Width width) {
                                    return 0x41;
                                }

                                @Override
                                public void write(long offset, Width width, long value) {
                                    written.add(value);
                                }
                            });
                    context.hookPorts(
                            (int) RUN_END,
                            1,
                            new BusDevice() {
                                @Override
                                public long read(long offset, Width width) {
                                    return 0;
                                }

                                @Override
                                public void write(long offset, Width width, long value) {
                                    context.machine().powerOff();
                                }
                            });
                });
    }

    private static final Toy.Op[] COPY = {
        Toy.in(0x60, 1),
        new Toy.Add(1),
        Toy.out(0x60, 1),
        Toy.out((int) RUN_END, 1),
        new Toy.Jump(4)
    };

    @Test
    void aGuestSeesNoDifference() throws Exception {
        List<Long> written = Collections.synchronizedList(new ArrayList<>());
        Bench plain = new Bench(COPY);
        open.add(plain);
        Vm first = withPorts(plain, written).start();
        plain.end();
        Vm second = withPorts(bench(COPY), written).start();
        VmEnd end = open.get(1).end();
        assertEquals(0, end.status());
        assertEquals(List.of(0x42L, 0x42L), written);
        for (int reason : new int[] {Exit.ACCESS, Exit.TRANSLATION, Exit.CALL}) {
            assertEquals(exits(first, reason), exits(second, reason));
        }
        assertEquals(1, portal.gates.size());
        assertEquals(second.machine().owner(), portal.gates.getFirst().space);
    }

    /** The largest of each: a PCID of INVPCID in the size, say. */
    @Test
    void nothingOfAnExitIsCut() {
        for (boolean write : new boolean[] {false, true}) {
            ExitFrame sent = new ExitFrame();
            sent.size = 0xfff;
            sent.space = Space.REGISTER;
            sent.write = write;
            sent.length = 15;
            sent.code = -1;
            ExitFrame got = new ExitFrame();
            ExitPortal.kind(got, ExitPortal.kind(sent));
            assertEquals(
                    List.of(sent.size, sent.space, sent.write, sent.length, sent.code),
                    List.of(got.size, got.space, got.write, got.length, got.code));
        }
    }

    @Test
    void exitsAndRepliesAreWhatTheMessagesSay() throws Exception {
        List<Long> written = Collections.synchronizedList(new ArrayList<>());
        portal.replies =
                message -> {
                    if (message[ExitPortal.REPLY_VALUE] == 0x41) {
                        message[ExitPortal.REPLY_VALUE] = 0x51;
                    }
                };
        portal.exits =
                message -> {
                    if (message[ExitPortal.VALUE] == 0x52 && message[ExitPortal.ADDRESS] == 0x60) {
                        message[ExitPortal.VALUE] = 0x62;
                    }
                };
        withPorts(bench(COPY), written).start();
        open.getFirst().end();
        assertEquals(List.of(0x62L), written);
    }

    @Test
    void registersOfACallComeAlongAndGoBack() throws Exception {
        AtomicReference<Long> argument = new AtomicReference<>(0L);
        Map<Long, Integer> items = Collections.synchronizedMap(new TreeMap<>());
        portal.exits =
                message -> {
                    if (HostExitPortal.label(message[0]) == Exit.CALL + 1) {
                        int at = 1 + HostExitPortal.untyped(message[0]);
                        items.put(message[at] & 0xf, (int) (message[at] >> 16 & 0xffff));
                        message[at + 1 + Toy.ACC] += 100;
                    }
                };
        List<Long> written = Collections.synchronizedList(new ArrayList<>());
        Bench bench =
                withPorts(
                        bench(
                                new Toy.Set(5),
                                new Toy.Call(9),
                                Toy.out(0x60, 1),
                                Toy.out((int) RUN_END, 1),
                                new Toy.Jump(4)),
                        written);
        HypercallHandler handler =
                (vcore, number) -> {
                    vcore.fetch(1);
                    argument.set(vcore.block().group(Toy.REGISTERS)[Toy.ACC]);
                    vcore.block().frame().value = 7;
                };
        bench.types.add(ExtensionType.class, HookTest.extension("calls", 9, handler), 1);
        bench.with("extensions", List.of("calls")).start();
        bench.end();
        assertEquals(105, argument.get());
        assertEquals(Map.of((long) HostExitPortal.REGISTERS, 5), items);
        assertEquals(List.of(7L), written);
    }

    @Test
    void pagesThatTheGuestMissesAreMapped() throws Exception {
        List<long[]> maps = Collections.synchronizedList(new ArrayList<>());
        portal.replies =
                message -> {
                    if (HostExitPortal.typed(message[0]) == 2) {
                        int at = 1 + HostExitPortal.untyped(message[0]);
                        maps.add(new long[] {message[at], message[at + 1]});
                    }
                };
        Bench bench =
                withPorts(
                        bench(
                                new Toy.Set(77),
                                new Toy.Write(Space.MEMORY, 0x5008, 8),
                                Toy.out((int) RUN_END, 1),
                                new Toy.Jump(3)),
                        new ArrayList<>());
        Vm vm = bench.start();
        bench.end();
        assertEquals(1, maps.size());
        long[] item = maps.getFirst();
        assertEquals(HostExitPortal.MAP, item[0] & 0xfff);
        long size = 1L << (item[1] >> 4 & 0x3f);
        long guest = item[0] & -0x1000;
        long host = item[1] & -size;
        assertTrue(guest <= 0x5000 && guest + size > 0x5000);
        assertEquals(0, guest % size);
        assertEquals(7, item[1] & 7);
        assertEquals(vm.machine().map().toHost(guest), host);
        assertEquals(77, HostRam.getLong(host + 0x5008 - guest));
        assertTrue(size >= 2 << 20, "as large as memory is in one piece: " + size);
    }

    @Test
    void aBrokenEngineFailsItsVm() throws Exception {
        Bench bench = bench(new Toy.Add(1), new Toy.Break());
        VmEnd end = bench.run();
        assertEquals(6, end.status());
        assertTrue(end.reason().contains("the engine is broken"), end.reason());
        assertTrue(end.reason().contains("toy"), end.reason());
    }

    @Test
    void whatTheHostRefusesToCarryFailsTheVm() throws Exception {
        portal.replies =
                message -> {
                    throw new IllegalStateException("the VMM does not hold page 5");
                };
        VmEnd end = bench(new Toy.Jump(0)).run();
        assertEquals(6, end.status());
        assertTrue(end.reason().contains("the VMM does not hold page 5"), end.reason());
    }

    @Test
    void aPortalThatIsRefusedLeavesNothing() {
        portal.refuses = true;
        Bench bench = bench(new Toy.Jump(0));
        HostRefusal refusal = assertThrows(HostRefusal.class, bench::create);
        assertTrue(String.valueOf(refusal.getMessage()).contains("no gates today"));
        assertEquals(0, bench.host.memory.bytesInUse(""));
        Bench.until(() -> bench.host.processors.threadsAlive() == 0);
    }

    @Test
    void noThreadNoGate() {
        Bench bench = bench(new Toy.Jump(0));
        bench.host.processors.refuseAfter(1);
        assertThrows(HostRefusal.class, bench::create);
        Bench.until(portal::allEnded);
    }

    @Test
    void bothThreadsOfAVcoreArePinnedAndMovedTogether() throws Exception {
        Bench bench = bench(new Toy.Jump(0)).with("cpus", 2).with("pin", "1,0");
        Vm vm = bench.start();
        assertEquals(List.of(1, 0), portal.gates.stream().map(gate -> gate.cpu).toList());
        vm.moveCore(0, 0);
        assertEquals(0, portal.gates.getFirst().cpu);
    }

    @Test
    void kicksPausesAndStopsReachGuestCode() throws Exception {
        Bench bench = bench(new Toy.Jump(0)).with("cpus", 2);
        Vm vm = bench.start();
        vm.machine().vcores().forEach(vcore -> vcore.addSource(0, () -> 32));
        vm.vcores().forEach(vcore -> vcore.post(Requests.INTERRUPT));
        Bench.until(() -> vm.vcores().get(1).retired() > 1000);
        for (int i = 0; i < 20; i++) {
            vm.pause();
            assertEquals(VmState.PAUSED, vm.state());
            vm.resume();
        }
        vm.pause();
        assertEquals(1, Bench.register(vm, 1, Toy.INTERRUPTS));
        bench.vmm.stop(vm.id());
    }

    @Test
    void allVcoresOfAnInstructionClockShareAThread() throws Exception {
        List<Long> written = Collections.synchronizedList(new ArrayList<>());
        Bench bench = withPorts(bench(COPY), written).with("cpus", 2).with("clock", "instructions");
        bench.start();
        bench.end();
        assertEquals(1, portal.gates.size());
        assertEquals(List.of(0x42L), written);
    }

    @Test
    void chosenRegistersAreCheckedInOneLine() {
        refused(bench(new Toy.Jump(0)).with("exit-registers", "general"), "there are registers");
        Bench plain = new Bench(new Toy.Jump(0)).with("exit-registers", "registers");
        open.add(plain);
        refused(plain, "on host fake exits are no messages");
    }

    private static long exits(Vm vm, int reason) {
        return vm.machine().vcores().getFirst().exits(reason);
    }

    private static void refused(Bench bench, String why) {
        String message =
                String.valueOf(assertThrows(HostRefusal.class, bench::create).getMessage());
        assertTrue(message.contains(why), message);
        assertEquals(1, message.lines().count(), message);
    }
}
