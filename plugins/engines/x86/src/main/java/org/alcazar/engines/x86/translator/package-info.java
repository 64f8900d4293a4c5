/**
 * From hot guest code to JVM bytecode. A {@link org.alcazar.engines.x86.region.Candidate} becomes a
 * {@code Graph} of nodes, for which {@code RegionWriter} and {@code InstructionWriter} write a
 * class.
 */
@NullMarked
package org.alcazar.engines.x86.translator;

import org.jspecify.annotations.NullMarked;
