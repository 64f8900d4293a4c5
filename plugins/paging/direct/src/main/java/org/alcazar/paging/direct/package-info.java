/** Direct paging: the whole guest-physical map is entered when the VM is made. */
@org.jspecify.annotations.NullMarked
package org.alcazar.paging.direct;
