package org.alcazar.management.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.vmm.VmState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is typed, through Gogo, to a VMM that only remembers. */
class CommandsTest {
    private final FakeVmm fake = new FakeVmm();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    @TempDir private Path folder;
    private Optional<ShellSession> session = Optional.empty();

    @BeforeEach
    void open() {
        session = Optional.of(open(false));
    }

    private ShellSession open(boolean json) {
        Screen screen = new Screen(Optional.empty(), Path.of("/home/me/guests"), json);
        return new ShellSession(fake.vmm(), screen, InputStream.nullInputStream(), out, err);
    }

    @AfterEach
    void close() {
        session.ifPresent(ShellSession::close);
    }

    private int run(String script) throws QuitException {
        out.reset();
        err.reset();
        return session.orElseThrow().run(script);
    }

    private String shown(String script) throws QuitException {
        assertEquals(0, run(script), () -> text(err));
        assertEquals("", text(err));
        return text(out);
    }

    private String refused(String script) throws QuitException {
        assertEquals(2, run(script), () -> text(out));
        return text(err);
    }

    private static String text(ByteArrayOutputStream stream) {
        return stream.toString(StandardCharsets.UTF_8);
    }

    static List<Command> commands() {
        return new CommandTable().all();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandsExampleParses(Command command) throws UsageException {
        List<String> words = List.of(command.example().replace("'", "").split(" "));
        assertEquals(command.name(), words.getFirst());
        Call.parse(
                command.usage(),
                words.subList(1, words.size()),
                fake.vmm(),
                new Screen(Optional.empty(), Path.of("/"), false),
                System.out);
        assertFalse(command.summary().isBlank());
    }

    @ParameterizedTest
    @MethodSource("commands")
    void wrongInputGetsTheUsageOfTheCommand(Command command) throws QuitException {
        String said = refused(command.name() + " --no-such-option");
        List<String> lines = said.lines().toList();
        assertEquals(2, lines.size(), said);
        assertTrue(lines.get(0).startsWith(command.name() + ": unknown option"), said);
        assertEquals("usage: " + command.usageLine(), lines.get(1));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void helpTellsUsageAndExample(Command command) throws QuitException {
        String help = shown("help " + command.name());
        assertTrue(help.contains(command.usageLine()), help);
        assertTrue(help.contains(command.example()), help);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "vm:start | vm:start: VM is missing",
                "vm:start tiny 2 | vm:start: '2' is one word too many",
                "vm:create nonsense | vm:create: no guest 'nonsense'; there are: echo, linux",
                "vm:create | vm:create: a GUEST is missing, or the key kernel=FILE",
                "vm:create name=a linux | vm:create: 'linux' is not KEY=VALUE",
                "vm:create memroy=1M | vm:create: unknown key 'memroy'; did you mean 'memory'?",
                "vm:start tinny | vm:start: there is no VM 'tinny'; did you mean 'tiny'?",
                "vm:simulate tiny 0 | vm:simulate: MILLISECONDS: 0 is not from 1 to 9223372036854",
                "vm:simulate tiny soon | vm:simulate: MILLISECONDS: 'soon' is not a number such as",
                "vm:top --count | vm:top: --count takes a value: N",
                "vm:lst | unknown command 'vm:lst'; did you mean 'vm:list'?",
                "nonsense | unknown command 'nonsense'; `help` lists the commands",
                "vm:list ( | wrong input: ",
                "cpu:registers tiny | cpu:registers: VM tiny runs; `vm:pause tiny` stops it first",
                "mem:read tiny 0x100000 | mem:read: VM tiny has no RAM at 0x100000 for 64 bytes",
                "mem:write tiny 0 123 | mem:write: BYTE: '123' is not from 00 to ff",
                "device:inspect tiny com7 | device:inspect: VM tiny has no device 'com7'; did you",
                "device:attach tiny nic | device:attach: unknown device 'nic'",
                "bundle:stop nothing | bundle:stop: there is no bundle 'nothing'; bundle:list",
                "vm:type tiny '\\q' | vm:type: TEXT: unknown \\q",
                "help vm:lst | help: there is no command 'vm:lst'; did you mean 'vm:list'?",
            })
    void whatIsWrongIsToldInOneLine(String line, String message) throws QuitException {
        String said = refused(line);
        assertTrue(said.startsWith(message), said);
        assertTrue(said.lines().count() <= 2, said);
    }

    @Test
    void aScriptStopsAtItsFirstFailure() throws QuitException {
        assertTrue(refused("vm:pause tiny\nvm:pause tiny\nvm:stop tiny").contains("does not run"));
        assertEquals(VmState.PAUSED, fake.states.get(1));
    }

    @Test
    void theLifeOfAVm() throws QuitException {
        shown("vm:create name=new kernel=a/k.elf devices=uart16550,irq=3 devices=rtc memory=4M");
        assertEquals(
                "create {name=new, kernel=/home/me/guests/a/k.elf, devices=[{type=uart16550, irq=3},"
                        + " rtc], memory=4M, console=none}",
                fake.log.getLast());
        assertEquals("VM 2 (new) is running\n", shown("vm:start new"));
        assertEquals("VM 2 (new) is paused\n", shown("vm:pause 2"));
        assertEquals("VM 2 (new) is paused\n", shown("vm:simulate new 5"));
        assertEquals("simulate 5000000", fake.log.getLast());
        assertEquals("VM 2 (new) is running\n", shown("vm:resume new"));
        shown("vm:reset new; vm:event new power-button; vm:save new x.state");
        assertEquals(
                List.of("reset 2", "event power-button", "save /home/me/guests/x.state"),
                fake.log.subList(2, 5));
        shown(
                "vm:move-core new 0 any; vm:move-core new 0 1; vm:stop-core new 0; vm:start-core new 0");
        assertEquals(
                List.of("move 0 -1", "move 0 1", "stop-core 0", "start-core 0"),
                fake.log.subList(5, 9));
        assertTrue(shown("vm:wait new").contains("has ended with status 3: debug exit"));
        assertEquals("VM 2 (new) is stopped\n", shown("vm:stop new"));
        shown("vm:destroy new");
        assertEquals(Map.of(1, VmState.RUNNING), fake.states);
        shown("vm:load x.state name=copy");
        assertTrue(fake.log.contains("load /home/me/guests/x.state"));
    }

    @Test
    void aGuestIsMadeByItsName() throws Exception {
        fake.guestBundles.add(folder.resolve("rng.jar").toString());
        fake.guestBundles.add(folder.resolve("uart16550.jar").toString());
        String said = shown("vm:create linux memory=1G devices=rtc devices=nic");
        assertEquals(
                List.of(
                        "read linux {memory=[1G], devices=[rtc, nic]} in /home/me/guests",
                        "install " + folder.resolve("rng.jar"), // the other is there
                        "create {name=linux}"),
                fake.log);
        assertEquals(
                "fetching linux\n"
                        + folder.resolve("rng.jar")
                        + " is installed\nVM 2 (linux) is created\n",
                said);
        assertTrue(shown("vm:create echo --json").startsWith("{"));
        assertTrue(
                refused("vm:create linux console=stdio").contains("this terminal is the shell's"));
        fake.withGuests = false;
        assertTrue(refused("vm:create linux").contains("this process knows no guests by name"));
    }

    @Test
    void aSwapInstallsWhatIsNotThereIfThatIsWanted() throws Exception {
        Path fresh = folder.resolve("rng.jar");
        Path known = folder.resolve("uart16550.jar");
        String said = shown("bundle:swap --install " + fresh);
        assertTrue(said.startsWith("there was none to replace: bundle 4 ("), said);
        shown("bundle:swap " + known + " --install; bundle:swap " + fresh);
        assertEquals(List.of("install " + fresh, "swap " + known, "swap " + fresh), fake.log);
    }

    @Test
    void memoryIsLookedAtAndCopied() throws Exception {
        assertTrue(shown("vm:fork tiny copy").contains("stood still for 1.50 ms; they share 64M"));
        assertTrue(shown("vm:fork tiny copy --json").contains("\"pause-ns\": 1500000"));
        assertTrue(shown("vm:memory tiny --json").contains("\"private\": 33554432"));
        assertTrue(shown("vm:dirty tiny show").contains("0x3000-0x5fff"));
        assertTrue(shown("vm:dirty tiny show").contains("4 pages were written"));
        assertTrue(
                shown("vm:balloon tiny")
                        .contains(
                                "was asked for 8M and has given up 6M; the host has 7M back\n  free-memory 5242880"));
        shown("vm:balloon tiny 16M");
        assertTrue(fake.log.contains("ask for 16777216"));
        assertTrue(
                shown("vm:move-memory tiny 0x1000 4096 1").contains("4K of VM tiny lie on node 1"));
        assertTrue(fake.log.contains("move 4096 4096 to 1"));
        assertTrue(shown("vm:share tiny").contains("256 of 5000 pages lie in others now"));
        assertTrue(shown("vm:share --json").contains("\"pause-ns\": 2500000"));
        assertTrue(fake.log.contains("share [1]"), fake.log::toString);
        shown("vm:swap tiny 2M");
        assertTrue(fake.log.contains("swap beyond 2097152"));
        assertTrue(refused("vm:swap tiny much").contains("'much' is not a size such as 128M"));
        assertTrue(refused("vm:dirty tiny begin").contains("'begin' is not one of start, stop"));
        shown("vm:access tiny start --every 20 --fine");
        assertTrue(fake.log.contains("count uses each 20000000 ns, fine"));
        assertTrue(shown("vm:access tiny show --top 1").contains("0x102000"));
        assertTrue(shown("vm:access tiny show --picture text").contains("100000 |@|"));
    }

    @Test
    void aPictureOfTheUseOfMemoryIsAPng() throws Exception {
        byte[] png = HeatMap.png(new FakeMemory(List.of()).access(1));
        java.awt.image.BufferedImage image =
                javax.imageio.ImageIO.read(new java.io.ByteArrayInputStream(png));
        assertEquals(512, image.getWidth());
        assertEquals(1, image.getHeight());
        assertEquals(0xff000000, image.getRGB(0, 0), "never used");
        assertEquals(0xffa7a7a7, image.getRGB(1, 0), "read");
        assertEquals(0xff404040, image.getRGB(4, 0), "no RAM");
        assertTrue((image.getRGB(3, 0) & 0xff) < (image.getRGB(3, 0) >> 16 & 0xff), "written");
    }

    @Test
    void engineAndPagingModeAreExchanged() throws Exception {
        assertEquals(
                "VM tiny goes on with interpreter; it stood still for 0.25 ms\n",
                shown("vm:engine tiny interpreter"));
        assertTrue(shown("vm:paging tiny direct --json").contains("\"pause-ms\": 1.0"));
        assertEquals(List.of("engine interpreter", "paging direct"), fake.log);
        assertTrue(refused("vm:paging tiny shadow").contains("unknown paging mode 'shadow'"));
    }

    @Test
    void theLastEventsAreShown() throws QuitException {
        assertEquals("nothing has happened yet\n", shown("vm:events"));
        shown("vm:pause tiny; vm:resume tiny");
        fake.happened(2, "swap", "com1");
        assertEquals(
                """
                    1.500000 s  vm1  state   paused
                    1.500000 s  vm1  state   running
                    1.500000 s  vm2  swap    com1
                """,
                shown("vm:create name=other kernel=k | wc; vm:events").replaceFirst(".*\n", ""));
        assertEquals("    1.500000 s  vm1  state   running\n", shown("vm:events tiny --last 1"));
        assertTrue(shown("vm:events tiny --json").contains("\"event\": \"paused\""));
    }

    @Test
    void eventsAreFollowedAndNoneIsShownTwice() throws Exception {
        fake.happened(1, "attach", "com2");
        fake.onListen = () -> fake.happened(1, "detach", "com2"); // among the last, and heard
        Thread guest =
                Thread.ofPlatform()
                        .start(() -> {
                            boolean heard = false;
                            while (!heard || !fake.watchers.isEmpty()) {
                                heard |= !fake.watchers.isEmpty();
                                fake.happened(2, "reset", "of another");
                                fake.happened(1, "state", "paused");
                                Thread.yield();
                            }
                        });
        String said = shown("vm:events tiny --last 3 --count 2");
        guest.join();
        assertTrue(fake.watchers.isEmpty());
        List<String> kinds = kinds(said);
        assertEquals(5, kinds.size());
        assertFalse(kinds.contains("reset"), said);
        assertTrue(kinds.stream().filter("detach"::equals).count() <= 1, said);
    }

    private static List<String> kinds(String lines) {
        return lines.lines().map(line -> line.strip().split(" +")[3]).toList();
    }

    @Test
    void registersAreReadAndWrittenWhileTheVmStands() throws QuitException {
        shown("vm:pause tiny");
        shown("cpu:set tiny acc 0xfffffffffffffff0");
        assertEquals(-16, fake.block.group(0)[0]);
        assertEquals(1, fake.block.dirty);
        assertTrue(shown("cpu:registers tiny").contains("acc  fffffffffffffff0"));
        shown("cpu:set tiny pc 16");
        assertEquals("0x30 nop x 3\n", shown("cpu:disassemble tiny pc+0x20 3"));
        assertEquals("0x10 leads nowhere\n", shown("cpu:walk tiny pc"));
    }

    @Test
    void memoryIsReadAndWritten() throws QuitException {
        shown("mem:write tiny 0x10 41 42 0x43");
        assertEquals(
                "0000000000000010  41 42 43 00                                       ABC.\n",
                shown("mem:read tiny 0x10 4"));
        shown("vm:pause tiny");
        shown("mem:write tiny 0x8010 5a --virtual");
        assertEquals('Z', fake.ram[16]);
        assertTrue(shown("mem:read tiny 0x8010 1 --virtual").contains("Z"));
        assertTrue(refused("mem:read tiny 0x10 --virtual").contains("0x10 is not mapped"));
    }

    @Test
    void devicesBundlesAndFigures() throws QuitException {
        assertTrue(shown("device:attach tiny uart16550 name=com2 irq=3").contains("device com2"));
        assertEquals("attach {name=com2, irq=3}", fake.log.getLast());
        shown("device:detach tiny com2");
        assertEquals("detach com2", fake.log.getLast());
        String state = shown("device:inspect tiny com1");
        assertTrue(state.contains("lcr   131 (0x83)") && state.contains("fifo  01fe"), state);
        assertTrue(state.contains("port 0x3f8 to 0x3ff  5 reads, 6 writes"), state);
        assertTrue(shown("device:types uart16550").contains("slow|fast"));
        assertTrue(shown("vm:counters tiny com1").contains("overruns  4"));
        assertTrue(shown("vm:stuck").contains("a read of port 0x3f8"));
        assertTrue(shown("bundle:list").contains("tiny/com1"));
        shown(
                "bundle:stop uart16550; bundle:start 4; bundle:uninstall org.alcazar.devices.uart16550");
        assertEquals("bundle uninstall 4", fake.log.getLast());
        assertTrue(shown("bundle:install new.jar").contains("device uart16550"));
        assertTrue(shown("bundle:swap new.jar").contains("stood still for 0.25 ms"));
        fake.withBundles = false;
        assertTrue(refused("bundle:list").contains("does not manage bundles"));
    }

    @Test
    void topShowsRatesByTheHostsClock() throws QuitException {
        String top = shown("vm:top --every 2 --count 1");
        // 2 s on the fake's clock are 2e9 instructions and exits.
        assertTrue(top.contains("1000.0") && top.contains("1000000000"), top);
    }

    @Test
    void theConsoleIsTypedAndAwaited() throws QuitException {
        shown("vm:type tiny 'ls\\n' \\\\x03");
        assertEquals("ls\n \3", fake.typed.toString(StandardCharsets.UTF_8));
        assertEquals("booted\n", shown("vm:console tiny --recent"));
        fake.console.show("log");
        fake.console.show("in: ");
        assertEquals("", shown("vm:expect tiny login:"));
        assertTrue(refused("vm:console tiny").contains("there is no terminal here"));
    }

    /** As a bundle would offer it: a service whose methods are commands. */
    public static final class Rates {
        public String rate(String name, long factor) {
            return name + " makes " + 3 * factor;
        }
    }

    @Test
    void commandsOfOtherBundlesComeAndGo() throws QuitException {
        Rates rates = new Rates();
        fake.foreign.add(
                rates,
                Map.of(
                        ForeignCommands.SCOPE,
                        "rng",
                        ForeignCommands.FUNCTION,
                        new String[] {"rate"}));
        assertEquals("amd makes 6\n", shown("rng:rate amd 2"));
        assertEquals("amd makes 9\n", shown("rate amd 3"));
        assertTrue(shown("help").contains("rng:rate"));
        fake.foreign.remove(rates);
        assertTrue(refused("rng:rate amd 2").contains("unknown command 'rng:rate'"));
        assertFalse(shown("help").contains("rng:rate"));
    }

    @Test
    void aPausedVmStandsWhileItsCoresAreLookedAt() throws QuitException {
        fake.states.put(1, VmState.PAUSED);
        shown("cpu:registers tiny");
        assertTrue(fake.log.contains("standing 1"), fake.log::toString);
    }

    @Test
    void pipesAndVariablesWork() throws QuitException {
        assertEquals(
                "access      7\n",
                shown("vm:exits tiny | grep access").replace("  access", "access"));
        assertTrue(shown("x = tiny; vm:pause $x").contains("paused"));
        assertEquals(2, run("vm:exits nobody | grep access"));
    }

    @ParameterizedTest
    @CsvSource({
        "vm:list",
        "vm:stats tiny",
        "vm:exits tiny",
        "vm:counters tiny",
        "vm:hooks tiny",
        "help",
        "vm:top --count 2",
        "vm:events tiny",
        "device:list tiny",
        "device:types",
        "device:inspect tiny com1",
        "plugin:types",
        "mem:read tiny 0 4",
        "bundle:list",
        "bundle:swap x.jar",
        "vm:pause tiny",
    })
    void everythingIsJsonWhereThatIsWanted(String line) throws QuitException {
        String byOption = shown(line + " --json");
        assertTrue(byOption.startsWith("{") || byOption.startsWith("["), byOption);
        try (ShellSession json = open(true)) {
            out.reset();
            json.run(line.replace("pause", "resume"));
        }
        assertTrue(text(out).startsWith("{") || text(out).startsWith("["), text(out));
    }

    @Test
    void jsonIsWrittenAsTheStandardWantsIt() {
        assertEquals(
                "{\n  \"a\": \"\\\"\\\\\\u0007\",\n  \"b\": [\n    1,\n    null,\n    true\n  ],\n"
                        + "  \"c\": {},\n  \"d\": \"0aff\"\n}",
                Json.text(
                        LifeCycleCommands.ordered(
                                "a",
                                "\"\\\7",
                                "b",
                                List.of(1L, Double.NaN, true),
                                "c",
                                Map.of(),
                                "d",
                                new byte[] {10, -1})));
    }

    @Test
    void quitEndsTheScript() throws QuitException {
        QuitException quit =
                org.junit.jupiter.api.Assertions.assertThrows(
                        QuitException.class, () -> run("quit 3\nvm:stop tiny"));
        assertEquals(3, quit.status());
        assertEquals(VmState.RUNNING, fake.states.get(1));
    }
}
