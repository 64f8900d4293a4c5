package org.alcazar.vmm;

/** Something that was hooked into a VM; it belongs to who asked for it and vanishes with it. */
@FunctionalInterface
public interface Hook extends AutoCloseable {
    @Override
    void close();
}
