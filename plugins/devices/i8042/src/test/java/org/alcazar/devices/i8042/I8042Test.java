package org.alcazar.devices.i8042;

import static org.alcazar.devices.i8042.I8042.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.Width;
import org.alcazar.platforms.pc.api.Keyboard;
import org.alcazar.testkit.device.FakeDeviceContext;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Through its ports, as a guest sees it. */
class I8042Test {
    private static final int DATA = 0x60;
    private static final int COMMAND = 0x64;
    private static final int SYSTEM_CONTROL = 0x92;
    private static final int KEYBOARD_IRQ = 1;
    private static final int AUX_IRQ = 12;
    private static final int A = 0x1c;
    private static final int A_IN_SET_1 = 0x1e;

    private final FakeDeviceContext context = new FakeDeviceContext(1);
    private final Device device = create(context);
    private final Keyboard keyboard = context.find(Keyboard.class).orElseThrow();

    private static Device create(FakeDeviceContext context) {
        try {
            I8042Component type = new I8042Component();
            Settings settings = Settings.check("test", type.configuration(), Map.of());
            Device device = type.create(context, settings);
            device.reset();
            return device;
        } catch (ConfigurationException e) {
            throw new AssertionError(e);
        }
    }

    private void command(int value) {
        context.out(COMMAND, Width.BYTE, value);
    }

    private void command(int value, int data) {
        command(value);
        data(data);
    }

    private void data(int value) {
        context.out(DATA, Width.BYTE, value);
    }

    private int status() {
        return (int) context.in(COMMAND, Width.BYTE);
    }

    private boolean full() {
        return (status() & STATUS_OUTPUT_FULL) != 0;
    }

    private int read() {
        return (int) context.in(DATA, Width.BYTE);
    }

    private int ask(int command) {
        command(command);
        assertTrue(full(), "an answer");
        return read();
    }

    private int commandByte() {
        return ask(READ_RAM);
    }

    /** All that comes, with time in between. */
    private List<Integer> all() {
        List<Integer> out = new ArrayList<>();
        while (full()) {
            out.add(read());
            context.clock().advance(CHARACTER_NANOS);
        }
        return out;
    }

    /** What the keyboard answers, without translation. */
    private List<Integer> tell(int... bytes) {
        int before = commandByte();
        command(WRITE_RAM, before & ~TRANSLATE);
        List<Integer> out = new ArrayList<>();
        for (int octet : bytes) {
            data(octet);
            out.addAll(all());
        }
        command(WRITE_RAM, before);
        return out;
    }

    // Controller

    @Test
    void beginsAsFirmwareLeavesIt() {
        assertEquals(STATUS_NOT_INHIBITED | STATUS_SYSTEM | STATUS_COMMAND, status());
        assertEquals(0x65, commandByte());
        assertEquals(List.of(), context.highLines());
    }

    @Test
    void theStatusTellsWhichPortWasWrittenLast() {
        data(Ps2Keyboard.ECHO);
        assertEquals(0, status() & STATUS_COMMAND);
        command(KEYBOARD_ENABLE);
        assertEquals(STATUS_COMMAND, status() & STATUS_COMMAND);
    }

    @Test
    void theCommandByteIsReadAndWritten() {
        command(WRITE_RAM, 0x47);
        assertEquals(0x47, commandByte());
        command(WRITE_RAM, 0x43);
        assertEquals(0, status() & STATUS_SYSTEM);
    }

    @Test
    void theRestOfTheMemoryIsThereToo() {
        command(0x7f, 0x99);
        command(0x61, 0x11);
        assertEquals(0x99, ask(0x3f));
        assertEquals(0x11, ask(0x21));
        assertEquals(0x65, commandByte());
    }

    @Test
    void selfTestPassesAndSetsTheSystemFlag() {
        command(WRITE_RAM, 0);
        assertEquals(SELF_TEST_PASSED, ask(SELF_TEST));
        assertEquals(STATUS_SYSTEM, status() & STATUS_SYSTEM);
    }

    @Test
    void interfaceTestsFindNothingWrong() {
        assertEquals(0, ask(KEYBOARD_TEST));
        assertEquals(0, ask(AUX_TEST));
    }

    @Test
    void noPasswordIsInstalled() {
        assertEquals(NO_PASSWORD, ask(TEST_PASSWORD));
    }

    @Test
    void disableAndEnableShowInTheCommandByte() {
        command(KEYBOARD_DISABLE);
        command(AUX_ENABLE);
        assertEquals(0x55, commandByte());
        assertEquals(2, ask(READ_TEST_INPUTS));
        command(KEYBOARD_ENABLE);
        command(AUX_DISABLE);
        assertEquals(0x65, commandByte());
        assertEquals(3, ask(READ_TEST_INPUTS));
    }

    @Test
    void inputPortSaysThatTheKeyboardIsNotLocked() {
        assertEquals(INPUT_PORT, ask(READ_INPUT_PORT));
    }

    @Test
    void outputPortKeepsTheA20Line() {
        assertEquals(0xc3, ask(READ_OUTPUT_PORT));
        command(WRITE_OUTPUT_PORT, 0x01);
        assertEquals(0xc1, ask(READ_OUTPUT_PORT));
        command(WRITE_OUTPUT_PORT, 0xdf);
        assertEquals(0xc3, ask(READ_OUTPUT_PORT));
        assertEquals(0, context.machine().resets());
    }

    @Test
    void outputPortWithoutBitZeroResetsTheMachine() {
        command(WRITE_OUTPUT_PORT, 0xfe);
        assertEquals(1, context.machine().resets());
    }

    @Test
    void pulsingLineZeroResetsTheMachineAndTheOtherLinesDoNot() {
        for (int line = 0xf1; line <= 0xff; line += 2) {
            command(line);
        }
        assertEquals(0, context.machine().resets());
        command(0xfe);
        assertEquals(1, context.machine().resets());
        command(0xf0);
        assertEquals(2, context.machine().resets());
    }

    @Test
    void systemControlPortResetsOnARisingBitOnly() {
        assertEquals(SYSTEM_A20, context.in(SYSTEM_CONTROL, Width.BYTE));
        context.out(SYSTEM_CONTROL, Width.BYTE, 0xfe);
        assertEquals(SYSTEM_A20, context.in(SYSTEM_CONTROL, Width.BYTE));
        context.out(SYSTEM_CONTROL, Width.BYTE, SYSTEM_RESET);
        context.out(SYSTEM_CONTROL, Width.BYTE, SYSTEM_RESET);
        assertEquals(1, context.machine().resets());
        assertEquals(SYSTEM_RESET, context.in(SYSTEM_CONTROL, Width.BYTE));
    }

    @Test
    void bytesCanBePutIntoTheOutputBuffer() {
        command(WRITE_KEYBOARD_BUFFER, 0x1c);
        assertEquals(0, status() & STATUS_AUX_DATA);
        assertEquals(List.of(KEYBOARD_IRQ), context.highLines());
        assertEquals(0x1c, read(), "not translated");
        assertFalse(full());
        assertEquals(List.of(), context.highLines());
    }

    @Test
    void anEmptyBufferGivesTheLastByteAgain() {
        command(WRITE_KEYBOARD_BUFFER, 0x42);
        assertEquals(0x42, read());
        assertEquals(0x42, read());
    }

    @Test
    void unknownCommandsAreCountedAndDoNothing() {
        command(0xc1);
        command(0x00);
        assertEquals(2, context.counter("unknown-commands").value());
        assertFalse(full());
    }

    @Test
    void wideAccessesReachTheirOwnPortOnly() {
        context.out(DATA, Width.DWORD, 0xfe00_0000L | Ps2Keyboard.ECHO);
        assertEquals(0xffff_ff00L | Ps2Keyboard.ECHO, context.in(DATA, Width.DWORD));
        assertEquals(0, context.machine().resets());
    }

    // Second connector

    @Test
    void auxLoopbackComesBackAsAuxDataWithInterruptTwelve() {
        command(WRITE_RAM, AUX_INTERRUPT);
        command(WRITE_AUX_BUFFER, 0x5a);
        assertEquals(
                STATUS_OUTPUT_FULL | STATUS_AUX_DATA,
                status() & (STATUS_OUTPUT_FULL | STATUS_AUX_DATA));
        assertEquals(List.of(AUX_IRQ), context.highLines());
        command(READ_OUTPUT_PORT);
        assertEquals(0xe3, read(), "taken while the aux byte was there");
        command(WRITE_AUX_BUFFER, 0xa5);
        assertEquals(0xa5, read());
        assertEquals(List.of(), context.highLines());
    }

    @Test
    void aSilentConnectorTimesOut() {
        command(WRITE_AUX, 0xf2);
        assertEquals(
                STATUS_AUX_DATA | STATUS_TIMEOUT, status() & (STATUS_AUX_DATA | STATUS_TIMEOUT));
        assertEquals(SILENCE, read());
        assertFalse(full());
        assertEquals(0x45, commandByte(), "talking to it has enabled it");
        assertEquals(0, status() & STATUS_TIMEOUT);
    }

    // Keyboard

    @Test
    void resetAnswersAndReportsThatTheTestHasPassed() {
        assertEquals(List.of(Ps2Keyboard.ACK, Ps2Keyboard.BAT_OK), tell(Ps2Keyboard.RESET));
    }

    @Test
    void identifiesItselfAsKeyboard() {
        assertEquals(List.of(Ps2Keyboard.ACK, 0xab, 0x83), tell(Ps2Keyboard.IDENTIFY));
    }

    @Test
    void answersAreTranslatedLikeKeys() {
        data(Ps2Keyboard.IDENTIFY);
        assertEquals(List.of(Ps2Keyboard.ACK, 0xab, 0x41), all());
    }

    @Test
    void echoesWithoutAcknowledging() {
        assertEquals(List.of(Ps2Keyboard.ECHO), tell(Ps2Keyboard.ECHO));
    }

    @Test
    void takesLedsAndTypematicWithTheirArgument() {
        assertEquals(
                List.of(0xfa, 0xfa, 0xfa, 0xfa),
                tell(Ps2Keyboard.SET_LEDS, 5, Ps2Keyboard.TYPEMATIC, 0x20));
        assertEquals(5, savedKeyboard("leds"));
        assertEquals(0x20, savedKeyboard("typematic"));
    }

    @Test
    void aCommandInPlaceOfAnArgumentIsACommand() {
        assertEquals(List.of(0xfa, Ps2Keyboard.ECHO), tell(Ps2Keyboard.SET_LEDS, Ps2Keyboard.ECHO));
        assertEquals(List.of(Ps2Keyboard.RESEND), tell(5));
    }

    @Test
    void tellsAndChangesItsScanCodeSet() {
        assertEquals(List.of(0xfa, 0xfa, 2), tell(Ps2Keyboard.SCAN_CODE_SET, 0));
        assertEquals(List.of(0xfa, 0xfa), tell(Ps2Keyboard.SCAN_CODE_SET, 1));
        assertEquals(List.of(0xfa, 0xfa, 1), tell(Ps2Keyboard.SCAN_CODE_SET, 0));
        assertEquals(List.of(0xfa, Ps2Keyboard.RESEND), tell(Ps2Keyboard.SCAN_CODE_SET, 3));
    }

    @Test
    void inSetOneItSendsSetOneByItself() {
        tell(Ps2Keyboard.SCAN_CODE_SET, 1);
        command(WRITE_RAM, 0);
        keyboard.press(A, ScanCodes.BREAK, A);
        assertEquals(List.of(A_IN_SET_1, A_IN_SET_1 | 0x80), all());
    }

    @Test
    void commandsForSetThreeAreTakenAndChangeNothing() {
        assertEquals(List.of(0xfa, 0xfa, 0xfa), tell(0xfc, 0x1c, 0x1d));
        assertEquals(List.of(0xfa), tell(0xfa));
        keyboard.press(A);
        assertEquals(List.of(A_IN_SET_1), all());
    }

    @Test
    void unknownCommandsAskToSendThemAgain() {
        assertEquals(List.of(Ps2Keyboard.RESEND), tell(0xef));
        assertEquals(1, context.counter("unknown-commands").value());
    }

    @Test
    void sendsItsLastByteAgainWhenAsked() {
        tell(Ps2Keyboard.IDENTIFY);
        assertEquals(List.of(0x83), tell(Ps2Keyboard.RESEND));
        assertEquals(List.of(0x83), tell(Ps2Keyboard.RESEND));
    }

    @Test
    void disabledItTakesNoKeysUntilEnabled() {
        assertEquals(List.of(0xfa), tell(Ps2Keyboard.DEFAULT_DISABLE));
        assertFalse(keyboard.press(A));
        assertEquals(List.of(0xfa), tell(Ps2Keyboard.ENABLE));
        assertTrue(keyboard.press(A));
    }

    @Test
    void defaultsComeBackWhenSet() {
        tell(Ps2Keyboard.TYPEMATIC, 0);
        tell(Ps2Keyboard.SCAN_CODE_SET, 1);
        assertEquals(List.of(0xfa), tell(Ps2Keyboard.SET_DEFAULT));
        assertEquals(0x2b, savedKeyboard("typematic"));
        assertEquals(2, savedKeyboard("set"));
        assertTrue(keyboard.press(A), "goes on scanning");
    }

    @Test
    void aNewCommandEndsTheOldAnswer() {
        data(Ps2Keyboard.IDENTIFY);
        assertEquals(Ps2Keyboard.ACK, read());
        data(Ps2Keyboard.ECHO);
        context.clock().advance(CHARACTER_NANOS);
        assertEquals(List.of(Ps2Keyboard.ECHO), all());
    }

    // Keys

    @Test
    void keysAreTranslatedAndInterrupt() {
        keyboard.press(A);
        assertTrue(full());
        assertEquals(List.of(KEYBOARD_IRQ), context.highLines());
        assertEquals(A_IN_SET_1, read());
        assertEquals(List.of(), context.highLines());
        keyboard.press(ScanCodes.BREAK, A);
        context.clock().advance(CHARACTER_NANOS);
        assertEquals(List.of(A_IN_SET_1 | 0x80), all());
        keyboard.press(0xe0, 0x75, 0xe0, ScanCodes.BREAK, 0x75);
        assertEquals(List.of(0xe0, 0x48, 0xe0, 0xc8), all());
    }

    @Test
    void withoutTranslationSetTwoComesThrough() {
        command(WRITE_RAM, KEYBOARD_INTERRUPT);
        keyboard.press(A, ScanCodes.BREAK, A);
        assertEquals(List.of(A, ScanCodes.BREAK, A), all());
    }

    @Test
    void bytesKeepTheirDistanceAndEachIsAnEdge() {
        keyboard.press(0x1c, 0x1b);
        assertEquals(1, context.line(KEYBOARD_IRQ).takeEdges());
        assertEquals(0x1e, read());
        assertFalse(full());
        context.clock().advance(CHARACTER_NANOS - 1);
        assertFalse(full());
        context.clock().advance(1);
        assertEquals(1, context.line(KEYBOARD_IRQ).takeEdges());
        assertEquals(0x1f, read());
    }

    @Test
    void withoutItsInterruptBytesWaitQuietly() {
        command(WRITE_RAM, TRANSLATE);
        keyboard.press(A);
        assertTrue(full());
        assertEquals(List.of(), context.highLines());
        command(WRITE_RAM, TRANSLATE | KEYBOARD_INTERRUPT);
        assertEquals(List.of(KEYBOARD_IRQ), context.highLines());
    }

    @Test
    void aDisabledInterfaceHoldsKeysBack() {
        command(KEYBOARD_DISABLE);
        assertTrue(keyboard.press(A));
        assertFalse(full());
        command(KEYBOARD_ENABLE);
        assertEquals(List.of(A_IN_SET_1), all());
    }

    @Test
    void talkingToTheKeyboardEnablesItsInterface() {
        command(KEYBOARD_DISABLE);
        data(Ps2Keyboard.ECHO);
        assertEquals(List.of(Ps2Keyboard.ECHO), all());
        assertEquals(0, commandByte() & DISABLE_KEYBOARD);
    }

    @Test
    void theBufferTakesSixteenCodesAndNoPartOfMore() {
        command(KEYBOARD_DISABLE);
        for (int i = 0; i < Ps2Keyboard.BUFFER - 1; i++) {
            assertTrue(keyboard.press(A));
        }
        assertFalse(keyboard.press(ScanCodes.BREAK, A));
        assertTrue(keyboard.press(A));
        assertFalse(keyboard.press(A));
        command(KEYBOARD_ENABLE);
        assertEquals(Ps2Keyboard.BUFFER, all().size());
    }

    @Test
    void answersOfTheKeyboardGoBeforeKeys() {
        command(KEYBOARD_DISABLE);
        keyboard.press(A);
        data(Ps2Keyboard.ECHO);
        assertEquals(List.of(Ps2Keyboard.ECHO, A_IN_SET_1), all());
    }

    @Test
    void anAnswerOfTheControllerDoesNotLoseAKey() {
        keyboard.press(A);
        assertEquals(0x65, commandByte());
        assertTrue(full());
        assertEquals(List.of(A_IN_SET_1), all());
    }

    // State

    @Test
    void aResetForgetsEverything() {
        keyboard.press(A);
        command(WRITE_RAM, 0);
        command(WRITE_AUX_BUFFER);
        device.reset();
        assertEquals(create(new FakeDeviceContext(1)).save(), device.save());
        assertEquals(List.of(), context.highLines());
    }

    @Test
    void aSavedKeyComesOutOfTheOtherDevice() {
        keyboard.press(A, 0x1b);
        FakeDeviceContext other = new FakeDeviceContext(1);
        Device restored = create(other);
        restored.restore(device.save());
        assertEquals(List.of(KEYBOARD_IRQ), other.highLines());
        assertEquals(A_IN_SET_1, other.in(DATA, Width.BYTE));
        other.clock().advance(CHARACTER_NANOS);
        assertEquals(0x1f, other.in(DATA, Width.BYTE));
    }

    private int savedKeyboard(String name) {
        return device.save().getState("keyboard").getInt(name);
    }
}
