/**
 * The instruction set as data: one table of opcodes that drives decoder, disassembler, generated
 * tests and completeness checks.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.engines.x86.isa;
