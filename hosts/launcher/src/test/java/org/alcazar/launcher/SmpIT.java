package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.ProgramRun.End;
import org.alcazar.launcher.guest.GuestCatalog;
import org.alcazar.launcher.guest.GuestException;
import org.alcazar.launcher.guest.MachineCommands;
import org.alcazar.launcher.guest.Progress;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;

/** Guests with several cores on the assembled program. */
@Tag("machine")
class SmpIT {
    @BeforeAll
    static void theGuestsAreBuilt() throws GuestException, InterruptedException {
        new GuestCatalog(ProgramRun.root().resolve("guests"), new MachineCommands(System.getenv()))
                .build("micro", Progress.SILENT);
    }

    private static End run(String kernel, int cpus, String words)
            throws IOException, InterruptedException {
        try (ProgramRun program =
                ProgramRun.start(
                        "run",
                        "--kernel",
                        kernel,
                        "--memory",
                        "64M",
                        "--cpus",
                        Integer.toString(cpus),
                        "--append",
                        "cpus=" + cpus + " " + words,
                        "--timeout",
                        "100")) {
            return program.end();
        }
    }

    @ParameterizedTest
    @CsvSource({"smpstart, 1", "smpstart, 2", "smpstart, 4"})
    void coresOfATinyGuestWorkTogether(String name, int cpus)
            throws IOException, InterruptedException {
        End end = run(BootIT.micro(name + ".elf"), cpus, "");
        assertEquals(33, end.status(), end.out() + end.err());
        assertTrue(end.out().contains("ok " + name), end.out());
        assertEquals("", end.err());
    }
}
