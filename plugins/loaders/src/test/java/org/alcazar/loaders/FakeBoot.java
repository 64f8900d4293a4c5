package org.alcazar.loaders;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.ControlBlock;
import org.alcazar.platforms.pc.api.AcpiTables;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.plugin.GuestLoader.Boot;
import org.alcazar.vmm.plugin.GuestLoader.Image;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A PC of 64 MiB as a loader sees it, with a core whose registers are all wrong. */
final class FakeBoot implements Boot {
    static final long MIB = 1L << 20;

    /** RAM below and above the hole of a PC, ACPI tables at its end. */
    static final List<MemoryRange> PC =
            List.of(
                    new MemoryRange(0, 0x9fc00, RangeKind.RAM),
                    new MemoryRange(0x9fc00, 0x400, RangeKind.RESERVED),
                    new MemoryRange(0xe0000, 0x20000, RangeKind.RESERVED),
                    new MemoryRange(MIB, 62 * MIB, RangeKind.RAM),
                    new MemoryRange(63 * MIB, MIB, RangeKind.ACPI));

    final FakeMemory memory = new FakeMemory();
    final ControlBlock core = new ControlBlock(X86.ARCHITECTURE);
    final ControlBlock other = new ControlBlock(X86.ARCHITECTURE);
    private final Image kernel;
    private final List<Image> modules = new ArrayList<>();
    private Optional<Image> initrd = Optional.empty();
    private Optional<Long> address = Optional.empty();
    private Optional<AcpiTables> acpi = Optional.empty();
    private List<MemoryRange> map = PC;
    private String commandLine = "";

    FakeBoot(byte[] kernel) {
        this.kernel = new Bytes("guest.img", kernel);
        memory.ram(0, 0xa0000).ram(0xe0000, 0x20000).ram(MIB, 63 * MIB);
        for (int group = 0; group < X86.ARCHITECTURE.groups().size(); group++) {
            java.util.Arrays.fill(core.group(group), 0x5a5a);
        }
    }

    FakeBoot initrd(byte[] bytes) {
        initrd = Optional.of(new Bytes("initrd.gz", bytes));
        return this;
    }

    FakeBoot module(String commandLine, byte[] bytes) {
        modules.add(new Bytes(commandLine, bytes));
        return this;
    }

    FakeBoot append(String text) {
        commandLine = text;
        return this;
    }

    FakeBoot at(long where) {
        address = Optional.of(where);
        return this;
    }

    FakeBoot acpi(long rootPointer) {
        acpi = Optional.of(() -> rootPointer);
        return this;
    }

    FakeBoot map(List<MemoryRange> ranges) {
        map = ranges;
        return this;
    }

    long general(int register) {
        return core.group(X86.GENERAL)[register];
    }

    long control(int register) {
        return core.group(X86.CONTROL)[register];
    }

    long segment(int segment, int part) {
        return core.group(X86.SEGMENTS)[4 * segment + part];
    }

    @Override
    public Image kernel() {
        return kernel;
    }

    @Override
    public Optional<Image> initrd() {
        return initrd;
    }

    @Override
    public List<Image> modules() {
        return modules;
    }

    @Override
    public String commandLine() {
        return commandLine;
    }

    @Override
    public Optional<Long> address() {
        return address;
    }

    @Override
    public GuestMemory memory() {
        return memory;
    }

    @Override
    public List<MemoryRange> memoryMap() {
        return map;
    }

    @Override
    public List<ControlBlock> cores() {
        return List.of(core, other);
    }

    @Override
    public <T> Optional<T> find(Class<T> role) {
        return role == AcpiTables.class ? acpi.map(role::cast) : Optional.empty();
    }

    /** A file. */
    record Bytes(String name, byte[] bytes) implements Image {
        @Override
        public long size() {
            return bytes.length;
        }

        @Override
        public void read(long position, byte[] into, int offset, int length) {
            for (int i = 0; i < length; i++) {
                long at = position + i;
                into[offset + i] = at >= 0 && at < bytes.length ? bytes[(int) at] : 0;
            }
        }
    }
}
