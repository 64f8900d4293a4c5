package org.alcazar.launcher.bundle;

import org.alcazar.launcher.guest.CommandRunner;
import org.alcazar.launcher.guest.CommandRunner.Result;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.message.Status;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import javax.lang.model.SourceVersion;

/** Makes a bundle's project outside of the source tree, from the tree's archetype. */
public final class NewBundle {
    private static final String NAME = "[a-z][a-z0-9]*(-[a-z0-9]+)*";
    private static final Pattern VERSION =
            Pattern.compile("<alcazar\\.version>([^<]+)</alcazar\\.version>");
    private static final String GENERATE =
            "org.apache.maven.plugins:maven-archetype-plugin:3.4.1:generate";

    /** Maven resolves the archetype out of this project's repository. */
    private static final String RESOLVER =
            """
            <project xmlns="http://maven.apache.org/POM/4.0.0">
              <modelVersion>4.0.0</modelVersion>
              <groupId>org.alcazar</groupId>
              <artifactId>new-bundle</artifactId>
              <version>1</version>
              <repositories>
                <repository>
                  <id>%s</id>
                  <url>%s</url>
                  <snapshots><updatePolicy>always</updatePolicy></snapshots>
                </repository>
              </repositories>
            </project>
            """;

    private final Path root;
    private final Path bundles;
    private final CommandRunner programs;
    private final Messages messages;

    /**
     * A maker of projects.
     *
     * @param root the source tree
     * @param bundles the distribution's bundles, whose names are taken
     */
    public NewBundle(Path root, Path bundles, CommandRunner programs, Messages messages) {
        this.root = root.toAbsolutePath().normalize();
        this.bundles = bundles;
        this.programs = programs;
        this.messages = messages;
    }

    /** What a project is made with. */
    private record Plan(String family, String name, String className, String artifact) {
        String packageName() {
            return artifact.replace("-", "");
        }
    }

    /**
     * Makes the project {@code in/name}.
     *
     * @return its folder
     * @throws Failure if the family or name is wrong, the folder is there, or Maven fails; no
     *     folder is left behind
     */
    public Path make(String family, String name, Path in) throws Failure, InterruptedException {
        Plan plan = plan(family, name);
        Path project = in.resolve(name).toAbsolutePath().normalize();
        if (project.startsWith(root)) {
            throw Failure.usage(
                    project
                            + " lies in Alcazar's own tree, where other rules hold: say where to"
                            + " with --in DIR");
        }
        if (Files.exists(project)) {
            throw Failure.usage(project + " is there already: take another name or folder");
        }
        try {
            Files.createDirectories(in);
            // In the same folder, so that the project comes there whole or not at all.
            Path staging = Files.createTempDirectory(in, ".alcazar-new");
            try {
                deploy();
                Files.move(generate(plan, staging), project);
            } finally {
                delete(staging);
            }
        } catch (IOException e) {
            throw new Failure(Status.USAGE, in + " cannot be written: " + e.getMessage(), e);
        }
        return project;
    }

    private Plan plan(String family, String name) throws Failure {
        Families families = Families.read(root);
        String artifact = "org.alcazar." + families.group(family) + "." + name;
        if (!name.matches(NAME)) {
            throw Failure.usage(
                    "'"
                            + name
                            + "' is no name for a bundle: it takes small letters, digits and"
                            + " hyphens between them, such as my-"
                            + family);
        }
        if (SourceVersion.isKeyword(name.replace("-", ""))) {
            throw Failure.usage(
                    "'" + name + "' is a word of Java's own: take another, such as my-" + name);
        }
        if (Files.exists(bundles.resolve(artifact + ".jar"))) {
            throw Failure.usage(
                    artifact + " is a bundle of Alcazar's own: take another name than " + name);
        }
        return new Plan(family, name, className(families.template(family), family, name), artifact);
    }

    /** {@code my-timer} gives MyTimer, or MyTimerDevice where the template knows a MyTimer. */
    private static String className(Path template, String family, String name) throws Failure {
        String plain = camel(name);
        String longer = plain + camel(family);
        List<String> taken;
        try (Stream<Path> files = Files.walk(template)) {
            List<String> texts = new ArrayList<>();
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                texts.add(Files.readString(file));
            }
            taken = texts;
        } catch (IOException e) {
            throw new Failure(Status.USAGE, template + " cannot be read: " + e.getMessage(), e);
        }
        for (String candidate : List.of(plain, longer)) {
            Pattern word = Pattern.compile("\\b" + candidate + "\\b");
            if (taken.stream().noneMatch(text -> word.matcher(text).find())) {
                return candidate;
            }
        }
        throw Failure.usage("'" + name + "' gives names of classes that are taken: try my-" + name);
    }

    private static String camel(String name) {
        return Arrays.stream(name.split("-", -1))
                .map(part -> Character.toUpperCase(part.charAt(0)) + part.substring(1))
                .collect(Collectors.joining());
    }

    private void deploy() throws Failure, IOException, InterruptedException {
        messages.status("bringing target/repository up to date (a minute the first time)");
        Result result =
                programs.run(root, List.of(root.resolve("alcazar").toString(), "repository"));
        messages.clear();
        if (!result.ok()) {
            throw new Failure(
                    Status.USAGE, result.errors().strip().replaceFirst("(?m)^alcazar: ", ""));
        }
    }

    private Path generate(Plan plan, Path staging)
            throws Failure, IOException, InterruptedException {
        URI repository = root.resolve("target/repository").toUri();
        String url = "file://" + repository.getRawPath().replaceFirst("/$", "");
        // Other trees have their own, and what Maven has fetched it knows by this name.
        String id = "alcazar-" + Integer.toHexString(root.toString().hashCode());
        Path pom = staging.resolve("pom.xml");
        Files.writeString(pom, RESOLVER.formatted(id, url));
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("archetypeGroupId", "org.alcazar");
        properties.put("archetypeArtifactId", "org.alcazar.archetype");
        properties.put("archetypeVersion", version());
        properties.put("archetypeCatalog", "internal");
        properties.put("outputDirectory", staging.resolve("out").toString());
        properties.put("groupId", "org.alcazar");
        properties.put("artifactId", plan.artifact());
        properties.put("version", "1.0.0-SNAPSHOT");
        properties.put("package", plan.packageName());
        properties.put("family", plan.family());
        properties.put("type", plan.name());
        properties.put("className", plan.className());
        properties.put("repositoryId", id);
        properties.put("repositoryUrl", url);
        properties.put("alcazarVersion", version());
        properties.put("alcazarRoot", root.toString());
        List<String> arguments = new ArrayList<>(List.of("-f", pom.toString(), GENERATE));
        properties.forEach((key, value) -> arguments.add("-D" + key + "=" + value));
        messages.status("making the project");
        Result result = programs.run(staging, Maven.command(arguments));
        messages.clear();
        Path made = staging.resolve("out").resolve(plan.artifact());
        if (!result.ok() || !Files.exists(made.resolve("pom.xml"))) {
            throw new Failure(
                    Status.USAGE,
                    "Maven did not make the project: " + MavenErrors.of(result.output()));
        }
        return made;
    }

    private String version() throws Failure, IOException {
        String pom = Files.readString(root.resolve("pom.xml"), StandardCharsets.UTF_8);
        Matcher version = VERSION.matcher(pom);
        if (!version.find()) {
            throw Failure.usage(root.resolve("pom.xml") + " has no alcazar.version");
        }
        return Objects.requireNonNull(version.group(1));
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
