/** Families of plugins, the annotation that names a type, and configuration schemas. */
@org.jspecify.annotations.NullMarked
package org.alcazar.vmm.plugin;
