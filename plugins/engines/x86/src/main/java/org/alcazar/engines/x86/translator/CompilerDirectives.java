package org.alcazar.engines.x86.translator;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Tells HotSpot how to compile regions. C1 waits for nobody, so that {@link Background} knows when
 * it is done; and it calls the accesses to guest RAM instead of taking them in, since what lies
 * behind them is a hundred times their size and only C2 makes a few instructions of it. What a
 * region seldom comes to is called by both. C2 gets no quick regions and nothing of what makes
 * regions: neither is worth its time, which decides how soon the rest is fast. Who runs regions one
 * after the other must not take one in: it would be compiled by other rules.
 *
 * <p>Without this, which other JVMs don't have, regions are right but slow to come.
 */
final class CompilerDirectives {
    private static final Logger LOG = LoggerFactory.getLogger(CompilerDirectives.class);

    private static final String TEXT =
            """
            [{
              match: ["org/alcazar/engines/x86/translator/Quick_*.run"],
              c1: {
                BackgroundCompilation: false,
                inline: ["-org/alcazar/engines/x86/mmu/View.*",
                         "-org/alcazar/engines/x86/translator/GuestRam.*",
                         "-org/alcazar/engines/x86/region/Region.find*",
                         "-org/alcazar/engines/x86/region/Region.follow"]
              },
              c2: { Exclude: true }
            },
            {
              match: ["org/alcazar/engines/x86/interpreter/RegionOp.*",
                      "org/alcazar/engines/x86/region/Region.*"],
              inline: ["-org/alcazar/engines/x86/translator/Quick_*.*",
                       "-org/alcazar/engines/x86/translator/Region_*.*"]
            },
            {
              match: ["org/alcazar/engines/x86/translator/Region_*.*"],
              c1: {
                BackgroundCompilation: false,
                inline: ["+org/alcazar/engines/x86/mmu/View.*",
                         "-org/alcazar/engines/x86/translator/GuestRam.*",
                         "-org/alcazar/engines/x86/region/Region.find*",
                         "-org/alcazar/engines/x86/region/Region.follow",
                         "-org/alcazar/engines/x86/translator/DeferredFlags.settleAny"]
              },
              c2: {
                inline: ["+org/alcazar/engines/x86/mmu/View.*",
                         "+org/alcazar/engines/x86/translator/GuestRam.*",
                         "-org/alcazar/engines/x86/region/Region.find*",
                         "-org/alcazar/engines/x86/region/Region.follow",
                         "-org/alcazar/engines/x86/translator/DeferredFlags.settleAny",
                         "+org/alcazar/engines/x86/mmu/Ram.*"]
              }
            },
            {
              match: ["org/alcazar/engines/x86/translator/GuestRam.*",
                      "org/alcazar/engines/x86/translator/Guards.*",
                      "org/alcazar/engines/x86/translator/DeferredFlags.*",
                      "org/alcazar/engines/x86/translator/Passages.*",
                      "org/alcazar/engines/x86/translator/TranslatedRegion.*"],
              c2: { Enable: true }
            },
            {
              match: ["org/alcazar/engines/x86/translator/*.*",
                      "org/alcazar/engines/x86/isa/*.*",
                      "java/lang/classfile/*.*",
                      "jdk/internal/classfile/*.*",
                      "java/lang/invoke/MethodType.*"],
              c2: { Exclude: true }
            }]
            """;

    private CompilerDirectives() {}

    /** Initialised by whoever is first to want it: once is enough for the process. */
    private static final class Once {
        static final boolean TOLD = tell();
    }

    /**
     * Gives them to this process's compilers, which takes a tenth of a second the first time.
     *
     * @return whether the compilers took them
     */
    static boolean give() {
        return Once.TOLD;
    }

    private static boolean tell() {
        try {
            Path file = Files.createTempFile("alcazar-directives", ".json");
            try {
                Files.writeString(file, TEXT);
                Object[] arguments = {new String[] {file.toString()}};
                String[] signature = {String[].class.getName()};
                ManagementFactory.getPlatformMBeanServer()
                        .invoke(
                                new ObjectName("com.sun.management:type=DiagnosticCommand"),
                                "compilerDirectivesAdd",
                                arguments,
                                signature);
            } finally {
                Files.deleteIfExists(file);
            }
            return true;
        } catch (IOException | JMException e) {
            LOG.info("no compiler directives: {}", e.getMessage());
            return false;
        }
    }
}
