package org.alcazar.management.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.management.shell.Frames.Frame;
import org.alcazar.vmm.VmState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The protocol, through a real socket. */
@Timeout(60)
class ShellServerTest {
    private static final String TERMINAL =
            "version=1\nmode=terminal\nterm=xterm\ncolumns=100\nrows=30\n";

    @TempDir private Path folder;
    private final FakeVmm fake = new FakeVmm();
    private Optional<ShellServer> server = Optional.empty();

    @BeforeEach
    void listen() throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        channel.bind(UnixDomainSocketAddress.of(folder.resolve("socket")));
        server = Optional.of(new ShellServer(fake.vmm(), channel, folder.resolve("history")));
    }

    @AfterEach
    void end() {
        server.ifPresent(ShellServer::close);
    }

    /** A client; what came is kept by kind. */
    private final class Client implements AutoCloseable {
        private final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        private final Frames frames = new Frames(channel);
        private final StringBuilder shown = new StringBuilder();
        private final StringBuilder errors = new StringBuilder();
        private String status = "";

        Client() throws IOException {
            channel.connect(UnixDomainSocketAddress.of(folder.resolve("socket")));
        }

        Client send(char kind, String text) throws IOException {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            frames.send(kind, bytes, 0, bytes.length);
            return this;
        }

        /** Until the text has come, or the end has. */
        Client until(String text) throws IOException {
            while (shown.indexOf(text) < 0) {
                Optional<Frame> frame = frames.read();
                if (frame.isEmpty()) {
                    return this;
                }
                String content = new String(frame.get().content(), StandardCharsets.UTF_8);
                switch (frame.get().kind()) {
                    case 'O' -> shown.append(content);
                    case 'E' -> errors.append(content);
                    default -> {
                        status = content;
                        return this;
                    }
                }
            }
            return this;
        }

        Client toTheEnd() throws IOException {
            return until("\0 never shown");
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    @Test
    void aScriptsOutputErrorsAndStatusArriveApart() throws IOException {
        try (Client client = new Client()) {
            client.send('H', "version=1\nmode=script\njson=true\n")
                    .send('C', "vm:pause tiny\nvm:start\nvm:stop tiny")
                    .toTheEnd();
            assertTrue(
                    client.shown.toString().contains("\"state\": \"paused\""), "" + client.shown);
            assertTrue(client.errors.toString().startsWith("vm:start: VM is missing\nusage: "));
            assertEquals("2", client.status);
        }
        assertEquals(VmState.PAUSED, fake.states.get(1));
    }

    @Test
    void aPersonTypesCompletesAndQuits() throws IOException {
        try (Client client = new Client()) {
            client.send('H', TERMINAL).until("alcazar> ").send('W', "120 40");
            client.send('I', "vm:pau\tti\t\r").until("is paused").send('I', "quit 3\r").toTheEnd();
            assertEquals("3", client.status);
        }
        assertTrue(Files.readString(folder.resolve("history")).contains("vm:pause tiny"));
    }

    @Test
    void ctrlDEndsTheSession() throws IOException {
        try (Client client = new Client()) {
            client.send('H', TERMINAL).until("alcazar> ").send('I', "\4").toTheEnd();
            assertEquals("0", client.status);
        }
    }

    @Test
    void ctrlCEndsTheCommandAlone() throws IOException {
        try (Client client = new Client()) {
            client.send('H', TERMINAL).until("alcazar> ").send('I', "vm:expect tiny never\r");
            fake.console.awaitReader();
            client.send('I', "\3").until("interrupted").send('I', "vm:list\r").until("16M");
            client.send('I', "exit\r").toTheEnd();
            assertEquals("0", client.status);
        }
    }

    @Test
    void theConsoleTakesTheTerminalUntilItIsLeft() throws IOException {
        try (Client client = new Client()) {
            client.send('H', TERMINAL).until("alcazar> ").send('I', "vm:console tiny\r");
            client.until("booted");
            fake.console.show("$ ");
            client.until("$ ").send('I', "ls\3\1\1\1d").until("off the console");
            assertEquals("ls\3\1", fake.typed.toString(StandardCharsets.UTF_8));
            client.send('I', "vm:list\r").until("16M");
        }
    }

    @Test
    void theEndOfTheConsoleGivesTheTerminalBack() throws IOException {
        try (Client client = new Client()) {
            client.send('H', TERMINAL).until("alcazar> ").send('I', "vm:console tiny\r");
            fake.console.awaitReader();
            fake.console.end();
            client.until("the console is closed").send('I', "vm:list\r").until("16M");
        }
    }

    @Test
    void aClientThatGoesEndsItsCommandAndOthersGoOn() throws Exception {
        Client gone = new Client();
        gone.send('H', "version=1\nmode=script\n").send('C', "vm:expect tiny never");
        fake.console.awaitReader();
        gone.close();
        fake.console.awaitNoReader();
        try (Client next = new Client()) {
            next.send('H', "version=1\nmode=script\n").send('C', "vm:list").toTheEnd();
            assertEquals("0", next.status);
        }
    }

    @Test
    void whoSpeaksSomethingElseIsCutOff() throws IOException {
        for (String header : new String[] {"version=9\n", "", "GET / HTTP/1.1"}) {
            try (Client client = new Client()) {
                client.send('H', header).toTheEnd();
                assertEquals("", client.status + client.shown);
            }
        }
        try (Client client = new Client()) {
            client.channel.write(ByteBuffer.wrap(new byte[] {'H', 127, -1, -1, -1}));
            assertEquals("", client.toTheEnd().status);
        }
    }
}
