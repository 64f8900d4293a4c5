package org.alcazar.paging.direct;

import org.alcazar.testkit.paging.PagingContractTest;

class DirectContractTest extends PagingContractTest {
    @Override
    protected String mode() {
        return "direct";
    }
}
