/**
 * The engines that have more than one way to run code: puts interpreter and translator together.
 */
@NullMarked
package org.alcazar.engines.x86.tiers;

import org.jspecify.annotations.NullMarked;
