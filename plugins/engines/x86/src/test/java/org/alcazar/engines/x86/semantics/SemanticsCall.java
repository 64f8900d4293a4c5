package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.Row;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Standstill;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;

/**
 * Executes one decoded floating-point or vector instruction by reflection, as the calling
 * conventions of the package say.
 */
final class SemanticsCall {
    private final Instruction insn;
    private final Method method;

    SemanticsCall(Instruction insn) {
        this.insn = insn;
        this.method = find(insn);
    }

    String name() {
        return insn.row.semantics();
    }

    private static Method find(Instruction insn) {
        String[] parts = insn.row.semantics().split("\\.");
        try {
            Class<?> owner = Class.forName(SemanticsCall.class.getPackageName() + "." + parts[0]);
            List<Method> found = new ArrayList<>();
            int bits =
                    insn.row.operands().isEmpty() ? 0 : 8 * insn.row.operands().get(0).bytes(insn);
            for (String name : List.of(parts[1], parts[1] + bits)) {
                for (Method m : owner.getDeclaredMethods()) {
                    if (m.getName().equals(name)) {
                        found.add(m);
                    }
                }
            }
            if (found.isEmpty()) {
                throw new AssertionError("no method for " + insn.row.semantics());
            }
            return found.get(0);
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    void run(Cpu cpu) {
        Row row = insn.row;
        if (row.has(Row.X87) && !row.has(Row.NO_WAIT)) {
            X87.checkPending(cpu);
        }
        if (row.has(Row.MMX)) {
            X87.checkPending(cpu);
        }
        Class<?>[] types = method.getParameterTypes();
        if (types.length == 2 && types[1] == Instruction.class) {
            invoke(cpu, insn);
            return;
        }
        Operand first = row.operands().get(0);
        boolean lanes = isXmm(first) && first.written() && method.getReturnType() == long.class;
        if (lanes) {
            int dst = register(first);
            long[] source = sources(cpu, row.operands().get(1));
            long low = lane(cpu.xmm[2 * dst], source[0]);
            cpu.xmm[2 * dst + 1] = lane(cpu.xmm[2 * dst + 1], source[1]);
            cpu.xmm[2 * dst] = low;
            return;
        }
        List<Object> arguments = new ArrayList<>();
        for (Operand o : row.operands()) {
            if (o == first && o.written() && isXmm(o)) {
                arguments.add((long) register(o));
            } else if (o.read()) {
                for (long v : sources(cpu, o)) {
                    arguments.add(v);
                }
            }
        }
        if (types.length > 0 && types[0] == Cpu.class) {
            arguments.add(0, cpu);
        }
        for (int i = 0; i < types.length; i++) {
            if (types[i] == int.class) {
                arguments.set(i, (int) (long) (Long) arguments.get(i));
            }
        }
        if (row.has(Row.MMX)) {
            // After the operand's faults.
            Mmx.enter(cpu);
        }
        Object result = invoke(arguments.toArray());
        if (result != null) {
            store(cpu, first, ((Number) result).longValue());
        }
    }

    private long lane(long old, long source) {
        return method.getParameterCount() == 2 ? (long) invoke(old, source) : (long) invoke(source);
    }

    private Object invoke(Object... arguments) {
        try {
            return method.invoke(null, arguments);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException r) {
                throw r;
            }
            throw new AssertionError(method + "", e.getCause());
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            throw new AssertionError(method + " with " + List.of(arguments), e);
        }
    }

    private static boolean isXmm(Operand o) {
        return o.kind() == OperandKind.XMM_REG || o.kind() == OperandKind.XMM0 || isXmmRm(o);
    }

    private static boolean isXmmRm(Operand o) {
        return o.kind() == OperandKind.XMM_RM || o.kind() == OperandKind.XMM_RM_REGISTER;
    }

    private static boolean isMmx(Operand o) {
        return switch (o.kind()) {
            case MMX_REG, MMX_RM, MMX_RM_REGISTER -> true;
            default -> false;
        };
    }

    private boolean isMemory(Operand o) {
        return switch (o.kind()) {
            case RM, MEMORY, XMM_RM, MMX_RM -> insn.memory;
            default -> false;
        };
    }

    private int register(Operand o) {
        return switch (o.kind()) {
            case XMM_REG, MMX_REG, REG -> insn.reg;
            case XMM0 -> 0;
            default -> insn.rm;
        };
    }

    private long[] sources(Cpu cpu, Operand o) {
        int bytes = o.bytes(insn);
        if (o.kind() == OperandKind.IMMEDIATE) {
            return new long[] {insn.immediate};
        }
        if (isMemory(o)) {
            long la = Operands.linear(cpu, insn, bytes, false);
            boolean move = name().startsWith("SseMemory.");
            boolean strict = move || (cpu.mxcsr & CpuModel.MXCSR_MM) == 0;
            if (bytes == 16 && insn.row.has(Row.ALIGNED) && (la & 15) != 0 && strict) {
                throw cpu.generalProtection(0);
            }
            return bytes == 16
                    ? new long[] {cpu.mmu.read64(la), cpu.mmu.read64(la + 8)}
                    : new long[] {Memory.read(cpu, la, bytes)};
        }
        if (isXmm(o)) {
            int n = 2 * register(o);
            return bytes == 16 ? new long[] {cpu.xmm[n], cpu.xmm[n + 1]} : new long[] {cpu.xmm[n]};
        }
        return new long[] {isMmx(o) ? cpu.fpSignificand[register(o) & 7] : cpu.gpr[register(o)]};
    }

    private void store(Cpu cpu, Operand o, long v) {
        int bytes = o.bytes(insn);
        if (isMemory(o)) {
            Memory.write(cpu, Operands.linear(cpu, insn, bytes, true), bytes, v);
        } else if (isMmx(o)) {
            Mmx.write(cpu, register(o), v);
        } else {
            Operands.setGpr(cpu, insn, register(o), bytes, v);
        }
    }

    /** A core in 64-bit mode on which SSE and x87 may be used. */
    static Cpu newCpu() {
        Cpu cpu =
                new Cpu(
                        0,
                        new ControlBlock(X86.ARCHITECTURE),
                        new PhysicalBus(),
                        CpuModel.MAX,
                        new Standstill());
        cpu.cr0 = Bits.CR0_PE | Bits.CR0_NE;
        cpu.cr4 = Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT;
        cpu.efer = Bits.EFER_LMA;
        for (int s = 0; s < 8; s++) {
            cpu.segmentAttributes[s] = s == X86.CS ? 0xa9b : 0xc93;
            cpu.segmentLimit[s] = 0xffffffffL;
        }
        cpu.mmu.reset();
        return cpu;
    }
}
