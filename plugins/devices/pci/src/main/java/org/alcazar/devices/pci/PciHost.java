package org.alcazar.devices.pci;

import org.alcazar.devices.pci.api.Bar;
import org.alcazar.devices.pci.api.ConfigSpace;
import org.alcazar.devices.pci.api.PciBus;
import org.alcazar.devices.pci.api.PciSlot;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.platforms.pc.api.PcLayout;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Host bridge of a PC: bus 0, configuration mechanism #1 (PCI Local Bus Specification 3.0,
 * 3.2.2.3.2), reset control register. The bridge itself is an Intel 82441FX at 00:00.0 (datasheet
 * 290549), beside it the ISA bridge of a PIIX3 (82371SB, datasheet 290550) at 00:01.0, whose PIRQ
 * registers route interrupts to a PIC.
 *
 * <p>Lock order: this bus, then the functions on it, then the interrupt controllers. A function
 * that holds its own lock uses of its slot only what takes no lock of the bus.
 */
public final class PciHost implements Device, BusDevice, PciBus {
    /** Register offsets from port 0xcf8. */
    static final class Reg {
        static final int CONFIG_ADDRESS = 0;
        static final int RESET_CONTROL = 1;
        static final int CONFIG_DATA = 4;

        private Reg() {}
    }

    static final int PORTS = 8;

    /** CONFIG_ADDRESS: enable, bus, device, function, register. */
    private static final int ENABLE = 1 << 31;

    private static final int ADDRESS_BITS = 0x80ff_fffc;

    /** RESET_CONTROL: the CPU is reset when bit 2 rises; bit 1 makes it a hard reset. */
    private static final int RCPU = 1 << 2;

    private static final int HARD = 1 << 1;
    private static final int DEVICES = 32;
    private static final int FUNCTIONS = 8;
    private static final int MULTI_FUNCTION = 0x80;

    private static final int INTEL = 0x8086;
    private static final int I82441FX = 0x1237;
    private static final int PIIX3_ISA = 0x7000;
    private static final int HOST_BRIDGE = 0x06_00_00;
    private static final int ISA_BRIDGE = 0x06_01_00;
    private static final int PIRQRC = 0x60;
    private static final int PIRQ_OFF = 0x80;

    /**
     * What firmware gives to PCI: level-triggered ISA interrupts, ports above those of the board.
     */
    private static final int[] PIC_INTERRUPTS = {10, 11};

    private static final int FIRST_PORT = 0xc000;
    private static final int PORTS_END = 0x1_0000;

    private final InterruptRoutes routes;
    private final Runnable machineReset;
    private final Counter absent;
    private final GuestMemory memory;
    private final @Nullable Slot[] slots = new Slot[DEVICES * FUNCTIONS];
    private final ConfigSpace isaBridge;
    private volatile Optional<ApicBus> apics = Optional.empty();
    private int configAddress;
    private int resetControl;

    /**
     * @param routes the four interrupt wires of the bus
     * @param machineReset resets the machine
     * @param memory what functions write to that is no message
     * @param absent counts configuration accesses to functions that are not there
     */
    public PciHost(
            InterruptRoutes routes, Runnable machineReset, GuestMemory memory, Counter absent) {
        this.routes = routes;
        this.machineReset = machineReset;
        this.memory = memory;
        this.absent = absent;
        ConfigSpace host = new ConfigSpace(INTEL, I82441FX, HOST_BRIDGE, 2);
        host.init(
                ConfigSpace.COMMAND, Width.WORD, ConfigSpace.MEMORY_SPACE | ConfigSpace.BUS_MASTER);
        isaBridge = new ConfigSpace(INTEL, PIIX3_ISA, ISA_BRIDGE, 0);
        isaBridge.init(
                ConfigSpace.COMMAND,
                Width.WORD,
                ConfigSpace.IO_SPACE | ConfigSpace.MEMORY_SPACE | ConfigSpace.BUS_MASTER);
        for (int pirq = 0; pirq < InterruptRoutes.WIRES; pirq++) {
            isaBridge.init(PIRQRC + pirq, Width.BYTE, PIRQ_OFF);
            isaBridge.allowWrites(PIRQRC + pirq, Width.BYTE, 0x8f);
        }
        slots[0] = new Slot(0, host, List.of());
        slots[FUNCTIONS] = new Slot(FUNCTIONS, isaBridge, List.of());
    }

    /** Has messages of functions reach local APICs, until the hook is closed. */
    Hook connect(ApicBus bus) {
        apics = Optional.of(bus);
        return () -> apics = Optional.empty();
    }

    private void message(long address, int data) {
        Optional<ApicBus> bus = apics;
        if (!Message.isOne(address)) {
            memory.writeInt(address, data);
        } else if (bus.isPresent()) {
            Message.deliver(bus.get(), address, data);
        }
    }

    @Override
    public synchronized PciSlot attach(
            DeviceContext context, int device, int function, ConfigSpace config)
            throws ConfigurationException {
        int number = device == ANY_DEVICE ? freeDevice() : device;
        if (number < 0 || number >= DEVICES || function < 0 || function >= FUNCTIONS) {
            throw new ConfigurationException(
                    "pci: no place for %s; devices are 0 to 31, functions 0 to 7"
                            .formatted(context.name()));
        }
        int at = number * FUNCTIONS + function;
        if (slots[at] != null) {
            throw new ConfigurationException(
                    "pci: 00:%02x.%d is taken, %s can't go there"
                            .formatted(number, function, context.name()));
        }
        List<Window> windows = new ArrayList<>();
        for (Bar bar : config.bars()) {
            windows.add(new Window(context, bar));
        }
        if (function != 0 && slots[number * FUNCTIONS] != null) {
            slots[number * FUNCTIONS].config.init(
                    ConfigSpace.HEADER_TYPE, Width.BYTE, MULTI_FUNCTION);
        }
        Slot slot = new Slot(at, config, windows);
        slots[at] = slot;
        slot.map(); // an exchanged bus finds functions that guests have placed
        return slot;
    }

    private int freeDevice() {
        for (int device = 2; device < DEVICES; device++) {
            if (slots[device * FUNCTIONS] == null) {
                return device;
            }
        }
        return -1;
    }

    @Override
    public synchronized long read(long offset, Width width) {
        if (offset >= Reg.CONFIG_DATA) {
            return readConfig((int) offset - Reg.CONFIG_DATA, width);
        }
        if (offset == Reg.CONFIG_ADDRESS && width == Width.DWORD) {
            return configAddress & 0xffff_ffffL;
        }
        return offset == Reg.RESET_CONTROL && width == Width.BYTE ? resetControl : width.mask();
    }

    @Override
    public synchronized void write(long offset, Width width, long value) {
        if (offset >= Reg.CONFIG_DATA) {
            writeConfig((int) offset - Reg.CONFIG_DATA, width, value);
        } else if (offset == Reg.CONFIG_ADDRESS && width == Width.DWORD) {
            configAddress = (int) value & ADDRESS_BITS;
        } else if (offset == Reg.RESET_CONTROL && width == Width.BYTE) {
            boolean rises = (value & RCPU) != 0 && (resetControl & RCPU) == 0;
            resetControl = (int) value & HARD;
            if (rises) {
                machineReset.run();
            }
        }
    }

    /** The function that CONFIG_ADDRESS names, or null: this is an access path. */
    private @Nullable Slot selected() {
        boolean busZero = (configAddress & 0xff_0000) == 0;
        return (configAddress & ENABLE) != 0 && busZero ? slots[configAddress >>> 8 & 0xff] : null;
    }

    private long readConfig(int lane, Width width) {
        Slot slot = selected();
        if (slot == null) {
            absent.increment();
            return width.mask();
        }
        int register = (configAddress & 0xfc) + lane;
        long value = slot.config.read(register, width);
        int toStatus = ConfigSpace.STATUS - register;
        return slot.pin.level && toStatus >= 0 && toStatus < width.bytes()
                ? value | (long) ConfigSpace.INTERRUPT_STATUS << 8 * toStatus
                : value;
    }

    private void writeConfig(int lane, Width width, long value) {
        Slot slot = selected();
        if (slot == null) {
            absent.increment();
            return;
        }
        int register = (configAddress & 0xfc) + lane;
        slot.config.write(register, width, value);
        if (slot.config == isaBridge) {
            routeIsa();
        } else if (register < ConfigSpace.STATUS
                || register >= ConfigSpace.BAR0 && register < ConfigSpace.BAR_END) {
            slot.map();
            slot.pin.drive();
        }
    }

    private void routeIsa() {
        for (int pirq = 0; pirq < InterruptRoutes.WIRES; pirq++) {
            long route = isaBridge.get(PIRQRC + pirq, Width.BYTE);
            routes.routeToIsa(
                    pirq, (route & PIRQ_OFF) != 0 ? InterruptRoutes.OFF : (int) route & 15);
        }
    }

    @Override
    public synchronized void reset() {
        configAddress = 0;
        resetControl = 0;
        for (Slot slot : slots) {
            if (slot != null) {
                slot.config.reset();
            }
        }
        firmware();
        for (Slot slot : slots) {
            if (slot != null) {
                slot.map();
                slot.pin.drive();
            }
        }
        routeIsa();
    }

    /**
     * What a PC's firmware does before it starts a kernel: each window has an address and answers,
     * interrupts lead to the PIC. Kernels without a plan of their own rely on it; others, and a
     * real firmware, do it again.
     */
    private void firmware() {
        long nextMemory = PcLayout.HOLE_START;
        long nextPort = FIRST_PORT;
        for (Slot slot : slots) {
            if (slot == null || slot.windows.isEmpty()) {
                continue;
            }
            for (Window window : slot.windows) {
                Bar bar = window.bar;
                boolean io = bar.kind() == Bar.Kind.IO;
                long base = (io ? nextPort : nextMemory) + bar.bytes() - 1 & -bar.bytes();
                long end = base + bar.bytes();
                if (end > (io ? PORTS_END : PcLayout.PCI_MEMORY_END)) {
                    continue; // no room: it stays where it does not answer
                }
                slot.config.write(ConfigSpace.BAR0 + 4 * bar.index(), Width.DWORD, base);
                nextPort = io ? end : nextPort;
                nextMemory = io ? nextMemory : end;
            }
            slot.config.write(
                    ConfigSpace.COMMAND,
                    Width.WORD,
                    ConfigSpace.IO_SPACE | ConfigSpace.MEMORY_SPACE);
            if (slot.config.get(ConfigSpace.INTERRUPT_PIN, Width.BYTE) != 0) {
                int wire = slot.device() % InterruptRoutes.WIRES;
                int irq = PIC_INTERRUPTS[wire % PIC_INTERRUPTS.length];
                slot.config.write(ConfigSpace.INTERRUPT_LINE, Width.BYTE, irq);
                isaBridge.write(PIRQRC + wire, Width.BYTE, irq);
            }
        }
    }

    /** The bridges' own state; a function's configuration space is saved with its device. */
    @Override
    public synchronized SavedState save() {
        return new SavedState("pci", 1)
                .put("config-address", configAddress)
                .put("reset-control", resetControl)
                .put("host-bridge", slots[0].config.save())
                .put("isa-bridge", isaBridge.save());
    }

    @Override
    public synchronized void restore(SavedState state) {
        state.require("pci", 1);
        configAddress = (int) state.getLong("config-address") & ADDRESS_BITS;
        resetControl = state.getInt("reset-control") & HARD;
        slots[0].config.restore(state.getState("host-bridge"));
        isaBridge.restore(state.getState("isa-bridge"));
        routeIsa();
    }

    /** A base address register's window in the guest's address space. */
    private static final class Window {
        private final DeviceContext context;
        private final Bar bar;
        private long base;
        private Hook hook = () -> {};

        Window(DeviceContext context, Bar bar) {
            this.context = context;
            this.bar = bar;
        }

        void map(long newBase) {
            if (newBase == base) {
                return;
            }
            hook.close();
            hook = () -> {};
            base = newBase;
            try {
                if (base != 0 && bar.kind() == Bar.Kind.IO) {
                    hook = context.hookPorts((int) base, (int) bar.bytes(), bar.registers());
                } else if (base != 0) {
                    hook = context.hookMemory(base, bar.bytes(), bar.registers());
                }
            } catch (ConfigurationException e) {
                // A guest put it over something else: as on a real bus, it is not reachable there.
                base = 0;
            }
        }
    }

    /** INTA# of a function. */
    private static final class Pin implements InterruptLine {
        private final ConfigSpace config;
        private final InterruptLine wire;
        private volatile boolean level;

        Pin(ConfigSpace config, InterruptLine wire) {
            this.config = config;
            this.wire = wire;
        }

        @Override
        public void set(boolean high) {
            level = high;
            drive();
        }

        synchronized void drive() {
            wire.set(level && config.isPinEnabled());
        }
    }

    /** A function in its place. */
    private final class Slot implements PciSlot {
        private final int number;
        private final ConfigSpace config;
        private final List<Window> windows;
        private final Pin pin;

        Slot(int number, ConfigSpace config, List<Window> windows) {
            this.number = number;
            this.config = config;
            this.windows = windows;
            pin = new Pin(config, routes.wire(device(), 0));
        }

        private void map() {
            for (Window window : windows) {
                window.map(config.base(window.bar).orElse(0L));
            }
        }

        @Override
        public int device() {
            return number / FUNCTIONS;
        }

        @Override
        public int function() {
            return number % FUNCTIONS;
        }

        @Override
        public InterruptLine interrupt() {
            return pin;
        }

        @Override
        public void message(long address, int data) {
            if (config.isBusMaster()) {
                PciHost.this.message(address, data);
            }
        }

        @Override
        public void remap() {
            synchronized (PciHost.this) {
                map();
            }
        }

        @Override
        public void close() {
            synchronized (PciHost.this) {
                windows.forEach(window -> window.map(0));
                pin.set(false);
                slots[number] = null;
            }
        }
    }
}
