package org.alcazar.devices.virtio.api;

import org.alcazar.devices.pci.api.Bar;
import org.alcazar.devices.pci.api.ConfigSpace;
import org.alcazar.devices.pci.api.Msix;
import org.alcazar.devices.pci.api.PciBus;
import org.alcazar.devices.pci.api.PciSlot;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A virtio device on a PCI bus (4.1), without the legacy interface: a modern, non-transitional
 * device. One window holds the common configuration, the interrupt status, the device-specific
 * configuration and the notifications; another one holds MSI-X, with a vector for each queue and
 * one for the configuration.
 *
 * <p>One lock guards it, its queues and its function. It comes after the bus's, and before those of
 * MSI-X and the interrupt controllers.
 */
public final class VirtioPci implements Device, VirtioTransport {
    /** Feature bits of the transport (6). */
    private static final int INDIRECT_DESC = 28, EVENT_IDX = 29, VERSION_1 = 32;

    private static final long OWN_FEATURES =
            1L << INDIRECT_DESC | 1L << EVENT_IDX | 1L << VERSION_1;

    private static final int VENDOR = 0x1af4, FIRST_DEVICE = 0x1040, MODERN_REVISION = 1;
    private static final int MODERN_SUBSYSTEM = 0x40;

    /** Bits of the device status (2.1). */
    private static final int DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 64;

    /** Bits of the interrupt status (4.1.4.5). */
    private static final int ISR_QUEUE = 1, ISR_CONFIG = 2;

    /** Capability and its types (4.1.4). */
    private static final int VENDOR_SPECIFIC = 9;

    private static final int COMMON = 1, NOTIFY = 2, ISR = 3, DEVICE = 4, PCI = 5;
    private static final int CAPABILITY_BYTES = 16, LONG_CAPABILITY_BYTES = 20;

    /** Offsets in a capability. */
    private static final int CAP_LENGTH = 2, TYPE = 3, BAR = 4, OFFSET = 8, LENGTH = 12, MORE = 16;

    /** The parts of the window. */
    private static final int PART = 0x1000, PART_SHIFT = 12, WINDOW = 4 * PART;

    private static final int COMMON_BYTES = 0x3c;
    private static final int COMMON_PART = 0, ISR_PART = 1, DEVICE_PART = 2, NOTIFY_PART = 3;
    private static final int NOTIFY_MULTIPLIER = 4;
    private static final int WINDOW_BAR = 0, MSIX_BAR = 2;
    private static final int QUEUES_LIMIT = 64;

    private final VirtioKind kind;
    private final ConfigSpace config;
    private final Bar[] bars;
    private final Msix msix;
    private final Virtqueue[] queues;
    private final VirtioFunction function;
    private final GuestTimer turn;
    private final Counter ignored;
    private final Counter brokenQueues;
    private final DeviceContext context;
    private final int pciAccess;

    /** Where it is on the bus; null while it is on none. */
    private volatile @Nullable PciSlot slot;

    /** Device number on the bus, or {@link PciBus#ANY_DEVICE}. */
    private int place;

    private int deviceFeatureSelect;
    private int driverFeatureSelect;
    private long driverFeatures;
    private int configVector = Virtqueue.NO_VECTOR;
    private int status;
    private int generation;
    private int queueSelect;
    private int isr;

    /** Bits of queues with requests that are to be looked at when there is a turn. */
    private long waiting;

    /**
     * A device that is connected with a bus by {@link #connect}.
     *
     * @param place 0 to 31 or {@link PciBus#ANY_DEVICE}
     * @param function makes what the device does
     */
    public VirtioPci(
            DeviceContext context,
            VirtioKind kind,
            int place,
            Function<VirtioTransport, VirtioFunction> function) {
        if (kind.queues().size() > QUEUES_LIMIT) {
            throw new IllegalArgumentException(kind.queues().size() + " queues");
        }
        this.kind = kind;
        this.context = context;
        this.place = place;
        ignored = context.counter("ignored-accesses");
        brokenQueues = context.counter("broken-queues");
        config =
                new ConfigSpace(
                        VENDOR, FIRST_DEVICE + kind.id(), kind.classCode(), MODERN_REVISION);
        config.init(ConfigSpace.SUBSYSTEM_VENDOR_ID, Width.WORD, VENDOR);
        config.init(ConfigSpace.SUBSYSTEM_ID, Width.WORD, MODERN_SUBSYSTEM + kind.id());
        config.usesInterrupt();
        config.addBar(new Bar(WINDOW_BAR, Bar.Kind.MEMORY_64, WINDOW, new Registers()));
        int queueCount = kind.queues().size();
        msix = new Msix(config, MSIX_BAR, queueCount + 1, this::send);
        bars = config.bars().toArray(Bar[]::new);
        capability(COMMON, COMMON_PART, COMMON_BYTES);
        capability(ISR, ISR_PART, 1);
        if (kind.configBytes() > 0) {
            capability(DEVICE, DEVICE_PART, kind.configBytes());
        }
        int notify = capability(NOTIFY, NOTIFY_PART, NOTIFY_MULTIPLIER * queueCount);
        config.init(notify + MORE, Width.DWORD, NOTIFY_MULTIPLIER);
        pciAccess = capability(PCI, 0, 0);
        config.allowWrites(pciAccess + BAR, Width.BYTE, 0xff);
        config.allowWrites(pciAccess + OFFSET, Width.QWORD, -1);
        config.redirect(pciAccess + MORE, Integer.BYTES, new PciAccess());
        config.onChange(this::configWritten);
        queues =
                kind.queues().stream()
                        .map(size -> new Virtqueue(context.memory(), size))
                        .toArray(Virtqueue[]::new);
        turn = context.clock().timer("turn", this::nextTurn);
        this.function = function.apply(this);
    }

    private int capability(int type, int part, int length) {
        boolean isLong = type == NOTIFY || type == PCI;
        int bytes = isLong ? LONG_CAPABILITY_BYTES : CAPABILITY_BYTES;
        int at = config.addCapability(VENDOR_SPECIFIC, bytes);
        config.init(at + CAP_LENGTH, Width.BYTE, bytes);
        config.init(at + TYPE, Width.BYTE, type);
        config.init(at + BAR, Width.BYTE, WINDOW_BAR);
        config.init(at + OFFSET, Width.DWORD, (long) part * PART);
        config.init(at + LENGTH, Width.DWORD, length);
        return at;
    }

    /**
     * Takes its place on a bus.
     *
     * @return closed when the bus goes
     */
    public Hook connect(PciBus bus) throws ConfigurationException {
        PciSlot taken = bus.attach(context, place, 0, config); // not under the lock: it maps
        synchronized (this) {
            place = taken.device();
            slot = taken;
            drivePin();
        }
        return () -> {
            synchronized (this) {
                slot = null;
            }
            taken.close();
        };
    }

    private void send(long address, int data) {
        PciSlot to = slot;
        if (to != null) {
            to.message(address, data);
        }
    }

    // VirtioTransport

    @Override
    public Object lock() {
        return this;
    }

    @Override
    public Virtqueue queue(int number) {
        return queues[number];
    }

    @Override
    public boolean isReady() {
        return (status & (DRIVER_OK | NEEDS_RESET)) == DRIVER_OK;
    }

    @Override
    public boolean has(int feature) {
        return (driverFeatures & 1L << feature) != 0;
    }

    @Override
    public void used(int queue) {
        if (queues[queue].wantsInterrupt()) {
            interrupt(ISR_QUEUE, queues[queue].vector);
        }
    }

    @Override
    public void configChanged() {
        generation = generation + 1 & 0xff;
        if ((status & DRIVER_OK) != 0) {
            interrupt(ISR_CONFIG, configVector);
        }
    }

    private void interrupt(int cause, int vector) {
        if (!msix.isEnabled()) {
            isr |= cause;
            drivePin();
        } else if (vector < msix.vectors()) {
            msix.signal(vector);
        }
    }

    private void drivePin() {
        PciSlot at = slot;
        if (at != null) {
            at.interrupt().set(isr != 0 && !msix.isEnabled());
        }
    }

    /** COMMAND may say something else now, or MSI-X. */
    private synchronized void configWritten() {
        drivePin();
        if (waiting != 0 && mayWork()) {
            turn.arm(context.clock().nanos());
        }
    }

    // Turns

    private void notify(int queue) {
        if (queue >= queues.length || !queues[queue].isEnabled()) {
            ignored.increment();
        } else if (mayWork()) {
            serve(queue);
        } else {
            waiting |= 1L << queue;
        }
    }

    private boolean mayWork() {
        return isReady() && config.isBusMaster();
    }

    private void serve(int queue) {
        Virtqueue at = queues[queue];
        boolean wasBroken = at.isBroken();
        at.begin();
        function.notified(queue);
        if (at.end()) {
            wait(queue);
        }
        if (at.isBroken() && !wasBroken) {
            brokenQueues.increment();
            status |= NEEDS_RESET;
            configChanged();
        }
    }

    private void wait(int queue) {
        waiting |= 1L << queue;
        turn.arm(context.clock().nanos());
    }

    private synchronized void nextTurn() {
        long due = waiting;
        for (int queue = 0; queue < queues.length && mayWork(); queue++) {
            if ((due & 1L << queue) != 0) {
                waiting &= ~(1L << queue);
                serve(queue);
            }
        }
    }

    // The driver

    private void writeStatus(int value) {
        if (value == 0) {
            resetDevice();
            return;
        }
        int wanted = value & ~NEEDS_RESET;
        if ((status & FEATURES_OK) == 0 && (wanted & FEATURES_OK) != 0) {
            long offered = kind.features() | OWN_FEATURES;
            boolean accepted = (driverFeatures & ~offered) == 0 && has(VERSION_1);
            wanted = accepted ? wanted : wanted & ~FEATURES_OK;
            for (Virtqueue queue : queues) {
                queue.features(has(EVENT_IDX), has(INDIRECT_DESC));
            }
        }
        if (((wanted | status) & FEATURES_OK) == 0) {
            wanted &= ~DRIVER_OK;
        }
        boolean begins = (wanted & ~status & DRIVER_OK) != 0;
        status |= wanted; // only a reset clears bits (2.1.1)
        if (begins && isReady()) {
            function.ready();
            for (int queue = 0; queue < queues.length; queue++) {
                if (queues[queue].isEnabled()) {
                    wait(queue); // drivers offer buffers before they are ready
                }
            }
        }
    }

    private void resetDevice() {
        deviceFeatureSelect = 0;
        driverFeatureSelect = 0;
        driverFeatures = 0;
        configVector = Virtqueue.NO_VECTOR;
        status = 0;
        generation = 0;
        queueSelect = 0;
        isr = 0;
        waiting = 0;
        turn.cancel();
        for (Virtqueue queue : queues) {
            queue.reset();
        }
        function.reset();
        drivePin();
    }

    /** The configuration space is reset with the bus. */
    @Override
    public synchronized void reset() {
        resetDevice();
        msix.reset();
    }

    /** Half of a 64-bit feature set; there is nothing beyond. */
    private static long half(long features, int select) {
        return select < 0 || select > 1 ? 0 : features >>> 32 * select & 0xffff_ffffL;
    }

    private long readCommon(int offset, Width width) {
        Virtqueue queue =
                queueSelect < queues.length ? queues[queueSelect] : null; // absent ones read 0
        return switch (Common.at(offset, width)) {
            case DEVICE_FEATURE_SELECT -> deviceFeatureSelect & 0xffff_ffffL;
            case DEVICE_FEATURE -> half(kind.features() | OWN_FEATURES, deviceFeatureSelect);
            case DRIVER_FEATURE_SELECT -> driverFeatureSelect & 0xffff_ffffL;
            case DRIVER_FEATURE -> half(driverFeatures, driverFeatureSelect);
            case CONFIG_MSIX_VECTOR -> configVector;
            case NUM_QUEUES -> queues.length;
            case DEVICE_STATUS -> status;
            case CONFIG_GENERATION -> generation;
            case QUEUE_SELECT -> queueSelect;
            case QUEUE_SIZE -> queue == null ? 0 : queue.size;
            case QUEUE_MSIX_VECTOR -> queue == null ? Virtqueue.NO_VECTOR : queue.vector;
            case QUEUE_ENABLE -> queue != null && queue.isEnabled() ? 1 : 0;
            case QUEUE_NOTIFY_OFF -> queue == null ? 0 : queueSelect;
            case QUEUE_DESC -> queue == null ? 0 : part(queue.descriptors, offset, width);
            case QUEUE_DRIVER -> queue == null ? 0 : part(queue.driver, offset, width);
            case QUEUE_DEVICE -> queue == null ? 0 : part(queue.device, offset, width);
            case NOTHING -> {
                ignored.increment();
                yield width.mask();
            }
        };
    }

    private void writeCommon(int offset, Width width, long value) {
        Common register = Common.at(offset, width);
        switch (register) {
            case DEVICE_FEATURE_SELECT -> deviceFeatureSelect = (int) value;
            case DRIVER_FEATURE_SELECT -> driverFeatureSelect = (int) value;
            case DRIVER_FEATURE -> {
                if ((status & FEATURES_OK) == 0 && half(-1, driverFeatureSelect) != 0) {
                    int shift = 32 * driverFeatureSelect;
                    driverFeatures = driverFeatures & ~(0xffff_ffffL << shift) | value << shift;
                }
            }
            case CONFIG_MSIX_VECTOR -> configVector = vector(value);
            case DEVICE_STATUS -> writeStatus((int) value);
            case QUEUE_SELECT -> queueSelect = (int) value;
            default -> {
                if (queueSelect >= queues.length
                        || !writeQueue(queues[queueSelect], register, offset, width, value)) {
                    ignored.increment();
                }
            }
        }
    }

    private int vector(long value) {
        return value < msix.vectors() ? (int) value : Virtqueue.NO_VECTOR;
    }

    /** False for what can't be written, or not any more: a queue that is enabled stays. */
    private boolean writeQueue(
            Virtqueue queue, Common register, int offset, Width width, long value) {
        if (register == Common.QUEUE_MSIX_VECTOR) {
            queue.vector = vector(value);
            return true;
        }
        if (queue.isEnabled()) {
            return false;
        }
        switch (register) {
            case QUEUE_SIZE -> queue.size = (int) value;
            case QUEUE_DESC -> queue.descriptors = with(queue.descriptors, offset, width, value);
            case QUEUE_DRIVER -> queue.driver = with(queue.driver, offset, width, value);
            case QUEUE_DEVICE -> queue.device = with(queue.device, offset, width, value);
            case QUEUE_ENABLE -> {
                if (value != 1) {
                    return false;
                }
                queue.enabled = true;
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static long part(long value, int offset, Width width) {
        return value >>> 8 * (offset & 4) & width.mask();
    }

    private static long with(long old, int offset, Width width, long value) {
        int shift = 8 * (offset & 4);
        return old & ~(width.mask() << shift) | value << shift;
    }

    /** Registers of the common configuration (4.1.4.3), to be used in their own width. */
    private enum Common {
        DEVICE_FEATURE_SELECT(0x00, 4),
        DEVICE_FEATURE(0x04, 4),
        DRIVER_FEATURE_SELECT(0x08, 4),
        DRIVER_FEATURE(0x0c, 4),
        CONFIG_MSIX_VECTOR(0x10, 2),
        NUM_QUEUES(0x12, 2),
        DEVICE_STATUS(0x14, 1),
        CONFIG_GENERATION(0x15, 1),
        QUEUE_SELECT(0x16, 2),
        QUEUE_SIZE(0x18, 2),
        QUEUE_MSIX_VECTOR(0x1a, 2),
        QUEUE_ENABLE(0x1c, 2),
        QUEUE_NOTIFY_OFF(0x1e, 2),
        QUEUE_DESC(0x20, 8),
        QUEUE_DRIVER(0x28, 8),
        QUEUE_DEVICE(0x30, 8),
        NOTHING(PART, 0);

        private static final Common[] BY_OFFSET = new Common[PART];

        static {
            java.util.Arrays.fill(BY_OFFSET, NOTHING);
            for (Common register : values()) {
                for (int i = 0; i < register.bytes; i += Integer.BYTES) {
                    BY_OFFSET[register.offset + i] = register;
                }
            }
        }

        private final int offset;
        private final int bytes;

        Common(int offset, int bytes) {
            this.offset = offset;
            this.bytes = bytes;
        }

        /** Registers of 64 bits are used in one piece or as two halves. */
        static Common at(int offset, Width width) {
            Common register = BY_OFFSET[offset];
            boolean whole = width.bytes() == register.bytes && offset == register.offset;
            boolean half = width == Width.DWORD && register.bytes == Long.BYTES;
            return whole || half ? register : NOTHING;
        }
    }

    /** The window. */
    private final class Registers implements BusDevice {
        @Override
        public long read(long offset, Width width) {
            int at = (int) offset & PART - 1;
            synchronized (VirtioPci.this) {
                return switch ((int) offset >> PART_SHIFT) {
                    case COMMON_PART -> readCommon(at, width);
                    case ISR_PART -> at == 0 ? readIsr() : 0;
                    case DEVICE_PART -> readConfig(at, width);
                    default -> 0; // notifications are written only
                };
            }
        }

        @Override
        public void write(long offset, Width width, long value) {
            int at = (int) offset & PART - 1;
            synchronized (VirtioPci.this) {
                switch ((int) offset >> PART_SHIFT) {
                    case COMMON_PART -> writeCommon(at, width, value);
                    case DEVICE_PART -> writeConfig(at, width, value);
                    case NOTIFY_PART -> VirtioPci.this.notify(at / NOTIFY_MULTIPLIER);
                    default -> ignored.increment();
                }
            }
        }

        private long readIsr() {
            int old = isr;
            isr = 0;
            drivePin();
            return old;
        }

        private long readConfig(int offset, Width width) {
            long value = 0;
            for (int i = 0; i < width.bytes(); i++) {
                boolean there = offset + i < kind.configBytes();
                long octet = there ? function.readConfig(offset + i) & 0xff : 0xff;
                value |= octet << 8 * i;
            }
            return value;
        }

        private void writeConfig(int offset, Width width, long value) {
            for (int i = 0; i < width.bytes() && offset + i < kind.configBytes(); i++) {
                function.writeConfig(offset + i, (int) (value >>> 8 * i) & 0xff);
            }
        }
    }

    /** The way to the windows through configuration space (4.1.4.9). */
    private final class PciAccess implements BusDevice {
        @Override
        public long read(long offset, Width width) {
            BusDevice window = window();
            int at = (int) config.get(pciAccess + OFFSET, Width.DWORD);
            return window == null ? width.mask() : window.read(at, accessWidth());
        }

        @Override
        public void write(long offset, Width width, long value) {
            BusDevice window = window();
            int at = (int) config.get(pciAccess + OFFSET, Width.DWORD);
            if (window != null) {
                Width wanted = accessWidth();
                window.write(at, wanted, value & wanted.mask());
            }
        }

        private Width accessWidth() {
            return Width.of((int) config.get(pciAccess + LENGTH, Width.DWORD));
        }

        /** What the capability leads to, if it lies in a window, in 1, 2 or 4 aligned bytes. */
        private @Nullable BusDevice window() {
            long bar = config.get(pciAccess + BAR, Width.BYTE);
            long at = config.get(pciAccess + OFFSET, Width.DWORD);
            long length = config.get(pciAccess + LENGTH, Width.DWORD);
            if (length != 1 && length != 2 && length != 4 || at % length != 0) {
                return null;
            }
            for (Bar one : bars) {
                if (one.index() == bar && at < one.bytes()) {
                    return one.registers();
                }
            }
            return null;
        }
    }

    // State

    @Override
    public synchronized SavedState save() {
        return new SavedState("virtio-pci", 1)
                .put("kind", kind.id())
                .put("place", place)
                .put("config", config.save())
                .put("msix", msix.save())
                .put("device-feature-select", deviceFeatureSelect)
                .put("driver-feature-select", driverFeatureSelect)
                .put("driver-features", driverFeatures)
                .put("config-vector", configVector)
                .put("status", status)
                .put("generation", generation)
                .put("queue-select", queueSelect)
                .put("isr", isr)
                .put("waiting", waiting)
                .put("queues", Stream.of(queues).map(Virtqueue::save).toList())
                .put("function", function.save());
    }

    @Override
    public void restore(SavedState state) {
        PciSlot here;
        synchronized (this) {
            state.require("virtio-pci", 1);
            List<SavedState> saved = state.getList("queues", SavedState.class);
            if (state.getInt("kind") != kind.id() || saved.size() != queues.length) {
                throw new IncompatibleStateException(
                        "saved state is of virtio device %d with %d queues, wanted %d with %d"
                                .formatted(
                                        state.getInt("kind"),
                                        saved.size(),
                                        kind.id(),
                                        queues.length));
            }
            restorePlace(state.getInt("place"));
            deviceFeatureSelect = state.getInt("device-feature-select");
            driverFeatureSelect = state.getInt("driver-feature-select");
            driverFeatures = state.getLong("driver-features");
            configVector = state.getInt("config-vector") & 0xffff;
            status = state.getInt("status") & 0xff;
            generation = state.getInt("generation") & 0xff;
            queueSelect = state.getInt("queue-select") & 0xffff;
            isr = state.getInt("isr");
            waiting = state.getLong("waiting");
            for (int i = 0; i < queues.length; i++) {
                queues[i].restore(saved.get(i));
            }
            function.restore(state.getState("function"));
            msix.restore(state.getState("msix"));
            here = slot;
        }
        config.restore(state.getState("config")); // drives the pin, and sends what pends
        if (here != null) {
            here.remap(); // not under the lock, which comes after the bus's
        }
        if (waiting != 0) {
            turn.arm(context.clock().nanos());
        } else {
            turn.cancel();
        }
    }

    private void restorePlace(int saved) {
        if (slot == null) {
            place = saved;
        } else if (saved != place) {
            throw new IncompatibleStateException(
                    "it was device %d of the PCI bus and is %d here; give it slot=%d"
                            .formatted(saved, place, saved));
        }
    }

    /** What another part may still hold of it does nothing any more. */
    @Override
    public synchronized void close() {
        status = 0;
        turn.close();
    }
}
