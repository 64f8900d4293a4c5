package org.alcazar.vmm.core;

import org.alcazar.host.HostRefusal;
import org.slf4j.Logger;

import java.io.IOException;

/** How a VM's failure is told. */
final class Failures {
    private Failures() {}

    /**
     * Logs a failure. Trouble of the host's is a line; all else is a fault of ours or a plugin's,
     * and the way to it helps.
     *
     * @return what the VM's dump begins with; nothing for trouble of the host's
     */
    static String told(Logger log, String vm, String reason, Throwable cause) {
        if (cause instanceof HostRefusal || cause instanceof IOException) {
            log.error("VM {}: {}", vm, reason);
            log.debug("VM {}: where that was", vm, cause);
            return "";
        }
        log.error("VM {}: {}", vm, reason, cause);
        StringBuilder out = new StringBuilder();
        out.append(cause).append('\n');
        for (StackTraceElement frame : cause.getStackTrace()) {
            out.append("  at ").append(frame).append('\n');
        }
        return out.toString();
    }
}
