package org.alcazar.hosts.minix;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.hosts.support.Extents;

/**
 * Memory by messages to VM, which knows of processes alone: which of the VMM's owners has what is
 * the VMM's own account.
 */
final class MinixMemory implements HostMemory {
    private final Kernel kernel;
    private final Calls calls;
    private final long total;

    /** Guarded by itself. VM checks the limits. */
    private final Extents extents = new Extents("minix", Long.MAX_VALUE);

    MinixMemory(Kernel kernel, Calls calls) {
        this.kernel = kernel;
        this.calls = calls;
        total = Math.min(kernel.processLimit(), kernel.memory().limit());
    }

    @Override
    public long totalBytes() {
        return total;
    }

    @Override
    public long bytesInUse(String owner) {
        synchronized (extents) {
            return extents.bytesInUse(owner);
        }
    }

    @Override
    public PageExtent allocate(PageRequest request) throws HostRefusal {
        if (request.pages() > Long.MAX_VALUE >> PAGE_SHIFT) {
            throw refusal(request, VmServer.PROCESS_LIMIT, bytesInUse(""));
        }
        Caller slot = calls.claim(Message.VM_ALLOCATE);
        try {
            long[] words = slot.message.words;
            words[0] = request.pages();
            words[1] = request.alignment();
            words[2] = request.limit();
            int result = calls.call(ServerName.VM, slot);
            if (result == Message.ESHUTDOWN) {
                throw new HostRefusal(
                        "host minix: has been shut down; no memory for " + request.owner());
            }
            if (result == Message.EDEADSRCDST) {
                throw new HostRefusal(
                        "host minix: VM has died of the request of %s for %d pages %d times"
                                .formatted(request.owner(), request.pages(), Calls.MOST_DEATHS));
            }
            if (result != Message.OK) {
                throw refusal(request, words[0], words[1]);
            }
            PageExtent extent = new PageExtent(request.owner(), words[0], request.pages());
            synchronized (extents) {
                extents.add(extent);
            }
            return extent;
        } finally {
            slot.release();
        }
    }

    private HostRefusal refusal(PageRequest request, long reason, long inUse) {
        if (reason == VmServer.PROCESS_LIMIT) {
            return new HostRefusal(
                    "host minix: %s wants %d KiB of memory; VM gives one process %d KiB at most and the VMM has %d; raise process-memory"
                            .formatted(
                                    request.owner(),
                                    request.pages() << 2,
                                    kernel.processLimit() >> 10,
                                    inUse >> 10));
        }
        return new HostRefusal(
                "host minix: %s wants %d KiB of memory side by side%s; of the machine's %d KiB %d are in use"
                        .formatted(
                                request.owner(),
                                request.pages() << 2,
                                request.limit() == Long.MAX_VALUE
                                        ? ""
                                        : " below 0x%x".formatted(request.limit()),
                                kernel.memory().limit() >> 10,
                                kernel.memory().inUse() >> 10));
    }

    @Override
    public void free(PageExtent extent) {
        synchronized (extents) {
            extents.remove(extent);
        }
        Caller slot = calls.claim(Message.VM_FREE);
        try {
            slot.message.words[0] = extent.address();
            slot.message.words[1] = extent.pages();
            int result = calls.call(ServerName.VM, slot);
            if (result == Message.ESHUTDOWN) { // what a process had goes with the machine
                kernel.memory().clear(extent.address(), extent.bytes());
                kernel.memory().release(extent.address());
            } else if (result != Message.OK) {
                throw new IllegalStateException("VM does not know " + extent);
            }
        } finally {
            slot.release();
        }
    }

    /** A process may do that with its own memory without asking VM. */
    @Override
    public void discard(long address, long pages) {
        kernel.memory().clear(address, pages << PAGE_SHIFT);
    }
}
