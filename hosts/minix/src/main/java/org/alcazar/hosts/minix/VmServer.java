package org.alcazar.hosts.minix;

import org.alcazar.host.HostMemory;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The virtual memory server: who has which page frames. What it has done it records in DS, in one
 * request, before it replies; after a crash it learns from there what is whose, gives back frames
 * that nobody has a record of, and does nothing a second time.
 */
final class VmServer extends Server {
    /** Why there is no memory. */
    static final long PROCESS_LIMIT = 1;

    static final long NO_FRAMES = 2;

    private final Caller self = new Caller(ServerName.VM.number());

    /** Pages by address. The VMM is the only process that asks. */
    private final Map<Long, Long> extents = new HashMap<>();

    private long inUse;

    VmServer(Kernel kernel) {
        super(kernel, ServerName.VM);
    }

    private int askStore(int type, long first, long second, long third, long fourth) {
        Message message = self.message;
        message.type = type;
        message.words[0] = first;
        message.words[1] = second;
        message.words[2] = third;
        message.words[3] = fourth;
        int result = kernel().sendrec(self, kernel().mailbox(ServerName.DS));
        if (result == Message.EDEADSRCDST) {
            throw new Mailbox.Killed();
        }
        return result;
    }

    @Override
    void start() {
        long from = 0;
        while (askStore(Message.DS_NEXT_EXTENT, from, 0, 0, 0) == Message.OK) {
            long address = self.message.words[0];
            long pages = self.message.words[1];
            extents.put(address, pages);
            inUse += pages * HostMemory.PAGE_SIZE;
            from = address + 1;
        }
        kernel().memory().keep(extents.keySet());
    }

    @Override
    int handle(Caller from, Message message) {
        if (message.words[Message.RESENT] != 0) {
            askStore(Message.DS_LAST, message.source, 0, 0, 0);
            if (self.message.words[0] == message.words[Message.SEQUENCE]) {
                message.words[0] = self.message.words[1];
                return Message.OK;
            }
        }
        return switch (message.type) {
            case Message.VM_ALLOCATE -> allocate(message);
            case Message.VM_FREE -> free(message);
            default -> Message.EINVAL;
        };
    }

    private int allocate(Message message) {
        long pages = message.words[0];
        long bytes = pages * HostMemory.PAGE_SIZE;
        if (pages > kernel().processLimit() - inUse >> HostMemory.PAGE_SHIFT) {
            return refuse(message, PROCESS_LIMIT);
        }
        OptionalLong address = kernel().memory().take(bytes, message.words[1], message.words[2]);
        if (address.isEmpty()) {
            return refuse(message, NO_FRAMES);
        }
        reached(Crashes.Moment.WORKING);
        long start = address.getAsLong();
        record(Message.DS_PUT_EXTENT, start, pages, message);
        reached(Crashes.Moment.RECORDED);
        extents.put(start, pages);
        inUse += bytes;
        kernel().count(MinixPrimitive.PAGE_ALLOCATION);
        kernel().count(MinixPrimitive.PAGE, pages);
        message.words[0] = start;
        return Message.OK;
    }

    private int refuse(Message message, long reason) {
        message.words[0] = reason;
        message.words[1] = inUse;
        return Message.ENOMEM;
    }

    private int free(Message message) {
        long address = message.words[0];
        long pages = message.words[1];
        if (extents.getOrDefault(address, 0L) != pages) {
            return Message.EINVAL;
        }
        kernel().memory().clear(address, pages * HostMemory.PAGE_SIZE);
        reached(Crashes.Moment.WORKING);
        record(Message.DS_DELETE_EXTENT, address, 0, message);
        reached(Crashes.Moment.RECORDED);
        extents.remove(address);
        inUse -= pages * HostMemory.PAGE_SIZE;
        kernel().memory().release(address);
        kernel().count(MinixPrimitive.PAGE_FREE);
        return Message.OK;
    }

    private void record(int how, long address, long pages, Message request) {
        askStore(how, address, pages, request.source, request.words[Message.SEQUENCE]);
    }
}
