package org.alcazar.vmm.core;

import org.alcazar.host.HostRam;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.RamPages;
import org.alcazar.vmm.GuestMemory;

/**
 * Guest-physical RAM through the map. What crosses a range's end goes byte by byte. Rights bind the
 * guest's own accesses, not loaders and devices: who serves an exit checks them.
 */
final class RamView implements GuestMemory {
    private final GuestPhysicalMap map;

    RamView(GuestPhysicalMap map) {
        this.map = map;
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
        return host < 0 ? 0xff : HostRam.getByte(host) & 0xff;
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
        long host = map.toHost(address, 1);
        if (host >= 0) {
            RamPages.setByte(host, (byte) value);
        }
    }

    @Override
    public void writeShort(long address, int value) {
        long host = map.toHost(address, Short.BYTES);
        if (host < 0) {
            slowWrite(address, Short.BYTES, value);
        } else {
            RamPages.setShort(host, (short) value);
        }
    }

    @Override
    public void writeInt(long address, int value) {
        long host = map.toHost(address, Integer.BYTES);
        if (host < 0) {
            slowWrite(address, Integer.BYTES, value);
        } else {
            RamPages.setInt(host, value);
        }
    }

    @Override
    public void writeLong(long address, long value) {
        long host = map.toHost(address, Long.BYTES);
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
            int step = (int) stretch(address + done, bytes - done);
            long host = map.toHost(address + done, step);
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
            int step = (int) stretch(address + done, bytes - done);
            long host = map.toHost(address + done, step);
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
            long step = stretch(address + done, bytes - done);
            long host = map.toHost(address + done, step);
            if (host >= 0) {
                RamPages.fill(host, step, (byte) value);
            }
            done += step;
        }
    }

    /** Bytes from {@code address} on that lie in one range, or in none. */
    private long stretch(long address, long bytes) {
        long end = address + bytes;
        for (GuestPhysicalMap.Range range : map.ranges()) {
            if (address >= range.start() && address < range.end()) {
                return Math.min(end, range.end()) - address;
            }
            if (address < range.start()) {
                return Math.min(end, range.start()) - address;
            }
        }
        return bytes;
    }

    private long slowRead(long address, int bytes) {
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (long) readByte(address + i) << 8 * i;
        }
        return value;
    }

    private void slowWrite(long address, int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            writeByte(address + i, (int) (value >>> 8 * i));
        }
    }
}
