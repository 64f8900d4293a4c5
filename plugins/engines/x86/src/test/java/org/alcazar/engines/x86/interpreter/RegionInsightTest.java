package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.RegionEvents;
import org.alcazar.engines.x86.region.Translation;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.engines.x86.tiers.X86TranslatorProvider;
import org.alcazar.engines.x86.translator.RegionTranslator;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.VirtualCore;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/** What counters and flight recordings tell of regions. */
class RegionInsightTest {
    private static final long CODE = 0x100000;
    private static final int THRESHOLD = 100;
    private static final int ENOUGH_COLLECTIONS = 10;

    /** Loop: dec ecx; jnz Loop; hlt. */
    private static final byte[] LOOP = {(byte) 0xff, (byte) 0xc9, 0x75, (byte) 0xfc, (byte) 0xf4};

    /** Translates when it is told to. */
    private static final class Later extends X86TranslatorProvider implements Translator {
        private final RegionTranslator translator =
                new RegionTranslator(CpuModel.MAX.table(), THRESHOLD, false);
        private final Queue<Runnable> waiting = new ArrayDeque<>();

        @Override
        protected Translator translator(CpuModel model, Map<String, String> options) {
            return this;
        }

        @Override
        public int threshold() {
            return THRESHOLD;
        }

        @Override
        public int patience() {
            return Integer.MAX_VALUE;
        }

        @Override
        public void translate(
                Candidate candidate, IntSupplier heat, Consumer<@Nullable Translation> done) {
            waiting.add(() -> translator.translate(candidate, heat, done));
        }

        @Override
        public int waiting() {
            return waiting.size();
        }

        @Override
        public void count(Map<String, Long> all) {
            translator.count(all);
        }

        void work() {
            while (!waiting.isEmpty()) {
                waiting.remove().run();
            }
        }
    }

    @TempDir Path folder;
    private final Later translator = new Later();
    private final BareMachine machine = new BareMachine(translator);
    private long now = 1000;

    RegionInsightTest() {
        machine.block.time = retired -> now;
        machine.load(CODE, LOOP);
        machine.longMode(CODE);
        machine.group(X86.GENERAL)[X86.RCX] = 1_000_000;
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private long count(String name) {
        return machine.core.counters().getOrDefault(name, -1L);
    }

    /** Runs the loop until its region is installed, 5000 ticks after it was asked for. */
    private void install() {
        assertEquals(Exit.BUDGET, machine.run(10_000));
        now += 5000;
        translator.work();
        assertEquals(Exit.BUDGET, machine.run(90_000));
    }

    @Test
    @DisplayName("counters tell of regions, hits, waits and what is kept")
    void counters() {
        machine.block.retired = 1L << 40; // as if it came from a checkpoint
        assertEquals(Exit.BUDGET, machine.run(10_000));
        assertEquals(1, count("regions-requested"));
        assertEquals(0, count("regions-installed"));
        assertEquals(0, count("region-percent"));
        now += 5000;
        translator.work();
        assertEquals(Exit.BUDGET, machine.run(90_000));
        assertEquals(1, count("regions-installed"));
        assertEquals(1, count("regions-live"));
        assertEquals(5000, count("region-wait-ticks-mean"));
        assertEquals(5000, count("region-wait-ticks-most"));
        assertTrue(Set.of(89L, 90L).contains(count("region-percent")));
        assertEquals(1, count("translations"));
        assertEquals(1, count("translations-kept"));
        assertTrue(count("translations-kept-bytes") > 10);
        assertTrue(count("translation-microseconds") > 0);
    }

    @Test
    @DisplayName("a region whose code is written to, or whose core is gone, is no longer live")
    void drops() {
        install();
        machine.load(CODE, LOOP);
        assertEquals(1, count("regions-dropped-written"));
        assertEquals(0, count("regions-live"));
        install();
        assertEquals(1, count("regions-live"));
        assertEquals(1, count("translations-found"));
        assertEquals(2, count("regions-installed"));
        machine.core.close();
        assertEquals(1, count("regions-dropped-closed"));
        assertEquals(0, count("regions-live"));
    }

    @Test
    @DisplayName("a region of two pages is dropped once")
    void twoPages() {
        byte[] jump = {(byte) 0xeb, 0x0e};
        byte[] back = {(byte) 0xff, (byte) 0xc9, 0x75, (byte) 0xec, (byte) 0xf4}; // jnz the jump
        machine.load(CODE + 0xff0, jump);
        machine.load(CODE + 0x1000, back);
        machine.group(X86.GENERAL)[X86.RIP] = CODE + 0xff0;
        install();
        assertEquals(1, count("regions-live"));
        assertTrue(count("region-percent") > 80);
        machine.load(CODE + 0x1000, back);
        assertEquals(0, count("regions-live"));
        machine.load(CODE + 0xff0, jump);
        assertEquals(0, count("regions-live"));
        assertEquals(1, count("regions-dropped-written"));
    }

    @Test
    @DisplayName("what all cores share is told by one of them")
    void shared() {
        install();
        try (VirtualCore second = machine.engine.newCore(1, new ControlBlock(X86.ARCHITECTURE))) {
            Map<String, Long> counters = second.counters();
            assertEquals(0, counters.get("regions-installed"));
            for (String once : List.of("translations", "node-classes", "region-percent")) {
                assertFalse(counters.containsKey(once), once);
                assertTrue(count(once) > 0, once);
            }
        }
    }

    @Test
    @DisplayName("a flight recording has each step of a region's life")
    void recording() throws IOException {
        Path file = folder.resolve("regions.jfr");
        try (Recording recording = new Recording()) {
            for (String name : List.of("Requested", "Translated", "Installed", "Dropped")) {
                recording.enable("alcazar.Region" + name);
            }
            recording.start();
            install();
            machine.load(CODE, LOOP);
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        RecordedEvent requested = only(events, "alcazar.RegionRequested");
        assertEquals(0, requested.getInt("core"));
        assertEquals(1, requested.getInt("blocks"));
        RecordedEvent translated = only(events, "alcazar.RegionTranslated");
        assertEquals(1, translated.getInt("blocks"));
        assertEquals(2, translated.getInt("instructions"));
        assertTrue(translated.getInt("bytecode") > 10);
        assertTrue(translated.getDuration().isPositive());
        RecordedEvent installed = only(events, "alcazar.RegionInstalled");
        assertEquals(2, installed.getInt("instructions"));
        assertEquals(5000, installed.getLong("wait"));
        assertEquals("written", only(events, "alcazar.RegionDropped").getString("reason"));
        assertEquals(4, events.size());
    }

    @Test
    @DisplayName("recordings that are over hold no class loader of a bundle")
    void unloading() throws IOException, ReflectiveOperationException {
        WeakReference<ClassLoader> loader;
        try (Recording recording = new Recording()) {
            recording.start();
            loader = new WeakReference<>(tellsFromElsewhere());
        }
        for (int i = 0; i < ENOUGH_COLLECTIONS && loader.get() != null; i++) {
            System.gc();
        }
        assertNull(loader.get());
    }

    /** Has a class loader of its own tell of a region. */
    private static ClassLoader tellsFromElsewhere()
            throws IOException, ReflectiveOperationException {
        String name = RegionEvents.class.getName();
        URL[] classes = {RegionEvents.class.getProtectionDomain().getCodeSource().getLocation()};
        try (URLClassLoader loader =
                new URLClassLoader(classes, ClassLoader.getPlatformClassLoader())) {
            Class<?> events = loader.loadClass(name);
            assertNotSame(RegionEvents.class, events);
            events.getMethod("dropped", int.class, long.class, int.class, String.class)
                    .invoke(null, 0, CODE, 64, "written");
            return loader;
        }
    }

    private static RecordedEvent only(List<RecordedEvent> events, String type) {
        List<RecordedEvent> found =
                events.stream().filter(e -> e.getEventType().getName().equals(type)).toList();
        assertEquals(1, found.size(), events::toString);
        RecordedEvent event = found.getFirst();
        assertEquals(CODE, event.getLong("address"));
        assertEquals(64, event.getInt("mode"));
        return event;
    }
}
