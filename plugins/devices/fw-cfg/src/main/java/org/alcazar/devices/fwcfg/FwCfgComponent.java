package org.alcazar.devices.fwcfg;

import org.alcazar.platforms.pc.api.FirmwareConfig;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Registers the device type {@code fw-cfg} and fills in what firmware asks of every PC. */
@Component(service = DeviceType.class)
@AlcazarType("fw-cfg")
public final class FwCfgComponent implements DeviceType {
    private static final int BASE = 0x510;
    private static final long FOUR_GIB = 4L << 30;

    @Override
    public String name() {
        return "fw-cfg";
    }

    @Override
    public String description() {
        return "firmware configuration device, as QEMU has it";
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        FwCfg device = new FwCfg(context.memory(), context.counter("dma-errors"));
        context.hookPorts(BASE, FwCfg.PORTS, device);
        context.provide(FirmwareConfig.class, device);
        device.setItem(FwCfg.RAM_SIZE, number(lowRam(context.memoryMap()), 8));
        device.setItem(FwCfg.NB_CPUS, number(context.vcores().size(), 2));
        device.addFile("etc/e820", e820(context.memoryMap()));
        return device;
    }

    /** RAM below 4 GiB as firmware counts it: up to its end, holes included. */
    private static long lowRam(List<MemoryRange> map) {
        return map.stream()
                .filter(range -> range.start() < FOUR_GIB)
                .mapToLong(range -> range.start() + range.bytes())
                .max()
                .orElse(0);
    }

    /** Start, length and type of each range, as e820 entries of 20 bytes. */
    private static byte[] e820(List<MemoryRange> map) {
        ByteBuffer table = ByteBuffer.allocate(map.size() * 20).order(ByteOrder.LITTLE_ENDIAN);
        for (MemoryRange range : map) {
            RangeKind kind = range.kind();
            table.putLong(range.start()).putLong(range.bytes()).putInt(kind.number());
        }
        return table.array();
    }

    private static byte[] number(long value, int bytes) {
        byte[] out = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            out[i] = (byte) (value >>> 8 * i);
        }
        return out;
    }
}
