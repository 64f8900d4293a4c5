/** The smallest machine: RAM, a console port and a debug-exit port. It depends on no plugin. */
@org.jspecify.annotations.NullMarked
package org.alcazar.testkit.micro;
