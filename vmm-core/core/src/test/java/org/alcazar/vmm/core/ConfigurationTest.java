package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.PlatformType.DeviceSpec;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.Optional;

class ConfigurationTest {
    private static final Toy.Op FOREVER = new Toy.Jump(0);

    private static void refused(String why, Bench bench) {
        String message =
                String.valueOf(assertThrows(HostRefusal.class, bench::create).getMessage());
        assertTrue(message.contains(why), message);
        assertFalse(message.contains("\n"), message);
        assertEquals(0, bench.host.memory.bytesInUse(""));
        assertEquals(0, bench.host.consoles.open);
        assertEquals(0, bench.host.clock.timersOpen());
        assertTrue(bench.vmm.all().isEmpty());
    }

    private static Bench bench() {
        return new Bench(FOREVER);
    }

    @Test
    void whatIsWrongIsRefusedInOneLineThatSaysWhatWouldBeRight() {
        refused("unknown key 'memry'; did you mean 'memory'?", bench().with("memry", "1M"));
        refused("memory=0 is no memory", bench().with("memory", "0"));
        refused("not whole pages of 4 KiB; the nearest is 4K", bench().with("memory", "5000"));
        refused("memory=much is not a size", bench().with("memory", "much"));
        refused("is more than host fake has for guests (64M)", bench().with("memory", "65M"));
        refused("cpus=0 is not a value from 1 to 64", bench().with("cpus", 0));
        refused("clock=sun is not one of host, instructions", bench().with("clock", "sun"));
        refused("unknown engine 'toyy'; did you mean 'toy'?", bench().with("engine", "toyy"));
        refused("unknown paging mode 'flut'", bench().with("paging", "flut"));
        refused("unknown platform 'bord'", bench().with("platform", "bord"));
        refused("unknown device 'nic'", bench().with("devices", List.of("nic")));
        refused("needs the key 'type'", bench().with("devices", List.of(Map.of("name", "x"))));
        refused("console=tv is not one of", bench().with("console", "tv"));
        refused("can't be opened", bench().with("console", "file:/refused"));
        refused("epoch=today is not a date", bench().with("epoch", "today"));
        refused("address=here is not an address", bench().with("address", "here"));
        refused("unknown key 'cpu-model'", bench().with("cpu-model", "z80"));
        refused("key 'kernel' takes one value", bench().with("kernel", List.of("a")));
        refused("no-reboot=perhaps is not true or false", bench().with("no-reboot", "perhaps"));
    }

    @Test
    void anUnknownBackendIsRefusedWithThoseThereAre() {
        refused(
                "device uart: backend=foo: unknown backend; there are: console, none",
                bench().device("uart", context -> context.characterBackend("foo")));
    }

    @Test
    void wrongImagesAreRefusedInOneLine() {
        refused("no kernel is given", bench().with("kernel", ""));
        refused("kernel gone can't be read: there is no such file", bench().with("kernel", "gone"));
        refused("initrd gone can't be read", bench().with("initrd", "gone"));
        refused("the command line is bad", bench().with("append", "bad"));
        refused("unknown loader 'toy-loder'", bench().with("loader", "toy-loder"));
        Bench foreign = bench().with("kernel", "foreign");
        foreign.host.files.contents.put("foreign", new byte[] {1, 2});
        refused("kernel foreign is of no known kind; known are toy-loader", foreign);
        Bench empty = bench().with("kernel", "empty");
        empty.host.files.contents.put("empty", new byte[0]);
        refused("kernel empty is empty", empty);
        Bench large = bench().with("kernel", "large").with("memory", "4K");
        large.host.files.contents.put("large", new byte[5000]);
        refused("more than the VM's memory", large);
    }

    @Test
    void twoVmsCannotShareAName() throws Exception {
        try (Bench bench = bench().with("name", "linux")) {
            bench.create();
            assertTrue(
                    String.valueOf(assertThrows(HostRefusal.class, bench::create).getMessage())
                            .contains("there is a VM 'linux' already"));
            bench.vmm.destroy(1);
            bench.create();
        }
    }

    @Test
    void aTreeOfAllKeysIsUnderstood() throws Exception {
        VmConfiguration c =
                VmConfiguration.of(
                        Map.of(
                                "name", "n",
                                "memory", "1G",
                                "cpus", "2",
                                "cpu-model", "m",
                                "engine", Map.of("type", "toy", "seed", 5),
                                "address", "0x7c00",
                                "modules", List.of("a b", "c"),
                                "devices",
                                        List.of("uart", Map.of("type", "uart", "irq", 3), "uart"),
                                "clock", "instructions"));
        assertEquals(1L << 30, c.memory());
        assertEquals("toy", c.engine().type());
        assertEquals(Map.of("seed", 5, "cpu-model", "m"), c.engine().settings());
        assertEquals(Optional.of(0x7c00L), c.address());
        assertEquals(List.of("a b", "c"), c.modules());
        assertEquals(
                List.of("uart", "uart1", "uart2"),
                c.devices().stream().map(DeviceSpec::name).toList());
        assertEquals(Map.of("irq", 3), c.devices().get(1).settings());
        assertEquals(1_767_225_600_000_000_000L, c.epoch().orElseThrow());
        assertEquals(64L << 20, c.with(Map.of("memory", "64M")).memory());
    }

    @Test
    void aConfiguredDeviceReplacesSettingsOfTheStandardOneWithItsName() {
        List<DeviceSpec> plan =
                DeviceManager.plan(
                        List.of(
                                new DeviceSpec("uart", "com1", Map.of("irq", 4, "port", 0x3f8)),
                                new DeviceSpec("rtc", "rtc", Map.of())),
                        List.of(
                                new DeviceSpec("uart", "com1", Map.of("irq", 5)),
                                new DeviceSpec("uart", "com2", Map.of())));
        assertEquals(List.of("com1", "rtc", "com2"), plan.stream().map(DeviceSpec::name).toList());
        assertEquals(Map.of("irq", 5, "port", 0x3f8), plan.getFirst().settings());
    }

    @Test
    void theSeedReachesAnEngineThatTakesOne() throws Exception {
        Toy.ToyEngineType engine = new Toy.ToyEngineType(FOREVER);
        try (Bench bench = bench().with("seed", 42)) {
            bench.types.add(org.alcazar.vmm.plugin.EngineType.class, engine, 2);
            bench.create();
        }
        assertEquals(List.of(Map.of("seed", "42")), engine.optionsSeen);
    }

    @Test
    void withoutASeedRunsByInstructionsAreAlikeAndOthersDiffer() throws Exception {
        Toy.ToyEngineType engine = new Toy.ToyEngineType(FOREVER);
        for (String clock : List.of("instructions", "instructions", "host", "host")) {
            try (Bench bench = bench().with("clock", clock)) {
                bench.types.add(org.alcazar.vmm.plugin.EngineType.class, engine, 2);
                bench.create();
            }
        }
        List<Map<String, String>> seen = engine.optionsSeen;
        assertEquals(seen.get(0), seen.get(1));
        assertNotEquals(seen.get(2), seen.get(3));
    }

    @Test
    void ofEqualTypesTheHighestBundleWinsAndGoesAgain() throws Exception {
        PluginTypes types = new PluginTypes();
        DeviceType old = new Bench.FakeDeviceType("d", (c, s) -> new Bench.Plain());
        DeviceType young = new Bench.FakeDeviceType("d", (c, s) -> new Bench.Plain());
        types.add(DeviceType.class, young, 9);
        types.add(DeviceType.class, old, 3);
        assertTrue(types.find(DeviceType.class, "d").orElseThrow() == young);
        types.remove(young);
        assertTrue(types.find(DeviceType.class, "d").orElseThrow() == old);
        assertEquals(Map.of("d", "for tests"), types.describe().get("device"));
    }
}
