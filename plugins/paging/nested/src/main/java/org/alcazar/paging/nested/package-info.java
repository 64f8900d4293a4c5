/**
 * Nested paging: second-level tables in AMD64 format, filled on demand from the guest-physical map.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.paging.nested;
