package org.alcazar.devices.apic;

import org.alcazar.machine.InterruptSource;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.platforms.pc.api.LegacyPic;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

import java.util.Optional;

/** Registers the device type {@code apic}. */
@Component(service = DeviceType.class)
@AlcazarType("apic")
public final class ApicComponent implements DeviceType {
    @Override
    public String name() {
        return "apic";
    }

    @Override
    public String description() {
        return "a local APIC for each vcore";
    }

    @Override
    public Schema configuration() {
        return ApicConfig.SCHEMA;
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        ApicConfig config = ApicConfig.of(settings);
        PicPins pic = new PicPins();
        Apics apics = new Apics();
        for (Vcore core : context.vcores()) {
            LocalApic apic =
                    new LocalApic(
                            core.index(),
                            core,
                            context.clock().on(core),
                            pic,
                            apics,
                            config.virtualWire() && core.index() == 0);
            apics.add(apic);
            context.interruptSource(core, apic);
        }
        Windows windows = new Windows(apics, context::hookMemory);
        windows.open();
        apics.show(windows);
        context.hookRegisters(Registers.X2APIC_MSR, Registers.X2APIC_MSRS, apics.wideRegisters());
        context.hookRegisters(Registers.TSC_DEADLINE_MSR, 1, apics.deadline());
        context.connect(LegacyPic.class, offered -> pic.connect(offered, apics));
        context.provide(ApicBus.class, apics);
        return apics;
    }

    /** The way to the PIC, if there is one. */
    private static final class PicPins implements LocalApic.ExternalInterrupts {
        private volatile Optional<LegacyPic> pic = Optional.empty();

        Hook connect(LegacyPic to, Apics apics) {
            pic = Optional.of(to);
            Hook outputs = apics.connect(to);
            return () -> {
                outputs.close();
                pic = Optional.empty();
            };
        }

        @Override
        public int acknowledge() {
            Optional<LegacyPic> now = pic;
            return now.isPresent() && now.get().pending()
                    ? now.get().acknowledge()
                    : InterruptSource.NONE;
        }

        @Override
        public boolean floatError(boolean pending) {
            Optional<LegacyPic> now = pic;
            return now.isEmpty() || now.get().floatError(pending);
        }
    }
}
