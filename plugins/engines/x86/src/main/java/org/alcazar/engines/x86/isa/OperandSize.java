package org.alcazar.engines.x86.isa;

/** Size of an operand, by the small letters of the opcode maps. */
public enum OperandSize {
    /** b. */
    BYTE,
    /** w. */
    WORD,
    /** d. */
    DWORD,
    /** q. */
    QWORD,
    /** dq. */
    OWORD,
    /** qq: 256 bits. */
    YWORD,
    /** zz: 512 bits. */
    ZWORD,
    /** x: the vector length. */
    VECTOR,
    /** xh: half the vector length. */
    HALF,
    /** xq: a quarter of it. */
    QUARTER,
    /** xo: an eighth of it. */
    EIGHTH,
    /** xd: 64 bits for the vector length of 128, else the vector length (VMOVDDUP). */
    DUPLICATED,
    /** t: 80 bits. */
    TBYTE,
    /** v: 2, 4 or 8 bytes by operand size. */
    V,
    /** z: 2 bytes, or 4 for operand sizes 4 and 8. */
    Z,
    /** y: 4 bytes, or 8 for operand size 8. */
    Y,
    /** The address size. */
    ADDRESS,
    /** No size of its own (LEA, FXSAVE, INVLPG, far pointers: the semantics knows). */
    NONE
}
