package org.alcazar.devices.apic;

import static org.alcazar.devices.apic.Registers.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Width;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.platforms.pc.api.PcLayout;
import org.alcazar.testkit.device.DeviceChecks;
import org.alcazar.testkit.device.ManualClock;
import org.alcazar.testkit.device.StubVcore;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.device.DeviceContext.VcoreMemory;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

class ApicsTest {
    private static final int NONE = InterruptSource.NONE;
    private static final int WINDOW = 0x1000;
    private static final long RAM = 0x10_0000;

    private final ManualClock clock = new ManualClock();
    private final StubVcore[] cores = {new StubVcore(0), new StubVcore(1)};
    private final List<LocalApic> each = new ArrayList<>();
    private final List<Integer> ended = new ArrayList<>();

    /** What the PIC would acknowledge with, or NONE. */
    private int picVector = NONE;

    /** Pages of memory where registers appear, by address. */
    private final Map<Long, VcoreMemory> pages = new HashMap<>();

    private final Apics apics = apics(each);

    private Apics apics(List<LocalApic> into) {
        Apics made = new Apics();
        Windows windows = new Windows(made, this::page);
        made.show(windows);
        try {
            windows.open();
        } catch (ConfigurationException e) {
            throw new AssertionError(e);
        }
        for (StubVcore core : cores) {
            LocalApic apic =
                    new LocalApic(
                            core.index(), core, clock, () -> picVector, made, core.index() == 0);
            made.add(apic);
            into.add(apic);
        }
        return made;
    }

    private Hook page(long address, long bytes, VcoreMemory page) throws ConfigurationException {
        if (address == RAM) {
            throw new ConfigurationException("RAM");
        }
        pages.put(address, page);
        return () -> pages.remove(address, page);
    }

    private VcoreMemory window() {
        return Objects.requireNonNull(pages.get(PcLayout.LOCAL_APIC));
    }

    @BeforeEach
    void enable() {
        apics.reset();
        apics.addEndOfInterrupt(ended::add);
        for (int i = 0; i < cores.length; i++) {
            write(i, SVR, SVR_ENABLE | 0xff);
            cores[i].take(-1);
        }
    }

    private int read(int core, int register) {
        return (int) window().read(cores[core], register, Width.DWORD);
    }

    private void write(int core, int register, int value) {
        window().write(cores[core], register, Width.DWORD, value & 0xffff_ffffL);
    }

    private void base(int core, long value) {
        each.get(core).coreRegister(X86.APIC_BASE, value);
    }

    private void wide(int core) {
        base(core, PcLayout.LOCAL_APIC | BASE_ENABLE | BASE_X2APIC);
    }

    private long readWide(int core, int register) {
        long value = apics.wideRegisters().read(cores[core], register >> 4);
        assertFalse(cores[core].declined(), () -> Integer.toHexString(register));
        return value;
    }

    private void writeWide(int core, int register, long value) {
        apics.wideRegisters().write(cores[core], register >> 4, value);
        assertFalse(cores[core].declined(), () -> Integer.toHexString(register));
    }

    private void refusedWide(int core, int register, long value) {
        apics.wideRegisters().write(cores[core], register >> 4, value);
        assertTrue(
                cores[core].declined(),
                () -> Integer.toHexString(register) + "=" + Long.toHexString(value));
    }

    private void fixed(int destination, int vector) {
        apics.deliver(destination, false, ApicBus.FIXED, vector, false);
    }

    private boolean bit(int core, int register, int vector) {
        return (read(core, register + (vector >> 5) * 16) >> (vector & 31) & 1) != 0;
    }

    @Test
    void eachCoreSeesItsOwnId() {
        assertEquals(0, read(0, ID));
        assertEquals(1 << 24, read(1, ID));
        assertEquals(0x14, read(0, VERSION_REGISTER) & 0xff);
    }

    @Test
    void aFixedInterruptIsRequestedServedAndEnded() {
        fixed(1, 0x41);
        assertTrue(cores[1].take(Requests.INTERRUPT));
        assertFalse(cores[0].take(Requests.INTERRUPT));
        assertTrue(bit(1, IRR, 0x41));
        assertEquals(0x41, each.get(1).acknowledge());
        assertFalse(bit(1, IRR, 0x41));
        assertTrue(bit(1, ISR, 0x41));
        assertEquals(0x40, read(1, PPR));
        write(1, EOI, 0);
        assertFalse(bit(1, ISR, 0x41));
        assertEquals(0, read(1, PPR));
        assertEquals(NONE, each.get(1).acknowledge());
    }

    @Test
    void onlyAHigherPriorityClassInterruptsAService() {
        fixed(0, 0x41);
        each.get(0).acknowledge();
        cores[0].take(-1);
        fixed(0, 0x4f);
        assertFalse(cores[0].take(Requests.INTERRUPT));
        assertEquals(NONE, each.get(0).acknowledge());
        fixed(0, 0x51);
        assertTrue(cores[0].take(Requests.INTERRUPT));
        assertEquals(0x51, each.get(0).acknowledge());
        write(0, EOI, 0);
        write(0, EOI, 0);
        assertTrue(cores[0].take(Requests.INTERRUPT));
        assertEquals(0x4f, each.get(0).acknowledge());
    }

    @Test
    void theTaskPriorityHoldsItsClassAndBelow() {
        write(0, TPR, 0x45);
        assertEquals(0x45, read(0, PPR));
        assertEquals(4, each.get(0).taskPriority());
        fixed(0, 0x4f);
        assertFalse(cores[0].take(Requests.INTERRUPT));
        each.get(0).taskPriority(3);
        assertTrue(cores[0].take(Requests.INTERRUPT));
        assertEquals(0x30, read(0, TPR));
        assertEquals(0x4f, each.get(0).acknowledge());
    }

    @Test
    void aLevelInterruptsEndIsBroadcast() {
        apics.deliver(0, false, ApicBus.FIXED, 0x61, true);
        assertTrue(bit(0, TMR, 0x61));
        each.get(0).acknowledge();
        write(0, EOI, 0);
        assertEquals(List.of(0x61), ended);
        fixed(0, 0x61);
        assertFalse(bit(0, TMR, 0x61));
        each.get(0).acknowledge();
        write(0, EOI, 0);
        assertEquals(1, ended.size());
    }

    @Test
    void vectorsBelow16AreErrorsThatShowAfterAWriteToEsr() {
        fixed(0, 3);
        assertEquals(0, read(0, ESR));
        write(0, ESR, 0);
        assertEquals(ESR_RECEIVED_ILLEGAL_VECTOR, read(0, ESR));
        write(0, ICR_LOW, 5);
        read(0, 0x3f0);
        write(0, LVT_ERROR, 0x77);
        write(0, ESR, 0);
        assertEquals(ESR_SENT_ILLEGAL_VECTOR | ESR_ILLEGAL_REGISTER, read(0, ESR));
        write(0, ICR_LOW, 5);
        assertEquals(0x77, each.get(0).acknowledge());
    }

    @Test
    void aDisabledApicTakesNoFixedInterruptAndMasksItsVectorTable() {
        write(1, LVT_TIMER, 0x40);
        write(1, SVR, 0xff);
        assertEquals(LVT_MASK | 0x40, read(1, LVT_TIMER));
        write(1, LVT_TIMER, 0x40);
        assertEquals(LVT_MASK | 0x40, read(1, LVT_TIMER));
        fixed(1, 0x41);
        assertFalse(cores[1].take(Requests.INTERRUPT));
        apics.deliver(1, false, ApicBus.NMI, 0, false);
        assertTrue(cores[1].take(Requests.NMI));
    }

    @Test
    void interprocessorInterruptsGoWhereTheCommandSays() {
        write(0, ICR_HIGH, 1 << 24);
        write(0, ICR_LOW, 0x41);
        assertEquals(0x41, each.get(1).acknowledge());
        assertEquals(NONE, each.get(0).acknowledge());
        write(0, ICR_LOW, TO_SELF << ICR_SHORTHAND_SHIFT | 0x52);
        assertEquals(0x52, each.get(0).acknowledge());
        write(1, ICR_LOW, TO_OTHERS << ICR_SHORTHAND_SHIFT | 0x63);
        assertEquals(0x63, each.get(0).acknowledge());
        assertEquals(NONE, each.get(1).acknowledge());
        write(1, ICR_LOW, TO_ALL << ICR_SHORTHAND_SHIFT | 0x74);
        assertEquals(0x74, each.get(0).acknowledge());
        assertEquals(0x74, each.get(1).acknowledge());
        assertEquals(0, read(1, ICR_LOW) & 1 << 12);
    }

    @Test
    void logicalDestinationsMatchInFlatAndClusterMode() {
        write(0, LDR, 0x01 << 24);
        write(1, LDR, 0x02 << 24);
        apics.deliver(0x02, true, ApicBus.FIXED, 0x41, false);
        assertEquals(NONE, each.get(0).acknowledge());
        assertEquals(0x41, each.get(1).acknowledge());
        write(0, DFR, 0);
        write(1, DFR, 0);
        write(0, LDR, 0x11 << 24);
        write(1, LDR, 0x21 << 24);
        apics.deliver(0x21, true, ApicBus.FIXED, 0x52, false);
        assertEquals(NONE, each.get(0).acknowledge());
        assertEquals(0x52, each.get(1).acknowledge());
        assertEquals(0x0fff_ffff, read(0, DFR));
    }

    @Test
    void theLowestPriorityTakesTheInterrupt() {
        write(0, LDR, 0x01 << 24);
        write(1, LDR, 0x02 << 24);
        write(0, TPR, 0x20);
        apics.deliver(0x03, true, ApicBus.LOWEST_PRIORITY, 0x41, false);
        assertTrue(cores[1].take(Requests.INTERRUPT));
        assertFalse(bit(0, IRR, 0x41));
    }

    @Test
    void initAndStartupWakeACore() {
        write(1, TPR, 0x50);
        fixed(1, 0x41);
        write(0, ICR_HIGH, 1 << 24);
        write(0, ICR_LOW, ICR_ASSERT | ICR_LEVEL | ApicBus.INIT << ICR_MODE_SHIFT);
        assertTrue(cores[1].take(Requests.INIT));
        assertEquals(0x50, read(1, TPR));
        each.get(1).initialised();
        assertEquals(0, read(1, TPR));
        assertEquals(1 << 24, read(1, ID));
        assertFalse(bit(1, IRR, 0x41));
        write(0, ICR_LOW, ICR_LEVEL | ApicBus.INIT << ICR_MODE_SHIFT);
        assertFalse(cores[1].take(Requests.INIT));
        write(0, ICR_LOW, ApicBus.STARTUP << ICR_MODE_SHIFT | 0x9a);
        assertTrue(cores[1].take(Requests.STARTUP));
        assertEquals(0x9a, cores[1].requests().startupVector());
    }

    @Test
    void ofTwoStartupMessagesTheFirstCountsAndOneBeforeAnInitDoesNot() {
        apics.deliver(1, false, ApicBus.STARTUP, 0x11, false);
        apics.deliver(1, false, ApicBus.INIT, 0, false);
        assertFalse(cores[1].take(Requests.STARTUP));
        assertTrue(cores[1].take(Requests.INIT));
        apics.deliver(1, false, ApicBus.STARTUP, 0x22, false);
        apics.deliver(1, false, ApicBus.STARTUP, 0x33, false);
        assertEquals(0x22, cores[1].requests().startupVector());
        assertTrue(cores[1].take(Requests.STARTUP));
    }

    @Test
    void messagesThatNobodyTakesAreErrorsOfTheSender() {
        for (int mode : new int[] {ApicBus.FIXED, ApicBus.NMI, ApicBus.INIT, ApicBus.STARTUP}) {
            write(0, ESR, 0);
            write(0, ICR_HIGH, 7 << 24);
            write(0, ICR_LOW, mode << ICR_MODE_SHIFT | 0x41);
            write(0, ESR, 0);
            assertEquals(ESR_SEND_ACCEPT, read(0, ESR), "mode " + mode);
        }
        write(0, ESR, 0);
        write(0, ICR_HIGH, 1 << 24);
        write(0, ICR_LOW, 0x41);
        write(0, ESR, 0);
        assertEquals(0, read(0, ESR));
        write(1, SVR, 0xff);
        write(0, ICR_LOW, 0x42);
        write(0, ESR, 0);
        assertEquals(ESR_SEND_ACCEPT, read(0, ESR));
        write(0, ICR_HIGH, 0);
        write(0, ICR_LOW, ICR_LOGICAL | 0x41);
        write(0, ESR, 0);
        assertEquals(ESR_SEND_ACCEPT, read(0, ESR));
    }

    @Test
    void aRegisterOfAnotherCoreCanBeRead() {
        write(1, TPR, 0x37);
        write(0, ICR_HIGH, 1 << 24);
        write(0, ICR_LOW, REMOTE_READ << ICR_MODE_SHIFT | TPR >> 4);
        assertEquals(ICR_REMOTE_VALID, read(0, ICR_LOW) & 3 << 16);
        assertEquals(0x37, read(0, RRR));
        write(0, ICR_HIGH, 9 << 24);
        write(0, ICR_LOW, REMOTE_READ << ICR_MODE_SHIFT | TPR >> 4);
        assertEquals(0, read(0, ICR_LOW) & 3 << 16);
    }

    // Modes

    @Test
    void theRegistersMoveWithTheirBase() {
        base(0, 0xd000_0000L | BASE_ENABLE);
        assertEquals(-1, read(0, ID));
        assertEquals(1 << 24, read(1, ID));
        VcoreMemory there = Objects.requireNonNull(pages.get(0xd000_0000L));
        assertEquals(0x14, there.read(cores[0], VERSION_REGISTER, Width.BYTE));
        assertEquals(0xffff_ffffL, there.read(cores[1], ID, Width.DWORD));
        there.write(cores[0], TPR, Width.DWORD, 0x20);
        base(0, RAM | BASE_ENABLE);
        assertFalse(pages.containsKey(0xd000_0000L));
        base(0, PcLayout.LOCAL_APIC | BASE_ENABLE);
        assertEquals(0x20, read(0, TPR));
        assertEquals(1, pages.size());
    }

    @Test
    void anApicThatIsSwitchedOffForgetsAllAndLeavesThePinsToTheCore() {
        write(1, TPR, 0x30);
        write(1, ID, 0x55 << 24);
        fixed(1, 0x41);
        base(1, PcLayout.LOCAL_APIC);
        assertEquals(-1, read(1, TPR));
        apics.deliver(0xff, false, ApicBus.NMI, 0, false);
        assertTrue(cores[0].take(Requests.NMI));
        assertFalse(cores[1].take(Requests.NMI));
        cores[1].take(-1);
        each.get(1).lint1().set(true);
        assertTrue(cores[1].take(Requests.NMI));
        each.get(1).lint0().set(true);
        assertTrue(cores[1].take(Requests.INTERRUPT));
        picVector = 0x33;
        assertEquals(0x33, each.get(1).acknowledge());
        each.get(1).lint0().set(false);
        base(1, PcLayout.LOCAL_APIC | BASE_ENABLE);
        assertEquals(0, read(1, TPR));
        assertEquals(1 << 24, read(1, ID));
        assertEquals(NONE, each.get(1).acknowledge());
    }

    @Test
    void x2apicKeepsTheStateAndClosesTheWindow() {
        write(1, TPR, 0x30);
        write(1, ID, 0x55 << 24);
        fixed(0x55, 0x61);
        write(1, ICR_HIGH, 3 << 24);
        wide(1);
        assertEquals(-1, read(1, TPR));
        assertEquals(0x30, readWide(1, TPR));
        assertEquals(1, readWide(1, ID));
        assertEquals(0, readWide(1, ICR_LOW) >>> 32);
        assertEquals(1 << 1, readWide(1, LDR));
        assertEquals(2, readWide(1, IRR + 0x30));
        assertEquals(0x61, each.get(1).acknowledge());
        writeWide(1, EOI, 0);
        assertEquals(0x30, readWide(1, PPR));
        each.get(1).initialised();
        assertEquals(0, readWide(1, TPR));
        assertEquals(1 << 1, readWide(1, LDR));
    }

    @Test
    void x2apicRegistersRefuseWhatIsReserved() {
        apics.wideRegisters().read(cores[0], TPR >> 4);
        assertTrue(cores[0].declined());
        refusedWide(0, TPR, 0);
        wide(0);
        int[] unreadable = {
            0, 0x10, EOI, APR, RRR, DFR, ICR_HIGH, SELF_IPI, 0x2f0, 0x290, 0x400, 0x410, 0xff0
        };
        for (int register : unreadable) {
            apics.wideRegisters().read(cores[0], register >> 4);
            assertTrue(cores[0].declined(), () -> Integer.toHexString(register));
            if (register != EOI && register != SELF_IPI) {
                refusedWide(0, register, 0);
            }
        }
        for (int register : new int[] {ID, VERSION_REGISTER, PPR, LDR, ISR, IRR, TIMER_CURRENT}) {
            readWide(0, register);
            refusedWide(0, register, 0);
        }
        refusedWide(0, TPR, 0x100);
        refusedWide(0, EOI, 1);
        refusedWide(0, ESR, 1);
        refusedWide(0, SVR, 1 << 12);
        refusedWide(0, ICR_LOW, 1 << 12);
        refusedWide(0, ICR_LOW, 1 << 20);
        refusedWide(0, LVT_TIMER, 1 << 15);
        refusedWide(0, LVT_ERROR, 1L << 32);
        refusedWide(0, TIMER_INITIAL, 1L << 32);
        refusedWide(0, TIMER_DIVIDE, 4);
        refusedWide(0, SELF_IPI, 0x141);
    }

    @Test
    void x2apicMessagesHave32BitsOfDestination() {
        wide(0);
        wide(1);
        writeWide(0, ICR_LOW, 1L << 32 | 0x41);
        assertEquals(1L << 32 | 0x41, readWide(0, ICR_LOW));
        assertEquals(0x41, each.get(1).acknowledge());
        writeWide(0, ICR_LOW, 0x102L << 32 | ICR_LOGICAL | 0x52);
        assertEquals(0x52, each.get(1).acknowledge());
        assertEquals(NONE, each.get(0).acknowledge());
        writeWide(0, ICR_LOW, 0x1_0002L << 32 | ICR_LOGICAL | 0x63);
        assertEquals(NONE, each.get(1).acknowledge());
        writeWide(0, ESR, 0);
        assertEquals(ESR_SEND_ACCEPT, readWide(0, ESR));
        writeWide(0, ICR_LOW, 0xffff_ffffL << 32 | 0x74);
        assertEquals(0x74, each.get(1).acknowledge());
        assertEquals(0x74, each.get(0).acknowledge());
        writeWide(0, ICR_LOW, 0xffL << 32 | 0x85);
        assertEquals(NONE, each.get(1).acknowledge());
        writeWide(1, SELF_IPI, 0x96);
        assertEquals(0x96, each.get(1).acknowledge());
        fixed(1, 0xa7);
        assertEquals(0xa7, each.get(1).acknowledge());
        fixed(0xff, 0xb8);
        assertEquals(0xb8, each.get(0).acknowledge());
        assertEquals(0xb8, each.get(1).acknowledge());
    }

    // Deadlines

    private long deadline(int core) {
        return apics.deadline().read(cores[core], 0);
    }

    private void deadline(int core, long ticks) {
        apics.deadline().write(cores[core], 0, ticks);
    }

    @Test
    void aDeadlineComesOnceAndReadsAsZeroThen() {
        deadline(0, 500);
        assertEquals(0, deadline(0));
        write(0, LVT_TIMER, LVT_DEADLINE | 0x40);
        deadline(0, 1000);
        assertEquals(1000, deadline(0));
        assertEquals(0, read(0, TIMER_CURRENT));
        write(0, TIMER_INITIAL, 5);
        assertEquals(0, read(0, TIMER_INITIAL));
        clock.advance(999);
        assertEquals(NONE, each.get(0).acknowledge());
        clock.advance(1);
        assertEquals(0x40, each.get(0).acknowledge());
        assertEquals(0, deadline(0));
        write(0, EOI, 0);
        clock.advance(1_000_000);
        assertEquals(NONE, each.get(0).acknowledge());
        deadline(0, 7);
        clock.advance(0);
        assertEquals(0x40, each.get(0).acknowledge());
    }

    @Test
    void aDeadlineIsInTheCoresOwnTime() {
        write(0, LVT_TIMER, LVT_DEADLINE | 0x40);
        each.get(0).coreRegister(X86.TSC_OFFSET, 10_000);
        deadline(0, 11_000);
        clock.advance(999);
        assertEquals(NONE, each.get(0).acknowledge());
        assertFalse(cores[0].take(Requests.KICK));
        each.get(0).coreRegister(X86.TSC_OFFSET, 5_000);
        assertTrue(cores[0].take(Requests.KICK));
        clock.advance(5_000);
        assertEquals(NONE, each.get(0).acknowledge());
        each.get(0).coreRegister(X86.TSC_OFFSET, 5_001);
        clock.advance(0);
        assertEquals(0x40, each.get(0).acknowledge());
        write(0, EOI, 0);
        each.get(0).coreRegister(X86.TSC_OFFSET, -1_000_000);
        deadline(0, 5);
        clock.advance(0);
        assertEquals(0x40, each.get(0).acknowledge());
    }

    @Test
    void anotherModeDisarmsADeadlineAndAMaskedOneGivesNothing() {
        write(0, LVT_TIMER, LVT_DEADLINE | 0x40);
        deadline(0, 1000);
        write(0, LVT_TIMER, 0x40);
        assertEquals(0, clock.armedTimers());
        write(0, LVT_TIMER, LVT_DEADLINE | 0x40);
        assertEquals(0, deadline(0));
        deadline(0, 1000);
        write(0, LVT_TIMER, LVT_DEADLINE | LVT_MASK | 0x40);
        clock.advance(2000);
        assertEquals(0, deadline(0));
        write(0, LVT_TIMER, LVT_DEADLINE | 0x40);
        clock.advance(2000);
        assertEquals(NONE, each.get(0).acknowledge());
    }

    @Test
    void whatFiresLateForAnOldDeadlineDoesNothing() {
        write(0, LVT_TIMER, LVT_DEADLINE | 0x40);
        deadline(0, 1000);
        clock.advance(500);
        deadline(0, 3000);
        each.get(0).fireTimer();
        assertEquals(NONE, each.get(0).acknowledge());
        deadline(0, 0);
        each.get(0).fireTimer();
        assertEquals(NONE, each.get(0).acknowledge());
        assertEquals(0, clock.armedTimers());
    }

    @Test
    void afterAResetThePicsInterruptsComeThroughLint0OfTheBootCore() {
        apics.reset();
        assertEquals(SVR_ENABLE | 0xff, read(0, SVR));
        assertEquals(0xff, read(1, SVR));
        each.get(0).lint0().set(true);
        each.get(1).lint0().set(true);
        assertTrue(cores[0].take(Requests.INTERRUPT));
        assertFalse(cores[1].take(Requests.INTERRUPT));
        picVector = 0x08;
        assertEquals(0x08, each.get(0).acknowledge());
        write(0, LVT_LINT0, LVT_MASK | 0x700);
        assertEquals(NONE, each.get(0).acknowledge());
    }

    @Test
    void unmaskingLint0ShowsWhatWaitsThere() {
        write(0, LVT_LINT0, LVT_MASK);
        each.get(0).lint0().set(true);
        cores[0].take(-1);
        write(0, LVT_LINT0, ApicBus.EXTERNAL << LVT_MODE_SHIFT);
        assertTrue(cores[0].take(Requests.INTERRUPT));
    }

    @Test
    void aPicWithoutRequestDoesNotHideOthers() {
        each.get(0).lint0().set(true);
        fixed(0, 0x41);
        picVector = NONE;
        assertEquals(0x41, each.get(0).acknowledge());
    }

    @Test
    void anOverflownCounterComesThroughItsLocalEntryUnlessThatIsMasked() {
        cores[0].take(-1);
        write(0, LVT_PERFORMANCE, LVT_MASK | ApicBus.NMI << LVT_MODE_SHIFT);
        each.get(0).counterOverflow();
        assertFalse(cores[0].take(Requests.NMI));
        write(0, LVT_PERFORMANCE, ApicBus.NMI << LVT_MODE_SHIFT);
        each.get(0).counterOverflow();
        assertTrue(cores[0].take(Requests.NMI));
        write(0, LVT_PERFORMANCE, 0x56);
        each.get(0).counterOverflow();
        assertEquals(0x56, each.get(0).acknowledge());
        assertEquals(0x56, read(0, LVT_PERFORMANCE));
    }

    @Test
    void lint1IsTheNmi() {
        each.get(0).lint1().set(true);
        assertTrue(cores[0].take(Requests.NMI));
    }

    @Test
    void aLevelAtLint0ComesAgainAfterItsEnd() {
        write(0, LVT_LINT0, LVT_LEVEL | 0x66);
        each.get(0).lint0().set(true);
        assertEquals(LVT_REMOTE_IRR, read(0, LVT_LINT0) & LVT_REMOTE_IRR);
        assertEquals(0x66, each.get(0).acknowledge());
        write(0, EOI, 0);
        assertEquals(0x66, each.get(0).acknowledge());
        each.get(0).lint0().set(false);
        write(0, EOI, 0);
        assertEquals(NONE, each.get(0).acknowledge());
        assertEquals(0, read(0, LVT_LINT0) & LVT_REMOTE_IRR);
    }

    @Test
    void theOneShotTimerFiresOnceWhenItsCountIsDone() {
        write(0, TIMER_DIVIDE, 3); // by 16
        write(0, LVT_TIMER, 0x40);
        write(0, TIMER_INITIAL, 1000);
        clock.advance(8000);
        assertEquals(500, read(0, TIMER_CURRENT));
        clock.advance(7999);
        assertEquals(NONE, each.get(0).acknowledge());
        clock.advance(1);
        assertEquals(0x40, each.get(0).acknowledge());
        assertEquals(0, read(0, TIMER_CURRENT));
        write(0, EOI, 0);
        clock.advance(1_000_000);
        assertEquals(NONE, each.get(0).acknowledge());
    }

    @Test
    void thePeriodicTimerStartsOver() {
        write(0, TIMER_DIVIDE, 0xb); // by 1
        write(0, LVT_TIMER, LVT_PERIODIC | 0x40);
        write(0, TIMER_INITIAL, 100_000);
        for (int i = 0; i < 3; i++) {
            clock.advance(100_000);
            assertEquals(0x40, each.get(0).acknowledge());
            write(0, EOI, 0);
            assertEquals(100_000, read(0, TIMER_CURRENT));
        }
        write(0, TIMER_INITIAL, 0);
        clock.advance(1_000_000);
        assertEquals(NONE, each.get(0).acknowledge());
        assertEquals(0, clock.armedTimers());
    }

    @Test
    void aCountThatIsDoneDoesNotStartOverWhenTheTimerBecomesPeriodic() {
        write(0, TIMER_DIVIDE, 0xb);
        write(0, LVT_TIMER, LVT_MASK | 0x40);
        write(0, TIMER_INITIAL, 1000);
        clock.advance(2500);
        write(0, LVT_TIMER, LVT_PERIODIC | 0x40);
        clock.advance(1_000_000);
        assertEquals(NONE, each.get(0).acknowledge());
        assertEquals(0, read(0, TIMER_CURRENT));
    }

    @Test
    void aMaskedTimerCountsButIsNotArmed() {
        write(0, TIMER_DIVIDE, 0xb);
        write(0, LVT_TIMER, LVT_MASK | 0x40);
        write(0, TIMER_INITIAL, 1000);
        assertEquals(0, clock.armedTimers());
        clock.advance(400);
        assertEquals(600, read(0, TIMER_CURRENT));
        write(0, LVT_TIMER, 0x40);
        clock.advance(600);
        assertEquals(0x40, each.get(0).acknowledge());
    }

    @Test
    void anotherDivisorGoesOnFromTheCount() {
        write(0, TIMER_DIVIDE, 0xb);
        write(0, LVT_TIMER, 0x40);
        write(0, TIMER_INITIAL, 1000);
        clock.advance(400);
        write(0, TIMER_DIVIDE, 0); // by 2
        assertEquals(600, read(0, TIMER_CURRENT));
        clock.advance(200);
        assertEquals(500, read(0, TIMER_CURRENT));
    }

    @Test
    void aTimerOfANanosecondDoesNotKeepTheMachineBusy() {
        write(0, TIMER_DIVIDE, 0xb);
        write(0, LVT_TIMER, LVT_PERIODIC | 0x40);
        write(0, TIMER_INITIAL, 1);
        clock.advance(ApicTimer.SHORTEST_PERIOD - 1);
        assertEquals(NONE, each.get(0).acknowledge());
        clock.advance(1);
        assertEquals(0x40, each.get(0).acknowledge());
    }

    @Test
    void savedStateGoesOnWhereItWas() {
        write(0, TIMER_DIVIDE, 0xb);
        write(0, LVT_TIMER, LVT_PERIODIC | 0x40);
        write(0, TIMER_INITIAL, 100_000);
        clock.advance(30_000);
        fixed(0, 0x55);
        each.get(0).acknowledge();
        fixed(0, 0x66);
        fixed(1, 0x77);
        List<LocalApic> others = new ArrayList<>();
        Apics other = apics(others); // takes the window over
        cores[0].take(-1);
        DeviceChecks.savesWhatItRestored(apics, other);
        assertTrue(cores[0].take(Requests.INTERRUPT));
        assertEquals(0x66, others.get(0).acknowledge());
        assertEquals(0x77, others.get(1).acknowledge());
        apics.close();
        clock.advance(70_000);
        assertEquals(NONE, others.get(0).acknowledge());
        window().write(cores[0], EOI, Width.DWORD, 0);
        window().write(cores[0], EOI, Width.DWORD, 0);
        assertEquals(0x40, others.get(0).acknowledge());
    }

    @Test
    void anyGuestIsHarmless() {
        for (int seed = 0; seed < 4; seed++) {
            StubVcore core = cores[seed & 1];
            VcoreMemory window = window();
            BusDevice any =
                    new BusDevice() {
                        @Override
                        public long read(long offset, Width width) {
                            return window.read(core, offset, width);
                        }

                        @Override
                        public void write(long offset, Width width, long value) {
                            window.write(core, offset, width, value);
                        }
                    };
            DeviceChecks.anyAccessIsHarmless(any, WINDOW, clock, seed);
            each.get(0).acknowledge();
            DeviceChecks.savesWhatItRestored(apics, apics(new ArrayList<>()));
            pages.put(PcLayout.LOCAL_APIC, window);
        }
    }
}
