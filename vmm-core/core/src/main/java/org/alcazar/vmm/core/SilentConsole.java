package org.alcazar.vmm.core;

import org.alcazar.host.HostConsoles;

import java.util.function.IntConsumer;

/** For hosts without consoles. */
final class SilentConsole implements HostConsoles.Console {
    @Override
    public void write(int octet) {}

    @Override
    public void flush() {}

    @Override
    public void onInput(IntConsumer sink) {}

    @Override
    public void close() {}
}
