package org.alcazar.hosts.minix;

/**
 * The process manager, of which the VMM needs time and alarms. It keeps nothing: whoever waits for
 * an alarm learns of its death and asks again.
 */
final class PmServer extends Server {
    PmServer(Kernel kernel) {
        super(kernel, ServerName.PM);
    }

    @Override
    int handle(Caller from, Message message) {
        switch (message.type) {
            case Message.PM_NANOTIME -> message.words[0] = kernel().nanoTime();
            case Message.PM_EPOCH -> message.words[0] = kernel().epochNanos();
            case Message.PM_SET_ALARM -> kernel().setAlarm(message.words[0]);
            default -> {
                return Message.EINVAL;
            }
        }
        return Message.OK;
    }

    /** The CLOCK task says that the alarm is due. */
    @Override
    void notified(long sources) {
        reached(Crashes.Moment.WORKING);
        kernel().notify(kernel().alarmPort(), Port.SERVER);
    }
}
