package org.alcazar.host.tck;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Space;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;
import org.alcazar.machine.Width;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What every engine must do with a control block, whatever its architecture. An engine's test
 * extends it and gives an {@link EngineFixture}.
 *
 * <p>Guest-physical pages are mapped to host pages of an arena of 1 MiB: page n to page n of the
 * arena, unless a test says otherwise.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class EngineTck {
    private static final long ARENA_BYTES = 1L << 20;
    private static final long DATA = 0x20000;
    private static final long DEVICE = 0x4000_0000L;
    private static final int PORT = 0x80;

    private final EngineFixture fixture;
    private final PhysicalBus bus = new PhysicalBus();
    private final Engine engine;
    private final ControlBlock block;
    private final VirtualCore core;
    private long arena;

    protected EngineTck(EngineFixture fixture) {
        this.fixture = fixture;
        engine = fixture.provider().create(bus, Map.of());
        block = new ControlBlock(engine.architecture());
        core = engine.newCore(0, block);
    }

    /** Memory for hosts-less tests, unless a host has provided some. */
    @BeforeAll
    static void reserveMemory() {
        HostRange.reserve(() -> Arena.global().allocate(64L << 20, HostMemory.PAGE_SIZE));
    }

    @BeforeEach
    final void makeMachine() throws HostRefusal {
        arena = HostRange.carve(ARENA_BYTES, HostMemory.PAGE_SIZE);
        HostRam.fill(arena, ARENA_BYTES, (byte) 0);
        fixture.enter(block);
        fixture.translate(block);
        map(EngineFixture.ENTRY, arena + EngineFixture.ENTRY);
        map(DATA, arena + DATA);
    }

    @AfterEach
    final void closeMachine() {
        core.close();
        engine.close();
        HostRange.release(arena);
    }

    private void map(long guest, long host) {
        fixture.map(block, guest, host);
        engine.invalidate(Scope.GUEST_PHYSICAL, guest, HostMemory.PAGE_SIZE);
    }

    private void program(byte[]... parts) {
        ByteArrayOutputStream code = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            code.writeBytes(part);
        }
        RamPages.write(arena + EngineFixture.ENTRY, code.toByteArray(), 0, code.size());
    }

    private int run() {
        return core.run(block);
    }

    private void expect(int reason) {
        assertEquals(Exit.name(reason), Exit.name(run()), () -> core.describe(block, 0));
    }

    private long pc() {
        core.fetch(block, engine.architecture().allGroups());
        return fixture.pc(block);
    }

    private long result() {
        core.fetch(block, engine.architecture().allGroups());
        return fixture.result(block);
    }

    @Test
    void budgetsAreExact() {
        program(fixture.nops(10), fixture.loop());
        for (long n : new long[] {1, 2, 3, 100, 12_345}) {
            long before = block.retired;
            block.budget = n;
            expect(Exit.BUDGET);
            assertEquals(n, block.retired - before);
            assertEquals(0, block.budget);
        }
    }

    @Test
    void aBudgetOfNothingRunsNothing() {
        program(fixture.loop());
        block.budget = 0;
        expect(Exit.BUDGET);
        assertEquals(0, block.retired);
        assertEquals(EngineFixture.ENTRY, pc());
    }

    @Test
    void aKickThatWasPostedBeforeEndsTheRunAtOnce() {
        program(fixture.loop());
        block.requests().post(Requests.KICK);
        expect(Exit.KICK);
        assertEquals(0, block.retired);
        block.budget = 5;
        expect(Exit.BUDGET);
    }

    @Test
    void aKickFromAnotherThreadEndsAnEndlessLoop() throws InterruptedException {
        program(fixture.loop());
        AtomicInteger reason = new AtomicInteger(-1);
        for (int i = 0; i < 100; i++) {
            Thread runner = Thread.ofPlatform().start(() -> reason.set(run()));
            block.requests().post(Requests.KICK);
            runner.join();
            assertEquals(Exit.KICK, reason.getAndSet(-1));
        }
    }

    @Test
    void aPortWriteExitsWithWhatTheGuestWritesAndIsNotRepeated() {
        program(
                fixture.constant(0x1234),
                fixture.portOut(PORT),
                fixture.constant(7),
                fixture.loop());
        expect(Exit.ACCESS);
        ExitFrame frame = block.frame();
        assertEquals(Space.PORT, frame.space);
        assertEquals(PORT, frame.address);
        assertEquals(4, frame.size);
        assertTrue(frame.write);
        assertEquals(0x1234, frame.value);
        long at = pc();
        assertEquals(frame.pc, at, "state is that before the instruction");
        frame.reply = ExitFrame.DONE;
        block.budget = 3;
        expect(Exit.BUDGET);
        assertEquals(7, result());
    }

    @Test
    void aPortReadGetsTheReply() {
        program(fixture.portIn(PORT), fixture.loop());
        expect(Exit.ACCESS);
        assertFalse(block.frame().write);
        block.frame().value = 0x89ab_cdefL;
        block.frame().reply = ExitFrame.DONE;
        block.budget = 2;
        expect(Exit.BUDGET);
        assertEquals(0x89ab_cdefL, result() & 0xffff_ffffL);
    }

    @Test
    void fetchedStateDoesNotUndoAReply() {
        program(fixture.portIn(PORT), fixture.loop());
        expect(Exit.ACCESS);
        assertEquals(EngineFixture.ENTRY, pc());
        block.frame().value = 0x55;
        block.frame().reply = ExitFrame.DONE;
        block.budget = 2;
        expect(Exit.BUDGET);
        assertEquals(0x55, result());
    }

    @Test
    void aMissingTranslationExitsAndIsRetried() {
        long page = DATA + HostMemory.PAGE_SIZE;
        program(fixture.constant(0x600d), fixture.store(page + 8), fixture.loop());
        expect(Exit.TRANSLATION);
        assertEquals(page, block.frame().address & -HostMemory.PAGE_SIZE);
        map(page, arena + page);
        block.frame().reply = ExitFrame.RETRY;
        block.budget = 3;
        expect(Exit.BUDGET);
        assertEquals(fixture.inMemory(0x600d), HostRam.getInt(arena + page + 8));
    }

    @Test
    void whatIsNoRamBecomesAnAccess() {
        program(
                fixture.load(DEVICE + 4),
                fixture.store(DEVICE + 8),
                fixture.constant(1),
                fixture.loop());
        access(false, DEVICE + 4);
        block.frame().value = 0xcafe;
        block.frame().reply = ExitFrame.DONE;
        access(true, DEVICE + 8);
        assertEquals(0xcafe, block.frame().value);
        block.frame().reply = ExitFrame.DONE;
        block.budget = 4;
        expect(Exit.BUDGET);
        assertEquals(1, result());
    }

    /**
     * Runs to an access to memory, by way of a TRANSLATION exit if the engine does not remember the
     * page.
     */
    private void access(boolean write, long address) {
        int reason = run();
        if (reason == Exit.TRANSLATION) {
            assertEquals(address, block.frame().address);
            block.frame().reply = ExitFrame.AS_ACCESS;
            reason = run();
        }
        assertEquals(Exit.name(Exit.ACCESS), Exit.name(reason));
        assertEquals(Space.MEMORY, block.frame().space);
        assertEquals(address, block.frame().address);
        assertEquals(4, block.frame().size);
        assertEquals(write, block.frame().write);
    }

    @Test
    void aChangedTranslationIsUsedAfterInvalidate() {
        HostRam.setInt(arena + DATA, fixture.inMemory(1));
        HostRam.setInt(arena + DATA + 0x3000, fixture.inMemory(2));
        program(fixture.load(DATA), fixture.portOut(PORT), fixture.load(DATA), fixture.loop());
        expect(Exit.ACCESS);
        assertEquals(1, block.frame().value);
        map(DATA, arena + DATA + 0x3000);
        block.frame().reply = ExitFrame.DONE;
        block.budget = 20;
        expect(Exit.BUDGET);
        assertEquals(2, result());
    }

    @Test
    void stepByStepOrAtOnceIsTheSame() {
        program(
                fixture.constant(3),
                fixture.store(DATA),
                fixture.load(DATA),
                fixture.nops(5),
                fixture.loop());
        for (int i = 0; i < 20; i++) {
            block.budget = 1;
            expect(Exit.BUDGET);
        }
        long[][] stepped = allState(core, block);
        core.reset(block);
        fixture.enter(block);
        block.budget = 20;
        expect(Exit.BUDGET);
        assertArrayEquals(stepped, allState(core, block));
    }

    @Test
    void aBreakpointStopsBeforeItsInstructionUntilThatIsPassed() {
        program(fixture.nops(2), fixture.constant(7), fixture.loop());
        long at = EngineFixture.ENTRY + fixture.nops(2).length;
        block.breakpoints = new long[] {at, at + 1, at + (1L << 40)};
        long before = block.retired;
        for (int i = 0; i < 2; i++) {
            expect(Exit.DEBUG);
            assertEquals(2, block.retired - before);
            assertEquals(at, block.frame().address);
            assertEquals(at, block.frame().pc);
            assertEquals(at, pc());
        }
        block.passBreakpoint = true;
        block.budget = 3;
        expect(Exit.BUDGET);
        assertFalse(block.passBreakpoint);
        assertEquals(5, block.retired - before);
        assertEquals(7, result());
    }

    @Test
    void aLoopStopsAtItsBreakpointEachTimeAndOtherwiseNothingChanges() {
        program(fixture.loop());
        block.budget = 100_000;
        expect(Exit.BUDGET);
        long[][] running = allState(core, block);
        block.breakpoints = new long[] {EngineFixture.ENTRY};
        block.budget = ControlBlock.UNLIMITED;
        for (long i = block.retired; i < 100_005; i++) {
            expect(Exit.DEBUG);
            assertEquals(i, block.retired);
            block.passBreakpoint = true;
        }
        block.budget = 0;
        expect(Exit.BUDGET);
        assertArrayEquals(running, allState(core, block));
        block.breakpoints = new long[0];
        block.budget = 10;
        expect(Exit.BUDGET);
    }

    @Test
    void anInstructionThatWaitsForItsReplyDoesNotStopAgain() {
        program(fixture.portIn(PORT), fixture.loop());
        block.breakpoints = new long[] {EngineFixture.ENTRY};
        expect(Exit.DEBUG);
        block.passBreakpoint = true;
        expect(Exit.ACCESS);
        block.frame().value = 0x66;
        block.frame().reply = ExitFrame.DONE;
        block.budget = 2;
        expect(Exit.BUDGET);
        assertEquals(0x66, result());
    }

    @Test
    void aGuestGoesOnInAnotherCore() {
        program(fixture.constant(0x77), fixture.nops(3), fixture.store(DATA), fixture.loop());
        block.budget = 3;
        expect(Exit.BUDGET);
        core.fetch(block, engine.architecture().allGroups());
        ControlBlock other = new ControlBlock(engine.architecture());
        try (VirtualCore second = engine.newCore(1, other)) {
            copyTo(other);
            other.budget = 20;
            assertEquals(Exit.BUDGET, second.run(other), () -> second.describe(other, 0));
        }
        assertEquals(fixture.inMemory(0x77), HostRam.getInt(arena + DATA));
    }

    /** Gives another control block the same state. */
    private void copyTo(ControlBlock other) {
        for (RegisterGroup group : engine.architecture().groups()) {
            long[] from = block.group(group.id());
            System.arraycopy(from, 0, other.group(group.id()), 0, from.length);
        }
        other.dirty = engine.architecture().allGroups();
        other.translation = block.translation;
        other.translationRoot = block.translationRoot;
    }

    @Test
    void stateSurvivesBeingStoredAndLoaded() {
        program(fixture.constant(0x7654), fixture.loop());
        block.budget = 2;
        expect(Exit.BUDGET);
        long[][] before = allState(core, block);
        block.dirty = engine.architecture().allGroups();
        block.budget = 0;
        expect(Exit.BUDGET);
        assertArrayEquals(before, allState(core, block));
    }

    private static long[][] allState(VirtualCore core, ControlBlock block) {
        Architecture architecture = block.architecture();
        core.fetch(block, architecture.allGroups());
        List<long[]> all = new ArrayList<>();
        for (RegisterGroup group : architecture.groups()) {
            all.add(block.group(group.id()).clone());
        }
        return all.toArray(long[][]::new);
    }

    @Test
    void aHaltedCoreIsIdleUntilAnInterruptComes() {
        program(fixture.enableInterrupts(), fixture.halt(), fixture.loop());
        expect(Exit.IDLE);
        AtomicInteger asked = new AtomicInteger();
        block.interrupts =
                () -> {
                    asked.incrementAndGet();
                    return InterruptSource.NONE;
                };
        expect(Exit.IDLE);
        assertEquals(0, asked.get(), "nobody posted a request");
        block.requests().post(Requests.INTERRUPT);
        run();
        assertEquals(1, asked.get());
    }

    @Test
    void anInterruptIsNotFetchedWhileTheCoreCanNotTakeIt() {
        program(fixture.nops(50), fixture.loop());
        AtomicInteger asked = new AtomicInteger();
        block.interrupts =
                () -> {
                    asked.incrementAndGet();
                    return InterruptSource.NONE;
                };
        block.requests().post(Requests.INTERRUPT);
        block.budget = 100;
        expect(Exit.BUDGET);
        assertEquals(0, asked.get());
    }

    @Test
    void aWindowExitComesWhenInterruptsAreTurnedOn() {
        program(fixture.nops(5), fixture.enableInterrupts(), fixture.nops(5), fixture.loop());
        block.windowWanted = true;
        block.budget = 5;
        expect(Exit.BUDGET);
        block.budget = ControlBlock.UNLIMITED;
        expect(Exit.WINDOW);
    }

    @Test
    void hypercallsExit() {
        program(fixture.hypercall(), fixture.constant(9), fixture.loop());
        expect(Exit.CALL);
        assertEquals(EngineFixture.ENTRY, pc());
        block.frame().reply = ExitFrame.DONE;
        block.budget = 4;
        expect(Exit.BUDGET);
        assertEquals(9, result());
    }

    @Test
    void codeThatSomebodyElseWritesIsRun() {
        program(fixture.constant(1), fixture.loop());
        block.budget = 50;
        expect(Exit.BUDGET);
        assertEquals(1, result());
        program(fixture.constant(2), fixture.loop());
        fixture.enter(block);
        block.budget = 50;
        expect(Exit.BUDGET);
        assertEquals(2, result());
    }

    @Test
    void writesToWatchedPagesAreTold() {
        AtomicLong heard = new AtomicLong(-1);
        RamPages.Listener listener =
                (page, flags) -> {
                    if ((flags & RamPages.LOGGED) != 0) {
                        heard.set(page);
                        RamPages.unmark(page, RamPages.LOGGED);
                    }
                };
        RamPages.addListener(listener);
        try {
            program(
                    fixture.constant(1),
                    fixture.store(DATA),
                    fixture.portOut(PORT),
                    fixture.store(DATA),
                    fixture.loop());
            expect(Exit.ACCESS);
            assertEquals(-1, heard.get());
            RamPages.mark(arena + DATA, RamPages.LOGGED);
            engine.invalidate(Scope.ALL, 0, 0);
            block.frame().reply = ExitFrame.DONE;
            block.budget = 20;
            expect(Exit.BUDGET);
            assertEquals(arena + DATA, heard.get());
        } finally {
            RamPages.removeListener(listener);
            RamPages.unmark(arena + DATA, RamPages.LOGGED);
        }
    }

    @Test
    void withoutAVmmTheBusIsEverything() {
        long[] written = {-1};
        BusDevice device =
                new BusDevice() {
                    @Override
                    public long read(long offset, Width width) {
                        return 0x1111 + offset;
                    }

                    @Override
                    public void write(long offset, Width width, long value) {
                        written[0] = value;
                    }
                };
        PhysicalBus.Attachment window =
                bus.attachMemory(PhysicalBus.WINDOWS, HostMemory.PAGE_SIZE, device);
        assertEquals(0x1114, bus.readMemory(PhysicalBus.WINDOWS + 3, Width.DWORD));
        map(DEVICE, PhysicalBus.WINDOWS);
        program(fixture.load(DEVICE + 4), fixture.store(DEVICE + 8), fixture.loop());
        block.budget = 20;
        expect(Exit.BUDGET);
        assertEquals(0x1115, result());
        assertEquals(0x1115, written[0], "without an exit");
        window.close();
        assertEquals(-1, bus.readMemory(PhysicalBus.WINDOWS, Width.QWORD));
    }

    // ---- several cores

    /** Until a core has stored what {@link EngineFixture#storeForever} stores there. */
    private static void awaitStore(long host, int value) {
        while (HostRam.getIntVolatile(host) != value) {
            Thread.onSpinWait();
        }
    }

    @Test
    void anInvalidationReachesACoreThatRuns() throws InterruptedException {
        program(fixture.constant(0x5a), fixture.storeForever(DATA));
        int stored = fixture.inMemory(0x5a);
        Thread runner = Thread.ofPlatform().start(this::run);
        long from = arena + DATA;
        long to = arena + DATA + HostMemory.PAGE_SIZE;
        for (int i = 0; i < 50; i++) {
            awaitStore(from, stored);
            map(DATA, to);
            // Nobody uses the old page any more, so it is ours.
            HostRam.setInt(from, 0);
            awaitStore(to, stored);
            assertEquals(0, HostRam.getIntVolatile(from), "stored by the old translation");
            long old = from;
            from = to;
            to = old;
        }
        block.requests().post(Requests.KICK);
        runner.join();
    }

    /** Has both cores store to a window of the bus, {@code times} times each, at the same time. */
    private void storeToDevice(int times, Runnable written) throws InterruptedException {
        BusDevice device =
                new BusDevice() {
                    @Override
                    public long read(long offset, Width width) {
                        return 0;
                    }

                    @Override
                    public void write(long offset, Width width, long value) {
                        written.run();
                    }
                };
        map(DEVICE, PhysicalBus.WINDOWS);
        program(fixture.store(DEVICE), fixture.store(DATA), fixture.loop());
        ControlBlock other = new ControlBlock(engine.architecture());
        PhysicalBus.Attachment window =
                bus.attachMemory(PhysicalBus.WINDOWS, HostMemory.PAGE_SIZE, device);
        try (VirtualCore second = engine.newCore(1, other)) {
            copyTo(other);
            Thread a = Thread.ofPlatform().start(() -> runTimes(core, block, times));
            Thread b = Thread.ofPlatform().start(() -> runTimes(second, other, times));
            a.join();
            b.join();
        } finally {
            window.close();
        }
    }

    private void runTimes(VirtualCore on, ControlBlock of, int times) {
        for (int i = 0; i < times; i++) {
            fixture.enter(of);
            of.budget = 10;
            if (on.run(of) != Exit.BUDGET) {
                return;
            }
        }
    }

    @Test
    void coresThatInvalidateFromDeviceAccessesDoNotWaitForEachOther() throws InterruptedException {
        AtomicInteger writes = new AtomicInteger();
        storeToDevice(
                200,
                () -> {
                    writes.incrementAndGet();
                    engine.invalidate(Scope.ALL, 0, 0);
                });
        assertEquals(400, writes.get());
    }

    @Test
    void whoHoldsADevicesLockMayInvalidate() throws InterruptedException {
        ReentrantLock guard = new ReentrantLock();
        AtomicInteger writes = new AtomicInteger();
        Runnable invalidations =
                () -> {
                    while (writes.get() < 400) {
                        guard.lock();
                        engine.invalidate(Scope.ALL, 0, 0);
                        guard.unlock();
                    }
                };
        Thread holder = Thread.ofPlatform().start(invalidations);
        storeToDevice(
                200,
                () -> {
                    guard.lock();
                    writes.incrementAndGet();
                    guard.unlock();
                });
        holder.join();
        assertEquals(400, writes.get());
    }

    @Test
    void translateHasNoSideEffects() {
        assertEquals(DATA + 5, core.translate(block, DATA + 5, 1));
    }

    @Test
    void declaresWhatItTakes() {
        assertTrue(
                engine.takes(Translation.NESTED)
                        || engine.takes(Translation.SOFTWARE_TLB)
                        || engine.takes(Translation.SLOTS)
                        || engine.takes(Translation.SHADOW));
        assertEquals(engine.architecture().name(), fixture.provider().architecture().name());
    }

    @Test
    void describesItself() {
        program(fixture.constant(0x1234), fixture.loop());
        block.budget = 1;
        expect(Exit.BUDGET);
        assertTrue(core.describe(block, EngineFixture.ENTRY).lines().count() > 2);
        assertEquals(1, core.summary(block).lines().count());
    }
}
