/**
 * The {@code alcazar} program: its commands. Below it {@code config} reads guest descriptions,
 * {@code framework} starts the bundles, {@code terminal} cares for the console, {@code run} drives
 * one VM, {@code guest} builds guests.
 *
 * <p>Of Alcazar's own classes only those of {@code org.alcazar.host} are known here; bundles are
 * known by name.
 */
@NullMarked
package org.alcazar.launcher;

import org.jspecify.annotations.NullMarked;
