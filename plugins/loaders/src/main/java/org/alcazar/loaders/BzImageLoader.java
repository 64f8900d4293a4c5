package org.alcazar.loaders;

import static org.alcazar.loaders.Placement.u16;
import static org.alcazar.loaders.Placement.u32;
import static org.alcazar.loaders.Placement.u64;
import static org.alcazar.loaders.Placement.u8;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.platforms.pc.api.AcpiTables;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.osgi.service.component.annotations.Component;

import java.util.List;

/**
 * Linux kernels by the x86 boot protocol (Documentation/arch/x86/boot.rst and zero-page.rst of the
 * kernel's sources), without firmware: the 64-bit entry where the kernel has one, else the 32-bit
 * entry. Needs protocol 2.06 and a kernel that loads high.
 */
@Component(service = GuestLoader.class)
@AlcazarType("bzimage")
public final class BzImageLoader implements GuestLoader {
    /** Offsets into the image's first sectors and into {@code struct boot_params} alike. */
    private static final int ACPI_RSDP_ADDR = 0x70;

    private static final int EXT_RAMDISK_IMAGE = 0xc0;
    private static final int EXT_RAMDISK_SIZE = 0xc4;
    private static final int EXT_CMD_LINE_PTR = 0xc8;
    private static final int ALT_MEM_K = 0x1e0;
    private static final int E820_ENTRIES = 0x1e8;
    private static final int SETUP_SECTS = 0x1f1;
    private static final int SYSSIZE = 0x1f4;
    private static final int JUMP = 0x200;
    private static final int HEADER = 0x202;
    private static final int VERSION = 0x206;
    private static final int TYPE_OF_LOADER = 0x210;
    private static final int LOADFLAGS = 0x211;
    private static final int CODE32_START = 0x214;
    private static final int RAMDISK_IMAGE = 0x218;
    private static final int RAMDISK_SIZE = 0x21c;
    private static final int HEAP_END_PTR = 0x224;
    private static final int CMD_LINE_PTR = 0x228;
    private static final int INITRD_ADDR_MAX = 0x22c;
    private static final int KERNEL_ALIGNMENT = 0x230;
    private static final int RELOCATABLE_KERNEL = 0x234;
    private static final int XLOADFLAGS = 0x236;
    private static final int CMDLINE_SIZE = 0x238;
    private static final int PREF_ADDRESS = 0x258;
    private static final int INIT_SIZE = 0x260;
    private static final int E820_TABLE = 0x2d0;

    private static final int E820_MAX = 128;
    private static final long HDRS = 0x53726448;
    private static final int LOADED_HIGH = 1;
    private static final int CAN_USE_HEAP = 0x80;
    private static final int XLF_KERNEL_64 = 1;
    private static final long ENTRY_64 = 0x200;
    private static final long MIB = 1L << 20;

    /** A loader without a number of its own. */
    private static final int UNDEFINED_LOADER = 0xff;

    @Override
    public String name() {
        return "bzimage";
    }

    @Override
    public String description() {
        return "Linux kernels (bzImage), by the Linux boot protocol";
    }

    @Override
    public int recognises(Image image) {
        return u32(image, HEADER) == HDRS ? 90 : 0;
    }

    @Override
    public void load(Boot boot) throws ConfigurationException {
        Image kernel = boot.kernel();
        int version = u16(kernel, VERSION);
        if (version < 0x206 || (u8(kernel, LOADFLAGS) & LOADED_HIGH) == 0) {
            throw new ConfigurationException(
                    "%s uses Linux boot protocol %d.%02d or loads low; wanted is 2.06 or newer, loaded high"
                            .formatted(kernel.name(), version >> 8, version & 0xff));
        }
        int sectors = u8(kernel, SETUP_SECTS);
        long setup = ((sectors == 0 ? 4 : sectors) + 1) * 512L;
        long bytes = u32(kernel, SYSSIZE) * 16;
        if (kernel.size() < setup || kernel.size() - setup < bytes - 15) {
            throw new ConfigurationException(
                    "%s is truncated: it has %d bytes, its header speaks of %d"
                            .formatted(kernel.name(), kernel.size(), setup + bytes));
        }
        bytes = Math.min(bytes, kernel.size() - setup);
        long address = loadAddress(kernel, version);
        long needed = Math.max(bytes, version >= 0x20a ? u32(kernel, INIT_SIZE) : bytes);
        Placement.requireFree(boot.memory(), kernel, address, needed);
        Placement.copy(boot.memory(), kernel, setup, address, bytes);
        zeroPage(boot, address, address + needed);
        enter(boot, version, address);
    }

    /** Where the kernel would like to be, which spares it from moving itself. */
    private static long loadAddress(Image kernel, int version) {
        if (version >= 0x20a) {
            return u64(kernel, PREF_ADDRESS);
        }
        long alignment = u32(kernel, KERNEL_ALIGNMENT);
        return u8(kernel, RELOCATABLE_KERNEL) != 0 && Long.bitCount(alignment) == 1
                ? Placement.alignUp(MIB, alignment)
                : MIB;
    }

    private static void zeroPage(Boot boot, long address, long end) throws ConfigurationException {
        Image kernel = boot.kernel();
        GuestMemory memory = boot.memory();
        long page = Placement.INFO;
        memory.fill(page, Placement.PAGE, 0);
        int headerEnd = HEADER + u8(kernel, JUMP + 1);
        Placement.copy(memory, kernel, SETUP_SECTS, page + SETUP_SECTS, headerEnd - SETUP_SECTS);
        memory.writeByte(page + TYPE_OF_LOADER, UNDEFINED_LOADER);
        memory.writeByte(page + LOADFLAGS, u8(kernel, LOADFLAGS) | CAN_USE_HEAP);
        memory.writeShort(page + HEAP_END_PTR, 0xfe00);
        memory.writeInt(page + CODE32_START, (int) address);
        long line = Placement.commandLine(boot, u32(kernel, CMDLINE_SIZE));
        memory.writeInt(page + CMD_LINE_PTR, (int) line);
        memory.writeInt(page + EXT_CMD_LINE_PTR, (int) (line >>> 32));
        memory.writeInt(page + RAMDISK_IMAGE, 0);
        memory.writeInt(page + RAMDISK_SIZE, 0);
        if (boot.initrd().isPresent()) {
            initrd(boot, boot.initrd().get(), end);
        }
        boot.find(AcpiTables.class)
                .ifPresent(acpi -> memory.writeLong(page + ACPI_RSDP_ADDR, acpi.rootPointer()));
        e820(boot, page);
    }

    private static void initrd(Boot boot, Image initrd, long floor) throws ConfigurationException {
        long limit = (u32(boot.kernel(), INITRD_ADDR_MAX) & 0xffff_ffffL) + 1;
        long at = Placement.highest(boot, initrd, initrd.size(), floor, limit);
        Placement.copy(boot.memory(), initrd, 0, at, initrd.size());
        long page = Placement.INFO;
        boot.memory().writeInt(page + RAMDISK_IMAGE, (int) at);
        boot.memory().writeInt(page + RAMDISK_SIZE, (int) initrd.size());
        boot.memory().writeInt(page + EXT_RAMDISK_IMAGE, (int) (at >>> 32));
        boot.memory().writeInt(page + EXT_RAMDISK_SIZE, (int) (initrd.size() >>> 32));
    }

    private static void e820(Boot boot, long page) {
        GuestMemory memory = boot.memory();
        List<MemoryRange> map = boot.memoryMap();
        int entries = Math.min(map.size(), E820_MAX);
        for (int i = 0; i < entries; i++) {
            long entry = page + E820_TABLE + i * 20L;
            memory.writeLong(entry, map.get(i).start());
            memory.writeLong(entry + 8, map.get(i).bytes());
            memory.writeInt(entry + 16, map.get(i).kind().number());
            if (map.get(i).start() == MIB) {
                memory.writeInt(
                        page + ALT_MEM_K, (int) Math.min(map.get(i).bytes() >> 10, 0xffff_ffffL));
            }
        }
        memory.writeByte(page + E820_ENTRIES, entries);
    }

    private static void enter(Boot boot, int version, long address) {
        EntryState state = new EntryState(boot.cores());
        boolean entry64 = version >= 0x20c && (u16(boot.kernel(), XLOADFLAGS) & XLF_KERNEL_64) != 0;
        if (entry64) {
            state.longMode(boot.memory(), address + ENTRY_64);
        } else {
            state.protectedMode(boot.memory(), address);
        }
        state.general(X86.RSI, Placement.INFO).general(X86.RBP, 0).general(X86.RDI, 0);
        state.general(X86.RBX, 0);
    }
}
