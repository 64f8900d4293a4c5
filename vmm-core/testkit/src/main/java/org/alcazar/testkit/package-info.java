/**
 * Bundle-level tests: the real framework, the real VMM, and guests of a few lines of C or assembly.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.testkit;
