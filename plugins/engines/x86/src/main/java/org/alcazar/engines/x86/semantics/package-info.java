/**
 * What instructions do, written once for interpreter and translator: static methods without control
 * flow of the engine's own.
 *
 * <p>A row of the opcode table names its method as {@code Class.method}. The method's parameters
 * tell how operands are passed, in the order of the row's operands, after an optional leading
 * {@code Cpu}:
 *
 * <ul>
 *   <li>General registers, memory and immediates by value: {@code int} for up to 32 bits
 *       (zero-extended for 8 and 16), {@code long} for 64. If the row's operands have the variable
 *       size, the method exists once per size, with the suffix 8, 16, 32 or 64: {@code add32(Cpu,
 *       int, int)}.
 *   <li>The result is returned and goes to the first operand; {@code void} methods have none (CMP,
 *       TEST). An operand that is only written is not passed.
 *   <li>XMM destination (read or not): its number {@code int dst}; sources: 128 bits as {@code long
 *       lo, long hi}, 64 bits as {@code long}, 32 as {@code int}; immediates as {@code int}. The
 *       method writes {@code cpu.xmm} itself.
 *   <li>{@code long f(long a, long b)} without {@code Cpu} on vector operands: lane by lane of 64
 *       bits; serves MMX and SSE.
 *   <li>MMX: values as {@code long}, the result is returned; the caller has done the x87 transition
 *       (tags valid, TOP 0).
 *   <li>{@code void f(Cpu, Instruction)}: everything is the method's own business, memory included;
 *       the default for what is rare.
 * </ul>
 *
 * <p>Memory accesses and their faults come first, then registers are changed, so that a fault
 * leaves the state before the instruction. Faults are thrown with {@code Cpu.fault…}.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.engines.x86.semantics;
