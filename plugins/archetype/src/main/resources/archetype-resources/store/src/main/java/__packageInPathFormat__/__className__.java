package ${package};

import org.alcazar.host.HostFiles;

import java.io.IOException;
import java.io.InputStream;

/** Files with a number behind their names, of which the highest counts. */
final class ${className} {
    private final HostFiles files;

    ${className}(HostFiles files) {
        this.files = files;
    }

    InputStream newest(String name) throws IOException {
        int count = count(name);
        if (count == 0) {
            throw new IOException("there is no " + name + ".1");
        }
        return files.read(name + "." + count);
    }

    void add(String name, HostFiles.Writer writer) throws IOException {
        files.write(name + "." + (count(name) + 1), writer);
    }

    private int count(String name) {
        int count = 0;
        while (exists(name + "." + (count + 1))) {
            count++;
        }
        return count;
    }

    private boolean exists(String path) {
        try {
            return files.size(path) >= 0;
        } catch (IOException e) {
            return false;
        }
    }
}
