package org.alcazar.devices.pic8259;

import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Requests;
import org.alcazar.platforms.pc.api.LegacyPic;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the device type {@code pic8259}. */
@Component(service = DeviceType.class)
@AlcazarType("pic8259")
public final class Pic8259Component implements DeviceType {
    @Override
    public String name() {
        return "pic8259";
    }

    @Override
    public String description() {
        return "the two 8259A interrupt controllers of a PC";
    }

    @Override
    public Schema configuration() {
        return Pic8259Config.SCHEMA;
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        PicPair pics = new PicPair(Pic8259Config.of(settings).elcr());
        context.hookPorts(0x20, 2, pics.ports(false));
        context.hookPorts(0xa0, 2, pics.ports(true));
        context.hookPorts(0x4d0, 2, pics.edgeLevelControl());
        context.hookPorts(0xf0, 2, pics.floatErrorPort());
        for (int i = 0; i < PicPair.INPUTS; i++) {
            if (i != PicPair.CASCADE) {
                context.interruptInput(i, pics.input(i));
            }
        }
        context.provide(LegacyPic.class, pics);
        // The boot core's interrupt pin, until a local APIC comes between.
        Vcore boot = context.vcores().getFirst();
        PicSource source = new PicSource(pics, boot);
        context.interruptSource(boot, source);
        pics.addOutput(source::pin);
        return pics;
    }

    /** The pair wired straight to a core. */
    private record PicSource(PicPair pics, Vcore core) implements InterruptSource {
        void pin(boolean level) {
            if (level) {
                core.post(Requests.INTERRUPT);
            }
        }

        @Override
        public int acknowledge() {
            return pics.pending() ? pics.acknowledge() : NONE;
        }

        @Override
        public boolean floatError(boolean pending) {
            return pics.floatError(pending);
        }
    }
}
