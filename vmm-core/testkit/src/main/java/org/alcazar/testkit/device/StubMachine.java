package org.alcazar.testkit.device;

import org.alcazar.machine.Architecture;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.VmState;

import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/** A VM without a VMM: it remembers what a device asked it to do. */
public final class StubMachine implements VirtualMachine {
    /** No exit yet. */
    public static final int NONE = -1;

    private final FakeDeviceContext context;
    private int powerOffs;
    private int resets;
    private int pauses;
    private String reason = "";
    private int status = NONE;

    StubMachine(FakeDeviceContext context) {
        this.context = context;
    }

    public int powerOffs() {
        return powerOffs;
    }

    public int resets() {
        return resets;
    }

    public int pauses() {
        return pauses;
    }

    /** Of the last reset, pause or failure. */
    public String reason() {
        return reason;
    }

    /** Of the last exit, 0 to 255, or {@link #NONE}. */
    public int status() {
        return status;
    }

    @Override
    public int id() {
        return 1;
    }

    @Override
    public String name() {
        return "test";
    }

    @Override
    public VmState state() {
        return VmState.RUNNING;
    }

    @Override
    public Architecture architecture() {
        return new Architecture("none", ByteOrder.LITTLE_ENDIAN, 48, List.of());
    }

    @Override
    public List<Vcore> vcores() {
        return context.vcores();
    }

    @Override
    public GuestClock clock() {
        return context.clock();
    }

    @Override
    public GuestMemory memory() {
        return context.memory();
    }

    @Override
    public GuestPhysicalMap physicalMap() {
        return new GuestPhysicalMap();
    }

    @Override
    public void powerOff() {
        powerOffs++;
    }

    @Override
    public void reset(String why) {
        resets++;
        reason = why;
    }

    @Override
    public void pause(String why) {
        pauses++;
        reason = why;
    }

    @Override
    public void exit(int with) {
        status = with;
    }

    @Override
    public void fail(String why, Throwable cause) {
        throw new AssertionError(why, cause);
    }

    @Override
    public void post(String source, Runnable action) {
        action.run();
    }

    @Override
    public <T> Optional<T> find(Class<T> role) {
        return context.find(role);
    }
}
