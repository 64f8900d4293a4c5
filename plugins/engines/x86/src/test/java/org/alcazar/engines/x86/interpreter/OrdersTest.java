package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class OrdersTest {
    private final Orders orders = new Orders();
    private final long[] taken = new long[Orders.MAX + 1];

    @Test
    void ordersForOnePageBecomeOne() {
        orders.add(0x5000, Orders.DROP);
        orders.add(0x5000, Orders.PROTECT);
        orders.add(0x6000, Orders.PROTECT);
        assertTrue(orders.waiting());
        assertEquals(2, orders.take(taken));
        assertEquals(0, taken[0]);
        assertEquals(0x5000 | Orders.DROP | Orders.PROTECT, taken[1]);
        assertEquals(0x6000 | Orders.PROTECT, taken[2]);
        assertFalse(orders.waiting());
        assertEquals(0, orders.take(taken));
    }

    @Test
    void beyondTheBoundAnOrderIsForAllPages() {
        for (long page = 1; page <= Orders.MAX; page++) {
            orders.add(page << 12, Orders.PROTECT);
        }
        orders.add(1L << 12, Orders.DROP);
        assertEquals(Orders.MAX, orders.take(taken));
        assertEquals(0, taken[0], "what is known needs no room");
        for (long page = 0; page <= Orders.MAX; page++) {
            orders.add(page << 12, Orders.DROP);
        }
        orders.addForAll(Orders.PROTECT);
        assertEquals(Orders.MAX, orders.take(taken));
        assertEquals(Orders.DROP | Orders.PROTECT, taken[0]);
        assertEquals(0, orders.take(taken));
        assertEquals(0, taken[0]);
    }
}
