package org.alcazar.launcher;

import org.alcazar.launcher.guest.Progress;
import org.alcazar.launcher.message.Messages;

/** Shows what a recipe does: one status line on a terminal, a line for each phase elsewhere. */
final class ProgressLines implements Progress {
    private final Messages messages;
    private String phase = "";

    ProgressLines(Messages messages) {
        this.messages = messages;
    }

    @Override
    public void start(String name) {
        phase = name;
        messages.progress(name);
    }

    @Override
    public void step(String text) {
        messages.status(phase + ": " + text);
    }

    @Override
    public void done() {
        messages.clear();
    }
}
