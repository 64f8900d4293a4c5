package org.alcazar.paging.nested;

import org.alcazar.testkit.paging.PagingContractTest;

class NestedContractTest extends PagingContractTest {
    @Override
    protected String mode() {
        return "nested";
    }
}
