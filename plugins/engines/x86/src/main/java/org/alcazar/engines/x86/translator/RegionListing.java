package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.decode.Disassembler;
import org.alcazar.engines.x86.decode.Syntax;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.translator.Graph.At;

import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Instruction;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.LabelTarget;
import java.lang.classfile.instruction.LineNumber;
import java.util.List;

/** A region as text for people: each guest instruction with the bytecode that it became. */
final class RegionListing {
    private final Disassembler disassembler;

    RegionListing(OpcodeTable table) {
        disassembler = new Disassembler(Syntax.INTEL, table);
    }

    /**
     * The text of a region's class.
     *
     * @param lines what the class's line numbers mean, see {@link RegionWriter#write}
     */
    String text(byte[] bytes, List<At> lines) {
        StringBuilder out = new StringBuilder();
        var model = ClassFile.of().parse(bytes);
        out.append(model.thisClass().asInternalName()).append('\n');
        for (MethodModel method : model.methods()) {
            var code = method.findAttribute(Attributes.code());
            if (!method.methodName().equalsString("<init>") && code.isPresent()) {
                int length = code.get().codeLength();
                out.append("  ").append(method.methodName().stringValue());
                out.append(": ").append(length).append(" bytes\n");
                method.code().orElseThrow().forEach(element -> add(out, element, lines));
            }
        }
        return out.toString();
    }

    private void add(StringBuilder out, CodeElement element, List<At> lines) {
        switch (element) {
            case LineNumber number -> {
                At at = lines.get(number.line() - 1);
                out.append(String.format("  %12x  ", at.rip()));
                out.append(disassembler.text(at.insn(), at.rip())).append('\n');
            }
            case Instruction instruction ->
                    out.append("                    ").append(instruction).append('\n');
            case LabelTarget target ->
                    out.append("                  ").append(target.label()).append('\n');
            default -> {}
        }
    }
}
