package org.alcazar.engines.x86.tiers;

import java.util.Map;

/** Makes engines that translate and compare what comes of it with what the interpreter does. */
public class X86LockstepProvider extends X86TranslatorProvider {
    /** Key of the option that says how many runs of translated code there are to a verified one. */
    static final String EVERY = "lockstep-every";

    @Override
    public String name() {
        return "lockstep";
    }

    @Override
    protected int verifyEvery(Map<String, String> options) {
        return Integer.parseInt(options.getOrDefault(EVERY, "1"));
    }
}
