package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.testkit.HotSwapContractTest;
import org.alcazar.testkit.Mode;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Every device of a PC, paging mode and engine is exchanged under a guest that uses them all. */
class HotSwapTest {
    private static final Path DEVICES = Path.of("../../devices");

    /** Looks at every device, for ever. */
    private static final String GUEST =
            """
            1:      movb    $0, %al
                    outb    %al, $0x43
                    inb     $0x40, %al
                    inb     $0x40, %al
                    movb    $0x0b, %al
                    outb    %al, $0x70
                    inb     $0x71, %al
                    mov     $0x3fd, %dx
                    inb     %dx, %al
                    mov     $'.', %al
                    mov     $0x3f8, %dx
                    outb    %al, %dx
                    inb     $0x64, %al
                    inb     $0x21, %al
                    mov     $0xcf8, %dx
                    mov     $0x80000000, %eax
                    outl    %eax, %dx
                    mov     $0xcfc, %dx
                    inl     %dx, %eax
                    mov     $0x511, %dx
                    inb     %dx, %al
                    mov     $0x608, %dx
                    inl     %dx, %eax
                    mov     0xfee00020, %eax
                    movl    $0x10, 0xfec00000
                    mov     0xfec00010, %eax
                    inb     $0xf4, %al
                    jmp     1b
            """;

    abstract static class OnPc extends HotSwapContractTest {
        private final String bundle;

        OnPc(String bundle) {
            this.bundle = "org.alcazar." + bundle;
        }

        @Override
        protected String bundle() {
            return bundle;
        }

        @Override
        protected TestVm machine(TestVm vm) {
            return vm.platform("pc").assembly(Mode.PROTECTED, GUEST);
        }
    }

    /** A new device comes here, and its bundle has a contract test. */
    @Test
    void noDeviceOfTheTreeIsLeftOut() throws Exception {
        Set<String> swapped = new TreeSet<>();
        for (Class<?> nested : HotSwapTest.class.getDeclaredClasses()) {
            if (nested.isAnnotationPresent(Nested.class)) {
                Object test = nested.getDeclaredConstructor(HotSwapTest.class).newInstance(this);
                swapped.add(((OnPc) test).bundle());
            }
        }
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(DEVICES)) {
            for (Path folder : folders) {
                String name = folder.getFileName().toString();
                if (!name.endsWith("-api") && Files.exists(folder.resolve("pom.xml"))) {
                    assertTrue(swapped.contains("org.alcazar.devices." + name), name);
                    assertTrue(hasContractTest(folder), name);
                }
            }
        }
    }

    private static boolean hasContractTest(Path module) throws IOException {
        try (Stream<Path> files = Files.walk(module.resolve("src/test/java"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (Files.readString(file).contains("extends DeviceContractTest")) {
                    return true;
                }
            }
            return false;
        }
    }

    @Nested
    class Uart extends OnPc {
        Uart() {
            super("devices.uart16550");
        }
    }

    @Nested
    class Pic extends OnPc {
        Pic() {
            super("devices.pic8259");
        }
    }

    @Nested
    class Pit extends OnPc {
        Pit() {
            super("devices.pit8254");
        }
    }

    @Nested
    class Apic extends OnPc {
        Apic() {
            super("devices.apic");
        }
    }

    @Nested
    class IoApic extends OnPc {
        IoApic() {
            super("devices.ioapic");
        }
    }

    @Nested
    class Rtc extends OnPc {
        Rtc() {
            super("devices.rtc");
        }
    }

    @Nested
    class Acpi extends OnPc {
        Acpi() {
            super("devices.acpi");
        }
    }

    @Nested
    class I8042 extends OnPc {
        I8042() {
            super("devices.i8042");
        }
    }

    @Nested
    class Pci extends OnPc {
        Pci() {
            super("devices.pci");
        }
    }

    @Nested
    class VirtioBalloon extends OnPc {
        VirtioBalloon() {
            super("devices.virtio-balloon");
        }

        @Override
        protected TestVm machine(TestVm vm) {
            return super.machine(vm).device("virtio-balloon", Map.of());
        }
    }

    @Nested
    class FwCfg extends OnPc {
        FwCfg() {
            super("devices.fw-cfg");
        }
    }

    @Nested
    class DebugExit extends OnPc {
        DebugExit() {
            super("devices.debug-exit");
        }
    }

    @Nested
    class NestedPaging extends OnPc {
        NestedPaging() {
            super("paging.nested");
        }
    }

    @Nested
    class Engine extends OnPc {
        Engine() {
            super("engines.x86");
        }
    }
}
