/** Shadow paging: tables built from the guest's own, which the processor walks in their stead. */
@org.jspecify.annotations.NullMarked
package org.alcazar.paging.shadow;
