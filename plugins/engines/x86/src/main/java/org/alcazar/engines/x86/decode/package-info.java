/** From bytes to {@link org.alcazar.engines.x86.decode.Instruction}, and from there to text. */
@org.jspecify.annotations.NullMarked
package org.alcazar.engines.x86.decode;
