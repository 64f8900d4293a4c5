package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toSet;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaConstructorCall;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;

import org.alcazar.launcher.SourceTree.Module;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.jar.Attributes;

/**
 * The arrows between the layers, read from the class files of all modules. A module is judged by
 * its folder, so a new one is covered from its first class on; what a module may know is said in
 * {@link #mayKnow} and nowhere else.
 */
class ArchitectureTest {
    /**
     * What every module may use beside the JDK: these leave no trace at run time, or are the
     * logging API.
     */
    private static final List<String> EVERYWHERE =
            List.of("java.", "org.slf4j.", "org.jspecify.", "org.osgi.annotation.");

    /** Ways to ask the machine for the time. */
    private static final Map<String, Set<String>> CLOCKS =
            Map.of(
                    "java.lang.System", Set.of("nanoTime", "currentTimeMillis"),
                    "java.lang.Thread", Set.of("sleep"), // waits by a clock nobody can set
                    "java.time.Instant", Set.of("now"),
                    "java.time.LocalDateTime", Set.of("now"),
                    "java.time.LocalDate", Set.of("now"),
                    "java.time.LocalTime", Set.of("now"),
                    "java.time.ZonedDateTime", Set.of("now"),
                    "java.time.OffsetDateTime", Set.of("now"),
                    "java.time.Clock", Set.of("systemUTC", "systemDefaultZone", "system"));

    /**
     * Guest loaders have no state and no life cycle: each is its own component, and the annotation
     * of the class is all that it has of OSGi.
     */
    private static final Set<String> KNOW_OSGI_THEMSELVES =
            Set.of(
                    "org.alcazar.loaders.BzImageLoader",
                    "org.alcazar.loaders.ElfLoader",
                    "org.alcazar.loaders.MultibootLoader",
                    "org.alcazar.loaders.RawLoader");

    /** Packages of the x86 engines that interpreter and translator are both made of. */
    private static final Set<String> SHARED = Set.of("isa", "decode", "semantics", "state", "mmu");

    private static SourceTree tree;
    private static Map<String, Module> moduleOfClass;

    @BeforeAll
    static void readTheTree() throws IOException {
        tree = SourceTree.read();
        moduleOfClass = new HashMap<>();
        for (Module module : tree.modules()) {
            module.classes().forEach(type -> moduleOfClass.put(type.getName(), module));
        }
    }

    /** The arrows: whether code of one module may name a class of another. */
    private static boolean mayKnow(Module from, Module to) {
        Set<String> waist = Set.of("host-api/api", "host-api/machine");
        String target = to.folder();
        return switch (from.folder()) {
            case "host-api/api" -> false;
            case "host-api/machine" -> target.equals("host-api/api");
            case "host-api/tck", "vmm-core/api" -> waist.contains(target);
            case "vmm-core/core", "vmm-core/testkit" ->
                    waist.contains(target) || target.equals("vmm-core/api");
            case "vmm-core/bench" -> true; // measures parts from within; nothing depends on it
            case "hosts/launcher" -> target.equals("host-api/api"); // the rest it knows by name
            default ->
                    waist.contains(target)
                            || (from.isHost() && to.isLibrary())
                            || (from.isPlugin() && to.isApi() && !target.equals("host-api/tck"));
        };
    }

    /** Whether a module's code may use a library's class. */
    private static boolean mayUse(Module from, String library) {
        if (EVERYWHERE.stream().anyMatch(library::startsWith)) {
            return true;
        }
        return switch (from.folder()) {
            case "host-api/api", "host-api/machine" -> false;
            case "host-api/tck" ->
                    library.startsWith("org.junit.") || library.startsWith("org.opentest4j.");
            case "vmm-core/api" -> library.startsWith("org.osgi.service.component.annotations.");
            case "vmm-core/core" -> library.startsWith("org.osgi.");
            default -> true;
        };
    }

    private static List<String> forbiddenArrows(Module from, Predicate<Module> known) {
        List<String> found = new ArrayList<>();
        for (JavaClass type : from.classes()) {
            for (Dependency arrow : type.getDirectDependenciesFromSelf()) {
                JavaClass target = arrow.getTargetClass().getBaseComponentType();
                Module to = moduleOfClass.get(target.getName());
                if (to == null) {
                    if (!target.isPrimitive() && !mayUse(from, target.getName())) {
                        found.add(from.folder() + " → library: " + arrow.getDescription());
                    }
                } else if (!to.equals(from) && !known.test(to)) {
                    found.add(from.folder() + " → " + to.folder() + ": " + arrow.getDescription());
                }
            }
        }
        return found;
    }

    private static void assertNone(List<String> violations) {
        assertTrue(violations.isEmpty(), () -> String.join("\n", new TreeSet<>(violations)));
    }

    /**
     * The other rules look at what has been built: without this one, nothing built is all right.
     */
    @Test
    void everyModuleIsCompiledAndEveryBundleHasItsManifest() {
        assertTrue(tree.modules().size() >= 20, () -> "only " + tree.modules().size() + " modules");
        List<String> missing = new ArrayList<>();
        for (Module module : tree.modules()) {
            if (module.classes().isEmpty()) {
                missing.add(module.folder() + " has no classes: build it first");
            } else if (module.isBundle() && header(module, "Bundle-SymbolicName").isEmpty()) {
                missing.add(module.folder() + " has no manifest of a bundle");
            }
        }
        assertNone(missing);
    }

    @Test
    void everyModuleKnowsOnlyWhatItsLayerAllows() {
        assertNone(
                tree.filled()
                        .flatMap(from -> forbiddenArrows(from, to -> mayKnow(from, to)).stream())
                        .toList());
    }

    @Test
    void theCheckItselfSeesArrows() {
        Module machine = tree.module("host-api/machine");
        assertFalse(machine.classes().isEmpty(), "host-api/machine has not been compiled");
        assertFalse(
                forbiddenArrows(machine, to -> false).isEmpty(),
                "machine uses HostRam, so forbidding every arrow must give violations");
    }

    @Test
    void noPackageIsSplitOverTwoModules() {
        Map<String, Set<String>> homes =
                tree.filled()
                        .flatMap(module -> module.classes().stream())
                        .collect(
                                groupingBy(
                                        JavaClass::getPackageName,
                                        mapping(type -> folderOf(type.getName()), toSet())));
        assertNone(
                homes.entrySet().stream()
                        .filter(entry -> entry.getValue().size() > 1)
                        .map(entry -> entry.getKey() + " lies in " + entry.getValue())
                        .toList());
    }

    private static String folderOf(String type) {
        Module module = moduleOfClass.get(type);
        return module == null ? "?" : module.folder();
    }

    @Test
    void whatAHostUsesOfALibraryLiesWithinItsOwnBundle() {
        List<String> wrong = new ArrayList<>();
        Set<String> library =
                tree.modules().stream()
                        .filter(Module::isLibrary)
                        .flatMap(module -> module.classes().stream())
                        .map(JavaClass::getName)
                        .collect(toSet());
        assertFalse(library.isEmpty(), "hosts/support has not been compiled");
        for (Module module : (Iterable<Module>) tree.filled()::iterator) {
            boolean uses =
                    module.classes().stream()
                            .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                            .anyMatch(arrow -> library.contains(arrow.getTargetClass().getName()));
            Set<String> expected = uses && !module.isLibrary() ? library : Set.of();
            Set<String> embedded =
                    module.embedded().stream().map(JavaClass::getName).collect(toSet());
            if (!embedded.equals(expected)) {
                wrong.add(
                        "%s carries %d classes of hosts/support, not %d"
                                .formatted(module.folder(), embedded.size(), expected.size()));
            }
        }
        assertNone(wrong);
    }

    @Test
    void anImplementationBundleExportsNothing() {
        assertNone(
                tree.filled()
                        .filter(module -> module.isBundle() && !module.isApi())
                        .filter(module -> !header(module, "Export-Package").isEmpty())
                        .map(module ->
                                module.folder() + " exports " + header(module, "Export-Package"))
                        .toList());
    }

    @Test
    void anApiBundleExportsAllItsPackages() {
        List<String> missing = new ArrayList<>();
        tree.filled()
                .filter(Module::isApi)
                .forEach(module ->
                        module.classes().stream()
                                .map(JavaClass::getPackageName)
                                .distinct()
                                .filter(name -> !exports(module, name))
                                .forEach(name -> missing.add(module.folder() + " hides " + name)));
        assertNone(missing);
    }

    private static boolean exports(Module module, String packageName) {
        return ("," + header(module, "Export-Package")).contains("," + packageName + ";");
    }

    private static String header(Module module, String name) {
        return module.manifest().map(headers -> value(headers, name)).orElse("");
    }

    private static String value(Attributes headers, String name) {
        String value = headers.getValue(name);
        return value == null ? "" : value;
    }

    @Test
    void folderArtifactAndBundleAgree() {
        for (Module module : (Iterable<Module>) tree.filled()::iterator) {
            if (module.isBundle()) {
                assertEquals(
                        module.artifact(), header(module, "Bundle-SymbolicName"), module.folder());
            }
            if (module.isPlugin()) {
                String path = module.folder().substring("plugins/".length()).replace('/', '.');
                assertEquals("org.alcazar." + path, module.artifact(), module.folder());
            }
        }
    }

    @Test
    void onlyTheComponentsOfAPluginKnowOsgi() {
        assertNone(
                tree.filled()
                        .filter(Module::isPlugin)
                        .flatMap(module -> module.classes().stream())
                        .filter(type -> !type.getSimpleName().endsWith("Component"))
                        .filter(type -> !KNOW_OSGI_THEMSELVES.contains(type.getName()))
                        .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                        .filter(arrow -> arrow.getTargetClass().getName().startsWith("org.osgi."))
                        .filter(arrow ->
                                !arrow.getTargetClass()
                                        .getName()
                                        .startsWith("org.osgi.annotation."))
                        .map(Dependency::getDescription)
                        .toList());
    }

    @Test
    void timeComesFromTheHostsClockAlone() {
        assertNone(
                tree.filled()
                        // a host's clock is made of the machine's
                        .filter(module -> !module.isHost() && !module.isLibrary())
                        .filter(module -> !module.folder().equals("hosts/launcher"))
                        .filter(module -> !module.folder().equals("vmm-core/bench"))
                        .flatMap(module -> module.classes().stream())
                        .flatMap(type -> type.getAccessesFromSelf().stream())
                        .filter(ArchitectureTest::readsAClock)
                        .map(JavaAccess::getDescription)
                        .toList());
    }

    private static boolean readsAClock(JavaAccess<?> access) {
        if (access.getTargetOwner().getName().equals("java.util.Date")
                && access instanceof JavaConstructorCall call) {
            return call.getTarget().getRawParameterTypes().isEmpty(); // the others are told a time
        }
        return CLOCKS.getOrDefault(access.getTargetOwner().getName(), Set.of())
                .contains(access.getTarget().getName());
    }

    @Test
    void interpreterAndTranslatorDoNotSeeEachOther() {
        String engine = "org.alcazar.engines.x86.";
        assertNone(
                tree.module("plugins/engines/x86").classes().stream()
                        .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                        .filter(arrow ->
                                crosses(arrow, engine + "interpreter", engine + "translator")
                                        || crosses(
                                                arrow,
                                                engine + "translator",
                                                engine + "interpreter"))
                        .map(Dependency::getDescription)
                        .toList());
    }

    @Test
    void whatEnginesShareKnowsNoEngine() {
        String engine = "org.alcazar.engines.x86.";
        Set<String> seen = new TreeSet<>();
        List<String> violations = new ArrayList<>();
        for (JavaClass type : tree.module("plugins/engines/x86").classes()) {
            String name = type.getPackageName();
            if (name.startsWith(engine) && SHARED.contains(name.substring(engine.length()))) {
                seen.add(name.substring(engine.length()));
                type.getDirectDependenciesFromSelf().stream()
                        .filter(arrow ->
                                crosses(arrow, name, engine + "interpreter")
                                        || crosses(arrow, name, engine + "translator"))
                        .map(Dependency::getDescription)
                        .forEach(violations::add);
            }
        }
        assertEquals(new TreeSet<>(SHARED), seen, "packages of plugins/engines/x86");
        assertNone(violations);
    }

    private static boolean crosses(Dependency arrow, String from, String to) {
        return arrow.getOriginClass().getPackageName().startsWith(from)
                && arrow.getTargetClass().getPackageName().startsWith(to);
    }

    @Test
    void noStaticFieldIsEverAssignedAgain() {
        assertNone(
                tree.filled()
                        .filter(module ->
                                !module.folder().equals("vmm-core/bench")) // JMH generates some
                        .flatMap(module -> module.classes().stream())
                        .flatMap(type -> type.getFields().stream())
                        .filter(field -> field.getModifiers().contains(JavaModifier.STATIC))
                        .filter(field -> !field.getModifiers().contains(JavaModifier.FINAL))
                        .map(JavaField::getFullName)
                        // guest-usable memory is one range per process: the contract itself is
                        // static
                        .filter(name -> !name.startsWith("org.alcazar.host.HostRange."))
                        .toList());
    }
}
