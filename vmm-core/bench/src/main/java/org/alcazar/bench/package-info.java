/** Benchmarks: whole guests against peers, and the hot paths of the VMM under JMH. */
@org.jspecify.annotations.NullMarked
package org.alcazar.bench;
