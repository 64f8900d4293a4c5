package org.alcazar.devices.pci;

import org.alcazar.machine.InterruptLine;

/**
 * The four interrupt wires of the bus. Pin p of device d drives wire (d + p) mod 4, as boards wire
 * it; wire n ends at global interrupt 16 + n of the I/O APIC, and at the ISA interrupt that the ISA
 * bridge's PIRQ register names. Several devices share a wire.
 */
final class InterruptRoutes {
    static final int WIRES = 4;

    /** No ISA interrupt. */
    static final int OFF = -1;

    private final InterruptLine[] global;
    private final InterruptLine[] isa;
    private final int[] asserted = new int[WIRES];
    private final int[] isaRoute = {OFF, OFF, OFF, OFF};

    /**
     * @param global the four inputs from 16 on
     * @param isa inputs 0 to 15
     */
    InterruptRoutes(InterruptLine[] global, InterruptLine[] isa) {
        this.global = global.clone();
        this.isa = isa.clone();
    }

    /** A wire of its own for each caller, so that levels of several functions are ored. */
    InterruptLine wire(int device, int pin) {
        return new Source(device + pin & WIRES - 1);
    }

    synchronized void routeToIsa(int wire, int irq) {
        if (isaRoute[wire] != irq) {
            int old = isaRoute[wire];
            isaRoute[wire] = irq;
            drive(wire);
            if (old != OFF) {
                isa[old].set(isIsaAsserted(old));
            }
        }
    }

    private boolean isIsaAsserted(int irq) {
        boolean level = false;
        for (int wire = 0; wire < WIRES; wire++) {
            level |= isaRoute[wire] == irq && asserted[wire] > 0;
        }
        return level;
    }

    private void drive(int wire) {
        global[wire].set(asserted[wire] > 0);
        if (isaRoute[wire] != OFF) {
            isa[isaRoute[wire]].set(isIsaAsserted(isaRoute[wire]));
        }
    }

    /** One function's pin. */
    private final class Source implements InterruptLine {
        private final int wire;
        private boolean high;

        Source(int wire) {
            this.wire = wire;
        }

        @Override
        public void set(boolean level) {
            synchronized (InterruptRoutes.this) {
                if (level != high) {
                    high = level;
                    asserted[wire] += level ? 1 : -1;
                    drive(wire);
                }
            }
        }
    }
}
