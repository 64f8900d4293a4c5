package org.alcazar.engines.x86.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.RegisterField;
import org.alcazar.machine.RegisterGroup;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.HashSet;
import java.util.Objects;
import java.util.Set;

/** The indices that code uses and the names that saved states use must mean the same registers. */
class X86Test {
    @ParameterizedTest
    @CsvSource({
        "general, rax, 0",
        "general, rsp, 4",
        "general, r15, 15",
        "general, rip, 16",
        "general, rflags, 17",
        "segments, es.selector, 0",
        "segments, cs.base, 5",
        "segments, ldtr.limit, 26",
        "segments, tr.attributes, 31",
        "segments, gdtr.base, 32",
        "segments, idtr.limit, 35",
        "control, cr0, 0",
        "control, cr8, 4",
        "control, efer, 5",
        "control, dr0, 7",
        "control, dr7, 12",
        "msrs, star, 0",
        "msrs, kernel-gs-base, 4",
        "msrs, pat, 8",
        "msrs, tsc-offset, 12",
        "msrs, mtrr-def-type, 13",
        "msrs, mtrr-phys-base0, 14",
        "msrs, mtrr-phys-mask7, 29",
        "msrs, mtrr-fixed0, 30",
        "msrs, mcg-status, 41",
        "fpu, mxcsr, 6",
        "fpu, fpr0.significand, 7",
        "fpu, fpr7.exponent, 22",
        "vector, xmm15, 30",
        "events, activity, 3",
        "extended, ymm0.high, 0",
        "extended, ymm15.high, 30",
        "extended, zmm0.high, 32",
        "extended, zmm15.high, 92",
        "extended, zmm16, 96",
        "extended, zmm31, 216",
        "extended, k0, 224",
        "extended, k7, 231",
        "extended, pkru, 232",
        "extended, random, 234"
    })
    void registersLieWhereTheirIndicesSay(String group, String register, int index) {
        RegisterGroup found =
                X86.ARCHITECTURE.groups().stream()
                        .filter(g -> g.name().equals(group))
                        .findFirst()
                        .orElseThrow();
        RegisterField field = Objects.requireNonNull(found.byName().get(register));
        assertEquals(index, field.index());
    }

    @Test
    void theConstantsAgreeWithThoseNames() {
        assertEquals(4, X86.RSP);
        assertEquals(16, X86.RIP);
        assertEquals(7, X86.DR0);
        assertEquals(12, X86.DR7);
        assertEquals(41, X86.MCG_STATUS);
        assertEquals(30, X86.MTRR_FIXED0);
        assertEquals(7, X86.FPR0);
        assertEquals(35, X86.IDTR_LIMIT);
        assertEquals(31, 4 * X86.TR + X86.ATTRIBUTES);
    }

    @Test
    void registersOfAGroupDoNotOverlap() {
        for (RegisterGroup group : X86.ARCHITECTURE.groups()) {
            Set<Integer> taken = new HashSet<>();
            for (RegisterField field : group.fields()) {
                for (int i = 0; i < field.words(); i++) {
                    assertTrue(taken.add(field.index() + i), field::toString);
                }
            }
            assertEquals(group.words(), taken.size(), group.name());
            assertEquals(group.fields().size(), group.byName().size());
        }
    }
}
