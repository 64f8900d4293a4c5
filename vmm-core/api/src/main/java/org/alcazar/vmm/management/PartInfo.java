package org.alcazar.vmm.management;

/**
 * A part of a VM.
 *
 * @param kind {@code engine}, {@code paging}, {@code device} or {@code extension}
 * @param name unique among its kind in the VM, such as {@code com1}
 * @param type the plugin type's name, such as {@code uart16550}
 * @param implementation class of the instance
 * @param bundle id of the bundle that it comes from, -1 outside of a framework
 */
public record PartInfo(String kind, String name, String type, String implementation, long bundle) {}
