package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.Translation;
import org.alcazar.engines.x86.region.Translator;
import org.jspecify.annotations.Nullable;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Has another translator work on one thread of its own, which ends when there is nothing to do. */
public final class Background implements Translator {
    /** Candidates that may wait; code that stays hot comes again. */
    private static final int WAITING = 4096;

    private final RegionTranslator translator;
    private final ThreadPoolExecutor thread;

    public Background(RegionTranslator translator) {
        this.translator = translator;
        thread =
                new ThreadPoolExecutor(
                        1,
                        1,
                        5,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(WAITING),
                        work -> {
                            Thread made = new Thread(work, "translator");
                            made.setDaemon(true);
                            return made;
                        },
                        new ThreadPoolExecutor.DiscardPolicy());
        thread.allowCoreThreadTimeOut(true);
    }

    @Override
    public int threshold() {
        return translator.threshold();
    }

    @Override
    public void translate(Candidate candidate, Consumer<@Nullable Translation> done) {
        thread.execute(() -> translator.translate(candidate, done));
    }
}
