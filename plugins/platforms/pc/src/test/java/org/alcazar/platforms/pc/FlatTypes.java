package org.alcazar.platforms.pc;

import org.alcazar.vmm.core.PluginTypes;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.PluginType;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.jar.Attributes;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The plugin types of the test class path's components, without any framework. */
final class FlatTypes {
    private static final List<Class<? extends PluginType>> FAMILIES =
            List.of(
                    PlatformType.class,
                    EngineType.class,
                    PagingModeType.class,
                    DeviceType.class,
                    GuestLoader.class);

    private static final Pattern CLASS = Pattern.compile("<implementation class=\"([^\"]+)\"");

    private FlatTypes() {}

    static PluginTypes all() throws Exception {
        PluginTypes types = new PluginTypes();
        for (Attributes headers : FlatHost.manifests()) {
            String components = headers.getValue("Service-Component");
            if (components != null
                    && String.valueOf(headers.getValue("Bundle-SymbolicName"))
                            .startsWith("org.alcazar.")) {
                for (String component : components.split(",", -1)) {
                    add(types, component.strip());
                }
            }
        }
        return types;
    }

    private static void add(PluginTypes types, String component) throws Exception {
        String xml;
        try (InputStream in = FlatTypes.class.getClassLoader().getResourceAsStream(component)) {
            xml = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        Matcher found = CLASS.matcher(xml);
        if (!found.find()) {
            return;
        }
        Class<?> type = Class.forName(found.group(1));
        for (Class<? extends PluginType> family : FAMILIES) {
            if (family.isAssignableFrom(type)) {
                add(types, family, type.getDeclaredConstructor().newInstance());
            }
        }
    }

    private static <T extends PluginType> void add(
            PluginTypes types, Class<T> family, Object type) {
        types.add(family, family.cast(type), 1);
    }
}
