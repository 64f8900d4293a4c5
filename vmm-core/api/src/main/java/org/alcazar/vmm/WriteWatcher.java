package org.alcazar.vmm;

/** Is asked before the guest writes to RAM that it watches. On the vcore's thread; short. */
@FunctionalInterface
public interface WriteWatcher {
    /**
     * A vcore is about to write to a watched page, which still holds what it held. Asked once for
     * all that one instruction writes to the page (a repeated string instruction: with one or more
     * repetitions); maybe again if it has to begin anew. What the watcher itself writes there is
     * not watched.
     *
     * @param address guest-physical, where the instruction writes first
     * @param bytes of that first write; 1 where the engine knows no more, as at string instructions
     * @return whether the page is written; the instruction is done without an effect on it
     *     otherwise
     */
    boolean write(Vcore vcore, long address, int bytes);
}
