package org.alcazar.hosts.minix;

/** RS: hears from the kernel who has died, starts the next incarnation and publishes it. */
final class ReincarnationServer extends Server {
    private final Caller self = new Caller(ServerName.RS.number());

    ReincarnationServer(Kernel kernel) {
        super(kernel, ServerName.RS);
    }

    @Override
    int handle(Caller from, Message message) {
        return Message.EINVAL;
    }

    @Override
    void notified(long dead) {
        for (ServerName server : ServerName.values()) {
            if ((dead & server.bit()) != 0) {
                self.message.type = Message.DS_PUBLISH_LABEL;
                self.message.words[0] = server.number();
                self.message.words[1] = kernel().restart(server);
                if (kernel().sendrec(self, kernel().mailbox(ServerName.DS)) != Message.OK) {
                    throw new Mailbox.Killed();
                }
            }
        }
    }
}
