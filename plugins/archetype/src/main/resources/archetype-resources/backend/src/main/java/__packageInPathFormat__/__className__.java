package ${package};

import org.alcazar.vmm.device.CharacterBackend;

import java.util.function.IntConsumer;
import java.util.function.IntUnaryOperator;

/** Gives back what is written to it, changed. */
final class ${className} implements CharacterBackend {
    private final IntUnaryOperator change;
    private volatile IntConsumer sink = octet -> {};

    ${className}(IntUnaryOperator change) {
        this.change = change;
    }

    /** On the thread of the vcore that writes; the VMM queues what goes to the sink. */
    @Override
    public void write(int octet) {
        sink.accept(change.applyAsInt(octet));
    }

    @Override
    public void flush() {}

    @Override
    public void onInput(IntConsumer sink) {
        this.sink = sink;
    }

    @Override
    public void close() {
        sink = octet -> {};
    }
}
