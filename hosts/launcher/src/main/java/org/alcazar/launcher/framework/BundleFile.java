package org.alcazar.launcher.framework;

import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Status;
import org.osgi.framework.Constants;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.stream.Stream;

import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;

/**
 * What can be said of a bundle from its jar alone: headers, component descriptions, class files.
 */
public final class BundleFile {
    /** A class file's major version is that of its Java and this. */
    private static final int JAVA_0 = 44;

    private static final int MAGIC = 0xcafebabe;
    private static final String COMPONENTS = "Service-Component";
    private static final String FAMILIES = "org.alcazar.vmm.plugin.";
    private static final String TYPE = "alcazar.type";

    private final Path file;
    private final List<String> problems = new ArrayList<>();

    private BundleFile(Path file) {
        this.file = file;
    }

    /**
     * The jar that a path means: itself, or what Maven has made in a project's folder.
     *
     * @throws Failure if there is none
     */
    public static Path find(Path given) throws Failure {
        if (!Files.isDirectory(given)) {
            if (!Files.isRegularFile(given)) {
                throw Failure.usage(given + ": there is no such file");
            }
            return given;
        }
        try (Stream<Path> files = Files.list(given.resolve("target"))) {
            return files.filter(file -> file.toString().endsWith(".jar"))
                    .filter(file -> !file.toString().matches(".*-(sources|javadoc|tests)\\.jar"))
                    .max(Comparator.comparingLong(file -> file.toFile().lastModified()))
                    .orElseThrow(() -> unbuilt(given));
        } catch (IOException e) {
            throw unbuilt(given);
        }
    }

    private static Failure unbuilt(Path project) {
        return Failure.usage(
                project.resolve("target") + " has no bundle: run `mvn package` in " + project);
    }

    /**
     * What is wrong with a jar, a line for each fault.
     *
     * @throws Failure if it is no bundle at all
     */
    static List<String> problems(Path file) throws Failure {
        try (JarFile jar = new JarFile(file.toFile())) {
            BundleFile bundle = new BundleFile(file);
            bundle.look(jar);
            return bundle.problems;
        } catch (IOException e) {
            throw new Failure(
                    Status.USAGE, file + " is no jar file that can be read: " + e.getMessage(), e);
        }
    }

    private void look(JarFile jar) throws IOException, Failure {
        Manifest manifest = jar.getManifest();
        if (manifest == null || header(manifest, Constants.BUNDLE_SYMBOLICNAME).isEmpty()) {
            throw Failure.usage(
                    file
                            + " is no bundle: its manifest lacks Bundle-SymbolicName, which the"
                            + " parent org.alcazar.plugins sees to");
        }
        javaVersion(jar);
        String components = header(manifest, COMPONENTS);
        if (components.isEmpty()) {
            problems.add(
                    "has no component (header Service-Component): @Component belongs on the class"
                            + " that implements a family, such as DeviceType");
            return;
        }
        for (String name : components.split(",", -1)) {
            if (!name.contains("*")) {
                component(jar, name.strip());
            }
        }
        String exports = header(manifest, Constants.EXPORT_PACKAGE);
        if (!exports.isEmpty()) {
            problems.add(
                    "exports "
                            + exports.replaceAll("\"[^\"]*\"", "").replaceAll(";[^,]*", "")
                            + ": a bundle with an implementation exports nothing, else others come"
                            + " to depend on it and it cannot be exchanged");
        }
    }

    private static String header(Manifest manifest, String name) {
        return Optional.ofNullable(manifest.getMainAttributes().getValue(name)).orElse("");
    }

    /** Names one class that is too new; the others will be so for the same reason. */
    private void javaVersion(JarFile jar) throws IOException {
        List<JarEntry> classes =
                jar.stream()
                        .filter(entry -> entry.getName().endsWith(".class"))
                        .filter(entry -> !entry.getName().startsWith("META-INF/"))
                        .toList();
        int here = Runtime.version().feature();
        for (JarEntry entry : classes) {
            try (DataInputStream in = new DataInputStream(jar.getInputStream(entry))) {
                int magic = in.readInt();
                int java = (in.readInt() & 0xffff) - JAVA_0;
                if (magic == MAGIC && java > here) {
                    problems.add(
                            "%s is compiled for Java %d, and this is Java %d: set the property maven.compiler.release to %d"
                                    .formatted(entry.getName(), java, here, here));
                    return;
                }
            }
        }
    }

    private void component(JarFile jar, String name) throws IOException {
        JarEntry entry = jar.getJarEntry(name);
        if (entry == null) {
            problems.add(
                    "names the component " + name + ", a file that is not in it: build it anew");
            return;
        }
        Element component;
        try (InputStream in = jar.getInputStream(entry)) {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            component = factory.newDocumentBuilder().parse(in).getDocumentElement();
        } catch (SAXException | ParserConfigurationException e) {
            problems.add(name + " is no component description: " + e.getMessage());
            return;
        }
        String type = values(component, "implementation", "class").findFirst().orElse("");
        if (jar.getJarEntry(type.replace('.', '/') + ".class") == null) {
            problems.add("lacks the class " + type + ", which " + name + " names: build it anew");
        }
        boolean family =
                values(component, "provide", "interface").anyMatch(i -> i.startsWith(FAMILIES));
        if (!family) {
            problems.add(
                    type
                            + " offers no plugin type: @Component(service = …) must name a family,"
                            + " such as DeviceType");
        } else if (values(component, "property", "name").noneMatch(TYPE::equals)) {
            problems.add(type + " has no @AlcazarType: it must give the type's name");
        }
    }

    private static Stream<String> values(Element component, String element, String attribute) {
        NodeList found = component.getElementsByTagName(element);
        Stream.Builder<String> out = Stream.builder();
        for (int i = 0; i < found.getLength(); i++) {
            if (found.item(i) instanceof Element at) {
                out.add(at.getAttribute(attribute));
            }
        }
        return out.build();
    }
}
