package org.alcazar.engines.x86.isa;

/** Where an operand is, by the letters of the manuals' opcode maps. */
public enum OperandKind {
    /** E: general register or memory by ModRM.rm. */
    RM,
    /** G: general register by ModRM.reg. */
    REG,
    /** R: general register by ModRM.rm (no memory). */
    RM_REGISTER,
    /** M: memory by ModRM.rm (no register). */
    MEMORY,
    /** Z: general register by the low three bits of the opcode. */
    OPCODE_REGISTER,
    /** A fixed general register, numbered in {@link Operand#fixed} (AL, CL, DX, rAX). */
    FIXED_REGISTER,
    /** The constant 1 of shifts. */
    ONE,
    /** I: immediate; {@link Instruction#immediate} is sign- or zero-extended as the row says. */
    IMMEDIATE,
    /** Second immediate (ENTER). */
    IMMEDIATE2,
    /** J: relative branch target; the displacement is in {@code immediate}, sign-extended. */
    RELATIVE,
    /** A: far pointer; offset in {@code immediate}, selector in {@code immediate2}. */
    FAR_POINTER,
    /** O: memory at an absolute offset, held in {@code displacement}. */
    ABSOLUTE,
    /** S: segment register by ModRM.reg. */
    SEGMENT,
    /** A fixed segment register (PUSH FS). */
    FIXED_SEGMENT,
    /** C: control register by ModRM.reg. */
    CONTROL,
    /** D: debug register by ModRM.reg. */
    DEBUG,
    /** X: memory at DS:rSI. */
    STRING_SOURCE,
    /** Y: memory at ES:rDI. */
    STRING_DESTINATION,
    /** V: XMM register by ModRM.reg. */
    XMM_REG,
    /** W: XMM register or memory by ModRM.rm. */
    XMM_RM,
    /** U: XMM register by ModRM.rm (no memory). */
    XMM_RM_REGISTER,
    /** H: vector register by vvvv. */
    XMM_VVVV,
    /** L: vector register by the upper four bits of the immediate byte. */
    XMM_IMMEDIATE,
    /** B: general register by vvvv. */
    VVVV_REGISTER,
    /** K: opmask register by ModRM.reg. */
    OPMASK_REG,
    /** F: opmask register by ModRM.rm (no memory). */
    OPMASK_RM_REGISTER,
    /** T: opmask register by vvvv. */
    OPMASK_VVVV,
    /** v: memory at a base and a vector of indices; the size is that of the vector. */
    VECTOR_INDEXED,
    /** XMM0 as an implied operand. */
    XMM0,
    /** P: MMX register by ModRM.reg. */
    MMX_REG,
    /** Q: MMX register or memory by ModRM.rm. */
    MMX_RM,
    /** N: MMX register by ModRM.rm (no memory). */
    MMX_RM_REGISTER,
    /** ST(0). */
    ST0,
    /** ST(i) by ModRM.rm. */
    ST_I
}
