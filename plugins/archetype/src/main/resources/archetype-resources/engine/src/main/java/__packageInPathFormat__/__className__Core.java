package ${package};

import org.alcazar.host.HostRam;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Space;
import org.alcazar.machine.Standstill;
import org.alcazar.machine.VirtualCore;

import java.util.Map;

/** One core: fetches, decodes and executes an instruction at a time. */
final class ${className}Core implements VirtualCore {
    /** No exit: the instruction is done. */
    private static final int DONE = -1;

    private static final long GENERAL = 1L << ${className}.GENERAL;
    private static final int INSTRUCTION = 2;

    private final Standstill.Party party;
    private int a;
    private long pc;

    /** The last exit if it is one with a reply, else {@link #DONE}. */
    private int left = DONE;

    /** The VMM has made the access of the instruction at {@code pc}; a read gave {@code answer}. */
    private boolean answered;

    private int answer;

    /** The VMM has said that there is no RAM where the instruction at {@code pc} wants some. */
    private boolean noRam;

    ${className}Core(Standstill.Party party) {
        this.party = party;
    }

    @Override
    public int run(ControlBlock block) {
        party.go();
        try {
            load(block);
            takeReply(block.frame());
            int stop = DONE;
            while (stop == DONE) {
                stop = requested(block);
                if (stop == DONE) {
                    stop = step(block);
                }
            }
            block.frame().reason = stop;
            block.frame().pc = pc;
            left = stop == Exit.ACCESS || stop == Exit.TRANSLATION ? stop : DONE;
            return stop;
        } finally {
            party.stand();
        }
    }

    private void load(ControlBlock block) {
        if ((block.dirty & GENERAL) != 0) {
            long[] general = block.group(${className}.GENERAL);
            a = (int) general[${className}.A] & 0xff;
            if (pc != general[${className}.PC]) {
                pc = general[${className}.PC];
                forget();
            }
        }
        block.dirty = 0;
        block.valid = 0;
    }

    private void takeReply(ExitFrame frame) {
        if (left == Exit.ACCESS) {
            answered = true;
            answer = (int) frame.value & 0xff;
        } else if (left == Exit.TRANSLATION) {
            noRam = frame.reply == ExitFrame.AS_ACCESS;
        }
        left = DONE;
    }

    private void forget() {
        left = DONE;
        answered = false;
        noRam = false;
    }

    /** What comes before the next instruction. */
    private int requested(ControlBlock block) {
        Requests requests = block.requests();
        if (requests.take(Requests.ENGINE) != 0) {
            party.pause();
        }
        requests.take(Requests.INTERRUPT);
        if (requests.take(Requests.KICK) != 0) {
            return Exit.KICK;
        }
        return block.budget == 0 ? Exit.BUDGET : DONE;
    }

    private int step(ControlBlock block) {
        long host = ${className}Memory.toHost(block.translationRoot, pc);
        if (host == ${className}Memory.MISSING) {
            return noRam ? Exit.SHUTDOWN : missing(block, pc, Rights.EXECUTE);
        }
        int opcode = HostRam.getByte(host);
        int n = HostRam.getByte(host + 1) & 0xff;
        long behind = pc + INSTRUCTION;
        if (opcode == 5 && a != 0) {
            behind += (byte) n;
        }
        int stop = execute(block, opcode, n);
        if (stop == DONE || stop == Exit.IDLE) {
            pc = behind;
            retire(block);
        }
        return stop;
    }

    private int execute(ControlBlock block, int opcode, int n) {
        switch (opcode) {
            case 0 -> {
                return Exit.IDLE;
            }
            case 1 -> a = n;
            case 2 -> a = a + n & 0xff;
            case 3 -> {
                return access(block, Space.PORT, n, true);
            }
            case 4 -> {
                return access(block, Space.PORT, n, false);
            }
            case 5 -> {
                // The jump itself is in step.
            }
            case 6 -> {
                return read(block, (long) n << 16);
            }
            default -> {
                return Exit.SHUTDOWN;
            }
        }
        return DONE;
    }

    private void retire(ControlBlock block) {
        forget();
        block.retired++;
        if (block.budget != ControlBlock.UNLIMITED) {
            block.budget--;
        }
    }

    /** Leaves for the access; comes here again when the VMM has made it. */
    private int access(ControlBlock block, int space, long address, boolean write) {
        if (answered) {
            a = write ? a : answer;
            return DONE;
        }
        ExitFrame frame = block.frame();
        frame.space = space;
        frame.address = address;
        frame.size = 1;
        frame.write = write;
        frame.value = a;
        return Exit.ACCESS;
    }

    private int read(ControlBlock block, long address) {
        long host = ${className}Memory.toHost(block.translationRoot, address);
        if (host != ${className}Memory.MISSING) {
            a = HostRam.getByte(host) & 0xff;
            return DONE;
        }
        return noRam
                ? access(block, Space.MEMORY, address, false)
                : missing(block, address, Rights.READ);
    }

    /** The paging mode has to say what is there. */
    private static int missing(ControlBlock block, long address, int rights) {
        ExitFrame frame = block.frame();
        frame.address = address;
        frame.size = 1;
        frame.code = rights;
        frame.write = false;
        return Exit.TRANSLATION;
    }

    @Override
    public void fetch(ControlBlock block, long mask) {
        if ((mask & ~block.valid & GENERAL) != 0) {
            long[] general = block.group(${className}.GENERAL);
            general[${className}.A] = a;
            general[${className}.PC] = pc;
        }
        block.valid |= mask;
    }

    @Override
    public void reset(ControlBlock block) {
        a = 0;
        pc = 0;
        forget();
        block.valid = 0;
        block.dirty = 0;
    }

    @Override
    public long translate(ControlBlock block, long address, int rights) {
        return address;
    }

    @Override
    public String describe(ControlBlock block, long address) {
        return summary(block);
    }

    @Override
    public String summary(ControlBlock block) {
        return "pc %x, a %02x".formatted(pc, a);
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
