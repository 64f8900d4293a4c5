package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SlackTest {
    @Test
    void halfAProcessorIsEnough() {
        assertTrue(Slack.spare(100, 100, 2));
        assertTrue(Slack.spare(150, 100, 2));
        assertFalse(Slack.spare(151, 100, 2));
        assertTrue(Slack.spare(350, 100, 4));
    }

    @Test
    void oneProcessorIsTheCores() {
        assertFalse(Slack.spare(100, 100, 1));
    }

    @Test
    void aThreadThatIsKeptWaitingHasNone() {
        assertFalse(Slack.spare(400, 100, 2));
    }

    @Test
    void nothingIsKnownAtFirst() {
        Slack slack = new Slack();
        assertFalse(slack.room(0));
        assertFalse(slack.room(1 << 23));
    }
}
