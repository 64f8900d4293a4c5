package org.alcazar.hosts.minix;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * DS: which endpoint a label has now, and what servers must know again after a crash. Each request
 * changes all that it changes or nothing.
 */
final class DataStore extends Server {
    private final long[] endpoints = new long[ServerName.NUMBERS];

    /** Pages of VM's extents by address. */
    private final TreeMap<Long, Long> extents = new TreeMap<>();

    /** What VM did last for each process, so that it does nothing twice. */
    private final TreeMap<Integer, Last> last = new TreeMap<>();

    private final List<Suspended> suspended = new ArrayList<>();

    /** A request and what it gave. */
    private record Last(long sequence, long result) {}

    /** Somebody who wants to know a label's endpoint after this one. */
    private record Suspended(Caller caller, int label) {}

    DataStore(Kernel kernel) {
        super(kernel, ServerName.DS);
        for (ServerName name : ServerName.values()) {
            endpoints[name.number()] = kernel.mailbox(name).endpoint();
        }
    }

    @Override
    int handle(Caller from, Message message) {
        long[] words = message.words;
        return switch (message.type) {
            case Message.DS_PUBLISH_LABEL -> publish((int) words[0], words[1]);
            case Message.DS_RETRIEVE_LABEL -> retrieve(from, words);
            case Message.DS_PUT_EXTENT -> {
                extents.put(words[0], words[1]);
                last.put((int) words[2], new Last(words[3], words[0]));
                yield Message.OK;
            }
            case Message.DS_DELETE_EXTENT -> {
                extents.remove(words[0]);
                last.put((int) words[2], new Last(words[3], words[0]));
                yield Message.OK;
            }
            case Message.DS_NEXT_EXTENT -> {
                var next = extents.ceilingEntry(words[0]);
                if (next == null) {
                    yield Message.ENXIO;
                }
                words[0] = next.getKey();
                words[1] = next.getValue();
                yield Message.OK;
            }
            case Message.DS_LAST -> {
                Last done = last.getOrDefault((int) words[0], new Last(0, 0));
                words[0] = done.sequence();
                words[1] = done.result();
                yield Message.OK;
            }
            default -> Message.EINVAL;
        };
    }

    private int publish(int label, long endpoint) {
        endpoints[label] = endpoint;
        Message answer = new Message();
        answer.type = Message.OK;
        answer.words[0] = endpoint;
        suspended.removeIf(waiting -> {
            if (waiting.label() != label) {
                return false;
            }
            kernel().reply(waiting.caller(), answer);
            return true;
        });
        return Message.OK;
    }

    private int retrieve(Caller from, long[] words) {
        int label = (int) words[0];
        if (endpoints[label] == words[1]) {
            suspended.add(new Suspended(from, label));
            return SUSPENDED;
        }
        words[0] = endpoints[label];
        return Message.OK;
    }

    @Override
    void abandon() {
        suspended.forEach(waiting -> waiting.caller().serverDied());
    }
}
