package ${package};

import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the extension type {@code ${type}}. */
@Component(service = ExtensionType.class)
@AlcazarType("${type}")
public final class ${className}Component implements ExtensionType {
    @Override
    public String name() {
        return "${type}";
    }

    @Override
    public String description() {
        return "a hypercall that adds up";
    }

    @Override
    public Schema configuration() {
        return ${className}Config.SCHEMA;
    }

    @Override
    public Extension create(ExtensionContext context, Settings settings) {
        long number = ${className}Config.of(settings).number();
        ${className} extension = new ${className}();
        context.hookHypercall(number, number, extension);
        return extension;
    }
}
