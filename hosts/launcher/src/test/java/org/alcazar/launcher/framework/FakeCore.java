package org.alcazar.launcher.framework;

import org.alcazar.host.VmmControl;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

import java.util.Hashtable;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Put into a bundle by a test: offers a VMM that only knows the bundles around it. */
public final class FakeCore implements BundleActivator {
    @Override
    public void start(BundleContext context) {
        context.registerService(VmmControl.class, new Control(context), new Hashtable<>());
    }

    @Override
    public void stop(BundleContext context) {}

    /** The service. */
    record Control(BundleContext context) implements VmmControl {
        @Override
        public Map<String, Map<String, String>> types() {
            Map<String, String> active = new TreeMap<>();
            for (Bundle bundle : context.getBundles()) {
                if (bundle.getBundleId() > 0
                        && (bundle.getState() & (Bundle.ACTIVE | Bundle.STARTING)) != 0) {
                    active.put(bundle.getSymbolicName(), "");
                }
            }
            return Map.of("bundles", active);
        }

        @Override
        public int create(Map<String, Object> configuration) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void start(int vm) {}

        @Override
        public void pause(int vm) {}

        @Override
        public void resume(int vm) {}

        @Override
        public void stop(int vm) {}

        @Override
        public void destroy(int vm) {}

        @Override
        public void save(int vm, String path) {}

        @Override
        public int load(String path, Map<String, Object> overrides) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void reset(int vm) {}

        @Override
        public void simulate(int vm, long nanos) {}

        @Override
        public void moveCore(int vm, int core, int cpu) {}

        @Override
        public void stopCore(int vm, int core) {}

        @Override
        public void startCore(int vm, int core) {}

        @Override
        public void deliver(int vm, String event) {}

        @Override
        public Map<String, Object> statistics(int vm) {
            return Map.of();
        }

        @Override
        public void onEnd(int vm, Consumer<VmEnd> listener) {}
    }
}
