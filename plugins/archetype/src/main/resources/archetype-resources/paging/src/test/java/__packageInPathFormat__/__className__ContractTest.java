package ${package};

import org.alcazar.testkit.paging.PagingContractTest;

/** What every paging mode has to keep, on guest code. */
class ${className}ContractTest extends PagingContractTest {
    @Override
    protected String mode() {
        return "${type}";
    }
}
