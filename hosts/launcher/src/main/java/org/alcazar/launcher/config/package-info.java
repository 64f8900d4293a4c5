/**
 * Descriptions of guests: files in YAML, XML or properties form and the options of the command
 * line, checked and merged into one.
 */
@NullMarked
package org.alcazar.launcher.config;

import org.jspecify.annotations.NullMarked;
