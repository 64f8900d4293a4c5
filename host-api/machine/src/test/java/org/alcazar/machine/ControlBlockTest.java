package org.alcazar.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

class ControlBlockTest {
    private static final RegisterGroup WIDE =
            new RegisterGroup(
                    1,
                    "wide",
                    List.of(new RegisterField("v0", 0, 128), new RegisterField("v1", 2, 128)));

    private static final Architecture ARCHITECTURE =
            new Architecture(
                    "toy",
                    ByteOrder.BIG_ENDIAN,
                    36,
                    List.of(RegisterGroup.of(0, "general", "a", "b", "c"), WIDE));

    @Test
    void groupsHaveTheArchitecturesSizes() {
        ControlBlock block = new ControlBlock(ARCHITECTURE);
        assertSame(ARCHITECTURE, block.architecture());
        assertEquals(3, block.group(0).length);
        assertEquals(4, block.group(1).length);
        assertSame(block.group(0), block.group(0));
    }

    @Test
    void aFreshBlockInterceptsPortsAndNothingElse() {
        ControlBlock block = new ControlBlock(ARCHITECTURE);
        assertTrue(block.ports.contains(0x3f8));
        assertFalse(block.registers.contains(0));
        assertFalse(block.features.contains(0));
        assertEquals(0, block.exceptions | block.instructions | block.valid | block.dirty);
        assertEquals(ControlBlock.UNLIMITED, block.budget);
        assertSame(Translation.NONE, block.translation);
        assertEquals(InterruptSource.NONE, block.interrupts.acknowledge());
        assertEquals(42, block.time.ticks(42));
        assertEquals(0, block.requests().pending());
    }

    @Test
    void eachDepthHasItsFrame() {
        ControlBlock block = new ControlBlock(ARCHITECTURE);
        ExitFrame outer = block.frame();
        block.depth = 1;
        assertNotSame(outer, block.frame());
        assertSame(block.frame(1), block.frame());
        assertSame(outer, block.frame(0));
        assertThrows(IndexOutOfBoundsException.class, () -> block.frame(ControlBlock.MAX_DEPTH));
    }

    @Test
    void anArchitecturesGroupsLieAtTheirNumbers() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new Architecture("toy", ByteOrder.BIG_ENDIAN, 36, List.of(WIDE)));
        assertEquals(0b11, ARCHITECTURE.allGroups());
        assertThrows(UnsupportedOperationException.class, () -> ARCHITECTURE.groups().clear());
    }

    @Test
    void masksHoldSixtyFourGroupsAndNoMore() {
        List<RegisterGroup> groups = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            groups.add(RegisterGroup.of(i, "g" + i, "r"));
        }
        Architecture most = new Architecture("toy", ByteOrder.LITTLE_ENDIAN, 36, groups);
        assertEquals(-1, most.allGroups());
        groups.add(RegisterGroup.of(64, "g64", "r"));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Architecture("toy", ByteOrder.LITTLE_ENDIAN, 36, groups));
    }

    @Test
    void fieldsAreFoundByName() {
        assertEquals(new RegisterField("v1", 2, 128), WIDE.byName().get("v1"));
        assertEquals(2, new RegisterField("v1", 2, 128).words());
        assertEquals(1, new RegisterField("x", 0, 1).words());
        assertEquals(2, new RegisterField("st0", 0, 80).words());
        assertEquals(0b10, WIDE.mask());
        assertEquals(0, new RegisterGroup(0, "none", List.of()).words());
    }

    @Test
    void everyExitReasonAndSpaceHasAName() {
        for (int i = 0; i < Exit.COUNT; i++) {
            assertFalse(Exit.name(i).isEmpty());
        }
        for (int i = 0; i < Space.COUNT; i++) {
            assertFalse(Space.name(i).isEmpty());
        }
        assertEquals("access", Exit.name(Exit.ACCESS));
        assertEquals("shutdown", Exit.name(Exit.SHUTDOWN));
        assertThrows(IndexOutOfBoundsException.class, () -> Exit.name(Exit.COUNT));
    }

    @Test
    void widthsKnowTheirBytesAndMasks() {
        for (Width width : Width.values()) {
            assertSame(width, Width.of(width.bytes()));
            assertEquals(width.bytes() * 8, Long.bitCount(width.mask()));
            assertEquals(1, width.mask() & 1);
        }
    }
}
