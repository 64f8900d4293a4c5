package org.alcazar.vmm.plugin;

import java.util.BitSet;

/** Family: which pages of a guest's RAM leave the host's memory first. */
public interface SwapPolicyType extends PluginType {
    /**
     * Makes the policy of one VM.
     *
     * @param pages of RAM that it has, numbered from 0
     * @param seed where its randomness starts
     */
    SwapPolicy create(int pages, long seed, Settings settings) throws ConfigurationException;

    /** A policy at work. It is asked in the pause barrier, and nothing of it is saved. */
    @FunctionalInterface
    interface SwapPolicy {
        /**
         * Chooses pages to go.
         *
         * @param present pages that are in the host's memory; not to be changed
         * @param used those that the guest has used since the last call, or since they came
         * @param count how many, at most all that are present
         * @return the choice; of pages that are not present nothing comes, and what is missing is
         *     taken from the first present ones
         */
        BitSet choose(BitSet present, BitSet used, int count);
    }
}
