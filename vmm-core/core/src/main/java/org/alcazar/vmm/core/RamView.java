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

    /** A page is asked for again if it went away before it could be used. */
    private static final int ATTEMPTS = 16;

    private final GuestPhysicalMap map;
    private final Consumer<HostRefusal> refused;

    /**
     * @param refused told if the host has no memory for a page: reads give all ones then, and
     *     writes vanish
     */
    RamView(GuestPhysicalMap map, Consumer<HostRefusal> refused) {
        this.map = map;
        this.refused = refused;
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
        long host = map.toHost(address, 1);
        return host < 0 ? (int) slowRead(address, 1) & 0xff : HostRam.getByte(host) & 0xff;
    }

    @Override
    public int readShort(long address) {
        long host = map.toHost(address, Short.BYTES);
        return host < 0 ? (int) slowRead(address, Short.BYTES) : HostRam.getShort(host) & 0xffff;
    }

    @Override
    public int readInt(long address) {
        long host = map.toHost(address, Integer.BYTES);
        return host < 0 ? (int) slowRead(address, Integer.BYTES) : HostRam.getInt(host);
    }

    @Override
    public long readLong(long address) {
        long host = map.toHost(address, Long.BYTES);
        return host < 0 ? slowRead(address, Long.BYTES) : HostRam.getLong(host);
    }

    @Override
    public void writeByte(long address, int value) {
        long host = map.toHost(address, 1, true);
        if (host < 0) {
            slowWrite(address, 1, value);
        } else {
            RamPages.setByte(host, (byte) value);
        }
    }

    @Override
    public void writeShort(long address, int value) {
        long host = map.toHost(address, Short.BYTES, true);
        if (host < 0) {
            slowWrite(address, Short.BYTES, value);
        } else {
            RamPages.setShort(host, (short) value);
        }
    }

    @Override
    public void writeInt(long address, int value) {
        long host = map.toHost(address, Integer.BYTES, true);
        if (host < 0) {
            slowWrite(address, Integer.BYTES, value);
        } else {
            RamPages.setInt(host, value);
        }
    }

    @Override
    public void writeLong(long address, long value) {
        long host = map.toHost(address, Long.BYTES, true);
        if (host < 0) {
            slowWrite(address, Long.BYTES, value);
        } else {
            RamPages.setLong(host, value);
        }
    }

    @Override
    public void read(long address, byte[] into, int offset, int bytes) {
        int done = 0;
        while (done < bytes) {
            int step = (int) map.stretch(address + done, bytes - done);
            long host = map.toHost(address + done, step);
            if (host < 0) {
                step = (int) inPage(address + done, step);
                host = provided(address + done, step, false);
            }
            if (host < 0) {
                java.util.Arrays.fill(into, offset + done, offset + done + step, (byte) 0xff);
            } else {
                HostRam.read(host, into, offset + done, step);
            }
            done += step;
        }
    }

    @Override
    public void write(long address, byte[] from, int offset, int bytes) {
        int done = 0;
        while (done < bytes) {
            int step = (int) map.stretch(address + done, bytes - done);
            long host = map.toHost(address + done, step, true);
            if (host < 0) {
                step = (int) inPage(address + done, step);
                host = provided(address + done, step, true);
            }
            if (host >= 0) {
                RamPages.write(host, from, offset + done, step);
            }
            done += step;
        }
    }

    @Override
    public void fill(long address, long bytes, int value) {
        long done = 0;
        while (done < bytes) {
            long step = map.stretch(address + done, bytes - done);
            long host = map.toHost(address + done, step, true);
            if (host < 0) {
                step = inPage(address + done, step);
                host = provided(address + done, step, true);
            }
            if (host >= 0) {
                RamPages.fill(host, step, (byte) value);
            }
            done += step;
        }
    }

    /** Bytes of so many that lie in the same page; where no RAM is, all of them. */
    private long inPage(long address, long bytes) {
        return map.find(address) < 0 ? bytes : Math.min(bytes, PAGE - (address & PAGE - 1));
    }

    /** As the map's toHost for bytes of one page, once the page is there. */
    private long provided(long address, long bytes, boolean write) {
        int range = map.find(address);
        if (range < 0 || !map.range(range).paged()) {
            return -1;
        }
        long host = -1;
        try {
            for (int i = 0; host < 0 && i < ATTEMPTS; i++) {
                map.provide(address, write ? Rights.READ | Rights.WRITE : Rights.READ);
                host = map.toHost(address, bytes, write);
            }
        } catch (HostRefusal e) {
            refused.accept(e);
        }
        return host;
    }

    private long slowRead(long address, int bytes) {
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            long host = map.toHost(address + i, 1);
            if (host < 0) {
                host = provided(address + i, 1, false);
            }
            value |= (host < 0 ? 0xffL : HostRam.getByte(host) & 0xffL) << 8 * i;
        }
        return value;
    }

    private void slowWrite(long address, int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            long host = map.toHost(address + i, 1, true);
            if (host < 0) {
                host = provided(address + i, 1, true);
            }
            if (host >= 0) {
                RamPages.setByte(host, (byte) (value >>> 8 * i));
            }
        }
    }
}
