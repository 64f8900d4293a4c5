package org.alcazar.launcher.guest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.launcher.guest.Initramfs.DeviceKind;
import org.alcazar.launcher.guest.Initramfs.Owner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

class InitramfsTest {
    private static final Owner SOMEBODY = new Owner(12, 34);

    @TempDir Path folder;

    /** One entry as the parser below finds it. */
    private record Found(
            String name,
            int inode,
            int mode,
            int uid,
            int gid,
            int links,
            int major,
            int minor,
            byte[] content) {
        String text() {
            return new String(content, StandardCharsets.UTF_8);
        }
    }

    private static byte[] archive(Initramfs files) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        files.writeTo(out);
        return out.toByteArray();
    }

    /** Reads an archive strictly by the definition of the "newc" form. */
    private static List<Found> parse(byte[] archive) {
        List<Found> found = new ArrayList<>();
        int at = 0;
        while (true) {
            assertEquals(0, at % 4, "a header starts at a multiple of four");
            assertEquals("070701", new String(archive, at, 6, StandardCharsets.US_ASCII));
            int[] fields = new int[13];
            for (int i = 0; i < fields.length; i++) {
                String hex = new String(archive, at + 6 + 8 * i, 8, StandardCharsets.US_ASCII);
                fields[i] = Integer.parseUnsignedInt(hex, 16);
            }
            int nameLength = fields[11];
            String name = new String(archive, at + 110, nameLength - 1, StandardCharsets.UTF_8);
            assertEquals(0, archive[at + 110 + nameLength - 1], "a name ends with a zero byte");
            int content = (at + 110 + nameLength + 3) & ~3;
            if (name.equals("TRAILER!!!")) {
                assertEquals(0, archive.length % 512, "the archive is filled up to a block");
                return found;
            }
            byte[] bytes = Arrays.copyOfRange(archive, content, content + fields[6]);
            assertEquals(0, fields[5], name + ": time of last change");
            found.add(
                    new Found(
                            name,
                            fields[0],
                            fields[1],
                            fields[2],
                            fields[3],
                            fields[4],
                            fields[9],
                            fields[10],
                            bytes));
            at = (content + fields[6] + 3) & ~3;
        }
    }

    private static Initramfs sample() {
        return new Initramfs()
                .file("/init", 0755, "#!/bin/sh\n".getBytes(StandardCharsets.UTF_8))
                .directory("/dev", 0755)
                .device("/dev/console", 0600, Owner.ROOT, DeviceKind.CHARACTER, 5, 1)
                .device("/dev/vda", 0660, SOMEBODY, DeviceKind.BLOCK, 254, 0)
                .symlink("/bin/sh", "busybox")
                .file("/bin/busybox", 04755, new byte[] {1, 2, 3, 4, 5})
                .pipe("/run/pipe", 0600, Owner.ROOT)
                .socket("/run/socket", 0666, SOMEBODY)
                .directory("/root", 0700, SOMEBODY)
                .file("/größe", 0644, new byte[0]);
    }

    @Test
    void everyKindOfEntryIsWrittenAsTheFormatSays() throws IOException {
        List<Found> found = parse(archive(sample()));
        assertEquals(
                List.of(
                        "bin",
                        "bin/busybox",
                        "bin/sh",
                        "dev",
                        "dev/console",
                        "dev/vda",
                        "größe",
                        "init",
                        "root",
                        "run",
                        "run/pipe",
                        "run/socket"),
                found.stream().map(Found::name).toList());
        assertEquals(
                List.of(
                        0040755, 0104755, 0120777, 0040755, 0020600, 0060660, 0100644, 0100755,
                        0040700, 0040755, 0010600, 0140666),
                found.stream().map(Found::mode).toList());
        assertArrayEquals(new byte[] {1, 2, 3, 4, 5}, found.get(1).content());
        assertEquals("busybox", found.get(2).text());
        assertEquals(5, found.get(4).major());
        assertEquals(1, found.get(4).minor());
        assertEquals(254, found.get(5).major());
        assertEquals(12, found.get(5).uid());
        assertEquals(34, found.get(5).gid());
        assertEquals("#!/bin/sh\n", found.get(7).text());
        assertEquals(2, found.getFirst().links());
        assertEquals(1, found.get(1).links());
        List<Integer> inodes = found.stream().map(Found::inode).toList();
        assertEquals(inodes.stream().distinct().toList(), inodes, "no two entries share an inode");
    }

    @Test
    void theOrderOfAdditionDoesNotShowInTheArchive() throws IOException {
        Initramfs one =
                new Initramfs()
                        .symlink("/a", "b")
                        .directory("/c", 0755)
                        .pipe("/c/d", 0600, Owner.ROOT);
        Initramfs other =
                new Initramfs()
                        .pipe("/c/d", 0600, Owner.ROOT)
                        .directory("/c", 0755)
                        .symlink("/a", "b");
        assertArrayEquals(archive(one), archive(other));
        assertEquals(one.sha256(), other.sha256());
    }

    @Test
    void twoCompressedArchivesOfTheSameContentAreEqual() throws IOException {
        Path one = folder.resolve("one.gz");
        Path other = folder.resolve("other.gz");
        sample().writeGzip(one);
        sample().writeGzip(other);
        assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(other));
        try (var in = new GZIPInputStream(Files.newInputStream(one))) {
            assertArrayEquals(archive(sample()), in.readAllBytes());
        }
    }

    @Test
    void aStatedDirectoryReplacesTheOneThatWasImplied() throws IOException {
        Initramfs files = new Initramfs().file("/a/b/c", 0600, new byte[1]).directory("/a/b", 0711);
        List<Found> found = parse(archive(files));
        assertEquals(List.of("a", "a/b", "a/b/c"), found.stream().map(Found::name).toList());
        assertEquals(0040711, found.get(1).mode());
    }

    @Test
    void appletsDoNotReplaceWhatIsThere() throws IOException {
        Initramfs files = new Initramfs().file("/bin/sh", 0755, new byte[] {9});
        files.applets(List.of("bin/sh", "bin/ls", "usr/bin/[["), "/bin/busybox");
        List<Found> found = parse(archive(files));
        assertEquals(0100755, found.get(2).mode());
        assertEquals("bin/sh", found.get(2).name());
        assertEquals("/bin/busybox", found.get(1).text());
        assertTrue(files.contains("/usr/bin/[["));
    }

    @Test
    void wrongEntriesAreRefused() {
        Initramfs files = new Initramfs().file("/a", 0644, new byte[0]);
        for (String path : List.of("b", "/", "/b/", "//b", "/b/../c", "/./b", "")) {
            assertThrows(IllegalArgumentException.class, () -> files.directory(path, 0755), path);
        }
        assertThrows(IllegalArgumentException.class, () -> files.file("/a", 0644, new byte[0]));
        assertThrows(IllegalArgumentException.class, () -> files.directory("/a", 0755));
        assertThrows(IllegalArgumentException.class, () -> files.directory("/a/b", 0755));
        assertThrows(IllegalArgumentException.class, () -> files.directory("/b", 010755));
        assertThrows(IllegalArgumentException.class, () -> files.symlink("/b", ""));
        assertThrows(
                IllegalArgumentException.class,
                () -> files.device("/b", 0600, Owner.ROOT, DeviceKind.BLOCK, 4096, 0));
        assertThrows(IllegalArgumentException.class, () -> new Owner(-1, 0));
    }

    @Test
    void otherProgramsReadTheArchive() throws Exception {
        MachineCommands commands = new MachineCommands(System.getenv());
        List<String> reader =
                List.of(List.of("bsdtar", "-tf"), List.of("cpio", "-it", "-F")).stream()
                        .filter(command -> commands.has(command.getFirst()))
                        .findFirst()
                        .orElse(List.of());
        assumeTrue(!reader.isEmpty(), "neither bsdtar nor cpio on this machine");
        Path file = folder.resolve("sample.cpio");
        Files.write(file, archive(new Initramfs().symlink("/a", "b").directory("/c", 0755)));
        List<String> command = new ArrayList<>(reader);
        command.add(file.toString());
        CommandRunner.Result result = commands.run(folder, command);
        assertTrue(result.ok(), result.errors());
        assertEquals(List.of("a", "c"), result.output().lines().toList());
    }

    @Test
    void aListIsReadInTheSyntaxOfTheKernel() throws Exception {
        Files.writeString(folder.resolve("source"), "text");
        Path given = Files.writeString(folder.resolve("given"), "other");
        Path list =
                Files.writeString(
                        folder.resolve("list"),
                        """
                        # comment

                        dir /dev 0755 0 0
                        nod  /dev/null\t0666 0 0 c 1 3
                        file /a source 0640 1 2
                        file /b ${program} 0755 0 0
                        slink /c /a 0777 0 0
                        pipe /d 0600 0 0
                        sock /e 0600 0 0
                        """);
        List<Found> found = parse(archive(InitramfsList.read(list, Map.of("program", given))));
        assertEquals(
                List.of("a", "b", "c", "d", "dev", "dev/null", "e"),
                found.stream().map(Found::name).toList());
        assertEquals("text", found.getFirst().text());
        assertEquals(1, found.getFirst().uid());
        assertEquals("other", found.get(1).text());
        assertEquals(0020666, found.get(5).mode());
    }

    @Test
    void wrongLinesAreReportedWithFileAndLine() throws Exception {
        Map<String, String> lines =
                Map.of(
                        "fiel /a b 0644 0 0",
                                "'fiel' is none of file, dir, nod, slink, pipe and sock",
                        "dir /a 0999 0 0", "'0999' is not an octal number",
                        "dir /a 0755 0", "the number is missing",
                        "dir /a 0755 0 0 0", "'0' is one word too many",
                        "nod /a 0600 0 0 x 1 1", "device type 'x' is neither b nor c",
                        "file /a missing 0644 0 0",
                                folder.resolve("missing") + " is no readable file",
                        "file /a ${x} 0644 0 0", "${x} stands for nothing; known: []");
        for (var line : lines.entrySet()) {
            Path list = Files.writeString(folder.resolve("list"), "\n" + line.getKey() + "\n");
            GuestException e =
                    assertThrows(GuestException.class, () -> InitramfsList.read(list, Map.of()));
            assertEquals(list + ":2: " + line.getValue(), e.getMessage());
        }
    }
}
