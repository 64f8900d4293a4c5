/** For tests of a paging mode. */
@org.jspecify.annotations.NullMarked
package org.alcazar.testkit.paging;
