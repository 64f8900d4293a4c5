package org.alcazar.testkit;

/**
 * Where a VM stopped at a breakpoint or behind a step.
 *
 * @param vcore which one, from 0
 * @param pc linear address of the instruction that comes next
 */
public record Stop(int vcore, long pc) {}
