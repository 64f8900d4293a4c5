package org.alcazar.hosts.minix;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A server's process: receives, has the program handle, replies, until it dies. */
final class ServerProcess implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(ServerProcess.class);

    private final Kernel kernel;
    private final ServerName name;
    private final Mailbox mailbox;
    private final Server server;
    private final Message message = new Message();

    /** Whose request is being handled. */
    private Caller current = Caller.NONE;

    ServerProcess(Kernel kernel, ServerName name, Mailbox mailbox, Server server) {
        this.kernel = kernel;
        this.name = name;
        this.mailbox = mailbox;
        this.server = server;
    }

    @Override
    public void run() {
        boolean crashed = true;
        try {
            server.start();
            while (true) {
                step();
            }
        } catch (Crashes.Crash e) {
            LOG.debug("{}", e.getMessage());
        } catch (Mailbox.Killed e) {
            crashed = false;
        } catch (RuntimeException | Error e) {
            LOG.error("server {} failed", name.label(), e);
        } finally {
            mailbox.abandon();
            if (current != Caller.NONE) {
                current.killedServer();
            }
            server.abandon();
            if (crashed) {
                kernel.crashed(name);
            }
        }
    }

    private void step() {
        Caller from = mailbox.receive();
        if (from == Caller.NONE) {
            server.notified(mailbox.takeNotifications());
            return;
        }
        current = from;
        message.copyFrom(from.message);
        kernel.crashes().count(name);
        server.reached(Crashes.Moment.RECEIVED);
        int result = server.handle(from, message);
        if (result == Server.SUSPENDED) {
            current = Caller.NONE; // the program knows it: it must not learn of a death twice
        }
        server.reached(Crashes.Moment.DONE);
        current = Caller.NONE;
        if (result != Server.SUSPENDED) {
            message.type = result;
            kernel.reply(from, message);
        }
    }
}
