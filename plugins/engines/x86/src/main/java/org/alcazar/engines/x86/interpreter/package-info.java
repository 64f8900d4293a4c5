/** Runs guest code from decoded, cached blocks of op nodes. */
@org.jspecify.annotations.NullMarked
package org.alcazar.engines.x86.interpreter;
