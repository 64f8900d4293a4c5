package ${package};

import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.ControlBlock;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader.Boot;
import org.alcazar.vmm.plugin.GuestLoader.Image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** An image: magic, entry, code. */
final class ${className} {
    /** {@code ALC!} as a little-endian number. */
    static final int MAGIC = 0x21434c41;

    private static final int HEADER = 8;
    private static final int REAL_MODE_END = 0x10000;

    private final Image image;
    private final int magic;
    private final int entry;

    ${className}(Image image) {
        this.image = image;
        byte[] header = new byte[HEADER];
        image.read(0, header, 0, HEADER);
        ByteBuffer words = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
        magic = words.getInt();
        entry = words.getInt();
    }

    boolean isOne() {
        return magic == MAGIC;
    }

    void load(Boot boot) throws ConfigurationException {
        long bytes = image.size() - HEADER;
        if (!isOne() || bytes <= 0) {
            throw new ConfigurationException(
                    image.name() + " is no image of ${type}: it must begin with ALC!, entry, code");
        }
        if (entry < 0 || entry + bytes > REAL_MODE_END || !boot.memory().isRam(entry, bytes)) {
            throw new ConfigurationException(
                    "%s: no RAM for %d bytes at 0x%x below 64 KiB"
                            .formatted(image.name(), bytes, entry));
        }
        copy(boot.memory(), (int) bytes);
        enter(boot.bootCore());
    }

    private void copy(GuestMemory memory, int bytes) {
        byte[] code = new byte[bytes];
        image.read(HEADER, code, 0, bytes);
        memory.write(entry, code, 0, bytes);
    }

    /** After reset the core is in real mode with CS at the top of memory. */
    private void enter(ControlBlock core) {
        long[] segments = core.group(X86.SEGMENTS);
        int cs = 4 * X86.CS;
        segments[cs + X86.SELECTOR] = 0;
        segments[cs + X86.BASE] = 0;
        core.group(X86.GENERAL)[X86.RIP] = entry;
        core.dirty |= 1L << X86.SEGMENTS | 1L << X86.GENERAL;
    }
}
