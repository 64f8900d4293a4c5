package ${package};

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.machine.Width;
import org.alcazar.vmm.Counter;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

/** The model alone: registers as the README says. */
class ${className}Test {
    private final List<Boolean> levels = new ArrayList<>();
    private final Counter oddAccesses = new Counter();
    private final ${className} device = new ${className}(levels::add, oddAccesses);

    @Test
    void theInterruptComesAtTheLimitAndGoesWithTheSum() {
        device.write(4, Width.DWORD, 10);
        device.write(0, Width.DWORD, 9);
        device.write(0, Width.DWORD, 1);
        device.write(8, Width.DWORD, 0);
        assertEquals(List.of(false, false, true, false), levels);
    }

    @Test
    void anAccessOfAnotherWidthChangesNothingAndIsCounted() {
        device.write(0, Width.BYTE, 1);
        assertEquals(0, device.read(0, Width.DWORD));
        assertEquals(0xffff, device.read(0, Width.WORD));
        assertEquals(1, oddAccesses.value());
    }
}
