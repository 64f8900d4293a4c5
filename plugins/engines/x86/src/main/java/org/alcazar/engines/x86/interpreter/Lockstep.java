package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.decode.Disassembler;
import org.alcazar.engines.x86.decode.Syntax;
import org.alcazar.engines.x86.mmu.WritablePages;
import org.alcazar.engines.x86.region.Region;
import org.alcazar.engines.x86.state.CpuExit;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.host.HostRam;
import org.jspecify.annotations.Nullable;

import java.util.Locale;
import java.util.Map;

/**
 * Verifies translated code: runs a region, undoes it, interprets as many instructions from the same
 * state, and compares what they have made of registers and memory. The first difference ends the
 * machine with a report.
 *
 * <p>Memory is compared where the region could write, and the interpreter may write nowhere else.
 * Nobody else may write meanwhile: while other cores run on other threads nothing is verified, and
 * devices that write to guest memory by themselves have to keep to the clock of instructions.
 */
final class Lockstep {
    /** Lines of a report's program. */
    private static final int SHOWN = 200;

    private final Core core;
    private final X86Engine engine;
    private final BlockFinder finder;
    private final int every;
    private final WritablePages writable = new WritablePages();
    private final SavedPages pages;
    private final Snapshot before = new Snapshot();
    private final Snapshot translated = new Snapshot();
    private final Snapshot interpreted = new Snapshot();

    /** The interpreter repeats what a region has done. */
    private boolean repeating;

    /** Where the program of a report goes, if one is made. */
    private @Nullable StringBuilder program;

    private int left = 1;

    /** Runs of regions: verified, and not because other cores run. */
    private long verified;

    private long skipped;

    /** Instructions verified. */
    private long instructions;

    /**
     * @param every how many runs of regions to one that is verified
     */
    Lockstep(Core core, X86Engine engine, BlockFinder finder, int every) {
        this.core = core;
        this.engine = engine;
        this.finder = finder;
        this.every = every;
        core.mmu.restrict(writable);
        pages = new SavedPages(core.mmu, writable);
    }

    /** Adds what has been verified to a core's counters. */
    void count(Map<String, Long> all) {
        all.put("lockstep-verified", verified);
        all.put("lockstep-instructions", instructions);
        all.put("lockstep-skipped", skipped);
    }

    /** Runs a region in place of {@link RegionOp#exec}. */
    @Nullable Op exec(RegionOp op) {
        if (repeating) {
            return core.leave(op.block.rip);
        }
        if (--left > 0) {
            return op.goOn(op.run());
        }
        left = every;
        if (!engine.alone(core)) {
            skipped++;
            return op.goOn(op.run());
        }
        core.rip = op.block.rip;
        before.take(core);
        pages.save();
        int exit = op.run();
        if (exit == Region.REFUSED) {
            core.rip = op.left().block.rip;
        }
        translated.take(core);
        pages.undo();
        before.putBack(core);
        core.findKey();
        String problem = repeat(translated.retired());
        interpreted.take(core);
        problem += translated.differences(interpreted) + pages.differences();
        if (!problem.isEmpty()) {
            throw new IllegalStateException(report(op, exit, problem));
        }
        verified++;
        instructions += translated.retired() - before.retired();
        return op.goOn(exit);
    }

    /** Interprets until so many instructions are retired. @return what was odd */
    private String repeat(long end) {
        long limit = core.limit;
        writable.forget();
        repeating = true;
        try {
            while (core.retired < end) {
                block(end);
            }
        } catch (CpuFault fault) {
            return String.format(
                    Locale.ROOT, "  the interpreter raises exception %d%n", fault.vector);
        } catch (CpuExit exit) {
            return String.format(Locale.ROOT, "  the interpreter exits: %d%n", exit.reason);
        } finally {
            repeating = false;
            core.limit = limit;
            core.link = null;
        }
        long page = pages.writtenElsewhere();
        return page < 0
                ? ""
                : String.format(Locale.ROOT, "  the interpreter has written to page %x%n", page);
    }

    /** Interprets a block, or one instruction if that would be too much. */
    private void block(long end) {
        Block block = finder.lookup(core.key | Block.PLAIN);
        if (core.retired + block.count > end) {
            block = finder.lookup(core.key | Block.SINGLE);
        }
        if (program != null) {
            disassemble(block, program);
        }
        core.retired += block.count;
        core.limit = core.retired;
        core.shadow = 0; // what opens one ends its block, and the next instruction closes it
        Op op = block.first;
        while (op != null) {
            op = op.exec(core);
        }
        core.link = null;
    }

    // ---- reports

    private String report(RegionOp op, int exit, String problem) {
        StringBuilder path = new StringBuilder();
        program = path;
        pages.putBack();
        before.putBack(core);
        core.findKey();
        String again = repeat(translated.retired());
        program = null;
        return String.format(
                Locale.ROOT,
                "translator and interpreter differ, core %d, region at %x, %d-bit, left by %d"
                        + " after %d instructions%ntranslated, but interpreted:%n%s"
                        + "state before:%n%sinterpreted:%n%s%s",
                core.index,
                op.block.rip,
                op.block.bits(),
                exit,
                translated.retired() - before.retired(),
                problem,
                before,
                path,
                again);
    }

    private static void disassemble(Block block, StringBuilder to) {
        byte[] code = new byte[block.bytes + 16];
        if (block.hpa >= 0) {
            HostRam.read(block.hpa, code, 0, block.bytes);
        }
        Disassembler text = new Disassembler(Syntax.INTEL);
        int at = 0;
        while (at < block.bytes && to.length() < SHOWN * 60) {
            to.append(String.format(Locale.ROOT, "  %x: ", block.rip + at));
            to.append(text.text(code, at, block.bytes - at, block.bits(), block.rip + at))
                    .append('\n');
            at += Math.max(1, text.length());
        }
    }
}
