package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/** What the test kit adds to the failure of a test. */
@ExtendWith(FailureReportTest.Expecting.class)
@AlcazarTest
class FailureReportTest {
    /** Stands outside of the test kit's extension and gets what that one throws. */
    static final class Expecting implements TestExecutionExceptionHandler {
        @Override
        public void handleTestExecutionException(ExtensionContext context, Throwable failure)
                throws Throwable {
            if (!(failure instanceof AssertionError)) {
                throw failure;
            }
            assertTrue(failure.getMessage().startsWith("rbx"), failure.getMessage());
            assertEquals(1, failure.getSuppressed().length);
            String report = failure.getSuppressed()[0].getMessage();
            for (String part :
                    new String[] {"STOPPED, status 3", "rbx 0000000000000007", "exits"}) {
                assertTrue(report.contains(part), () -> part + " in\n" + report);
            }
        }
    }

    @Test
    void aFailureComesWithAReportOfEachVmThatIsThere(TestVm vm, TestVm unused) throws Exception {
        vm.assembly("mov $7, %ebx\n exit 1\n1: hlt\n jmp 1b").run().assertRegister("rbx", 8);
    }
}
