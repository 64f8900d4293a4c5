/**
 * What management plugins (shell, dashboard, debugger) see and change beyond {@code VmmControl}.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.vmm.management;
