package ${package};

import org.alcazar.host.HostFiles;
import org.alcazar.host.HostKernel;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.CheckpointStore;
import org.osgi.service.component.annotations.Component;

import java.io.IOException;
import java.io.InputStream;

/** Registers the checkpoint store {@code ${type}}. */
@Component(service = CheckpointStore.class)
@AlcazarType("${type}")
public final class ${className}Component implements CheckpointStore {
    @Override
    public String name() {
        return "${type}";
    }

    @Override
    public String description() {
        return "keeps every version of a saved VM, as FILE.1, FILE.2 and so on";
    }

    @Override
    public InputStream read(HostKernel host, String name) throws IOException {
        return versions(host).newest(name);
    }

    @Override
    public void write(HostKernel host, String name, HostFiles.Writer writer) throws IOException {
        versions(host).add(name, writer);
    }

    private static ${className} versions(HostKernel host) throws IOException {
        return new ${className}(
                host.find(HostFiles.class)
                        .orElseThrow(() -> new IOException("host " + host.name() + " has no files")));
    }
}
