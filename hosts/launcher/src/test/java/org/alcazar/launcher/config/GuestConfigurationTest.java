package org.alcazar.launcher.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.message.Failure;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class GuestConfigurationTest {
    private static final long MACHINE = 8L << 30;

    @TempDir private Path folder;

    @BeforeEach
    void aKernel() throws IOException {
        Files.writeString(folder.resolve("k"), "kernel");
        Files.createDirectories(folder.resolve("sub"));
        Files.writeString(folder.resolve("sub/i"), "initrd");
    }

    private GuestConfiguration read(String name, Map<GuestKey, List<String>> options)
            throws Failure {
        return GuestConfiguration.read(Optional.of(Path.of(name)), options, folder, MACHINE);
    }

    private GuestConfiguration read(String name, String text) throws IOException, Failure {
        Files.writeString(folder.resolve(name), text);
        return read(name, Map.of());
    }

    private String refusal(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
        return refusal(name, Map.of());
    }

    private String refusal(String name, Map<GuestKey, List<String>> options) {
        Failure failure = assertThrows(Failure.class, () -> read(name, options));
        assertEquals(2, failure.status());
        String message = String.valueOf(failure.getMessage());
        assertEquals(1, message.lines().count(), message);
        return message;
    }

    @Test
    void theThreeFormsSayTheSame() throws IOException, Failure {
        Map<String, Object> yaml =
                read(
                                "g.yaml",
                                """
                                name: tiny
                                kernel: k
                                initrd: sub/i
                                append: console=ttyS0,115200 quiet
                                memory: 64M
                                cpus: 2
                                no-reboot: true
                                devices:
                                  - uart16550,irq=3
                                  - rtc
                                """)
                        .tree();
        Map<String, Object> xml =
                read(
                                "g.xml",
                                """
                                <guest>
                                  <name>tiny</name>
                                  <kernel>k</kernel>
                                  <initrd>sub/i</initrd>
                                  <append>console=ttyS0,115200 quiet</append>
                                  <memory>64M</memory>
                                  <cpus>2</cpus>
                                  <no-reboot>true</no-reboot>
                                  <devices>uart16550,irq=3</devices>
                                  <devices>rtc</devices>
                                </guest>
                                """)
                        .tree();
        Map<String, Object> properties =
                read(
                                "g.properties",
                                """
                                name = tiny
                                kernel = k
                                initrd = sub/i
                                append = console=ttyS0,115200 quiet
                                memory = 64M
                                cpus = 2
                                no-reboot = true
                                devices = uart16550,irq=3
                                devices = rtc
                                """)
                        .tree();
        assertEquals(
                Map.ofEntries(
                        Map.entry("name", "tiny"),
                        Map.entry("kernel", folder.resolve("k").toString()),
                        Map.entry("initrd", folder.resolve("sub/i").toString()),
                        Map.entry("append", "console=ttyS0,115200 quiet"),
                        Map.entry("memory", 64L << 20),
                        Map.entry("cpus", 2L),
                        Map.entry("no-reboot", true),
                        Map.entry("console", "stdio"),
                        Map.entry(
                                "devices",
                                List.of(
                                        Map.of("type", "uart16550", "irq", "3"),
                                        Map.of("type", "rtc")))),
                yaml);
        assertEquals(yaml, xml);
        assertEquals(yaml, properties);
    }

    @Test
    void aDeviceMayBeATree() throws IOException, Failure {
        Map<String, Object> device = Map.of("type", "uart16550", "name", "com2", "irq", 3L);
        GuestConfiguration yaml =
                read(
                        "g.yaml",
                        "kernel: k\ndevices:\n  - type: uart16550\n    name: com2\n    irq: 3");
        assertEquals(List.of(device), yaml.tree().get("devices"));
        GuestConfiguration xml =
                read("g.xml", "<g><kernel>k</kernel><devices type='uart16550' name='com2'/></g>");
        assertEquals(
                List.of(Map.of("type", "uart16550", "name", "com2")), xml.tree().get("devices"));
    }

    @Test
    void anEngineMayHaveSettings() throws IOException, Failure {
        assertEquals(
                Map.of("type", "interpreter", "blocks", "64"),
                read("g.yaml", "kernel: k\nengine: interpreter,blocks=64").tree().get("engine"));
        assertEquals(
                "interpreter",
                read("g.yaml", "kernel: k\nengine: interpreter").tree().get("engine"));
    }

    @Test
    void theCommandLineWinsAndItsDevicesAreAdded() throws IOException, Failure {
        Files.writeString(folder.resolve("g.yaml"), "kernel: k\nmemory: 64M\ndevices: [rtc]\n");
        GuestConfiguration configuration =
                read(
                        "g.yaml",
                        Map.of(
                                GuestKey.MEMORY, List.of("128M"),
                                GuestKey.DEVICES, List.of("acpi")));
        assertEquals(128L << 20, configuration.tree().get("memory"));
        assertEquals(
                List.of(Map.of("type", "rtc"), Map.of("type", "acpi")),
                configuration.tree().get("devices"));
    }

    @Test
    void anIncludedFileComesFirstAndItsPathsAreItsOwn() throws IOException, Failure {
        Files.writeString(
                folder.resolve("sub/base.properties"),
                "initrd = i\nmemory = 32M\ndevices = rtc\nkernel = nowhere\n");
        GuestConfiguration configuration =
                read(
                        "g.yaml",
                        "include: sub/base.properties\nkernel: k\nmemory: 16M\ndevices: [acpi]\n");
        assertEquals(folder.resolve("sub/i").toString(), configuration.text(GuestKey.INITRD));
        assertEquals(16L << 20, configuration.tree().get("memory"));
        assertEquals(
                List.of(Map.of("type", "rtc"), Map.of("type", "acpi")),
                configuration.tree().get("devices"));
    }

    @Test
    void namesInBracesStandForOtherValues() throws IOException, Failure {
        String path = System.getenv("PATH");
        GuestConfiguration configuration =
                read(
                        "g.yaml",
                        """
                        name: tiny
                        kernel: ${sys:no.such.property:-k}
                        append: host=${name} path=${env:PATH} $${plain}
                        """);
        assertEquals("host=tiny path=" + path + " ${plain}", configuration.text(GuestKey.APPEND));
        assertEquals(folder.resolve("k").toString(), configuration.text(GuestKey.KERNEL));
    }

    @Test
    void theNameIsTheFilesUnlessItSaysOtherwise() throws IOException, Failure {
        assertEquals("g", read("g.yaml", "kernel: k").text(GuestKey.NAME));
        GuestConfiguration bare =
                GuestConfiguration.read(
                        Optional.empty(), Map.of(GuestKey.KERNEL, List.of("k")), folder, MACHINE);
        assertEquals("k", bare.text(GuestKey.NAME));
    }

    @Test
    void whatConcernsTheLauncherAloneIsNotForTheVmm() throws IOException, Failure {
        GuestConfiguration configuration =
                read(
                        "g.yaml",
                        """
                        kernel: k
                        timeout: 1.5
                        host: jvm
                        stats: s.json
                        bundles: [k]
                        description: text
                        """);
        for (String key : List.of("timeout", "host", "stats", "bundles", "description")) {
            assertFalse(configuration.tree().containsKey(key), key);
        }
        assertEquals(Optional.of(1.5), configuration.seconds(GuestKey.TIMEOUT));
        assertEquals(Optional.of(folder.resolve("s.json")), configuration.stats());
        assertEquals(List.of(folder.resolve("k")), configuration.bundles());
    }

    @Test
    void aHostHasOptionsAsTextOrAsATree() throws IOException, Failure {
        HostChoice wanted = new HostChoice("linux", "huge-pages=2M,lock=true");
        assertEquals(Optional.empty(), read("g.yaml", "kernel: k").host());
        assertEquals(
                Optional.of(HostChoice.of("l4")), read("g.yaml", "kernel: k\nhost: l4").host());
        String text = "kernel: k\nhost: linux,huge-pages=2M,lock=true";
        assertEquals(Optional.of(wanted), read("g.yaml", text).host());
        String tree = "kernel: k\nhost: {type: linux, huge-pages: 2M, lock: true}";
        assertEquals(Optional.of(wanted), read("g.yaml", tree).host());
        assertEquals(
                "host: costs: 'a,b' has a comma, which options of hosts can't have",
                refusal("g.yaml", "kernel: k\nhost: {type: linux, costs: 'a,b'}"));
    }

    @Test
    void aConsolesFileIsRelativeToTheDescription() throws IOException, Failure {
        assertEquals(
                "file:" + folder.resolve("sub/log"),
                read("g.yaml", "kernel: k\nconsole: file:sub/log").text(GuestKey.CONSOLE));
    }

    @Test
    void aModuleKeepsItsCommandLine() throws IOException, Failure {
        assertEquals(
                List.of(folder.resolve("sub/i") + " root=1", folder.resolve("k").toString()),
                read("g.yaml", "kernel: k\nmodules: [sub/i root=1, k]").tree().get("modules"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "memmory: 1M | g.yaml: unknown key 'memmory'; did you mean 'memory'?",
                "colour: red | g.yaml: unknown key 'colour'; there are: name, ",
                "device: rtc | g.yaml: unknown key 'device'; did you mean 'devices'?",
                "memory: lots | g.yaml: memory: 'lots' is not a size such as 512M",
                "memory: 0 | g.yaml: memory: a machine needs more than 0 bytes, such as 512M",
                "memory: -1M | g.yaml: memory: '-1M' is not a size such as 512M",
                "memory: 5000 | g.yaml: memory: '5000' is not a multiple of 4K; 4096 is",
                "memory: 9G | g.yaml: memory: '9G' is more than the 8192M that this machine has",
                "memory: 99999999999T | g.yaml: memory: '99999999999T' is not a size such as",
                "memory: [1M, 2M] | g.yaml: memory: must be one value, not a list",
                "memory: [1] | g.yaml: memory: must be one value, not a list",
                "memory: [] | g.yaml: memory: must be one value, not a list",
                "bios: k | g.yaml: bios: firmware cannot be loaded yet; give a kernel",
                "disk: k | g.yaml: disk: no disk device exists yet",
                "memory: {a: 1} | g.yaml: memory: must be one size such as 512M, not a list or",
                "memory: | g.yaml: memory: the value is missing; it takes SIZE",
                "cpus: two | g.yaml: cpus: 'two' is not a whole number",
                "cpus: 1.5 | g.yaml: cpus: '1.5' is not a whole number",
                "cpus: 0 | g.yaml: cpus: '0' is not a number from 1 to 64",
                "clock: sun | g.yaml: clock: 'sun' is not one of host, instructions",
                "timeout: -1 | g.yaml: timeout: '-1' is not a number of seconds greater than 0",
                "timeout: 1e10 | g.yaml: timeout: '1.0E10' is not a number of seconds greater than 0 and at "
                        + "most 2147483647",
                "timeout: NaN | g.yaml: timeout: 'NaN' is not a number of seconds greater than",
                "no-reboot: maybe | g.yaml: no-reboot: 'maybe' is not true or false",
                "console: tty | g.yaml: console: 'tty' is not one of stdio, none, file:PATH",
                "console: file:no/x | g.yaml: console: there is no folder ",
                "initrd: nowhere | g.yaml: initrd: there is no file ",
                "initrd: sub | g.yaml: initrd: ",
                "stats: no/s.json | g.yaml: stats: there is no folder ",
                "devices: ['uart16550,irq'] | g.yaml: devices: 'irq' in 'uart16550,irq' is not KEY",
                "devices: ['r,a=1,a=2'] | g.yaml: devices: 'a' is given twice",
                "devices: [{irq: 4}] | g.yaml: devices: the type is missing",
                "devices: [{type: r, a: [1, 2]}] | g.yaml: devices: 'a' must be one plain value",
                "append: ${env:NO_SUCH_1} | g.yaml: append: ${env:NO_SUCH_1} is not set; there ar",
                "append: ${append} | g.yaml: append: '${append}' leads back to itself",
                "include: nowhere.yaml | nowhere.yaml: there is no such file",
                "include: g.yaml | g.yaml: includes itself",
            })
    void aWrongValueIsRefusedWithFileKeyAndWhatWouldBeRight(String line, String begin)
            throws IOException {
        String message = refusal("g.yaml", "kernel: k\n" + line + "\n");
        assertTrue(message.startsWith(begin), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "g.yaml | 'kernel: [a' | g.yaml:1: ",
                "g.yaml | 'a: 1\nkernel: k\na: 2' | g.yaml:3: found duplicate key a",
                "g.yaml | '- a' | g.yaml: must be keys with values, as in 'memory: 512M'",
                "g.yaml | 'text' | g.yaml: must be keys with values, as in 'memory: 512M'",
                "g.yaml | '' | g.yaml: the key 'kernel' is missing",
                "g.yaml | 'a: !!java.net.URL [x]' | g.yaml",
                "g.xml | '<a><b></a>' | g.xml:1: ",
                "g.xml | 'no xml' | g.xml:1: ",
                "g.xml | '<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>' | g.xml:1: DOCTYPE",
                "g.xml | '<a><kernel>k</kernel><kernel>k</kernel></a>' | g.xml: kernel: must be one",
            })
    void aWrongFileIsRefusedWithTheLine(String file, String text, String begin) throws IOException {
        String message = refusal(file, text);
        assertTrue(message.startsWith(begin), message);
    }

    @Test
    void aFileThatIsNoTextIsRefused() throws IOException {
        Files.write(folder.resolve("g.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
        assertEquals("g.yaml: is not a text file in UTF-8", refusal("g.yaml", Map.of()));
        assertEquals("sub: is a folder, not a file", refusal("sub", Map.of()));
        assertEquals("no.yaml: there is no such file", refusal("no.yaml", Map.of()));
    }

    @Test
    void anEmptyKernelIsRefused() throws IOException {
        Files.writeString(folder.resolve("k"), "");
        assertEquals(
                "g.yaml: kernel: " + folder.resolve("k") + " is empty",
                refusal("g.yaml", "kernel: k"));
    }

    @Test
    void theCommandLineIsNamedByItsOption() throws IOException {
        Files.writeString(folder.resolve("g.yaml"), "kernel: k\n");
        assertEquals(
                "--memory: 'lots' is not a size such as 512M",
                refusal("g.yaml", Map.of(GuestKey.MEMORY, List.of("lots"))));
        assertEquals(
                "--device: 'irq' in 'rtc,irq' is not KEY=VALUE",
                refusal("g.yaml", Map.of(GuestKey.DEVICES, List.of("rtc,irq"))));
    }

    @Test
    void theCommandLineIsTakenLiterally() throws IOException, Failure {
        Files.writeString(folder.resolve("g.yaml"), "kernel: k\n");
        assertEquals(
                "${HOME}",
                read("g.yaml", Map.of(GuestKey.APPEND, List.of("${HOME}"))).text(GuestKey.APPEND));
    }

    @Test
    void withoutAFileAKernelMustBeGiven() {
        Failure failure =
                assertThrows(
                        Failure.class,
                        () -> GuestConfiguration.read(Optional.empty(), Map.of(), folder, MACHINE));
        assertEquals(
                "no guest is given: a name, a description in YAML, or --kernel FILE",
                failure.getMessage());
    }
}
