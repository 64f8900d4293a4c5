package org.alcazar.vmm.core;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Rights;
import org.alcazar.vmm.GuestMemory;

import java.util.function.Consumer;

/**
 * Guest-physical RAM through the map. What crosses a range's end goes byte by byte. Rights bind the
 * guest's own accesses, not loaders and devices: who serves an exit checks them. A page that is not
 * there is brought in, and one that others have too is copied before it is written.
 */
final class RamView implements GuestMemory {
    private static final long PAGE = HostMemory.PAGE_SIZE;

    private final GuestPhysicalMap map;
    private final Object pager;
    private final Consumer<HostRefusal> refused;
    private final Forgetting forgetting;

    /** Takes whole pages of one range of RAM back from the guest; tells how many bytes. */
    interface Forgetting {
        long forget(long start, long bytes);
    }

    /**
     * @param pager is locked while a page of a paged range is used: it does not go away then
     * @param refused told if the host has no memory for a page: reads give all ones then, and
     *     writes vanish
     */
    RamView(
            GuestPhysicalMap map,
            Object pager,
            Consumer<HostRefusal> refused,
            Forgetting forgetting) {
        this.map = map;
        this.pager = pager;
        this.refused = refused;
        this.forgetting = forgetting;
    }

    @Override
    public boolean isRam(long address, long bytes) {
        long at = address;
        long left = bytes;
        while (left > 0) {
            int i = map.find(at);
            if (i < 0 || !map.range(i).ram()) {
                return false;
            }
            long step = Math.min(left, map.range(i).end() - at);
            at += step;
            left -= step;
        }
        return bytes >= 0;
    }

    @Override
    public int readByte(long address) {
        long host = map.inOnePiece(address, 1);
        return host < 0 ? (int) pagedRead(address, 1) & 0xff : HostRam.getByte(host) & 0xff;
    }

    @Override
    public int readShort(long address) {
        long host = map.inOnePiece(address, Short.BYTES);
        return host < 0
                ? (int) pagedRead(address, Short.BYTES) & 0xffff
                : HostRam.getShort(host) & 0xffff;
    }

    @Override
    public int readInt(long address) {
        long host = map.inOnePiece(address, Integer.BYTES);
        return host < 0 ? (int) pagedRead(address, Integer.BYTES) : HostRam.getInt(host);
    }

    @Override
    public long readLong(long address) {
        long host = map.inOnePiece(address, Long.BYTES);
        return host < 0 ? pagedRead(address, Long.BYTES) : HostRam.getLong(host);
    }

    @Override
    public void writeByte(long address, int value) {
        long host = map.inOnePiece(address, 1);
        if (host < 0) {
            pagedWrite(address, 1, value);
        } else {
            RamPages.setByte(host, (byte) value);
        }
    }

    @Override
    public void writeShort(long address, int value) {
        long host = map.inOnePiece(address, Short.BYTES);
        if (host < 0) {
            pagedWrite(address, Short.BYTES, value);
        } else {
            RamPages.setShort(host, (short) value);
        }
    }

    @Override
    public void writeInt(long address, int value) {
        long host = map.inOnePiece(address, Integer.BYTES);
        if (host < 0) {
            pagedWrite(address, Integer.BYTES, value);
        } else {
            RamPages.setInt(host, value);
        }
    }

    @Override
    public void writeLong(long address, long value) {
        long host = map.inOnePiece(address, Long.BYTES);
        if (host < 0) {
            pagedWrite(address, Long.BYTES, value);
        } else {
            RamPages.setLong(host, value);
        }
    }

    @Override
    public void read(long address, byte[] into, int offset, int bytes) {
        int done = 0;
        while (done < bytes) {
            int step = (int) map.stretch(address + done, bytes - done);
            int at = offset + done;
            long host = map.inOnePiece(address + done, step);
            if (host >= 0) {
                HostRam.read(host, into, at, step);
            } else {
                step = (int) inPage(address + done, step);
                int count = step;
                if (!withPage(
                        address + done, step, false, page -> HostRam.read(page, into, at, count))) {
                    java.util.Arrays.fill(into, at, at + step, (byte) 0xff);
                }
            }
            done += step;
        }
    }

    @Override
    public void write(long address, byte[] from, int offset, int bytes) {
        int done = 0;
        while (done < bytes) {
            int step = (int) map.stretch(address + done, bytes - done);
            int at = offset + done;
            long host = map.inOnePiece(address + done, step);
            if (host >= 0) {
                RamPages.write(host, from, at, step);
            } else {
                step = (int) inPage(address + done, step);
                int count = step;
                withPage(address + done, step, true, page -> RamPages.write(page, from, at, count));
            }
            done += step;
        }
    }

    @Override
    public void fill(long address, long bytes, int value) {
        long done = 0;
        while (done < bytes) {
            long step = map.stretch(address + done, bytes - done);
            long host = map.inOnePiece(address + done, step);
            if (host >= 0) {
                RamPages.fill(host, step, (byte) value);
            } else {
                step = inPage(address + done, step);
                long count = step;
                withPage(
                        address + done,
                        step,
                        true,
                        page -> RamPages.fill(page, count, (byte) value));
            }
            done += step;
        }
    }

    @Override
    public long discard(long address, long bytes) {
        if (bytes < PAGE || address < 0 || address > Long.MAX_VALUE - bytes) {
            return 0;
        }
        long end = address + bytes & -PAGE;
        long gone = 0;
        for (long at = address + PAGE - 1 & -PAGE; at < end; ) {
            long step = Math.min(map.stretch(at, end - at), end - at);
            int range = map.find(at);
            if (range >= 0 && map.range(range).ram()) {
                gone += forgetting.forget(at, step);
            }
            at += step;
        }
        return gone;
    }

    /** Bytes of so many that lie in the same page; where no RAM is, all of them. */
    private long inPage(long address, long bytes) {
        return map.find(address) < 0 ? bytes : Math.min(bytes, PAGE - (address & PAGE - 1));
    }

    private interface PageWork {
        void on(long host);
    }

    /**
     * Works with bytes of one page of a paged range, under the pager's lock: it is not taken away
     * meanwhile.
     *
     * @return whether there is such a page
     */
    private boolean withPage(long address, long bytes, boolean write, PageWork work) {
        int range = map.find(address);
        if (range < 0 || !map.range(range).paged()) {
            return false;
        }
        try {
            synchronized (pager) {
                map.provide(address, write ? Rights.READ | Rights.WRITE : Rights.READ);
                long host = map.toHost(address, bytes, write);
                if (host >= 0) {
                    work.on(host);
                }
                return host >= 0;
            }
        } catch (HostRefusal e) {
            refused.accept(e); // not under the lock: that ends the VM
            return false;
        }
    }

    private long pagedRead(long address, int bytes) {
        long[] value = {-1};
        boolean whole = (address & PAGE - 1) + bytes <= PAGE;
        if (whole) {
            withPage(address, bytes, false, host -> value[0] = get(host, bytes));
            return value[0];
        }
        long out = 0;
        for (int i = 0; i < bytes; i++) {
            out |= (long) readByte(address + i) << 8 * i;
        }
        return out;
    }

    private void pagedWrite(long address, int bytes, long value) {
        if ((address & PAGE - 1) + bytes <= PAGE) {
            withPage(address, bytes, true, host -> set(host, bytes, value));
            return;
        }
        for (int i = 0; i < bytes; i++) {
            writeByte(address + i, (int) (value >>> 8 * i));
        }
    }

    private static long get(long host, int bytes) {
        return switch (bytes) {
            case 1 -> HostRam.getByte(host);
            case Short.BYTES -> HostRam.getShort(host);
            case Integer.BYTES -> HostRam.getInt(host);
            default -> HostRam.getLong(host);
        };
    }

    private static void set(long host, int bytes, long value) {
        switch (bytes) {
            case 1 -> RamPages.setByte(host, (byte) value);
            case Short.BYTES -> RamPages.setShort(host, (short) value);
            case Integer.BYTES -> RamPages.setInt(host, (int) value);
            default -> RamPages.setLong(host, value);
        }
    }
}
