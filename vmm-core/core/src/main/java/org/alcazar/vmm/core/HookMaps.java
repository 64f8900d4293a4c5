package org.alcazar.vmm.core;

import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.Ranges;
import org.alcazar.vmm.PagingObserver;
import org.alcazar.vmm.plugin.ConfigurationException;

import java.util.stream.Stream;

/**
 * What leads from an exit to whoever serves it. Each map is immutable and replaced as a whole, so
 * that a vcore in the middle of an exit sees the old or the new one. Vcores take over intercepts
 * before each run.
 */
final class HookMaps {
    private final GuestPhysicalMap physical;

    volatile PortMap ports = PortMap.EMPTY;
    volatile AccessMap memory = AccessMap.EMPTY;
    volatile AccessMap registers = AccessMap.EMPTY;
    volatile AccessMap features = AccessMap.EMPTY;
    volatile AccessMap calls = AccessMap.EMPTY;
    volatile PagingObserver[] paging = {};
    volatile WriteWatch[] watches = {};
    volatile Ranges registerIntercepts = Ranges.NONE;
    volatile Ranges featureIntercepts = Ranges.NONE;

    HookMaps(GuestPhysicalMap physical) {
        this.physical = physical;
    }

    synchronized void hookPorts(AccessHook hook) throws ConfigurationException {
        ports = ports.with(hook);
    }

    synchronized void hookMemory(AccessHook hook) throws ConfigurationException {
        for (GuestPhysicalMap.Range range : physical.ranges()) {
            if (range.ram() && hook.first < range.end() && range.start() <= hook.last) {
                throw new ConfigurationException(
                        String.format(
                                "%s: memory 0x%x-0x%x is RAM", hook.owner, hook.first, hook.last));
            }
        }
        memory = memory.with("memory", hook);
    }

    synchronized void hookRegisters(AccessHook hook) throws ConfigurationException {
        registers = registers.with("registers", hook);
        registerIntercepts = intercepts(registers);
    }

    synchronized void hookFeatures(AccessHook hook) throws ConfigurationException {
        features = features.with("feature leaves", hook);
        featureIntercepts = intercepts(features);
    }

    synchronized void hookCalls(AccessHook hook) throws ConfigurationException {
        calls = calls.with("hypercalls", hook);
    }

    synchronized void unhookPorts(AccessHook hook) {
        ports = ports.without(hook);
    }

    synchronized void unhookMemory(AccessHook hook) {
        memory = memory.without(hook);
    }

    synchronized void unhookRegisters(AccessHook hook) {
        registers = registers.without(hook);
        registerIntercepts = intercepts(registers);
    }

    synchronized void unhookFeatures(AccessHook hook) {
        features = features.without(hook);
        featureIntercepts = intercepts(features);
    }

    synchronized void unhookCalls(AccessHook hook) {
        calls = calls.without(hook);
    }

    synchronized void observe(PagingObserver observer) {
        paging =
                Stream.concat(Stream.of(paging), Stream.of(observer))
                        .toArray(PagingObserver[]::new);
    }

    synchronized void unobserve(PagingObserver observer) {
        paging = Stream.of(paging).filter(o -> o != observer).toArray(PagingObserver[]::new);
    }

    synchronized void watch(WriteWatch watch) {
        watches = Stream.concat(Stream.of(watches), Stream.of(watch)).toArray(WriteWatch[]::new);
    }

    synchronized void unwatch(WriteWatch watch) {
        watches = Stream.of(watches).filter(w -> w != watch).toArray(WriteWatch[]::new);
    }

    /** Whether anybody watches a page. */
    boolean isWatched(long page) {
        for (WriteWatch watch : watches) {
            if (watch.has(page)) {
                return true;
            }
        }
        return false;
    }

    private static Ranges intercepts(AccessMap map) {
        Ranges out = Ranges.NONE;
        for (AccessHook hook : map.hooks()) {
            out = out.with(hook.first, hook.last);
        }
        return out;
    }
}
