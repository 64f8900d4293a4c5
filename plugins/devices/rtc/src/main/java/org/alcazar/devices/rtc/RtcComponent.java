package org.alcazar.devices.rtc;

import org.alcazar.platforms.pc.api.Cmos;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the device type {@code rtc}. */
@Component(service = DeviceType.class)
@AlcazarType("rtc")
public final class RtcComponent implements DeviceType {
    @Override
    public String name() {
        return "rtc";
    }

    @Override
    public String description() {
        return "MC146818 real-time clock with CMOS memory";
    }

    @Override
    public Schema configuration() {
        return RtcConfig.SCHEMA;
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        RtcConfig config = RtcConfig.of(settings);
        Rtc rtc = new Rtc(context.clock(), context.interruptLine(config.irq()));
        BiosData.write(rtc, context.memoryMap());
        context.hookPorts(config.base(), Rtc.PORTS, rtc);
        context.provide(Cmos.class, rtc);
        return rtc;
    }
}
