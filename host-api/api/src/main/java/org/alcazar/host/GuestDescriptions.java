package org.alcazar.host;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Optional: the guests that whoever started this process knows, by a name or by a file that
 * describes them. A launcher registers it as a service, for the shell and its like. Methods are
 * safe from any thread.
 */
public interface GuestDescriptions {
    /**
     * Guests known by name, in the order to show them in: name to one line of description.
     *
     * @throws HostRefusal if they cannot be listed
     */
    Map<String, String> names() throws HostRefusal;

    /**
     * Reads and checks a guest's description, and makes the guest's files if need be, which may
     * take minutes.
     *
     * @param guest a name, or the path of a file; relative paths count from {@code folder}
     * @param keys values that win over the description's, and are added to its lists; as texts
     * @param folder an absolute path, from which relative paths in {@code keys} count, too
     * @param progress told in a few words of each step that takes long, on the caller's thread
     * @throws HostRefusal with one line that says what is wrong, where, and what would be right
     * @throws InterruptedException if the thread was interrupted while files were made
     */
    Guest read(
            String guest, Map<String, List<String>> keys, String folder, Consumer<String> progress)
            throws HostRefusal, InterruptedException;

    /**
     * What is to be made.
     *
     * @param configuration as {@link VmmControl#create} takes it
     * @param bundles paths of bundles that must be installed before
     */
    record Guest(Map<String, Object> configuration, List<String> bundles) {}
}
