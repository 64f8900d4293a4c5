package org.alcazar.launcher.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.terminal.EscapeKeys.Command;
import org.junit.jupiter.api.Test;

class EscapeKeysTest {
    private final StringBuilder seen = new StringBuilder();
    private final EscapeKeys keys =
            new EscapeKeys(
                    new EscapeKeys.Sink() {
                        @Override
                        public void guest(int octet) {
                            seen.append((char) octet);
                        }

                        @Override
                        public void command(Command command) {
                            seen.append('<').append(command).append('>');
                        }
                    });

    private String type(String text) {
        text.chars().forEach(keys::typed);
        return seen.toString();
    }

    @Test
    void everyOtherKeyIsTheGuests() {
        assertEquals("ls\r\u0003\u001b[A\u00ff", type("ls\r\u0003\u001b[A\u00ff"));
    }

    @Test
    void ctrlAAndAKeyIsACommand() {
        assertEquals("a<END>b", type("a\u0001xb"));
    }

    @Test
    void ctrlMayStayDownForTheSecondKey() {
        assertEquals("<END><POWER>", type("\u0001\u0018\u0001\u0010"));
    }

    @Test
    void ctrlATwiceSendsOne() {
        assertEquals("\u0001x", type("\u0001\u0001x"));
    }

    @Test
    void anUnknownKeyAfterCtrlAShowsHelpAndDoesNotReachTheGuest() {
        assertEquals("<HELP>z", type("\u0001~z"));
    }

    @Test
    void helpNamesEveryCommand() {
        for (Command command : Command.values()) {
            assertTrue(
                    EscapeKeys.help().contains("Ctrl-A " + command.key() + "  " + command.doc()));
        }
    }
}
