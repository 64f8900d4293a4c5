package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.launcher.ProgramRun.End;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A short run of the benchmark that swaps devices under Linux; how long swaps take is its own. */
@Tag("machine")
@Tag("slow")
class HotSwapIT {
    @Test
    void aBusyLinuxDoesNotNoticeThatItsDevicesAreSwapped() throws Exception {
        LinuxIT.guest("linux-soak");
        try (ProgramRun bench = ProgramRun.start("bench", "hotswap", "--swaps", "20")) {
            End end = bench.end();
            assertEquals(0, end.status(), end.err() + end.out());
        }
    }
}
