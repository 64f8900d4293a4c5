package org.alcazar.platforms.pc;

import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Makes a bundle with one device type, as a plugin's author would: source, component, manifest. */
final class TinyBundle {
    /** A device of type {@code answer} at port 0x90 that reads as a constant. */
    private static final String DEVICE =
            """
            package tiny;

            import org.alcazar.machine.BusDevice;
            import org.alcazar.machine.SavedState;
            import org.alcazar.machine.Width;
            import org.alcazar.vmm.device.Device;
            import org.alcazar.vmm.device.DeviceContext;
            import org.alcazar.vmm.plugin.ConfigurationException;
            import org.alcazar.vmm.plugin.DeviceType;
            import org.alcazar.vmm.plugin.Settings;

            public final class Answer implements DeviceType {
                public Answer() {
                    MADE
                }

                public String name() {
                    return "answer";
                }

                public String description() {
                    return "reads as ANSWER";
                }

                public Device create(DeviceContext context, Settings settings)
                        throws ConfigurationException {
                    context.hookPorts(0x90, 1, new BusDevice() {
                        public long read(long offset, Width width) {
                            return ANSWER;
                        }

                        public void write(long offset, Width width, long value) {}
                    });
                    return new Device() {
                        public void reset() {}

                        public SavedState save() {
                            return new SavedState("answer", 1);
                        }

                        public void restore(SavedState state) {}
                    };
                }
            }
            """;

    private static final String COMPONENT =
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <scr:component xmlns:scr="http://www.osgi.org/xmlns/scr/v1.3.0" name="tiny.Answer">
              <implementation class="tiny.Answer"/>
              <service><provide interface="org.alcazar.vmm.plugin.DeviceType"/></service>
              <property name="alcazar.type" value="answer"/>
            </scr:component>
            """;

    private static final String COMPONENT_FILE = "OSGI-INF/tiny.Answer.xml";

    private TinyBundle() {}

    /** Builds the jar of a bundle whose device reads as {@code answer}. */
    static Path build(Path folder, String symbolicName, int answer) throws IOException {
        return build(folder, symbolicName, answer, "");
    }

    /** The same with a statement in the constructor of its component. */
    static Path build(Path folder, String symbolicName, int answer, String made)
            throws IOException {
        Path work = Files.createDirectories(folder.resolve(symbolicName));
        Path source = work.resolve("Answer.java");
        String text = DEVICE.replace("ANSWER", Integer.toString(answer)).replace("MADE", made);
        Files.writeString(source, text);
        compile(source, work);
        Path jar = folder.resolve(symbolicName + ".jar");
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out, manifest(symbolicName))) {
            add(entries, COMPONENT_FILE, COMPONENT.getBytes(StandardCharsets.UTF_8));
            try (Stream<Path> classes = Files.list(work.resolve("tiny"))) {
                for (Path file : classes.toList()) {
                    add(entries, "tiny/" + file.getFileName(), Files.readAllBytes(file));
                }
            }
        }
        return jar;
    }

    private static void compile(Path source, Path into) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        String classPath =
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path"));
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files =
                compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
            boolean good =
                    compiler.getTask(
                                    messages,
                                    files,
                                    null,
                                    List.of("-proc:none", "-d", into.toString(), "-cp", classPath),
                                    null,
                                    files.getJavaFileObjects(source))
                            .call();
            if (!good) {
                throw new IOException(messages.toString());
            }
        }
    }

    private static Manifest manifest(String symbolicName) {
        Manifest manifest = new Manifest();
        Attributes headers = manifest.getMainAttributes();
        headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        headers.putValue("Bundle-ManifestVersion", "2");
        headers.putValue("Bundle-SymbolicName", symbolicName);
        headers.putValue("Bundle-Version", "1.0.0");
        headers.putValue(
                "Import-Package",
                "org.alcazar.machine,org.alcazar.vmm.device,org.alcazar.vmm.plugin");
        headers.putValue("Service-Component", COMPONENT_FILE);
        return manifest;
    }

    private static void add(JarOutputStream jar, String name, byte[] content) throws IOException {
        jar.putNextEntry(new JarEntry(name));
        jar.write(content);
        jar.closeEntry();
    }
}
