package org.alcazar.launcher.config;

/**
 * A value as it was read.
 *
 * @param value String, Number, Boolean, a List of them, or a Map from names to them; an empty
 *     String where nothing stands
 * @param origin where it was read
 */
record RawValue(Object value, Origin origin) {}
