package org.alcazar.loaders;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.platforms.pc.api.AcpiTables;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.osgi.service.component.annotations.Component;

import java.util.List;
import java.util.OptionalLong;

/**
 * ELF kernels. With a PVH note (Xen's {@code XEN_ELFNOTE_PHYS32_ENTRY}) by the PVH start protocol:
 * 32-bit entry, EBX at {@code hvm_start_info}. Others are entered at their entry point: 64-bit
 * files in 64-bit mode with the first 4 GiB mapped to themselves, 32-bit ones in protected mode.
 */
@Component(service = GuestLoader.class)
@AlcazarType("elf")
public final class ElfLoader implements GuestLoader {
    private static final int PHYS32_ENTRY = 18;
    private static final int START_MAGIC = 0x336ec578;

    /** Within the page at {@link Placement#INFO}: start info, module list, memory map. */
    private static final long MODULES = Placement.INFO + 0x40;

    private static final int MODULE_BYTES = 32;
    private static final int MODULES_MAX = 16;
    private static final long MEMORY_MAP = MODULES + MODULES_MAX * MODULE_BYTES;
    private static final int MAP_ENTRY_BYTES = 24;

    @Override
    public String name() {
        return "elf";
    }

    @Override
    public String description() {
        return "ELF kernels, by the PVH protocol or at their entry point";
    }

    @Override
    public int recognises(Image image) {
        return ElfImage.isElf(image) ? 50 : 0;
    }

    @Override
    public void load(Boot boot) throws ConfigurationException {
        ElfImage elf = new ElfImage(boot.kernel());
        elf.requireKernel();
        long end = elf.load(boot.memory());
        OptionalLong pvh = elf.note("Xen", PHYS32_ENTRY);
        EntryState state = new EntryState(boot.cores());
        if (pvh.isPresent()) {
            startInfo(boot, end);
            state.protectedMode(boot.memory(), pvh.getAsLong() & 0xffff_ffffL);
            state.general(X86.RBX, Placement.INFO);
        } else if (elf.is64Bit()) {
            state.longMode(boot.memory(), elf.physicalEntry());
        } else {
            state.protectedMode(boot.memory(), elf.physicalEntry());
        }
    }

    /** {@code struct hvm_start_info} version 1 (Xen's public/arch-x86/hvm/start_info.h). */
    private static void startInfo(Boot boot, long end) throws ConfigurationException {
        GuestMemory memory = boot.memory();
        long info = Placement.INFO;
        memory.fill(info, Placement.PAGE, 0);
        memory.writeInt(info, START_MAGIC);
        memory.writeInt(info + 4, 1);
        List<Image> modules = Modules.all(boot);
        if (modules.size() > MODULES_MAX) {
            throw new ConfigurationException(
                    "PVH: " + modules.size() + " modules; at most " + MODULES_MAX + " fit");
        }
        memory.writeInt(info + 12, modules.size());
        memory.writeLong(info + 16, modules.isEmpty() ? 0 : MODULES);
        long at = end;
        for (int i = 0; i < modules.size(); i++) {
            at = Modules.place(boot, modules.get(i), at);
            memory.writeLong(MODULES + (long) i * MODULE_BYTES, at);
            memory.writeLong(MODULES + (long) i * MODULE_BYTES + 8, modules.get(i).size());
            at += modules.get(i).size();
        }
        memory.writeLong(info + 24, Placement.commandLine(boot, Placement.COMMAND_LINE_MAX - 1));
        boot.find(AcpiTables.class)
                .ifPresent(acpi -> memory.writeLong(info + 32, acpi.rootPointer()));
        List<MemoryRange> map = boot.memoryMap();
        Placement.requireRoom("PVH", map, (info + Placement.PAGE - MEMORY_MAP) / MAP_ENTRY_BYTES);
        memory.writeLong(info + 40, MEMORY_MAP);
        memory.writeInt(info + 48, map.size());
        for (int i = 0; i < map.size(); i++) {
            long entry = MEMORY_MAP + (long) i * MAP_ENTRY_BYTES;
            memory.writeLong(entry, map.get(i).start());
            memory.writeLong(entry + 8, map.get(i).bytes());
            memory.writeInt(entry + 16, map.get(i).kind().number());
        }
    }
}
