package org.alcazar.launcher.bundle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Names and folders; Maven and the script are played. */
class NewBundleTest {
    @TempDir private Path folder;
    private Path root = Path.of("");
    private Path work = Path.of("");
    private String scriptSays = "";
    private List<String> maven = List.of();

    private final FakePrograms programs =
            new FakePrograms() {
                @Override
                protected Result play(Path directory, List<String> command) throws IOException {
                    if (!command.contains("mvn")) {
                        return new Result(scriptSays.isEmpty() ? 0 : 2, "", scriptSays);
                    }
                    maven = command;
                    Path made = Path.of(value("outputDirectory")).resolve(value("artifactId"));
                    Files.createDirectories(made);
                    Files.writeString(made.resolve("pom.xml"), "<project/>");
                    return new Result(0, "", "");
                }
            };

    @BeforeEach
    void aTree() throws IOException {
        root = folder.resolve("tree");
        work = folder.resolve("work");
        Path archetype = Files.createDirectories(root.resolve("plugins/archetype"));
        Files.writeString(archetype.resolve("families.properties"), "device = devices\n");
        Path template =
                Files.createDirectories(
                        archetype.resolve("src/main/resources/archetype-resources/device"));
        Files.writeString(template.resolve("A.java"), "Counter and Block, BlockDevice");
        Files.writeString(
                root.resolve("pom.xml"), "<alcazar.version>0.1.0-SNAPSHOT</alcazar.version>");
        Path bundles = Files.createDirectories(root.resolve("bundles"));
        Files.writeString(bundles.resolve("org.alcazar.devices.rtc.jar"), "");
    }

    private String value(String key) {
        String begin = "-D" + key + "=";
        return maven.stream()
                .filter(word -> word.startsWith(begin))
                .map(word -> word.substring(begin.length()))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + key + " in " + maven));
    }

    private Path make(String family, String name, Path in) throws Exception {
        Messages messages = new Messages(OutputStream.nullOutputStream(), false, 80);
        return new NewBundle(root, root.resolve("bundles"), programs, messages)
                .make(family, name, in);
    }

    private String refusal(String family, String name, Path in) {
        Failure failure = assertThrows(Failure.class, () -> make(family, name, in));
        assertEquals(2, failure.status());
        return String.valueOf(failure.getMessage());
    }

    private List<Path> inWork() throws IOException {
        try (Stream<Path> files = Files.list(work)) {
            return files.toList();
        }
    }

    @Test
    void aProjectComesWholeAndNothingElseStays() throws Exception {
        Path project = make("device", "my-timer", work);
        assertEquals(work.resolve("my-timer"), project);
        assertEquals(List.of(project), inWork());
        assertTrue(Files.exists(project.resolve("pom.xml")));
        assertEquals(List.of(root.resolve("alcazar").toString(), "repository"), programs.next());
        assertEquals("org.alcazar.devices.my-timer", value("artifactId"));
        assertEquals("org.alcazar.devices.mytimer", value("package"));
        assertEquals("MyTimer", value("className"));
        assertEquals("file://" + root + "/target/repository", value("repositoryUrl"));
    }

    @ParameterizedTest
    @CsvSource({
        "devise, x, no family 'devise'; did you mean 'device'?",
        "device, My, 'My' is no name",
        "device, a--b, 'a--b' is no name",
        "device, 8254, '8254' is no name",
        "device, ../x, '../x' is no name",
        "device, new, 'new' is a word of Java's own",
        "device, rtc, org.alcazar.devices.rtc is a bundle of Alcazar's own",
        "device, block, names of classes that are taken",
    })
    void whatIsWrongIsSaidBeforeAnythingIsBuilt(String family, String name, String why) {
        String message = refusal(family, name, work);
        assertTrue(message.contains(why), message);
        assertTrue(programs.noneMore());
    }

    @Test
    void aClassThatTheTemplateKnowsIsNotMadeAgain() throws Exception {
        make("device", "counter", work);
        assertEquals("CounterDevice", value("className"));
    }

    @Test
    void aFolderThatIsThereAndTheTreeItselfAreRefused() throws Exception {
        Files.createDirectories(work.resolve("my-timer"));
        assertTrue(refusal("device", "my-timer", work).contains("is there already"));
        assertTrue(refusal("device", "my-timer", root.resolve("x")).contains("--in DIR"));
    }

    @Test
    void aBuildThatFailsLeavesNothing() throws Exception {
        scriptSays = "/tree/A.java: ';' expected\nalcazar: the build failed; the log is x\n";
        assertEquals(
                "/tree/A.java: ';' expected\nthe build failed; the log is x",
                refusal("device", "my-timer", work));
        assertEquals(List.of(), inWork());
    }
}
