package org.alcazar.launcher.framework;

import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** A jar with the device type {@code answer}, in which a test spoils something. */
final class TinyBundle {
    static final String COMPONENT = "OSGI-INF/answer.xml";
    static final String CLASS = "tiny/Answer.class";

    private static final String SOURCE =
            """
            package tiny;

            import org.alcazar.vmm.device.Device;
            import org.alcazar.vmm.device.DeviceContext;
            import org.alcazar.vmm.plugin.DeviceType;
            import org.alcazar.vmm.plugin.Settings;

            public final class Answer implements DeviceType {
                public Answer() {}

                public String name() {
                    return "answer";
                }

                public String description() {
                    return "";
                }

                public Device create(DeviceContext context, Settings settings) {
                    throw new UnsupportedOperationException();
                }
            }
            """;

    private final Map<String, String> headers = new LinkedHashMap<>();
    private final Map<String, byte[]> entries = new TreeMap<>();
    private String source = SOURCE;
    private String component =
            """
            <scr:component xmlns:scr="http://www.osgi.org/xmlns/scr/v1.3.0" name="tiny.Answer">
              <implementation class="tiny.Answer"/>
              <service><provide interface="org.alcazar.vmm.plugin.DeviceType"/></service>
              <property name="alcazar.type" value="answer"/>
            </scr:component>
            """;

    TinyBundle() {
        header("Manifest-Version", "1.0");
        header("Bundle-ManifestVersion", "2");
        header("Bundle-SymbolicName", "tiny");
        header("Import-Package", "org.alcazar.vmm.device,org.alcazar.vmm.plugin");
        header("Service-Component", COMPONENT);
    }

    TinyBundle header(String name, String value) {
        headers.put(name, value);
        return this;
    }

    TinyBundle imports(String more) {
        return header("Import-Package", headers.get("Import-Package") + "," + more);
    }

    TinyBundle without(String header) {
        headers.remove(header);
        return this;
    }

    TinyBundle source(String from, String to) {
        source = replaced(source, from, to);
        return this;
    }

    TinyBundle component(String from, String to) {
        component = replaced(component, from, to);
        return this;
    }

    private static String replaced(String text, String from, String to) {
        if (!text.contains(from)) {
            throw new IllegalArgumentException("no " + from + " in " + text);
        }
        return text.replace(from, to);
    }

    /** Compiles against the distribution. */
    TinyBundle compile(Path folder, Path bundles) throws IOException {
        Path file = folder.resolve("Answer.java");
        Files.writeString(file, source);
        String classPath;
        try (Stream<Path> jars = Files.list(bundles)) {
            classPath =
                    Stream.concat(jars, lib(bundles))
                            .map(Path::toString)
                            .collect(Collectors.joining(java.io.File.pathSeparator));
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files =
                compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
            List<String> options = List.of("-proc:none", "-d", folder.toString(), "-cp", classPath);
            boolean good =
                    compiler.getTask(
                                    messages,
                                    files,
                                    null,
                                    options,
                                    null,
                                    files.getJavaFileObjects(file))
                            .call();
            if (!good) {
                throw new IOException(messages.toString());
            }
        }
        entries.put(CLASS, Files.readAllBytes(folder.resolve(CLASS)));
        entries.put(COMPONENT, component.getBytes(StandardCharsets.UTF_8));
        return this;
    }

    private static Stream<Path> lib(Path bundles) {
        return Stream.of(bundles.resolveSibling("lib").resolve("org.alcazar.host.api.jar"));
    }

    byte[] entry(String name) {
        return entries.get(name);
    }

    TinyBundle drop(String entry) {
        entries.remove(entry);
        return this;
    }

    Path write(Path file) throws IOException {
        Manifest manifest = new Manifest();
        headers.forEach(manifest.getMainAttributes()::putValue);
        try (OutputStream out = Files.newOutputStream(file);
                JarOutputStream jar = new JarOutputStream(out, manifest)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                jar.putNextEntry(new JarEntry(entry.getKey()));
                jar.write(entry.getValue());
                jar.closeEntry();
            }
        }
        return file;
    }
}
