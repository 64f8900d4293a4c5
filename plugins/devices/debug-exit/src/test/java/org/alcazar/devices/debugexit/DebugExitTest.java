package org.alcazar.devices.debugexit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.machine.Width;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

class DebugExitTest {
    private final List<Integer> statuses = new ArrayList<>();
    private final DebugExit device = new DebugExit(statuses::add);

    @Test
    void everyWidthAndPortGivesAnOddStatus() {
        device.write(0, Width.BYTE, 0x10);
        device.write(0, Width.DWORD, 0);
        device.write(3, Width.BYTE, 0x80);
        device.write(0, Width.DWORD, 0xffff_ffffL);
        assertEquals(List.of(0x21, 1, 1, 0xff), statuses);
    }

    @Test
    void readsGiveNothingAndEndNothing() {
        assertEquals(0, device.read(0, Width.BYTE));
        assertEquals(List.of(), statuses);
    }

    @Test
    void hasNoStateToLose() {
        device.restore(device.save());
        assertEquals(device.save(), device.save());
    }
}
