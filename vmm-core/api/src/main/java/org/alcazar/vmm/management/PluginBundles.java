package org.alcazar.vmm.management;

import org.alcazar.host.HostRefusal;

import java.util.List;

/**
 * The bundles that plugins come in, and the VMs that use them. The VMM registers it as a service
 * where it runs in a framework. Methods are safe from any thread but a vcore's.
 */
public interface PluginBundles {
    /** All installed bundles, by their ids. */
    List<BundleInfo> all();

    /**
     * Installs a bundle and starts it; its types are usable at once.
     *
     * @param file path of a jar file
     * @return its id
     * @throws HostRefusal if it is no bundle, does not resolve or does not start; it is gone again
     *     then
     */
    long install(String file) throws HostRefusal;

    /**
     * Starts a stopped bundle.
     *
     * @throws HostRefusal with the reason in words if it does not resolve or start
     */
    void start(long bundle) throws HostRefusal;

    /**
     * Stops a bundle. Each VM with parts of it follows its policy ({@code on-bundle-stop}); if that
     * of one of them is to refuse, nothing is done.
     *
     * @throws HostRefusal naming the VMs that still use it
     */
    void stop(long bundle) throws HostRefusal;

    /**
     * Stops a bundle as {@link #stop} does and removes it.
     *
     * @throws HostRefusal naming the VMs that still use it
     */
    void uninstall(long bundle) throws HostRefusal;

    /**
     * Replaces a bundle by a new version of it under running VMs: the new one is started beside the
     * old, each part of it is made and restored on trial while the guests run; then, in each VM's
     * pause barrier, the parts are exchanged with their present state. If anything of this fails
     * the new bundle is dropped, and the old one has never been stopped.
     *
     * @param file path of a jar file whose symbolic name is that of an installed bundle
     * @throws HostRefusal with the reason in words
     */
    SwapReport swap(String file) throws HostRefusal;

    /**
     * As {@link #swap} where a bundle of the file's symbolic name is installed, else as {@link
     * #install}: {@link SwapReport#from} is empty then. Nobody can install one in between.
     *
     * @throws HostRefusal with the reason in words
     */
    SwapReport swapOrInstall(String file) throws HostRefusal;

    /**
     * Installs a bundle of whose symbolic name there is none.
     *
     * @return whether it was installed by this call
     * @throws HostRefusal as {@link #install} does
     */
    boolean installIfMissing(String file) throws HostRefusal;
}
