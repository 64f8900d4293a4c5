package org.alcazar.paging.shadow;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;
import org.alcazar.testkit.paging.PagingStage;
import org.alcazar.vmm.plugin.PagingModeType.PagingContext;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** A guest's memory, a device that holds a table, and cores that do single accesses. */
final class ModelMachine implements PagingContext, Engine {
    static final long PAGE = HostMemory.PAGE_SIZE;
    static final long LARGE = 2L << 20;

    /** A page of a device that remembers. */
    static final long DEVICE = 0x8000_0000L;

    final PagingStage stage = new PagingStage(X86.ARCHITECTURE);
    final long[] device = new long[512];
    final List<ModelCore> cores = new ArrayList<>();
    int invalidations;

    ModelMachine(int cores) {
        for (int i = 0; i < cores; i++) {
            this.cores.add(new ModelCore(this, i));
        }
    }

    /** Host memory with a place for 1 GiB in one piece, of which next to nothing is used. */
    static void reserve() {
        HostRange.reserve(() -> {
            try (FileChannel file =
                    FileChannel.open(
                            Files.createTempFile("alcazar-test", ".ram"),
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.SPARSE,
                            StandardOpenOption.DELETE_ON_CLOSE)) {
                return file.map(FileChannel.MapMode.READ_WRITE, 0, 2L << 30, Arena.global());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** Host address of a guest-physical one, or -1. */
    long host(long gpa) {
        long page = stage.map().page(gpa);
        return page < 0 ? -1 : (page & -PAGE) + (gpa & PAGE - 1);
    }

    long read(long gpa, int bytes) {
        long host = host(gpa);
        if (host >= 0) {
            return bytes == 8 ? HostRam.getLong(host) : HostRam.getInt(host) & 0xffff_ffffL;
        }
        if (gpa >= DEVICE && gpa < DEVICE + PAGE) {
            long value = device[(int) (gpa - DEVICE) / 8];
            return bytes == 8 ? value : value >>> 8 * (gpa & 4) & 0xffff_ffffL;
        }
        return -1L >>> 64 - 8 * bytes;
    }

    void write(long gpa, int bytes, long value) {
        long host = host(gpa);
        if (host >= 0) {
            if (bytes == 8) {
                RamPages.setLong(host, value);
            } else {
                RamPages.setInt(host, (int) value);
            }
        } else if (gpa >= DEVICE && gpa < DEVICE + PAGE) {
            int at = (int) (gpa - DEVICE) / 8;
            int shift = bytes == 8 ? 0 : (int) (8 * (gpa & 4));
            long mask = bytes == 8 ? -1 : 0xffff_ffffL << shift;
            device[at] = device[at] & ~mask | value << shift & mask;
        }
    }

    @Override
    public GuestPhysicalMap map() {
        return stage.map();
    }

    @Override
    public HostMemory memory() {
        return stage;
    }

    @Override
    public String owner() {
        return stage.owner();
    }

    @Override
    public Engine engine() {
        return this;
    }

    @Override
    public int cores() {
        return cores.size();
    }

    @Override
    public Architecture architecture() {
        return X86.ARCHITECTURE;
    }

    @Override
    public boolean takes(Translation translation) {
        return translation == Translation.SHADOW;
    }

    @Override
    public VirtualCore newCore(int index, ControlBlock block) {
        throw new UnsupportedOperationException("no cores here");
    }

    @Override
    public void invalidate(Scope scope, long start, long bytes) {
        invalidations++;
        cores.forEach(ModelCore::forget);
    }

    @Override
    public void close() {}
}
