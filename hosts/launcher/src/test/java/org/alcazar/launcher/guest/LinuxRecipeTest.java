package org.alcazar.launcher.guest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.US_ASCII;

import org.alcazar.launcher.guest.LinuxRecipe.Built;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

class LinuxRecipeTest {
    @TempDir Path folder;

    private final FakeApt apt = new FakeApt();
    private Path sources;
    private Path build;

    @BeforeEach
    void writeSources() throws IOException {
        sources = Files.createDirectory(folder.resolve("linux"));
        build = sources.resolve("build");
        Files.writeString(sources.resolve("init"), "#!/bin/sh\n");
        Files.writeString(
                sources.resolve("initramfs.list"),
                "file /init init 0755 0 0\nfile /bin/busybox ${busybox} 0755 0 0\n");
    }

    private LinuxRecipe recipe() throws GuestException {
        return new LinuxRecipe("linux", sources, build.resolve("linux"), apt);
    }

    private Built prepare() throws Exception {
        return recipe().prepare(Progress.SILENT);
    }

    private String refusal() {
        GuestException e =
                assertThrows(GuestException.class, () -> recipe().prepare(Progress.SILENT));
        String message = String.valueOf(e.getMessage());
        assertFalse(message.contains("\n"), "one line: " + message);
        return message;
    }

    /** What lies in the build folder, apart from the empty lock file. */
    private List<String> left() throws IOException {
        if (!Files.exists(build)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(build)) {
            return files.filter(file -> !file.equals(build))
                    .map(file -> build.relativize(file).toString())
                    .filter(name -> !name.endsWith(".lock"))
                    .sorted()
                    .toList();
        }
    }

    private Path give(String name, byte[] content) throws IOException {
        Path given = Files.createDirectories(sources.resolve("given/linux")).resolve(name);
        return Files.write(given, content);
    }

    @Test
    void kernelAndInitialFileSystemAreMadeFromPackages() throws Exception {
        List<String> told = new ArrayList<>();
        Built built =
                recipe().prepare(
                                new Progress() {
                                    @Override
                                    public void start(String phase) {
                                        told.add("start " + phase);
                                    }

                                    @Override
                                    public void step(String text) {
                                        told.add(text);
                                    }

                                    @Override
                                    public void done() {
                                        told.add("done");
                                    }
                                });
        assertArrayEquals(FakeApt.bzImage(1), Files.readAllBytes(built.kernel()));
        assertTrue(Files.size(built.initrd()) > 0);
        assertEquals(
                Map.of(FakeApt.KERNEL_PACKAGE, "6.1.1-1", "busybox-static", "1:1.35-4"),
                built.packages());
        assertEquals(
                List.of(
                        "linux",
                        "linux/busybox",
                        "linux/initrd.gz",
                        "linux/manifest",
                        "linux/vmlinuz"),
                left());
        assertEquals("start fetching " + FakeApt.KERNEL_PACKAGE, told.getFirst());
        assertTrue(told.contains(FakeApt.KERNEL_PACKAGE + " 6.1.1-1 (1.2 MB)"), told.toString());
        assertEquals("done", told.getLast());
    }

    @Test
    void whatIsThereIsUsedAgainWithoutAskingApt() throws Exception {
        prepare();
        apt.log.clear();
        prepare();
        assertEquals(List.of(), apt.log);
    }

    @Test
    void aDamagedFileIsMadeAgain() throws Exception {
        Built built = prepare();
        Files.write(built.kernel(), FakeApt.bzImage(2));
        prepare();
        assertArrayEquals(FakeApt.bzImage(1), Files.readAllBytes(built.kernel()));
    }

    @Test
    void aChangedSourceRebuildsTheInitialFileSystemButFetchesNothing() throws Exception {
        Built built = prepare();
        byte[] before = Files.readAllBytes(built.initrd());
        Files.writeString(sources.resolve("init"), "#!/bin/sh\necho more\n");
        apt.log.clear();
        prepare();
        assertFalse(Arrays.equals(before, Files.readAllBytes(built.initrd())));
        assertTrue(apt.log.stream().noneMatch(line -> line.startsWith("apt")), apt.log.toString());
    }

    @Test
    void aGuestsOwnListAddsFilesToItAlone() throws Exception {
        byte[] before = Files.readAllBytes(prepare().initrd());
        Files.writeString(sources.resolve("linux-bench.list"), "file /more init 0644 0 0\n");
        assertArrayEquals(before, Files.readAllBytes(prepare().initrd()));
        Files.writeString(sources.resolve("linux.list"), "file /more init 0644 0 0\n");
        assertFalse(Arrays.equals(before, Files.readAllBytes(prepare().initrd())));
        Files.writeString(sources.resolve("linux.list"), "file /init init 0644 0 0\n");
        assertEquals(sources.resolve("linux.list") + ":1: /init: is there already", refusal());
    }

    @Test
    void anUpdateFetchesOnlyWhatIsNewer() throws Exception {
        prepare();
        apt.versions.put("busybox-static", "1:1.36-1");
        apt.log.clear();
        Built built = recipe().update(Progress.SILENT);
        assertEquals("1:1.36-1", built.packages().get("busybox-static"));
        assertEquals(
                List.of("busybox-static=1:1.36-1"),
                apt.log.stream()
                        .filter(line -> line.contains(" download "))
                        .map(line -> line.substring(line.lastIndexOf(' ') + 1))
                        .toList());
    }

    @Test
    void withoutPackageManagerTheMessageNamesTheOtherWays() throws Exception {
        apt.programs.remove("dpkg-deb");
        String message = refusal();
        assertTrue(message.contains("dpkg-deb"), message);
        assertTrue(message.contains(sources.resolve("given/linux/{vmlinuz,busybox}").toString()));
        assertTrue(message.contains("--kernel FILE --initrd FILE"), message);
        assertEquals(List.of(), left());
        assertFalse(Files.exists(build));
    }

    @Test
    void filesGivenByHandNeedNoPackageManager() throws Exception {
        apt.programs.clear();
        give("vmlinuz", FakeApt.bzImage(7));
        give("busybox", FakeApt.busybox());
        Built built = prepare();
        assertArrayEquals(FakeApt.bzImage(7), Files.readAllBytes(built.kernel()));
        assertEquals(Map.of("vmlinuz", "given", "busybox", "given"), built.packages());
        give("vmlinuz", FakeApt.bzImage(8));
        assertArrayEquals(FakeApt.bzImage(8), Files.readAllBytes(prepare().kernel()));
    }

    @Test
    void aGivenFileOfAnotherKindIsRefused() throws Exception {
        Path kernel = give("vmlinuz", new byte[0]);
        assertEquals(
                kernel + ": no Linux bzImage, for the mark HdrS at offset 0x202 is missing",
                refusal());
        give("vmlinuz", FakeApt.bzImage(1));
        Path busybox = give("busybox", "#!/bin/sh\n".getBytes(StandardCharsets.UTF_8));
        assertEquals(
                busybox + ": no ELF program for x86-64; a static BusyBox is wanted", refusal());
        byte[] dynamic = new byte[200];
        System.arraycopy(FakeApt.busybox(), 0, dynamic, 0, 64);
        dynamic[32] = 64; // one program header behind the ELF header: PT_INTERP
        dynamic[54] = 56;
        dynamic[56] = 1;
        dynamic[64] = 3;
        give("busybox", dynamic);
        assertEquals(busybox + ": needs shared libraries; a static BusyBox is wanted", refusal());
        assertEquals(List.of(), left());
    }

    @Test
    void missingPackageListsAreFetchedByRootAndNamedToOthers() throws Exception {
        apt.listsMissing = true;
        assertEquals(
                "apt knows no package linux-image-cloud-amd64; run `sudo apt-get update` and try"
                        + " again",
                refusal());
        assertEquals(List.of(), left());
        apt.root = true;
        prepare();
        assertTrue(apt.log.contains("apt-get -qq update"), apt.log.toString());
    }

    @Test
    void aFailedDownloadLeavesNothingBehind() throws Exception {
        apt.failing = "download busybox-static";
        assertEquals(
                "apt-get download busybox-static: Failed to fetch it; run `sudo apt-get update` and"
                        + " try again",
                refusal());
        assertEquals(List.of(), left());
    }

    @Test
    void aFailureKeepsTheFilesOfTheLastBuild() throws Exception {
        prepare();
        apt.versions.put(FakeApt.KERNEL_PACKAGE, "6.1.2-1");
        apt.failing = "--fsys-tarfile";
        assertThrows(GuestException.class, () -> recipe().update(Progress.SILENT));
        apt.log.clear();
        prepare();
        assertEquals(List.of(), apt.log);
    }

    @Test
    void anInterruptLeavesNothingBehind() throws Exception {
        apt.failing = "download busybox-static";
        apt.interrupted = true;
        assertThrows(InterruptedException.class, this::prepare);
        assertEquals(List.of(), left());
    }

    @Test
    void leftoversOfAKilledProgramAreDeleted() throws Exception {
        Files.createDirectories(build.resolve(".linux.new/deep"));
        Files.writeString(build.resolve(".linux.new/deep/file"), "half");
        prepare();
        assertFalse(Files.exists(build.resolve(".linux.new")));
    }

    @Test
    void aProgramKilledBetweenTheTwoMovesLosesNothing() throws Exception {
        prepare();
        Files.move(build.resolve("linux"), build.resolve(".linux.old"));
        apt.log.clear();
        prepare();
        assertTrue(
                apt.log.stream().noneMatch(line -> line.contains("download")), apt.log.toString());
        assertFalse(Files.exists(build.resolve(".linux.old")));
    }

    @Test
    void anUnreadableManifestCountsAsNone() throws Exception {
        prepare();
        Files.write(build.resolve("linux/manifest"), new byte[] {(byte) 0xff, 0, 10});
        apt.log.clear();
        prepare();
        assertTrue(apt.log.stream().anyMatch(line -> line.contains("download")));
    }

    @Test
    void aBusyboxThatCannotRunHereLeavesTheAppletsToTheGuest() throws Exception {
        apt.failing = "--list-full";
        assertTrue(Files.exists(prepare().initrd()));
    }

    private static final List<String> PROGRAM_FILES =
            List.of(
                    "linux/programs/lib/libx.so.1",
                    "linux/programs/lib/liby.so.1",
                    "linux/programs/lib64/ld.so.2",
                    "linux/programs/usr/bin/prog");

    private List<String> programFiles() throws IOException {
        return left().stream()
                .filter(name -> name.contains("/programs/"))
                .filter(name -> Files.isRegularFile(build.resolve(name)))
                .toList();
    }

    private void list(String text) throws IOException {
        Files.writeString(sources.resolve("linux.programs"), text);
    }

    @Test
    void aProgramComesWithItsDynamicLinkerAndLibrariesAndNothingElse() throws Exception {
        list("# one\n\nprog /usr/bin/prog\n");
        Built built = prepare();
        assertEquals(PROGRAM_FILES, programFiles());
        assertArrayEquals(
                FakeApt.dynamic("", "liby.so.1"),
                Files.readAllBytes(build.resolve("linux/programs/lib/libx.so.1")));
        assertEquals("1:2-1+b1", built.packages().get("prog"));
        assertEquals("1.2-3", built.packages().get("libx"));
        byte[] archive;
        try (var in = new GZIPInputStream(Files.newInputStream(built.initrd()))) {
            archive = in.readAllBytes();
        }
        String text = new String(archive, StandardCharsets.ISO_8859_1);
        for (String path : List.of("lib/libx.so.1\0", "lib64/ld.so.2\0", "usr/bin/prog\0")) {
            assertTrue(text.contains(path), path);
        }
    }

    @Test
    void programsAreFetchedAgainOnlyWhenTheListOrAPackageIsNew() throws Exception {
        list("prog /usr/bin/prog\n");
        prepare();
        apt.log.clear();
        prepare();
        assertEquals(List.of(), apt.log);
        Files.writeString(sources.resolve("init"), "#!/bin/sh\necho more\n");
        recipe().update(Progress.SILENT);
        assertTrue(apt.log.stream().noneMatch(line -> line.contains("download")), "same versions");
        assertEquals(PROGRAM_FILES, programFiles());
        apt.versions.put("libx", "1.2-4");
        assertEquals("1.2-4", recipe().update(Progress.SILENT).packages().get("libx"));
        list("prog /usr/bin/prog\nlibx /lib/liby.so.1\n");
        apt.log.clear();
        prepare();
        assertTrue(apt.log.stream().anyMatch(line -> line.contains("download")), "another list");
        Files.delete(sources.resolve("linux.programs"));
        assertFalse(prepare().packages().containsKey("prog"));
        assertEquals(List.of(), programFiles());
    }

    @Test
    void aListThatCannotBeFollowedIsRefused() throws Exception {
        list("prog\n");
        assertTrue(refusal().endsWith("linux.programs:1: not of the form 'PACKAGE /PATH/PROGRAM'"));
        list("prog /usr/bin/other\n");
        assertEquals("package prog has no program /usr/bin/other", refusal());
        assertEquals(List.of(), left());
    }

    private void modules(String text) throws IOException {
        Files.writeString(sources.resolve("linux.modules"), text);
    }

    private List<String> inGuest(Built built) throws IOException {
        try (var in = new GZIPInputStream(Files.newInputStream(built.initrd()))) {
            String text = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
            return Stream.of("one", "two", "three")
                    .filter(name -> text.contains("lib/modules/" + name + ".ko\0"))
                    .toList();
        }
    }

    @Test
    void modulesComeOutOfTheKernelsPackageWhenTheListIsNew() throws Exception {
        String drivers = "./lib/modules/6.1.0-1-cloud-amd64/kernel/drivers/";
        apt.contents.put(drivers + "char/one.ko", "module one, of an odd size".getBytes(US_ASCII));
        apt.contents.put(drivers + "net/two.ko", new byte[512]);
        apt.contents.put(drivers + "net/xtwo.ko", new byte[1]);
        modules("# drivers\none\nthree\n");
        assertEquals(List.of("one"), inGuest(prepare()), "the package has no other one");
        apt.log.clear();
        assertEquals(List.of("one"), inGuest(prepare()));
        assertEquals(List.of(), apt.log);
        modules("one\ntwo\n");
        assertEquals(List.of("one", "two"), inGuest(prepare()));
        apt.log.clear();
        Files.writeString(sources.resolve("init"), "#!/bin/sh\necho more\n");
        assertEquals(List.of("one", "two"), inGuest(prepare()));
        assertTrue(apt.log.stream().noneMatch(line -> line.contains("download")));
        Files.delete(sources.resolve("linux.modules"));
        assertEquals(List.of(), inGuest(prepare()));
        modules("../two\n");
        assertTrue(refusal().endsWith("linux.modules:1: not a module's name: '../two'"));
    }

    @Test
    void unknownGuestsAreRefused() {
        GuestException e =
                assertThrows(
                        GuestException.class, () -> new LinuxRecipe("beos", sources, build, apt));
        assertEquals(
                "no recipe for guest 'beos'; there are [linux, linux-bench, linux-generic, linux-memory, linux-soak, linux-stress]",
                e.getMessage());
    }
}
