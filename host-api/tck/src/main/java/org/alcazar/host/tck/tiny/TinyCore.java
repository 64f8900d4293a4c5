package org.alcazar.host.tck.tiny;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Space;
import org.alcazar.machine.Standstill;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;
import org.alcazar.machine.Width;

import java.util.Arrays;
import java.util.Map;

/** One core of the test machine: fetches, decodes and executes a word at a time. */
final class TinyCore implements VirtualCore {
    private static final int RUNNING = -1;
    private static final long PAGE = -HostMemory.PAGE_SIZE;

    private final PhysicalBus bus;
    private final ControlBlock block;
    private final Standstill.Party party;
    private final int[] r = new int[8];
    private final long[] tlb = new long[2 * Tiny.TLB_ENTRIES];
    private int pc;
    private boolean enabled;
    private boolean waiting;

    /** The last exit's reply completes the instruction at {@link #pc}. */
    private boolean completing;

    /**
     * The page that the VMM has declared to be no RAM for the instruction at {@link #pc}, or -1.
     */
    private long devicePage = -1;

    TinyCore(PhysicalBus bus, Standstill standstill, ControlBlock block) {
        this.bus = bus;
        this.block = block;
        party = standstill.join(block.requests());
    }

    /** The core stands. */
    void takeTranslations() {
        if ((block.dirty & 1L << Tiny.TLB) != 0) {
            System.arraycopy(block.group(Tiny.TLB), 0, tlb, 0, tlb.length);
            block.dirty &= ~(1L << Tiny.TLB);
        }
    }

    @Override
    public int run(ControlBlock block) {
        party.go();
        try {
            return execute(block);
        } finally {
            party.stand();
        }
    }

    private int execute(ControlBlock block) {
        load(block);
        takeReply(block);
        while (true) {
            int stop = check(block);
            if (stop == RUNNING) {
                stop = step(block);
            }
            if (stop != RUNNING) {
                block.frame().reason = stop;
                block.frame().pc = pc & 0xffff_ffffL;
                return stop;
            }
        }
    }

    private void load(ControlBlock block) {
        if ((block.dirty & 1L << Tiny.GENERAL) != 0) {
            long[] general = block.group(Tiny.GENERAL);
            for (int i = 0; i < r.length; i++) {
                r[i] = (int) general[i];
            }
            pc = (int) general[Tiny.PC];
            enabled = general[Tiny.ENABLED] != 0;
            waiting = false;
        }
        takeTranslations();
        block.dirty = 0;
        block.valid = 0;
    }

    private void takeReply(ControlBlock block) {
        ExitFrame frame = block.frame();
        if (completing && frame.reason == Exit.TRANSLATION) {
            completing = false;
            devicePage = frame.reply == ExitFrame.AS_ACCESS ? frame.address & PAGE : -1;
        }
    }

    /** What comes before the next instruction. */
    private int check(ControlBlock block) {
        Requests requests = block.requests();
        if (requests.take(Requests.ENGINE) != 0) {
            party.pause();
        }
        if (requests.take(Requests.KICK) != 0) {
            return Exit.KICK;
        }
        if (enabled && requests.take(Requests.INTERRUPT) != 0) {
            boolean none = block.interrupts.acknowledge() == InterruptSource.NONE;
            waiting &= none;
            block.passBreakpoint &= none;
        }
        if (waiting) {
            return Exit.IDLE;
        }
        if (enabled && block.windowWanted) {
            return Exit.WINDOW;
        }
        return block.budget == 0 ? Exit.BUDGET : breakpoint(block);
    }

    private int breakpoint(ControlBlock block) {
        long at = pc & 0xffff_ffffL;
        if (completing || block.passBreakpoint || !block.breaksAt(at)) {
            return RUNNING;
        }
        block.frame().address = at;
        return Exit.DEBUG;
    }

    private int step(ControlBlock block) {
        long host = host(block, pc & 0xffff_ffffL);
        if (host < 0) {
            return miss(block, pc & 0xffff_ffffL, Rights.EXECUTE, false);
        }
        int word = Integer.reverseBytes(HostRam.getInt(host));
        int stop = execute(block, word);
        if (stop == RUNNING) {
            pc += 4;
            retire(block);
        } else if (stop == Exit.IDLE) {
            pc += 4;
            retire(block);
        }
        return stop;
    }

    private void retire(ControlBlock block) {
        completing = false;
        devicePage = -1;
        block.passBreakpoint = false;
        block.retired++;
        if (block.budget != ControlBlock.UNLIMITED) {
            block.budget--;
        }
    }

    private int execute(ControlBlock block, int word) {
        int d = word >> 20 & 7;
        int a = word >> 16 & 7;
        int immediate = (short) word;
        switch (word >>> 24) {
            case Tiny.ADDI -> r[d] = r[a] + immediate;
            case Tiny.ORI -> r[d] = r[a] | immediate & 0xffff;
            case Tiny.LUI -> r[d] = immediate << 16;
            case Tiny.BRANCH -> pc += immediate - 4;
            case Tiny.ENABLE -> enabled = true;
            case Tiny.LW -> {
                return memory(block, d, r[a] + immediate & 0xffff_ffffL, false);
            }
            case Tiny.SW -> {
                return memory(block, d, r[a] + immediate & 0xffff_ffffL, true);
            }
            case Tiny.MFDCR -> {
                return access(block, d, Space.PORT, immediate & 0xffffL, false);
            }
            case Tiny.MTDCR -> {
                return access(block, d, Space.PORT, immediate & 0xffffL, true);
            }
            case Tiny.CALL -> {
                return call();
            }
            case Tiny.WAIT -> {
                waiting = true;
                return Exit.IDLE;
            }
            default -> {
                // Everything else does nothing.
            }
        }
        return RUNNING;
    }

    private int call() {
        if (completing) {
            return RUNNING;
        }
        completing = true;
        return Exit.CALL;
    }

    private int memory(ControlBlock block, int d, long address, boolean write) {
        long host = devicePage == (address & PAGE) ? -1 : host(block, address);
        if (host < 0) {
            return devicePage == (address & PAGE)
                    ? access(block, d, Space.MEMORY, address, write)
                    : miss(block, address, write ? Rights.WRITE : Rights.READ, write);
        }
        if (!PhysicalBus.isRam(host)) {
            party.stand();
            if (write) {
                bus.writeMemory(host, Width.DWORD, r[d] & 0xffff_ffffL);
            } else {
                r[d] = (int) bus.readMemory(host, Width.DWORD);
            }
            party.go();
        } else if (write) {
            RamPages.setInt(host, Integer.reverseBytes(r[d]));
        } else {
            r[d] = Integer.reverseBytes(HostRam.getInt(host));
        }
        return RUNNING;
    }

    private int access(ControlBlock block, int d, int space, long address, boolean write) {
        ExitFrame frame = block.frame();
        if (completing) {
            r[d] = write ? r[d] : (int) frame.value;
            return RUNNING;
        }
        frame.space = space;
        frame.address = address;
        frame.size = 4;
        frame.write = write;
        frame.value = r[d] & 0xffff_ffffL;
        completing = true;
        return Exit.ACCESS;
    }

    private int miss(ControlBlock block, long address, int rights, boolean write) {
        ExitFrame frame = block.frame();
        frame.address = address;
        frame.size = 4;
        frame.code = rights;
        frame.write = write;
        completing = true;
        return Exit.TRANSLATION;
    }

    private long host(ControlBlock block, long address) {
        if (block.translation == Translation.NONE) {
            return address;
        }
        for (int i = 0; i < tlb.length; i += 2) {
            if (tlb[i] == (address & PAGE | 1)) {
                return tlb[i + 1] + (address & ~PAGE);
            }
        }
        return -1;
    }

    @Override
    public void fetch(ControlBlock block, long mask) {
        if ((mask & ~block.valid & 1L << Tiny.GENERAL) != 0) {
            long[] general = block.group(Tiny.GENERAL);
            for (int i = 0; i < r.length; i++) {
                general[i] = r[i] & 0xffff_ffffL;
            }
            general[Tiny.PC] = pc & 0xffff_ffffL;
            general[Tiny.ENABLED] = enabled ? 1 : 0;
        }
        if ((mask & ~block.valid & 1L << Tiny.TLB) != 0) {
            System.arraycopy(tlb, 0, block.group(Tiny.TLB), 0, tlb.length);
        }
        block.valid |= mask;
    }

    @Override
    public void reset(ControlBlock block) {
        Arrays.fill(r, 0);
        pc = 0;
        enabled = false;
        waiting = false;
        completing = false;
        devicePage = -1;
        block.valid = 0;
        block.dirty = 0;
    }

    @Override
    public long translate(ControlBlock block, long address, int rights) {
        return address;
    }

    @Override
    public String summary(ControlBlock block) {
        return "pc %08x".formatted(pc);
    }

    @Override
    public String describe(ControlBlock block, long address) {
        StringBuilder text = new StringBuilder("pc %08x%n".formatted(pc));
        for (int i = 0; i < r.length; i++) {
            text.append("r%d %08x%n".formatted(i, r[i]));
        }
        return text.append("0x%x is host 0x%x%n".formatted(address, host(block, address)))
                .toString();
    }

    @Override
    public Map<String, Long> counters() {
        return Map.of();
    }

    @Override
    public void close() {
        party.leave();
    }
}
