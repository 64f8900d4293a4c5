package org.alcazar.loaders;

import static org.alcazar.loaders.Placement.u32;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;
import org.osgi.service.component.annotations.Component;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Kernels by the Multiboot Specification 0.6.96: 32-bit ELF, or any file with the address fields.
 * Video modes are not set.
 */
@Component(service = GuestLoader.class)
@AlcazarType("multiboot")
public final class MultibootLoader implements GuestLoader {
    private static final int HEADER_MAGIC = 0x1badb002;
    private static final int BOOT_MAGIC = 0x2badb002;

    /** The header lies whole within so many bytes, on a multiple of 4. */
    private static final int SEARCH = 8192;

    /** Header flags: what loaders must know, and the one with load addresses. */
    private static final int PAGE_ALIGN = 1;

    private static final int MEMORY_INFO = 1 << 1;
    private static final int VIDEO = 1 << 2;
    private static final int REQUIREMENTS = 0xffff;
    private static final int ADDRESSES = 1 << 16;

    /**
     * Flags of the information structure: memory, command line, modules, memory map, loader name.
     */
    private static final int INFO_FLAGS = 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9;

    private static final long MODULES = Placement.INFO + 0x100;
    private static final int MODULES_MAX = 32;
    private static final long MEMORY_MAP = MODULES + MODULES_MAX * 16;
    private static final int MAP_ENTRY_BYTES = 24;
    private static final long LOADER_NAME = Placement.INFO + 0xf00;
    private static final long MIB = 1L << 20;

    @Override
    public String name() {
        return "multiboot";
    }

    @Override
    public String description() {
        return "kernels by the Multiboot 1 specification, with modules";
    }

    @Override
    public int recognises(Image image) {
        return header(image) >= 0 ? 80 : 0;
    }

    /** Position of a header with the right checksum, or -1. */
    private static long header(Image image) {
        for (long at = 0; at + 12 <= Math.min(SEARCH, image.size()); at += 4) {
            if (u32(image, at) == HEADER_MAGIC
                    && (int) (u32(image, at) + u32(image, at + 4) + u32(image, at + 8)) == 0) {
                return at;
            }
        }
        return -1;
    }

    @Override
    public void load(Boot boot) throws ConfigurationException {
        Image kernel = boot.kernel();
        long header = header(kernel);
        int flags = (int) u32(kernel, header + 4);
        int unknown = flags & REQUIREMENTS & ~(PAGE_ALIGN | MEMORY_INFO | VIDEO);
        if (unknown != 0) {
            throw new ConfigurationException(
                    "%s asks for multiboot features 0x%x that are not known; known are 0x7"
                            .formatted(kernel.name(), unknown));
        }
        long end;
        long entry;
        if ((flags & ADDRESSES) != 0) {
            end = loadByAddresses(boot, header);
            entry = u32(kernel, header + 28);
        } else {
            ElfImage elf = new ElfImage(kernel);
            if (elf.is64Bit()) {
                throw new ConfigurationException(
                        kernel.name()
                                + " is a 64-bit ELF file; multiboot 1 takes 32-bit ones or the header's address fields");
            }
            end = elf.load(boot.memory());
            entry = elf.physicalEntry();
        }
        information(boot, end);
        new EntryState(boot.cores())
                .protectedMode(boot.memory(), entry)
                .general(X86.RAX, BOOT_MAGIC)
                .general(X86.RBX, Placement.INFO);
    }

    private static long loadByAddresses(Boot boot, long header) throws ConfigurationException {
        Image kernel = boot.kernel();
        long headerAddress = u32(kernel, header + 12);
        long load = u32(kernel, header + 16);
        long loadEnd = u32(kernel, header + 20);
        long bssEnd = u32(kernel, header + 24);
        long position = header - (headerAddress - load);
        if (position < 0 || loadEnd != 0 && loadEnd < load) {
            throw new ConfigurationException(
                    kernel.name()
                            + " has a multiboot header whose addresses contradict each other");
        }
        long bytes = loadEnd == 0 ? kernel.size() - position : loadEnd - load;
        long end = load + bytes;
        Placement.requireFree(boot.memory(), kernel, load, Math.max(end, bssEnd) - load);
        Placement.copy(boot.memory(), kernel, position, load, bytes);
        if (bssEnd > end) {
            boot.memory().fill(end, bssEnd - end, 0);
            end = bssEnd;
        }
        return end;
    }

    private static void information(Boot boot, long end) throws ConfigurationException {
        GuestMemory memory = boot.memory();
        long info = Placement.INFO;
        memory.fill(info, Placement.PAGE, 0);
        memory.writeInt(info, INFO_FLAGS);
        for (MemoryRange range : boot.memoryMap()) {
            if (range.kind() == RangeKind.RAM && range.start() == 0) {
                memory.writeInt(info + 4, (int) (Math.min(range.bytes(), 640 << 10) >> 10));
            } else if (range.kind() == RangeKind.RAM && range.start() == MIB) {
                memory.writeInt(info + 8, (int) (range.bytes() >> 10));
            }
        }
        String line =
                boot.kernel().name()
                        + (boot.commandLine().isEmpty() ? "" : " ")
                        + boot.commandLine();
        if (bytes(line) > Placement.COMMAND_LINE_MAX) {
            throw new ConfigurationException(
                    "append: the command line has %d bytes with the kernel's name, multiboot takes %d at most"
                            .formatted(bytes(line) - 1, Placement.COMMAND_LINE_MAX - 1));
        }
        Placement.text(memory, Placement.COMMAND_LINE, line);
        memory.writeInt(info + 16, (int) Placement.COMMAND_LINE);
        modules(boot, end, Placement.COMMAND_LINE + bytes(line));
        memoryMap(boot);
        Placement.text(memory, LOADER_NAME, "Alcazar");
        memory.writeInt(info + 64, (int) LOADER_NAME);
    }

    private static void modules(Boot boot, long end, long text) throws ConfigurationException {
        GuestMemory memory = boot.memory();
        List<Image> modules = Modules.all(boot);
        long names = text;
        for (Image module : modules) {
            names += bytes(module.name());
        }
        if (modules.size() > MODULES_MAX || names > Placement.LOW_END) {
            throw new ConfigurationException(
                    "multiboot: at most %d modules and 64 KiB of command lines fit"
                            .formatted(MODULES_MAX));
        }
        memory.writeInt(Placement.INFO + 20, modules.size());
        memory.writeInt(Placement.INFO + 24, (int) MODULES);
        long at = end;
        long name = text;
        for (int i = 0; i < modules.size(); i++) {
            Image module = modules.get(i);
            at = Modules.place(boot, module, at);
            Placement.text(memory, name, module.name());
            memory.writeInt(MODULES + i * 16L, (int) at);
            memory.writeInt(MODULES + i * 16L + 4, (int) (at + module.size()));
            memory.writeInt(MODULES + i * 16L + 8, (int) name);
            at += module.size();
            name += bytes(module.name());
        }
    }

    private static void memoryMap(Boot boot) throws ConfigurationException {
        GuestMemory memory = boot.memory();
        List<MemoryRange> map = boot.memoryMap();
        Placement.requireRoom("multiboot", map, (LOADER_NAME - MEMORY_MAP) / MAP_ENTRY_BYTES);
        memory.writeInt(Placement.INFO + 44, map.size() * MAP_ENTRY_BYTES);
        memory.writeInt(Placement.INFO + 48, (int) MEMORY_MAP);
        for (int i = 0; i < map.size(); i++) {
            long entry = MEMORY_MAP + (long) i * MAP_ENTRY_BYTES;
            memory.writeInt(entry, 20);
            memory.writeLong(entry + 4, map.get(i).start());
            memory.writeLong(entry + 12, map.get(i).bytes());
            memory.writeInt(entry + 20, map.get(i).kind().number());
        }
    }

    /** Bytes of a text with its zero. */
    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length + 1;
    }
}
