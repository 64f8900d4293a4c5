package org.alcazar.launcher.framework;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.framework.BundleDoctor.Diagnosis;
import org.alcazar.launcher.message.Failure;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Bundles with one fault each, beside the distribution's bundles. */
@Tag("machine")
class BundleDoctorIT {
    private static final Path BUNDLES =
            Path.of(System.getProperty("alcazar.home", ".")).resolve("bundles");

    @TempDir private Path folder;

    private TinyBundle tiny() {
        return new TinyBundle();
    }

    private Diagnosis examine(TinyBundle bundle) throws Exception {
        return diagnose(bundle.compile(folder, BUNDLES));
    }

    private Diagnosis diagnose(TinyBundle compiled) throws Exception {
        Path file = compiled.write(folder.resolve("tiny.jar"));
        return BundleDoctor.examine(new BundleFolder(BUNDLES), file);
    }

    private static void assertOne(Diagnosis found, String... words) {
        assertEquals(List.of(), found.offers());
        assertEquals(1, found.problems().size(), () -> found.problems().toString());
        for (String word : words) {
            String problem = found.problems().getFirst();
            assertTrue(problem.contains(word), () -> problem + " lacks " + word);
        }
    }

    @Test
    void aGoodBundleOffersItsType() throws Exception {
        Diagnosis found = examine(tiny());
        assertEquals(List.of(), found.problems());
        assertEquals(List.of("device answer"), found.offers());
    }

    @Test
    void allThatIsMissingIsSaidWithWhatMayHaveBeenMeant() throws Exception {
        Diagnosis found =
                examine(
                        tiny().imports("org.alcazar.vmm.devise")
                                .imports("org.alcazar.machine;version=\"[7,8)\"")
                                .imports("org.alcazar.vmm.core")
                                .imports("no.such;resolution:=optional")
                                .header("Require-Bundle", "no.bundle")
                                .header(
                                        "Require-Capability",
                                        "osgi.ee;filter:=\"(&(osgi.ee=JavaSE)(version=99))\""));
        String here = "this is Java " + Runtime.version().feature();
        List<String> wanted =
                List.of(
                        "needs the package org.alcazar.vmm.devise, which no bundle exports;"
                                + " org.alcazar.vmm.device is near",
                        "needs the package org.alcazar.machine of version 7.0.0 or newer, below"
                                + " 8.0.0, which no bundle exports in that version:"
                                + " org.alcazar.machine exports version 0.1",
                        "org.alcazar.vmm.core has it and keeps it to itself",
                        "needs the bundle no.bundle, which is not installed",
                        "needs Java 99; " + here);
        for (String words : wanted) {
            assertTrue(
                    found.problems().stream().anyMatch(problem -> problem.contains(words)),
                    () -> found.problems() + " lacks " + words);
        }
        assertEquals(wanted.size(), found.problems().size(), () -> "" + found.problems());
    }

    @Test
    void classesOfANewerJavaAreNamed() throws Exception {
        TinyBundle bundle = tiny().compile(folder, BUNDLES);
        bundle.entry(TinyBundle.CLASS)[7] = 120;
        List<String> problems = diagnose(bundle).problems();
        assertTrue(
                problems.getFirst().contains("Answer.class is compiled for Java 76"),
                () -> "" + problems);
    }

    @Test
    void aBundleWithoutComponentIsTold() throws Exception {
        assertOne(examine(tiny().without("Service-Component")), "has no component");
    }

    @Test
    void aComponentThatIsNotThereIsNamed() throws Exception {
        TinyBundle bundle = tiny().compile(folder, BUNDLES).drop(TinyBundle.COMPONENT);
        assertOne(diagnose(bundle), "names the component OSGI-INF/answer.xml");
    }

    @Test
    void aClassThatIsNotThereIsNamed() throws Exception {
        List<String> problems =
                examine(tiny().component("class=\"tiny.Answer\"", "class=\"tiny.Other\""))
                        .problems();
        assertTrue(problems.getFirst().contains("lacks the class tiny.Other"), () -> "" + problems);
    }

    @Test
    void aConstructorThatThrowsIsQuoted() throws Exception {
        assertOne(
                examine(
                        tiny().source(
                                        "Answer() {}",
                                        "Answer() { throw new IllegalStateException(\"no luck\"); }")),
                "tiny.Answer cannot be made: java.lang.IllegalStateException: no luck",
                "tiny.Answer.<init>(Answer.java:9)");
    }

    @Test
    void aServiceThatNobodyRegistersIsNamed() throws Exception {
        assertOne(
                examine(
                        tiny().component(
                                        "<property",
                                        "<reference name=\"gears\" interface=\"tiny.Gears\""
                                                + " field=\"gears\"/><property")),
                "tiny.Answer waits for a service that nobody registers: reference gears");
    }

    @Test
    void aComponentThatWantsConfigurationIsTold() throws Exception {
        assertOne(
                examine(
                        tiny().component(
                                        "name=\"tiny.Answer\"",
                                        "name=\"tiny.Answer\" configuration-policy=\"require\"")),
                "tiny.Answer waits for a configuration");
    }

    @Test
    void aTypeWithoutItsAnnotationIsTold() throws Exception {
        assertOne(
                examine(tiny().component("<property name=\"alcazar.type\" value=\"answer\"/>", "")),
                "tiny.Answer has no @AlcazarType");
    }

    @Test
    void aTypeOfTwoNamesIsTold() throws Exception {
        assertOne(
                examine(tiny().component("\"answer\"", "\"question\"")),
                "@AlcazarType says 'question', but name() does not");
    }

    @Test
    void aTypeThatAnotherBundleHasIsTold() throws Exception {
        assertOne(
                examine(
                        tiny().component("\"answer\"", "\"uart16550\"")
                                .source("\"answer\"", "\"uart16550\"")),
                "device 'uart16550' is a type of org.alcazar.devices.uart16550 already");
    }

    @Test
    void anImplementationThatExportsIsTold() throws Exception {
        Diagnosis found = examine(tiny().header("Export-Package", "tiny;version=\"1.0,1\",other"));
        assertTrue(found.problems().getFirst().startsWith("exports tiny,other:"), found::toString);
    }

    @Test
    void whatIsNoBundleIsRefused() throws Exception {
        Path text = Files.writeString(folder.resolve("text.jar"), "text");
        Path plain = tiny().without("Bundle-SymbolicName").write(folder.resolve("plain.jar"));
        Path project = Files.createDirectory(folder.resolve("project"));
        assertRefused(text, "is no jar file");
        assertRefused(plain, "lacks Bundle-SymbolicName");
        assertRefused(project, "run `mvn package`");
        assertRefused(folder.resolve("none.jar"), "there is no such file");
    }

    private static void assertRefused(Path given, String words) {
        Failure failure =
                assertThrows(
                        Failure.class,
                        () -> BundleDoctor.examine(new BundleFolder(BUNDLES), given));
        assertEquals(2, failure.status());
        String message = String.valueOf(failure.getMessage());
        assertTrue(message.contains(words), message);
        assertEquals(1, message.lines().count(), message);
    }
}
