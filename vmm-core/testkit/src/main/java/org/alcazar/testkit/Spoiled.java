package org.alcazar.testkit;

import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.SavedState;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;

/** Changes classes of a bundle so that a new version of it goes wrong in a given way. */
enum Spoiled {
    /** Every {@code restore} of a state throws {@value #MESSAGE}. */
    RESTORE_THROWS {
        @Override
        ClassTransform transform() {
            CodeTransform nothingElse = (code, element) -> {};
            CodeTransform throwing =
                    nothingElse.andThen(
                            CodeTransform.endHandler(code ->
                                    code.new_(THROWN)
                                            .dup()
                                            .loadConstant(MESSAGE)
                                            .invokespecial(
                                                    THROWN,
                                                    ConstantDescs.INIT_NAME,
                                                    MethodTypeDesc.of(
                                                            ConstantDescs.CD_void,
                                                            ConstantDescs.CD_String))
                                            .athrow()));
            return ClassTransform.transformingMethodBodies(
                    method ->
                            is(method, "restore", MethodTypeDesc.of(ConstantDescs.CD_void, STATE)),
                    throwing);
        }
    },

    /** Every {@code save} gives a state of a later schema than the bundle itself can read. */
    SAVES_LATER_SCHEMA {
        @Override
        ClassTransform transform() {
            return ClassTransform.transformingMethodBodies(
                    method -> is(method, "save", SAVE),
                    (code, element) -> {
                        if (element instanceof ReturnInstruction out
                                && out.opcode() == Opcode.ARETURN) {
                            code.invokestatic(LATER, "of", MethodTypeDesc.of(STATE, STATE));
                        }
                        code.with(element);
                    });
        }
    };

    static final String MESSAGE = "broken on purpose";

    private static final ClassDesc STATE = ClassDesc.of(SavedState.class.getName());
    private static final ClassDesc LATER = ClassDesc.of(Later.class.getName());
    private static final ClassDesc THROWN =
            ClassDesc.of(IncompatibleStateException.class.getName());
    private static final MethodTypeDesc SAVE = MethodTypeDesc.of(STATE);

    abstract ClassTransform transform();

    byte[] change(byte[] classFile) {
        ClassFile format = ClassFile.of();
        ClassModel model = format.parse(classFile);
        return format.transformClass(model, transform());
    }

    private static boolean is(MethodModel method, String name, MethodTypeDesc type) {
        return method.methodName().equalsString(name)
                && method.methodTypeSymbol().equals(type)
                && !method.flags().has(AccessFlag.ABSTRACT);
    }

    /** Goes into the changed bundle, where other packages use it. */
    public static final class Later {
        private Later() {}

        public static SavedState of(SavedState state) {
            SavedState out = new SavedState(state.type(), state.version() + 1);
            state.values().forEach(out::putValue);
            return out;
        }
    }
}
