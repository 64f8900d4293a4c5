package org.alcazar.devices.apic;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.InterruptSource;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.testkit.device.FakeDeviceContext;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.Random;
import java.util.Set;

class ApicContractTest extends DeviceContractTest {
    /** Off, xAPIC mode here and elsewhere, x2APIC mode. */
    private static final long[] BASES = {
        0xfee0_0000L, 0xfee0_0800L, 0xfee0_0800L, 0xd000_0800L, 0xfee0_0c00L, 0xfee0_0c00L
    };

    @Override
    protected DeviceType type() {
        return new ApicComponent();
    }

    /** The processor priority follows from TPR and ISR. */
    @Override
    protected Set<String> derived() {
        return Set.of("LocalApic.ppr");
    }

    @Override
    protected void world(FakeDeviceContext context, Random random) {
        InterruptSource core = context.vcores().get(random.nextInt(2)).block().interrupts;
        switch (random.nextInt(4)) {
            case 0 -> core.coreRegister(X86.APIC_BASE, BASES[random.nextInt(BASES.length)]);
            case 1 -> core.coreRegister(X86.TSC_OFFSET, random.nextInt());
            case 2 -> core.initialised();
            default -> message(context, random);
        }
    }

    private static void message(FakeDeviceContext context, Random random) {
        context.find(ApicBus.class)
                .orElseThrow()
                .deliver(
                        random.nextInt(0x100),
                        random.nextBoolean(),
                        random.nextInt(8),
                        random.nextInt(0x100),
                        random.nextBoolean());
    }
}
