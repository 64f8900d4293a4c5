package org.alcazar.launcher.framework;

import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Put into a bundle by a test: its start fails. */
public final class FailingStart implements BundleActivator {
    @Override
    public void start(BundleContext context) {
        throw new IllegalStateException("no such\nthing");
    }

    @Override
    public void stop(BundleContext context) {}
}
