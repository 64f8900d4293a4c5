package org.alcazar.devices.uart16550;

import static org.alcazar.devices.uart16550.Uart16550.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.Width;
import org.alcazar.testkit.device.DeviceChecks;
import org.alcazar.testkit.device.ManualClock;
import org.alcazar.testkit.device.RecordingBackend;
import org.alcazar.testkit.device.RecordingLine;
import org.alcazar.vmm.Counter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class Uart16550Test {
    /** Longer than four character times at 9600 baud. */
    private static final long TIMEOUT = 5_000_000;

    private final ManualClock clock = new ManualClock();
    private final RecordingLine line = new RecordingLine();
    private final RecordingBackend backend = new RecordingBackend();
    private final Counter dropped = new Counter();
    private final Uart16550 uart = uart(line);

    private Uart16550 uart(RecordingLine wire) {
        return new Uart16550(clock, wire, backend, dropped);
    }

    @BeforeEach
    void connect() {
        backend.onInput(uart::receive);
    }

    private void fifos(int triggerBits) {
        uart.writeByte(FCR, FCR_ENABLE | triggerBits << 6);
    }

    private int cause() {
        return uart.readByte(IIR) & 0x0f;
    }

    @Test
    void bytesWrittenGoOutInOrder() {
        "hello\n".chars().forEach(c -> uart.writeByte(THR, c));
        assertEquals("hello\n", backend.written());
        assertEquals(LSR_THRE | LSR_TEMT, uart.readByte(LSR));
    }

    @Test
    void theDivisorLatchHidesDataAndInterruptEnable() {
        uart.writeByte(IER, 0x05);
        uart.writeByte(LCR, LCR_DLAB | 3);
        uart.writeByte(DLL, 0x34);
        uart.writeByte(DLM, 0x12);
        assertEquals(0x34, uart.readByte(DLL));
        assertEquals(0x12, uart.readByte(DLM));
        uart.writeByte(LCR, 3);
        assertEquals(0x05, uart.readByte(IER));
        assertEquals("", backend.written());
    }

    @Test
    void withoutFifosEachByteInterruptsAndIsReadAlone() {
        uart.writeByte(IER, IER_ERBFI);
        backend.type("ab");
        assertEquals(IIR_DATA, cause());
        assertEquals('a', uart.readByte(RBR));
        assertEquals('b', uart.readByte(RBR));
        assertFalse(line.level());
        assertEquals(0, uart.readByte(LSR) & (LSR_DR | LSR_OE));
    }

    @Test
    void fifosAreIdentifiedInTheUpperBits() {
        assertEquals(IIR_NONE, uart.readByte(IIR));
        fifos(0);
        assertEquals(IIR_FIFO | IIR_NONE, uart.readByte(IIR));
    }

    @Test
    void theTriggerLevelIsReachedWithItsLastByte() {
        fifos(2);
        uart.writeByte(IER, IER_ERBFI);
        backend.type("1234567");
        assertFalse(line.level());
        backend.type("8");
        assertTrue(line.level());
        assertEquals(IIR_DATA, cause());
        uart.readByte(RBR);
        assertEquals(IIR_NONE, cause());
    }

    @Test
    void bytesBelowTheTriggerTimeOutAfterFourCharacterTimes() {
        fifos(3);
        uart.writeByte(IER, IER_ERBFI);
        uart.writeByte(LCR, 3);
        backend.type("x");
        clock.advance(4 * 1_041_000); // 10 bits at 9600 baud take 1.0417 ms
        assertFalse(line.level());
        clock.advance(4_000);
        assertEquals(IIR_TIMEOUT, cause());
        assertEquals('x', uart.readByte(RBR));
        assertFalse(line.level());
    }

    @Test
    void readingOneOfTwoBytesStartsTheTimeoutAgain() {
        fifos(3);
        uart.writeByte(IER, IER_ERBFI);
        backend.type("xy");
        clock.advance(TIMEOUT);
        uart.readByte(RBR);
        assertFalse(line.level());
        clock.advance(TIMEOUT);
        assertEquals(IIR_TIMEOUT, cause());
    }

    @Test
    void enablingTheTransmitterInterruptRequestsItAndReadingItsCauseTakesItBack() {
        uart.writeByte(IER, IER_ETBEI);
        assertTrue(line.level());
        assertEquals(IIR_THR_EMPTY, cause());
        assertFalse(line.level());
        uart.writeByte(THR, 'x');
        assertTrue(line.level());
        uart.writeByte(IER, 0);
        assertFalse(line.level());
        uart.writeByte(IER, IER_ETBEI);
        assertEquals(IIR_THR_EMPTY, cause());
    }

    @Test
    void aMoreUrgentCauseHidesTheTransmitters() {
        uart.writeByte(IER, IER_ETBEI | IER_ERBFI);
        backend.type("x");
        assertEquals(IIR_DATA, cause());
        assertEquals(IIR_DATA, cause());
        uart.readByte(RBR);
        assertEquals(IIR_THR_EMPTY, cause());
    }

    @Test
    void loopbackReturnsWhatIsSentAndSendsNothing() {
        uart.writeByte(MCR, MCR_LOOP);
        uart.writeByte(THR, 'z');
        assertEquals('z', uart.readByte(RBR));
        assertEquals("", backend.written());
    }

    @Test
    void loopbackWiresModemOutputsToInputs() {
        uart.writeByte(MCR, MCR_LOOP | MCR_OUT2 | MCR_RTS);
        assertEquals(MSR_CTS | MSR_DCD, uart.readByte(MSR) & 0xf0);
        uart.writeByte(IER, IER_EDSSI);
        uart.writeByte(MCR, MCR_LOOP | MCR_OUT2);
        assertEquals(IIR_MODEM, cause());
        assertEquals(MSR_DCD | MSR_DCTS, uart.readByte(MSR));
        assertFalse(line.level());
    }

    @Test
    void aSeventeenthByteOverrunsTheFifoAndIsLost() {
        fifos(0);
        uart.writeByte(IER, IER_ELSI);
        uart.writeByte(MCR, MCR_LOOP);
        for (int i = 0; i < 17; i++) {
            uart.writeByte(THR, i);
        }
        assertEquals(IIR_LINE_STATUS, cause());
        assertEquals(LSR_OE, uart.readByte(LSR) & LSR_OE);
        assertEquals(0, uart.readByte(LSR) & LSR_OE);
        for (int i = 0; i < 16; i++) {
            assertEquals(i, uart.readByte(RBR));
        }
        assertEquals(0, uart.readByte(LSR) & LSR_DR);
    }

    @Test
    void aBreakIsAZeroByteWithItsError() {
        fifos(0);
        uart.writeByte(MCR, MCR_LOOP);
        uart.writeByte(LCR, LCR_BREAK | 3);
        assertEquals(LSR_BI | LSR_DR | LSR_FIFO_ERROR, uart.readByte(LSR) & 0x9f);
        assertEquals(0, uart.readByte(RBR));
        assertEquals(0, uart.readByte(LSR) & LSR_FIFO_ERROR);
    }

    @Test
    void clearingTheReceiverEmptiesIt() {
        fifos(3);
        uart.writeByte(MCR, MCR_LOOP);
        uart.writeByte(THR, 1);
        uart.writeByte(FCR, FCR_ENABLE | FCR_CLEAR_RECEIVER);
        assertEquals(0, uart.readByte(LSR) & LSR_DR);
    }

    @Test
    void outsideInputWaitsForRoomAndIsDroppedOnlyWhenTheBacklogIsFull() {
        fifos(0);
        backend.type("x".repeat(BACKLOG + FIFO));
        assertEquals(0, dropped.value());
        backend.type("y");
        assertEquals(1, dropped.value());
        for (int i = 0; i < BACKLOG + FIFO; i++) {
            assertEquals('x', uart.readByte(RBR));
        }
        assertEquals(0, uart.readByte(LSR) & (LSR_DR | LSR_OE));
    }

    @Test
    void scratchKeepsAnyByteAndResetClearsIt() {
        uart.writeByte(SCR, 0xa5);
        assertEquals(0xa5, uart.readByte(SCR));
        uart.reset();
        assertEquals(0, uart.readByte(SCR));
    }

    @Test
    void aWideAccessIsOneOfBytesInTurn() {
        uart.write(MCR, Width.WORD, 0x0003);
        assertEquals(3, uart.readByte(MCR));
        assertEquals(0xff, uart.readByte(8));
    }

    @Test
    void savedStateComesBackWithItsInterruptAndTimeout() {
        fifos(2);
        uart.writeByte(IER, IER_ERBFI | IER_ETBEI);
        uart.writeByte(SCR, 7);
        uart.readByte(IIR);
        backend.type("abc");
        RecordingLine wire = new RecordingLine();
        Uart16550 other = uart(wire);
        DeviceChecks.savesWhatItRestored(uart, other);
        assertFalse(wire.level());
        clock.advance(TIMEOUT);
        assertTrue(wire.level());
        assertEquals('a', other.readByte(RBR));
        DeviceChecks.savesWhatItRestored(other, uart(new RecordingLine()));
    }

    @Test
    void anyGuestIsHarmless() {
        for (int seed = 0; seed < 5; seed++) {
            backend.type("input");
            DeviceChecks.anyAccessIsHarmless(uart, PORTS, clock, seed);
            DeviceChecks.savesWhatItRestored(uart, uart(new RecordingLine()));
        }
    }
}
