package org.alcazar.launcher.run;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.message.Failure;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** A VMM that does what a test wants, and remembers what it was told. */
public class FakeVmm implements VmmProvider, VmmProvider.Vmm, VmmControl {
    private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
    private Map<String, Object> configuration = Map.of();
    private Optional<Consumer<VmEnd>> listener = Optional.empty();
    private Optional<VmEnd> end = Optional.empty();

    /** What it was told, in order. */
    public List<String> calls() {
        return List.copyOf(calls);
    }

    /** What the VM was made of. */
    public Map<String, Object> configuration() {
        return configuration;
    }

    /** The VM ends. */
    public synchronized void end(int status, String reason, String dump) {
        if (end.isEmpty()) {
            VmEnd reached = new VmEnd(status, reason, dump);
            end = Optional.of(reached);
            listener.ifPresent(l -> l.accept(reached));
        }
    }

    /** What happens when the VM is started. */
    protected void started() throws HostRefusal {}

    @Override
    public Vmm open(HostChoice host, List<Path> bundles) throws Failure {
        calls.add(
                "open "
                        + host.name()
                        + (host.options().isEmpty() ? "" : "," + host.options())
                        + (bundles.isEmpty() ? "" : " " + bundles));
        return this;
    }

    @Override
    public VmmControl control() {
        return this;
    }

    @Override
    public void close() {
        calls.add("close");
    }

    @Override
    public int create(Map<String, Object> tree) throws HostRefusal {
        calls.add("create");
        configuration = tree;
        return 1;
    }

    @Override
    public void start(int vm) throws HostRefusal {
        calls.add("start");
        started();
    }

    @Override
    public void pause(int vm) {
        calls.add("pause");
    }

    @Override
    public void resume(int vm) {
        calls.add("resume");
    }

    @Override
    public void stop(int vm) {
        calls.add("stop");
        end(6, "stopped", "");
    }

    @Override
    public void destroy(int vm) {
        calls.add("destroy");
    }

    @Override
    public void save(int vm, String path) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int load(String path, Map<String, Object> overrides) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void moveCore(int vm, int core, int cpu) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void reset(int vm) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void simulate(int vm, long nanos) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void stopCore(int vm, int core) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void startCore(int vm, int core) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void deliver(int vm, String event) {
        calls.add("deliver " + event);
    }

    @Override
    public Map<String, Object> statistics(int vm) {
        return Map.of("instructions", 42L, "exits", Map.of("ACCESS", 7L));
    }

    @Override
    public synchronized void onEnd(int vm, Consumer<VmEnd> newListener) {
        listener = Optional.of(newListener);
        end.ifPresent(newListener);
    }

    @Override
    public Map<String, Map<String, String>> types() {
        return Map.of("engine", Map.of("interpreter", "one instruction after the other"));
    }
}
