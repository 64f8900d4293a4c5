package org.alcazar.testkit.device;

import org.alcazar.machine.InterruptLine;

/** A wire that remembers its level and counts its rising edges. */
public final class RecordingLine implements InterruptLine {
    private boolean level;
    private int edges;

    @Override
    public void set(boolean now) {
        if (now && !level) {
            edges++;
        }
        level = now;
    }

    public boolean level() {
        return level;
    }

    /** Rising edges since the last call. */
    public int takeEdges() {
        int taken = edges;
        edges = 0;
        return taken;
    }
}
