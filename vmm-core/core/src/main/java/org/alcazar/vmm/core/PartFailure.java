package org.alcazar.vmm.core;

/** An unchecked exception of a plugin, with a line that says what it was doing for the VM. */
final class PartFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PartFailure(String doing, Throwable cause) {
        super(doing, cause);
    }
}
