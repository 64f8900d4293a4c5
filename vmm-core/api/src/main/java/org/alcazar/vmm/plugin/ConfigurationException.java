package org.alcazar.vmm.plugin;

/**
 * A configuration is wrong. The message is one line that says what, where, and what would be right.
 */
public class ConfigurationException extends Exception {
    private static final long serialVersionUID = 1L;

    public ConfigurationException(String message) {
        super(message);
    }

    public ConfigurationException(String message, Throwable cause) {
        super(message, cause);
    }
}
