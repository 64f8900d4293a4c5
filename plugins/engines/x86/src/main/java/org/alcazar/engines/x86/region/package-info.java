/**
 * What the interpreter and the translator tell each other: stretches of hot code one way, their
 * translations the other.
 */
@NullMarked
package org.alcazar.engines.x86.region;

import org.jspecify.annotations.NullMarked;
