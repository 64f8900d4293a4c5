package org.alcazar.hosts.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@SuppressWarnings("InputStreamSlowMultibyteRead") // the console reads byte by byte
class StreamConsoleTest {
    private static final InputStream NOTHING = InputStream.nullInputStream();
    private static final int RING = 1 << 16;

    private static void write(StreamConsole console, String text) {
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            console.write(b);
        }
    }

    /** Lets each write through when it gets a permit. */
    private static final class Slow extends OutputStream {
        final ByteArrayOutputStream written = new ByteArrayOutputStream();
        final Semaphore permits = new Semaphore(0);
        final CountDownLatch entered = new CountDownLatch(1);

        @Override
        public void write(int octet) {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int count) {
            entered.countDown();
            permits.acquireUninterruptibly();
            synchronized (written) {
                written.write(bytes, offset, count);
            }
        }
    }

    @Test
    void outputArrivesWholeAndInOrder() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        StringBuilder expected = new StringBuilder();
        StreamConsole console = new StreamConsole(NOTHING, out);
        for (int i = 0; i < 50_000; i++) {
            write(console, i + "\n");
            expected.append(i).append('\n');
        }
        console.flush();
        assertEquals(expected.toString(), out.toString(StandardCharsets.UTF_8));
        console.close();
    }

    @Test
    void allEightBitsPass() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        StreamConsole console = new StreamConsole(NOTHING, out);
        for (int i = 0; i < 256; i++) {
            console.write(i);
        }
        console.close();
        byte[] bytes = out.toByteArray();
        for (int i = 0; i < 256; i++) {
            assertEquals((byte) i, bytes[i]);
        }
    }

    @Test
    void aSlowReaderDelaysTheWriterOnlyWhenTheRingIsFull() throws InterruptedException {
        Slow out = new Slow();
        StreamConsole console = new StreamConsole(NOTHING, out);
        console.write('a');
        out.entered.await();
        for (int i = 0; i < RING; i++) {
            console.write('b');
        }
        AtomicBoolean through = new AtomicBoolean();
        Thread writer =
                Thread.ofPlatform()
                        .daemon()
                        .start(() -> {
                            console.write('c');
                            through.set(true);
                        });
        while (writer.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        assertFalse(through.get());
        out.permits.release(1000);
        writer.join();
        assertTrue(through.get());
        console.flush();
        assertEquals(RING + 2, out.written.size());
        console.close();
    }

    @Test
    void closingWritesTheRestFirst() throws InterruptedException {
        Slow out = new Slow();
        StreamConsole console = new StreamConsole(NOTHING, out);
        write(console, "first");
        out.entered.await();
        write(console, " and last");
        Thread closer = Thread.ofPlatform().daemon().start(console::close);
        out.permits.release(1000);
        closer.join();
        assertEquals("first and last", out.written.toString(StandardCharsets.UTF_8));
        console.write('x');
        console.flush();
        console.close();
        assertEquals("first and last", out.written.toString(StandardCharsets.UTF_8));
    }

    @Test
    void aReaderThatHasGoneSwallowsTheRest() {
        assertSwallowed(() -> new IOException("broken pipe"));
    }

    @Test
    void aStreamThatFailsUncheckedIsAReaderThatHasGone() {
        assertSwallowed(() -> {
            throw new UncheckedIOException(new IOException("broken pipe"));
        });
    }

    private static void assertSwallowed(Supplier<IOException> failure) {
        AtomicInteger tries = new AtomicInteger();
        StreamConsole console =
                new StreamConsole(
                        NOTHING,
                        new OutputStream() {
                            @Override
                            public void write(int octet) throws IOException {
                                tries.incrementAndGet();
                                throw failure.get();
                            }
                        });
        for (int i = 0; i < 3 * RING; i++) {
            console.write('x');
        }
        console.flush();
        console.close();
        assertTrue(tries.get() > 0);
    }

    @Test
    void outputThatCannotBeWrittenIsToldOnceWhenTheConsoleIsClosed() {
        assertEquals(List.of("No space left on device"), losses("No space left on device"));
    }

    @Test
    void aReaderThatHasGoneIsNoLoss() {
        assertEquals(List.of(), losses("Broken pipe"));
    }

    private static List<String> losses(String why) {
        List<String> losses = new ArrayList<>();
        OutputStream failing =
                new OutputStream() {
                    @Override
                    public void write(int octet) throws IOException {
                        throw new IOException(why);
                    }
                };
        StreamConsole console = new StreamConsole(NOTHING, failing, losses::add);
        for (int i = 0; i < 2; i++) {
            console.write('x');
            console.flush();
        }
        assertEquals(List.of(), losses);
        console.close();
        console.close();
        return losses;
    }

    @Test
    void inputComesByteByByteAndItsEndIsSilent() throws InterruptedException {
        byte[] input = {'h', 'i', 0, (byte) 0xff};
        BlockingQueue<Integer> heard = new LinkedBlockingQueue<>();
        CountDownLatch ended = new CountDownLatch(1);
        InputStream in =
                new ByteArrayInputStream(input) {
                    @Override
                    public synchronized int read() {
                        int octet = super.read();
                        if (octet < 0) {
                            ended.countDown();
                        }
                        return octet;
                    }
                };
        StreamConsole console = new StreamConsole(in, OutputStream.nullOutputStream());
        console.onInput(heard::add);
        ended.await();
        for (byte b : input) {
            assertEquals(b & 0xff, heard.take());
        }
        assertTrue(heard.isEmpty());
        console.close();
    }

    @Test
    void anInputThatFailsHasEnded() throws InterruptedException {
        CountDownLatch asked = new CountDownLatch(1);
        InputStream in =
                new InputStream() {
                    @Override
                    public int read() throws IOException {
                        asked.countDown();
                        throw new IOException("gone");
                    }
                };
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        StreamConsole console = new StreamConsole(in, out);
        console.onInput(octet -> console.write('!'));
        asked.await();
        console.write('.');
        console.close();
        assertEquals(".", out.toString(StandardCharsets.UTF_8));
    }

    @Test
    void afterClosingNoInputIsGiven() throws InterruptedException {
        BlockingQueue<Integer> typed = new LinkedBlockingQueue<>();
        CountDownLatch asked = new CountDownLatch(2);
        InputStream in =
                new InputStream() {
                    @Override
                    public int read() throws IOException {
                        asked.countDown();
                        try {
                            return typed.take();
                        } catch (InterruptedException e) {
                            throw new IOException(e);
                        }
                    }
                };
        BlockingQueue<Integer> heard = new LinkedBlockingQueue<>();
        StreamConsole console = new StreamConsole(in, OutputStream.nullOutputStream());
        console.onInput(heard::add);
        typed.add(1);
        assertEquals(1, heard.take());
        asked.await();
        console.close();
        typed.add(2);
        typed.add(3);
        while (typed.size() > 1) {
            Thread.onSpinWait();
        }
        assertTrue(heard.isEmpty());
    }
}
