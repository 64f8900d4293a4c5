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
 * behind them is a hundred times their size and only C2 makes a few instructions of it. Without
 * this, which other JVMs don't have, regions are right but slow to come.
 */
final class CompilerDirectives {
    private static final Logger LOG = LoggerFactory.getLogger(CompilerDirectives.class);

    private static final String TEXT =
            """
            [{
              match: ["org/alcazar/engines/x86/translator/Region_*.run"],
              c1: {
                BackgroundCompilation: false,
                inline: ["+org/alcazar/engines/x86/mmu/View.*",
                         "-org/alcazar/engines/x86/translator/GuestRam.*",
                         "-org/alcazar/engines/x86/translator/DeferredFlags.settle"]
              },
              c2: {
                inline: ["+org/alcazar/engines/x86/mmu/View.*",
                         "+org/alcazar/engines/x86/translator/GuestRam.*",
                         "+org/alcazar/engines/x86/mmu/Ram.*"]
              }
            }]
            """;

    private CompilerDirectives() {}

    /** Gives them to this process's compilers, which takes a tenth of a second. */
    static void give() {
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
        } catch (IOException | JMException e) {
            LOG.info("no compiler directives: {}", e.getMessage());
        }
    }
}
