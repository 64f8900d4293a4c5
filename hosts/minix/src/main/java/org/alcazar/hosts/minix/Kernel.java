package org.alcazar.hosts.minix;

import org.alcazar.hosts.support.Primitives;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What runs in kernel mode: the rendezvous, notifications, the process table of servers, grants,
 * and the CLOCK and SYSTEM tasks. The devices' hardware hangs here as well, for it outlives its
 * drivers.
 */
final class Kernel {
    private static final Logger LOG = LoggerFactory.getLogger(Kernel.class);

    private final Primitives<MinixPrimitive> primitives;
    private final Crashes crashes;
    private final PhysicalMemory memory;
    private final long processLimit;
    private final ClockTask clock;
    private final AtomicReferenceArray<Mailbox> table =
            new AtomicReferenceArray<>(ServerName.NUMBERS);
    private final Map<Integer, byte[]> grants = new ConcurrentHashMap<>();
    private final AtomicInteger grantNumbers = new AtomicInteger();

    /** Terminal lines by the number that their opener has chosen. */
    private final Map<Long, TtyDevice> terminals = new ConcurrentHashMap<>();

    private final Map<Long, Port> terminalPorts = new ConcurrentHashMap<>();
    private final Port alarmPort = new Port();
    private volatile boolean closed;

    /**
     * Boots: the servers of the boot image have generation 1.
     *
     * @param processLimit bytes that VM gives to one process
     */
    Kernel(
            Primitives<MinixPrimitive> primitives,
            Crashes crashes,
            PhysicalMemory memory,
            long processLimit) {
        this.primitives = primitives;
        this.crashes = crashes;
        this.memory = memory;
        this.processLimit = processLimit;
        clock = new ClockTask(this);
        for (ServerName name : ServerName.values()) {
            table.set(name.number(), new Mailbox(1, name.number()));
        }
    }

    /** The processes begin; apart from the constructor, for they know the kernel. */
    void boot() {
        clock.start();
        for (ServerName name : ServerName.values()) {
            run(name, mailbox(name));
        }
    }

    private void run(ServerName name, Mailbox mailbox) {
        Server program =
                switch (name) {
                    case PM -> new PmServer(this);
                    case RS -> new ReincarnationServer(this);
                    case TTY -> new TtyServer(this);
                    case DS -> new DataStore(this);
                    case VM -> new VmServer(this);
                };
        Thread.ofPlatform()
                .daemon()
                .name("minix-" + name.label())
                .start(new ServerProcess(this, name, mailbox, program));
    }

    Crashes crashes() {
        return crashes;
    }

    PhysicalMemory memory() {
        return memory;
    }

    long processLimit() {
        return processLimit;
    }

    boolean isClosed() {
        return closed;
    }

    /** Where the VMM's thread of timers waits for the alarm. */
    Port alarmPort() {
        return alarmPort;
    }

    Map<Long, TtyDevice> terminals() {
        return terminals;
    }

    Map<Long, Port> terminalPorts() {
        return terminalPorts;
    }

    /** The present incarnation. */
    Mailbox mailbox(ServerName name) {
        return table.get(name.number());
    }

    void count(MinixPrimitive primitive) {
        primitives.count(primitive);
    }

    void count(MinixPrimitive primitive, long times) {
        primitives.count(primitive, times);
    }

    // The rendezvous.

    /** Sends the caller's message and waits for the reply: its type, or EDEADSRCDST. */
    int sendrec(Caller caller, Mailbox to) {
        caller.prepare();
        if (!to.offer(caller)) {
            return Message.EDEADSRCDST;
        }
        count(MinixPrimitive.MESSAGE);
        count(MinixPrimitive.CONTEXT_SWITCH);
        return caller.await();
    }

    /** Copies a reply into a waiting caller. */
    void reply(Caller to, Message message) {
        to.message.copyFrom(message);
        count(MinixPrimitive.MESSAGE);
        count(MinixPrimitive.CONTEXT_SWITCH);
        to.replied();
    }

    void notify(ServerName to, long sources) {
        count(MinixPrimitive.NOTIFICATION);
        mailbox(to).notify(sources);
    }

    void notify(Port to, long sources) {
        count(MinixPrimitive.NOTIFICATION);
        count(MinixPrimitive.CONTEXT_SWITCH);
        to.notify(sources);
    }

    // Life and death of servers.

    /** A server's process has ended by itself: who listens to it learns that, and RS. */
    void crashed(ServerName name) {
        count(MinixPrimitive.SERVER_CRASH);
        if (!name.restartable()) {
            LOG.error("{} has died; nothing works without it", name.label());
            close();
            return;
        }
        notify(ServerName.RS, name.bit());
        switch (name) {
            case PM -> notify(alarmPort, Port.DIED);
            case TTY -> terminalPorts.values().forEach(port -> notify(port, Port.DIED));
            default -> {} // nobody waits for notifications of it
        }
    }

    /**
     * Starts a server's next incarnation.
     *
     * @return its endpoint
     */
    int restart(ServerName name) {
        Mailbox next = new Mailbox(mailbox(name).generation() + 1, name.number());
        table.set(name.number(), next);
        if (closed) {
            next.kill();
        }
        run(name, next);
        count(MinixPrimitive.SERVER_RESTART);
        return next.endpoint();
    }

    /** The power goes. */
    void close() {
        closed = true;
        clock.close();
        for (ServerName name : ServerName.values()) {
            mailbox(name).kill();
        }
        for (TtyDevice device : terminals.values()) {
            try {
                device.close();
            } catch (IOException e) {
                LOG.debug("a terminal line: {}", e.getMessage());
            }
        }
    }

    // The SYSTEM task.

    /** {@code sys_setalarm}, of PM alone. */
    void setAlarm(long deadline) {
        count(MinixPrimitive.KERNEL_CALL);
        count(MinixPrimitive.ALARM_SET);
        clock.set(deadline);
    }

    /** {@code sys_getinfo} of the clock. */
    long nanoTime() {
        count(MinixPrimitive.KERNEL_CALL);
        return clock.nanoTime();
    }

    /** {@code sys_settime}'s other side: the wall clock. */
    long epochNanos() {
        count(MinixPrimitive.KERNEL_CALL);
        return clock.epochNanos();
    }

    /** Lets servers read and write a process's buffer, until it is revoked. */
    int grant(byte[] buffer) {
        int number = grantNumbers.incrementAndGet();
        grants.put(number, buffer);
        return number;
    }

    void revoke(int number) {
        grants.remove(number);
    }

    /** {@code sys_safecopyfrom}: false if there is no such grant or it is too small. */
    boolean copyFrom(int grant, byte[] to, int bytes) {
        count(MinixPrimitive.KERNEL_CALL);
        byte[] from = grants.get(grant);
        if (from == null || bytes < 0 || bytes > from.length || bytes > to.length) {
            return false;
        }
        count(MinixPrimitive.SAFECOPY);
        System.arraycopy(from, 0, to, 0, bytes);
        return true;
    }

    /** {@code sys_safecopyto}: as much as the grant takes; how much that is. */
    int copyTo(int grant, byte[] from, int bytes) {
        count(MinixPrimitive.KERNEL_CALL);
        byte[] to = grants.getOrDefault(grant, new byte[0]);
        int fits = Math.min(bytes, to.length);
        count(MinixPrimitive.SAFECOPY);
        System.arraycopy(from, 0, to, 0, fits);
        return fits;
    }

    /** A text, by {@link #copyTo}. */
    int copyTo(int grant, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return copyTo(grant, bytes, bytes.length);
    }
}
