package ${package};

import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.HypercallHandler;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.plugin.ExtensionType.Extension;

/** Adds up what the guest gives in RDI, and answers in RAX. */
final class ${className} implements Extension, HypercallHandler {
    private static final String TYPE = "${type}";
    private static final long GENERAL = 1L << X86.GENERAL;

    private long sum;

    /** On the thread of the vcore that calls; several may at once. */
    @Override
    public void call(Vcore vcore, long number) {
        vcore.fetch(GENERAL);
        ControlBlock block = vcore.block();
        long[] registers = block.group(X86.GENERAL);
        registers[X86.RAX] = add(registers[X86.RDI]);
        block.dirty |= GENERAL;
    }

    private synchronized long add(long amount) {
        sum += amount;
        return sum;
    }

    @Override
    public synchronized SavedState save() {
        return new SavedState(TYPE, 1).put("sum", sum);
    }

    @Override
    public synchronized void restore(SavedState state) {
        sum = state.require(TYPE, 1).getLong("sum");
    }
}
