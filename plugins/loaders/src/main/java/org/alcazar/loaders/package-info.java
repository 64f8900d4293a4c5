/** Guest loaders for x86 machines: what firmware and a boot loader leave behind, without either. */
@org.jspecify.annotations.NullMarked
package org.alcazar.loaders;
