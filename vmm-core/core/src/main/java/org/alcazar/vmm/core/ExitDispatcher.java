package org.alcazar.vmm.core;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.PageEntry;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Space;
import org.alcazar.machine.Width;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.PagingAction;
import org.alcazar.vmm.PagingObserver;
import org.alcazar.vmm.plugin.PagingModeType.PagingMode;
import org.jspecify.annotations.Nullable;

/** Leads each exit of one vcore to whoever serves it. Allocates nothing and takes no lock. */
final class ExitDispatcher {
    private final VcoreImpl vcore;
    private final HookMaps hooks;
    private final GuestMemory memory;
    private final GuestPhysicalMap map;

    /** Exchanged in the barrier. */
    private PagingMode paging;

    /** The memory hook that was hit last, and the map in which it was found. */
    private @Nullable AccessHook lastHook;

    private AccessMap lastMap = AccessMap.EMPTY;

    ExitDispatcher(
            VcoreImpl vcore,
            HookMaps hooks,
            GuestMemory memory,
            GuestPhysicalMap map,
            PagingMode paging) {
        this.vcore = vcore;
        this.hooks = hooks;
        this.memory = memory;
        this.map = map;
        this.paging = paging;
    }

    /** Serves an exit and writes the reply. IDLE, WINDOW, KICK, BUDGET and SHUTDOWN need none. */
    void dispatch(ControlBlock block, int reason) throws HostRefusal {
        ExitFrame frame = block.frame();
        switch (reason) {
            case Exit.ACCESS -> access(frame);
            case Exit.TRANSLATION -> {
                frame.reply = ExitFrame.AS_ACCESS;
                page(reason, frame);
            }
            case Exit.CALL -> call(frame);
            case Exit.INSTRUCTION, Exit.FAULT -> {
                frame.reply = ExitFrame.PROCEED;
                page(reason, frame);
            }
            case Exit.DEBUG -> frame.reply = ExitFrame.PROCEED;
            case Exit.WINDOW -> block.windowWanted = false;
            default -> {}
        }
    }

    private void page(int reason, ExitFrame frame) throws HostRefusal {
        PagingObserver[] observers = hooks.paging;
        if (observers.length == 0) {
            page(reason);
            return;
        }
        int core = vcore.index();
        long address = frame.address;
        PagingAction action =
                switch (reason) {
                    case Exit.TRANSLATION -> PagingAction.TRANSLATION;
                    case Exit.FAULT -> PagingAction.FAULT;
                    default -> PagingAction.INSTRUCTION;
                };
        long detail = reason == Exit.FAULT ? frame.value : frame.code;
        for (PagingObserver observer : observers) {
            observer.before(action, core, address, detail);
        }
        page(reason);
        for (PagingObserver observer : observers) {
            observer.after(action, core, address, frame.reply);
        }
    }

    private void page(int reason) throws HostRefusal {
        if (reason == Exit.TRANSLATION) {
            paging.translation(vcore);
        } else {
            paging.intercepted(vcore);
        }
        WriteWatch[] watches = hooks.watches;
        if (watches.length != 0 && reason != Exit.INSTRUCTION) {
            ExitFrame frame = vcore.block().frame();
            if (frame.reply == ExitFrame.AS_ACCESS && frame.write) {
                watched(watches, frame);
            }
        }
    }

    /**
     * A write to a page that the guest may not write: if it is for being watched alone, the
     * instruction goes on with the page once, or with a copy that is thrown away. As an access it
     * would not do: what reads before it writes would read again when it is written.
     */
    private void watched(WriteWatch[] watches, ExitFrame frame) throws HostRefusal {
        long address = frame.address; // guest-physical: a FAULT's was put there by the mode
        long entry = map.entry(address);
        if (entry == -1 || (entry & PageEntry.PROTECTED) == 0 || !writable(address)) {
            return;
        }
        boolean let = isLetThrough(watches, address, frame.size);
        long page = vcore.writtenOnce(address & -Pages.PAGE, let);
        frame.reply = page < 0 ? ExitFrame.RETRY : ExitFrame.ONCE;
        frame.value = page;
    }

    /** Whether nobody who watches the write is against it; all are asked. */
    private boolean isLetThrough(WriteWatch[] watches, long address, int bytes) {
        boolean out = true;
        for (WriteWatch watch : watches) {
            if (watch.has(address)) {
                out &= watch.watcher().write(vcore, address, bytes);
            }
        }
        return out;
    }

    private void access(ExitFrame frame) {
        frame.reply = ExitFrame.DONE;
        switch (frame.space) {
            case Space.PORT -> {
                if (frame.write) {
                    writePort(frame.address, frame.size, frame.value);
                } else {
                    frame.value = readPort(frame.address, frame.size);
                }
            }
            case Space.MEMORY -> {
                if (frame.write) {
                    writeMemory(frame.address, frame.size, frame.value);
                } else {
                    frame.value = readMemory(frame.address, frame.size);
                }
            }
            case Space.REGISTER -> register(frame, hooks.registers.find(frame.address));
            case Space.FEATURE -> feature(frame, hooks.features.find(frame.address));
            default -> frame.reply = ExitFrame.PROCEED;
        }
    }

    private void register(ExitFrame frame, @Nullable AccessHook hook) {
        if (hook == null) {
            frame.reply = ExitFrame.PROCEED;
        } else if (frame.write) {
            hook.writes++;
            hook.handler.write(vcore, frame.address - hook.first, Width.QWORD, frame.value);
        } else {
            hook.reads++;
            frame.value = hook.handler.read(vcore, frame.address - hook.first, Width.QWORD);
        }
    }

    private void feature(ExitFrame frame, @Nullable AccessHook hook) {
        if (hook == null) {
            frame.reply = ExitFrame.PROCEED;
        } else {
            hook.reads++;
            hook.handler.write(vcore, frame.address - hook.first, Width.QWORD, frame.address);
        }
    }

    private void call(ExitFrame frame) {
        AccessHook hook = hooks.calls.find(frame.value);
        if (hook == null) {
            frame.reply = ExitFrame.PROCEED;
        } else {
            frame.reply = ExitFrame.DONE;
            hook.writes++;
            hook.handler.write(vcore, frame.value - hook.first, Width.QWORD, frame.value);
        }
    }

    /**
     * An access that one hook does not cover is cut in halves, as a bus cuts it for narrower
     * devices.
     */
    private long readPort(long port, int size) {
        AccessHook hook = hooks.ports.find(port);
        if (hook != null && hook.reaches(port, size)) {
            hook.reads++;
            Width width = Width.of(size);
            return hook.handler.read(vcore, port - hook.first, width) & width.mask();
        }
        if (size == 1) {
            return Width.BYTE.mask();
        }
        int half = size / 2;
        return readPort(port, half) | readPort(port + half, half) << 8 * half;
    }

    private void writePort(long port, int size, long value) {
        AccessHook hook = hooks.ports.find(port);
        if (hook != null && hook.reaches(port, size)) {
            hook.writes++;
            Width width = Width.of(size);
            hook.handler.write(vcore, port - hook.first, width, value & width.mask());
        } else if (size > 1) {
            int half = size / 2;
            writePort(port, half, value);
            writePort(port + half, half, value >>> 8 * half);
        }
    }

    private @Nullable AccessHook memoryHook(long address) {
        AccessMap now = hooks.memory;
        AccessHook last = lastHook;
        if (now == lastMap && last != null && last.covers(address)) {
            return last;
        }
        AccessHook found = now.find(address);
        if (found != null) {
            lastHook = found;
            lastMap = now;
        }
        return found;
    }

    long readMemory(long address, int size) {
        AccessHook hook = memoryHook(address);
        if (hook != null && hook.reaches(address, size)) {
            hook.reads++;
            Width width = Width.of(size);
            return hook.handler.read(vcore, address - hook.first, width) & width.mask();
        }
        if (size == 1) {
            return hook == null ? memory.readByte(address) : Width.BYTE.mask();
        }
        int half = size / 2;
        return readMemory(address, half) | readMemory(address + half, half) << 8 * half;
    }

    void writeMemory(long address, int size, long value) {
        WriteWatch[] watches = hooks.watches;
        if (watches.length == 0 || !writable(address) || isLetThrough(watches, address, size)) {
            write(address, size, value);
        }
    }

    private void write(long address, int size, long value) {
        AccessHook hook = memoryHook(address);
        if (hook != null && hook.reaches(address, size)) {
            hook.writes++;
            Width width = Width.of(size);
            hook.handler.write(vcore, address - hook.first, width, value & width.mask());
        } else if (size > 1) {
            int half = size / 2;
            write(address, half, value);
            write(address + half, half, value >>> 8 * half);
        } else if (writable(address)) {
            memory.writeByte(address, (int) value);
        }
    }

    void paging(PagingMode other) {
        paging = other;
    }

    /** Forgets the hook of the last access: its device may be gone. */
    void forgetHooks() {
        lastHook = null;
        lastMap = AccessMap.EMPTY;
    }

    /** Read-only memory keeps what it holds, whatever a guest writes to it. */
    private boolean writable(long address) {
        int at = map.find(address);
        return at >= 0 && (map.range(at).rights() & Rights.WRITE) != 0;
    }

    /** What the guest was doing at an access, for messages; slow. */
    String describeAccess(ExitFrame frame) {
        AccessHook hook =
                switch (frame.space) {
                    case Space.PORT -> hooks.ports.find(frame.address);
                    case Space.MEMORY -> hooks.memory.find(frame.address);
                    case Space.REGISTER -> hooks.registers.find(frame.address);
                    default -> hooks.features.find(frame.address);
                };
        return String.format(
                "%s at a %s of %s 0x%x (%d bytes%s) at pc 0x%x",
                hook == null ? "nothing" : hook.owner,
                frame.write ? "write" : "read",
                Space.name(frame.space),
                frame.address,
                frame.size,
                frame.write ? String.format(", value 0x%x", frame.value) : "",
                frame.pc);
    }
}
