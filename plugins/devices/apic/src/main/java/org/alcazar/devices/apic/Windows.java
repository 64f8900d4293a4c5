package org.alcazar.devices.apic;

import org.alcazar.machine.Width;
import org.alcazar.platforms.pc.api.PcLayout;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.device.DeviceContext.VcoreMemory;
import org.alcazar.vmm.plugin.ConfigurationException;

import java.util.HashMap;
import java.util.Map;

/**
 * The pages at which cores in xAPIC mode see their registers: that of a PC, which stays, and where
 * guests have moved them to by APIC_BASE (APM volume 2, 16.3.1). Where RAM or another device is,
 * that wins. A core whose registers are elsewhere finds nothing in such a page.
 *
 * <p>Lock: this object; local APICs are called under it for what they tell without theirs.
 */
final class Windows {
    static final Place NOWHERE = (address, bytes, page) -> () -> {};

    private static final int BYTES = 0x1000, STRIDE = 16;

    private final Apics apics;
    private final Place place;
    private final Map<Long, Hook> moved = new HashMap<>();

    /** Makes a page of memory appear: {@code DeviceContext.hookMemory}. */
    @FunctionalInterface
    interface Place {
        Hook hook(long address, long bytes, VcoreMemory page) throws ConfigurationException;
    }

    Windows(Apics apics, Place place) {
        this.apics = apics;
        this.place = place;
    }

    /** The page that is always there. */
    void open() throws ConfigurationException {
        place.hook(PcLayout.LOCAL_APIC, BYTES, new Page(PcLayout.LOCAL_APIC));
    }

    /** A core's registers were at one address, -1 for nowhere, and are at the other now. */
    synchronized void moved(long from, long to) {
        if (to >= 0 && to != PcLayout.LOCAL_APIC && !moved.containsKey(to)) {
            try {
                moved.put(to, place.hook(to, BYTES, new Page(to)));
            } catch (ConfigurationException e) {
                // Something is there already: the guest sees that.
            }
        }
        Hook old = apics.anyAt(from) ? null : moved.remove(from);
        if (old != null) {
            old.close();
        }
    }

    /**
     * One page. Registers are 32 bits wide on 16-byte boundaries; others are undefined (16.3.2).
     */
    private final class Page implements VcoreMemory {
        private final long address;

        Page(long address) {
            this.address = address;
        }

        @Override
        public long read(Vcore vcore, long offset, Width width) {
            LocalApic apic = apics.of(vcore);
            if (apic.address() != address) {
                return width.mask();
            }
            int within = (int) offset & STRIDE - 1;
            if (within >= Integer.BYTES) {
                return 0;
            }
            return (apic.read((int) offset & -STRIDE) & 0xffff_ffffL) >>> 8 * within & width.mask();
        }

        @Override
        public void write(Vcore vcore, long offset, Width width, long value) {
            LocalApic apic = apics.of(vcore);
            boolean register = (offset & STRIDE - 1) == 0 && width.bytes() >= Integer.BYTES;
            if (register && apic.address() == address) {
                apic.write((int) offset, (int) value);
            }
        }
    }
}
