package org.alcazar.launcher.guest;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;

/**
 * The content of an initial RAM file system, and its writer in the "newc" form of cpio that Linux
 * unpacks at boot (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * <p>The same content always gives the same bytes: entries are sorted by path, times are 0, inode
 * numbers are counted from 1. Directories that lead to an entry are added by themselves (mode 0755,
 * root). Adding a path twice is refused, but a directory may be stated again.
 *
 * <p>Paths are absolute within the guest, without {@code .}, {@code ..} or a trailing slash. Modes
 * are the twelve permission bits, owners are numbers.
 */
public final class Initramfs {
    private static final int S_IFIFO = 0010000;
    private static final int S_IFCHR = 0020000;
    private static final int S_IFDIR = 0040000;
    private static final int S_IFBLK = 0060000;
    private static final int S_IFREG = 0100000;
    private static final int S_IFLNK = 0120000;
    private static final int S_IFSOCK = 0140000;
    private static final int PERMISSIONS = 07777;
    private static final int MAX_MINOR = (1 << 20) - 1;
    private static final int MAX_MAJOR = (1 << 12) - 1;
    private static final String TRAILER = "TRAILER!!!";

    /** Whoever owns an entry, as numbers from 0 up. */
    public record Owner(int uid, int gid) {
        /** The super-user. */
        public static final Owner ROOT = new Owner(0, 0);

        /** Refuses negative numbers. */
        public Owner {
            if (uid < 0 || gid < 0) {
                throw new IllegalArgumentException("owner " + uid + ":" + gid + " is negative");
            }
        }
    }

    /** What {@code nod} makes. */
    public enum DeviceKind {
        /** A character device. */
        CHARACTER,
        /** A block device. */
        BLOCK
    }

    private sealed interface Content {}

    private record Bytes(byte[] bytes) implements Content {}

    private record HostFile(Path file) implements Content {}

    private record Device(int major, int minor) implements Content {}

    private record Entry(int mode, Owner owner, Content content) {}

    private static final Bytes NOTHING = new Bytes(new byte[0]);

    private final SortedMap<String, Entry> entries = new TreeMap<>();

    /** Creates an empty file system. */
    public Initramfs() {}

    /** Adds a directory owned by root. */
    public Initramfs directory(String path, int mode) {
        return directory(path, mode, Owner.ROOT);
    }

    /** Adds a directory. */
    public Initramfs directory(String path, int mode, Owner owner) {
        return add(path, S_IFDIR, mode, owner, NOTHING);
    }

    /** Adds a regular file, owned by root, with the given content. */
    public Initramfs file(String path, int mode, byte[] content) {
        return add(path, S_IFREG, mode, Owner.ROOT, new Bytes(content.clone()));
    }

    /** Adds a regular file, owned by root, whose content is read when the archive is written. */
    public Initramfs file(String path, int mode, Path content) {
        return file(path, mode, Owner.ROOT, content);
    }

    /** Adds a regular file whose content is read when the archive is written. */
    public Initramfs file(String path, int mode, Owner owner, Path content) {
        return add(path, S_IFREG, mode, owner, new HostFile(content));
    }

    /** Adds a symbolic link. */
    public Initramfs symlink(String path, String target) {
        return symlink(path, target, 0777, Owner.ROOT);
    }

    /** Adds a symbolic link with a stated mode, which Linux ignores. */
    public Initramfs symlink(String path, String target, int mode, Owner owner) {
        if (target.isEmpty()) {
            throw new IllegalArgumentException(path + ": the link points to nothing");
        }
        byte[] bytes = target.getBytes(StandardCharsets.UTF_8);
        return add(path, S_IFLNK, mode, owner, new Bytes(bytes));
    }

    /** Adds a device node; major is at most 4095 and minor at most 1048575. */
    public Initramfs device(
            String path, int mode, Owner owner, DeviceKind kind, int major, int minor) {
        if (major < 0 || major > MAX_MAJOR || minor < 0 || minor > MAX_MINOR) {
            throw new IllegalArgumentException(
                    path + ": device number " + major + ":" + minor + " is out of range");
        }
        int type = kind == DeviceKind.BLOCK ? S_IFBLK : S_IFCHR;
        return add(path, type, mode, owner, new Device(major, minor));
    }

    /** Adds a named pipe. */
    public Initramfs pipe(String path, int mode, Owner owner) {
        return add(path, S_IFIFO, mode, owner, NOTHING);
    }

    /** Adds a socket. */
    public Initramfs socket(String path, int mode, Owner owner) {
        return add(path, S_IFSOCK, mode, owner, NOTHING);
    }

    /**
     * Adds BusyBox's applets as links to {@code busybox}, leaving out those whose path is taken.
     *
     * @param applets paths without a leading slash, as {@code busybox --list-full} prints them
     * @param busybox where BusyBox is in the guest
     */
    public Initramfs applets(Collection<String> applets, String busybox) {
        for (String applet : applets) {
            String path = "/" + applet;
            if (!entries.containsKey(path)) {
                symlink(path, busybox);
            }
        }
        return this;
    }

    /** Whether there is an entry with this path. */
    public boolean contains(String path) {
        return entries.containsKey(path);
    }

    private Initramfs add(String path, int type, int mode, Owner owner, Content content) {
        checkPath(path);
        if ((mode & ~PERMISSIONS) != 0) {
            throw new IllegalArgumentException(
                    path + ": mode " + Integer.toOctalString(mode) + " has more than 12 bits");
        }
        Entry entry = new Entry(type | mode, owner, content);
        Entry before = entries.get(path);
        if (before != null && !(isDirectory(before) && isDirectory(entry))) {
            throw new IllegalArgumentException(path + ": is there already");
        }
        addParents(path);
        entries.put(path, entry);
        return this;
    }

    private void addParents(String path) {
        for (int i = path.indexOf('/', 1); i > 0; i = path.indexOf('/', i + 1)) {
            String parent = path.substring(0, i);
            Entry there =
                    entries.computeIfAbsent(
                            parent, p -> new Entry(S_IFDIR | 0755, Owner.ROOT, NOTHING));
            if (!isDirectory(there)) {
                throw new IllegalArgumentException(path + ": " + parent + " is no directory");
            }
        }
    }

    private static boolean isDirectory(Entry entry) {
        return (entry.mode() & 0170000) == S_IFDIR;
    }

    private static void checkPath(String path) {
        boolean good = path.startsWith("/") && path.length() > 1 && path.indexOf('\0') < 0;
        for (String part : path.substring(good ? 1 : path.length()).split("/", -1)) {
            good &= !part.isEmpty() && !part.equals(".") && !part.equals("..");
        }
        if (!good) {
            throw new IllegalArgumentException(
                    "'" + path + "' is no absolute path without '.', '..' and empty parts");
        }
    }

    /** Writes the archive, not compressed; the stream stays open. */
    public void writeTo(OutputStream out) throws IOException {
        Writer writer = new Writer(out);
        for (var entry : entries.entrySet()) {
            writer.entry(entry.getKey().substring(1), entry.getValue());
        }
        writer.trailer();
    }

    /** Writes the archive, compressed by gzip, to a new file. */
    public void writeGzip(Path file) throws IOException {
        try (OutputStream out =
                new GZIPOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            writeTo(out);
        }
    }

    /** The SHA-256 of the uncompressed archive: equal content, equal value. */
    public String sha256() throws IOException {
        Sha256 sha = new Sha256();
        writeTo(sha);
        return sha.hex();
    }

    /** Writes entries in the "newc" form: 6 + 13 * 8 ASCII characters, name, content. */
    private static final class Writer {
        private static final int ALIGNMENT = 4;
        private static final int BLOCK = 512;
        private static final byte[] ZEROS = new byte[BLOCK];

        private final OutputStream out;
        private long position;
        private int inode;

        Writer(OutputStream out) {
            this.out = out;
        }

        void entry(String name, Entry entry) throws IOException {
            inode++;
            switch (entry.content()) {
                case Bytes bytes -> bytes(name, entry, bytes.bytes());
                case HostFile file -> bytes(name, entry, Files.readAllBytes(file.file()));
                case Device device -> header(name, inode, entry, 0, device);
            }
        }

        void trailer() throws IOException {
            header(TRAILER, 0, new Entry(0, Owner.ROOT, NOTHING), 0, new Device(0, 0));
            pad(BLOCK);
        }

        private void bytes(String name, Entry entry, byte[] content) throws IOException {
            header(name, inode, entry, content.length, new Device(0, 0));
            write(content, content.length);
            pad(ALIGNMENT);
        }

        private void header(String name, int number, Entry entry, int size, Device device)
                throws IOException {
            byte[] path = name.getBytes(StandardCharsets.UTF_8);
            int links = isDirectory(entry) ? 2 : 1;
            int[] fields = {
                number,
                entry.mode(),
                entry.owner().uid(),
                entry.owner().gid(),
                links,
                0, // time of last change
                size,
                0, // major and minor of the file system's own device
                0,
                device.major(),
                device.minor(),
                path.length + 1,
                0, // checksum, of no meaning in this form
            };
            StringBuilder text = new StringBuilder("070701");
            for (int field : fields) {
                text.append(String.format("%08X", field));
            }
            byte[] head = text.toString().getBytes(StandardCharsets.US_ASCII);
            write(head, head.length);
            write(path, path.length);
            write(ZEROS, 1);
            pad(ALIGNMENT);
        }

        private void pad(int to) throws IOException {
            write(ZEROS, (int) ((to - position % to) % to));
        }

        private void write(byte[] bytes, int length) throws IOException {
            out.write(bytes, 0, length);
            position += length;
        }
    }
}
