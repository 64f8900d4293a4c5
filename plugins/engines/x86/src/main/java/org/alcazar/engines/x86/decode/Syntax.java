package org.alcazar.engines.x86.decode;

/** How assembly text looks; both as binutils' objdump prints it. */
public enum Syntax {
    ATT,
    INTEL
}
