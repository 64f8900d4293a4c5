/** Model of a PC's two 8259A interrupt controllers. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.pic8259;
