package org.alcazar.vmm;

/**
 * Serves a hypercall: arguments and results lie in registers of the vcore's control block. Runs on
 * the vcore's thread.
 */
@FunctionalInterface
public interface HypercallHandler {
    void call(Vcore vcore, long number);
}
