package org.alcazar.vmm.plugin;

import org.alcazar.host.HostFiles;
import org.alcazar.host.HostKernel;

import java.io.IOException;
import java.io.InputStream;

/**
 * Family: keeps saved VMs elsewhere than in plain files of the host, or in another form. {@code
 * VmmControl.save} and {@code load} use it where they are given {@code TYPE:NAME} instead of a
 * path.
 *
 * <p>What is stored is a stream that the VMM checks byte by byte when it reads it; a store need not
 * understand it. A store has no state of its own that a VM depends on: a newer version is used from
 * the next save or load on, and finds what older ones have kept.
 */
public interface CheckpointStore extends PluginType {
    /**
     * Reads a saved VM from its beginning; the caller closes the stream. Called twice for one load.
     *
     * @param name what follows the type's name, not empty
     * @throws IOException if there is none of this name, or it cannot be read; the message is for
     *     people
     */
    InputStream read(HostKernel host, String name) throws IOException;

    /**
     * Keeps a saved VM: when this returns it is there whole under its name. Where this throws, what
     * was there before stays.
     *
     * @param writer writes the VM, once
     * @throws IOException from the writer, or if it cannot be kept
     */
    void write(HostKernel host, String name, HostFiles.Writer writer) throws IOException;
}
