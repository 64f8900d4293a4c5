/**
 * The modelled hardware beneath every VMM: the contract of engines, the physical bus and RAM,
 * interrupt requests, what device models are made of, and {@link org.alcazar.machine.SavedState}.
 * Engine and bus alone run an operating system natively; the VMM adds itself by intercepts and by a
 * second level of translation.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.machine;
