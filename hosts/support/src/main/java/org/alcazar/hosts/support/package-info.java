/**
 * What every host in the process of a JVM needs: the process's reserved range, accounts of pages,
 * threads, timers, files, consoles, options, and counters of primitives. A library: hosts embed it
 * into their bundles, and nobody exports it.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.hosts.support;
