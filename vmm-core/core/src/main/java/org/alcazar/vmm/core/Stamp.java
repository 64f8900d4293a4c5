package org.alcazar.vmm.core;

/**
 * Where an event entered a run.
 *
 * @param kind {@code timer}, {@code input} or {@code request}
 * @param name of the timer or of the input's source
 * @param vcore that took it
 * @param retired guest instructions that this vcore had retired
 * @param nanos guest time
 */
record Stamp(String kind, String name, int vcore, long retired, long nanos) {}
