package org.alcazar.vmm.management;

/**
 * Something that happened to a VM.
 *
 * @param number counts all events of this VMM, from 1 on
 * @param vm the VM's number
 * @param name the VM's name
 * @param guestNanos the VM's own time then, in nanoseconds
 * @param kind one word: {@code made}, {@code state}, {@code reset}, {@code pause}, {@code end},
 *     {@code fault}, {@code destroyed}, {@code core}, {@code attach}, {@code detach}, {@code swap},
 *     {@code bundle}, {@code event} or {@code save}
 * @param text one line for people
 */
public record VmEvent(
        long number, int vm, String name, long guestNanos, String kind, String text) {}
