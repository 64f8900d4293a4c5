/**
 * Conformance suites: a host or an engine extends the one that is meant for it and runs it as a
 * JUnit test.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.host.tck;
