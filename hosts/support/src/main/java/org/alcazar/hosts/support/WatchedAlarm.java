package org.alcazar.hosts.support;

/**
 * Tells what an alarm does, for hosts that count.
 *
 * @param set is run before each wait with a deadline
 * @param expired is run when such a wait has reached its deadline
 */
record WatchedAlarm(Alarm alarm, Runnable set, Runnable expired) implements Alarm {
    @Override
    public long nanoTime() {
        return alarm.nanoTime();
    }

    @Override
    public void await(long deadline) {
        if (deadline == Long.MAX_VALUE) {
            alarm.await(deadline);
            return;
        }
        set.run();
        alarm.await(deadline);
        if (alarm.nanoTime() - deadline >= 0) {
            expired.run();
        }
    }

    @Override
    public void ring() {
        alarm.ring();
    }

    @Override
    public void close() {
        alarm.close();
    }
}
