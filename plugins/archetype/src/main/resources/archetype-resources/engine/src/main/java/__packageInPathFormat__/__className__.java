package ${package};

import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Standstill;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;

import java.nio.ByteOrder;
import java.util.List;

/** The engine of one machine: what its cores share. */
final class ${className} implements Engine {
    /** The only register group. */
    static final int GENERAL = 0;

    /** Indices in it. */
    static final int A = 0;

    static final int PC = 1;

    static final Architecture ARCHITECTURE =
            new Architecture(
                    "${type}",
                    ByteOrder.LITTLE_ENDIAN,
                    48,
                    List.of(RegisterGroup.of(GENERAL, "general", "a", "pc")));

    private final Standstill standstill = new Standstill();

    @Override
    public Architecture architecture() {
        return ARCHITECTURE;
    }

    @Override
    public boolean takes(Translation translation) {
        return translation == Translation.NESTED;
    }

    @Override
    public VirtualCore newCore(int index, ControlBlock block) {
        return new ${className}Core(standstill.join(block.requests()));
    }

    /** Nothing is kept of a translation, so it is enough that no core is in the midst of one. */
    @Override
    public void invalidate(Scope scope, long start, long bytes) {
        standstill.begin();
        standstill.end();
    }

    @Override
    public void close() {}
}
