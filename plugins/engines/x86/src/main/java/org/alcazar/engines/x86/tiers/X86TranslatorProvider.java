package org.alcazar.engines.x86.tiers;

import org.alcazar.engines.x86.interpreter.X86InterpreterProvider;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.engines.x86.translator.Background;
import org.alcazar.engines.x86.translator.RegionTranslator;
import org.jspecify.annotations.Nullable;

import java.util.Map;

/** Makes engines that interpret code until it is hot and translate it then. */
public class X86TranslatorProvider extends X86InterpreterProvider {
    /**
     * Key of the option that says after how many executions code is translated. With 1 it is
     * translated before it runs, by the core that needs it.
     */
    static final String THRESHOLD = "translate-after";

    /** Key of the option that has each region logged. */
    static final String LIST = "list-regions";

    static final int DEFAULT_THRESHOLD = 30_000;

    @Override
    public String name() {
        return "translator";
    }

    @Override
    protected @Nullable Translator translator(CpuModel model, Map<String, String> options) {
        int threshold =
                Integer.parseInt(
                        options.getOrDefault(THRESHOLD, Integer.toString(DEFAULT_THRESHOLD)));
        RegionTranslator translator =
                new RegionTranslator(
                        model.table(),
                        threshold,
                        Boolean.parseBoolean(options.getOrDefault(LIST, "false")));
        return threshold == 1 ? translator : Background.start(translator, model);
    }
}
