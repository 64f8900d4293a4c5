package org.alcazar.host.tck;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.host.HostTimer;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.opentest4j.TestAbortedException;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** The suite sees hosts that are wrong in one thing each. */
@SuppressWarnings("JUnitMethodInvoked") // that is what it is about
@Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BrokenHostTest {
    /** What a test of the suite may wait for in vain here. */
    private static final int TRIES = 5;

    private static final long SHORT = 150_000_000;

    @TempDir private static Path folder;

    /** The suite over one host, by hand. */
    static final class Suite extends HostTck {
        private final Maker maker;

        Suite(Maker maker) {
            this.maker = maker;
            patience = SHORT;
        }

        @Override
        protected HostKernel newHost() throws HostRefusal {
            return maker.make();
        }

        @Override
        protected int currentProcessor() {
            return CurrentProcessor.number();
        }
    }

    interface Maker {
        HostKernel make() throws HostRefusal;
    }

    interface SuiteTest {
        void run(Suite suite) throws Exception;
    }

    /**
     * A fault, and a test that must see it.
     *
     * @param what the host does wrong
     */
    record Case(String what, Maker host, SuiteTest seenBy) {
        @Override
        public String toString() {
            return what;
        }
    }

    private static final List<Case> MEMORY =
            List.of(
                    memory(
                            "forgets alignment",
                            (memory, wish) ->
                                    memory.allocate(PageRequest.of("aligned", wish.pages())),
                            Suite::everyAlignmentThatGuestsNeedIsKeptAndAGreaterOneKeptOrRefused),
                    memory(
                            "ignores the limit of addresses",
                            (memory, wish) -> memory.allocate(PageRequest.of("low", wish.pages())),
                            Suite::anAddressLimitIsKeptOrRefused),
                    memory(
                            "gives dirty pages",
                            (memory, wish) -> {
                                PageExtent extent = memory.allocate(wish);
                                HostRam.setByte(extent.address() + extent.bytes() - 1, (byte) 1);
                                return extent;
                            },
                            Suite::freedPagesComeBackAsZeros),
                    memory(
                            "explains too much",
                            (memory, wish) -> {
                                try {
                                    return memory.allocate(wish);
                                } catch (HostRefusal e) {
                                    throw new HostRefusal(e.getMessage() + "\nsorry", e);
                                }
                            },
                            Suite::whatCanNeverBeHadIsRefusedInALineAndTakesNothing),
                    memory(
                            "keeps the last page",
                            (memory, wish) -> {
                                if (memory.bytesInUse("") + (wish.pages() << 12)
                                        == memory.totalBytes()) {
                                    throw new HostRefusal("the last page is the host's own");
                                }
                                return memory.allocate(wish);
                            },
                            Suite::allIsHandedOutToTheLastPageThenRefusedAndTheSameAgainAfterwards),
                    memory(
                            "gives pages twice",
                            (memory, wish) -> {
                                PageExtent extent = memory.allocate(wish);
                                memory.free(extent);
                                return extent;
                            },
                            Suite::anyCountOfPagesIsAccountedToThePage),
                    new Case(
                            "leaks an owner's account",
                            () ->
                                    new Decorated() {
                                        private final AtomicLong lost = new AtomicLong();

                                        @Override
                                        public HostMemory memory() {
                                            return new Memory(inner.memory(), held) {
                                                @Override
                                                public long bytesInUse(String owner) {
                                                    return super.bytesInUse(owner)
                                                            + (owner.equals("t1") ? lost.get() : 0);
                                                }

                                                @Override
                                                public void free(PageExtent extent) {
                                                    super.free(extent);
                                                    if (extent.pages() == 7) {
                                                        lost.addAndGet(4096);
                                                    }
                                                }
                                            };
                                        }
                                    },
                            Suite::ownersAreAccountedApartWhileSeveralThreadsComeAndGo),
                    new Case(
                            "frees whatever it is told",
                            () ->
                                    new Decorated() {
                                        @Override
                                        public HostMemory memory() {
                                            return new Memory(inner.memory(), held) {
                                                @Override
                                                public void free(PageExtent extent) {
                                                    if (held.contains(extent)) {
                                                        super.free(extent);
                                                    }
                                                }
                                            };
                                        }
                                    },
                            Suite::whatIsNotHeldLikeThatCanNotBeFreed),
                    new Case(
                            "keeps what was written",
                            () ->
                                    new Decorated() {
                                        @Override
                                        public HostMemory memory() {
                                            return new Memory(inner.memory(), held) {
                                                @Override
                                                public void free(PageExtent extent) {
                                                    super.free(extent);
                                                    HostRam.setLong(extent.address(), 1);
                                                }
                                            };
                                        }
                                    },
                            Suite::freedPagesComeBackAsZeros));

    private interface Allocation {
        PageExtent allocate(HostMemory memory, PageRequest wish) throws HostRefusal;
    }

    private static Case memory(String what, Allocation wrong, SuiteTest seenBy) {
        return new Case(
                what,
                () ->
                        new Decorated() {
                            @Override
                            public HostMemory memory() {
                                return new Memory(inner.memory(), held) {
                                    @Override
                                    public PageExtent allocate(PageRequest request)
                                            throws HostRefusal {
                                        return wrong.allocate(inner, request);
                                    }
                                };
                            }
                        },
                seenBy);
    }

    private static final List<Case> THREADS =
            List.of(
                    thread("loses kicks", Fault.KICK, Suite::kicksUnderLoadAreNeverLost),
                    thread(
                            "loses wakes among many",
                            Fault.WAKE,
                            Suite::wakesAndKicksFromManyThreadsAreNeverLost),
                    thread(
                            "loses wakes in a ring",
                            Fault.WAKE,
                            Suite::aRingOfThreadsWakesItselfRoundAndRound),
                    thread(
                            "loses a wake before the sleep",
                            Fault.EARLY_WAKE,
                            Suite::aWakeBeforeTheSleepIsNotLost),
                    thread("moves nobody", Fault.PLACE, Suite::aThreadGoesOnWhereverItIsMoved),
                    thread(
                            "takes any processor",
                            Fault.MISSING,
                            Suite::aMoveToAMissingProcessorIsRefused),
                    thread("joins at once", Fault.JOIN, Suite::joinComesBackAtItsLimit),
                    processors(
                            "starts anywhere",
                            new Wrong() {
                                @Override
                                public HostThread start(
                                        HostProcessors of, String name, int cpu, Runnable body)
                                        throws HostRefusal {
                                    return of.start(name, of.count() - 1, body);
                                }
                            },
                            Suite::aThreadRunsWhereItWasPut),
                    processors(
                            "starts on missing processors",
                            new Wrong() {
                                @Override
                                public HostThread start(
                                        HostProcessors of, String name, int cpu, Runnable body)
                                        throws HostRefusal {
                                    return of.start(name, HostThread.ANY_CPU, body);
                                }
                            },
                            Suite::aThreadOnAMissingProcessorIsRefusedAndDoesNotRun),
                    processors(
                            "calls where it is",
                            new Wrong() {
                                @Override
                                public void callOn(HostProcessors of, int cpu, Runnable action) {
                                    of.callOn(0, action);
                                }
                            },
                            Suite::callOnRunsItsActionThereAndWaitsForIt),
                    processors(
                            "calls and keeps failures to itself",
                            new Wrong() {
                                @Override
                                public void callOn(HostProcessors of, int cpu, Runnable action) {
                                    try {
                                        of.callOn(cpu, action);
                                    } catch (IllegalStateException e) {
                                        // lost
                                    }
                                }
                            },
                            Suite::callOnTellsWhatItsActionThrew),
                    processors(
                            "lets strangers sleep for ever",
                            new Wrong() {
                                @Override
                                public void sleep(HostProcessors of, long nanos) {
                                    of.sleep(Long.MAX_VALUE);
                                }
                            },
                            Suite::whoHasNoHandleSleepsForATimeOnly));

    private enum Fault {
        KICK,
        WAKE,
        EARLY_WAKE,
        PLACE,
        MISSING,
        JOIN
    }

    private interface Wrong {
        default HostThread start(HostProcessors of, String name, int cpu, Runnable body)
                throws HostRefusal {
            return of.start(name, cpu, body);
        }

        default void callOn(HostProcessors of, int cpu, Runnable action) {
            of.callOn(cpu, action);
        }

        default void sleep(HostProcessors of, long nanos) {
            of.sleep(nanos);
        }
    }

    private static Case processors(String what, Wrong wrong, SuiteTest seenBy) {
        return new Case(
                what,
                () ->
                        new Decorated() {
                            @Override
                            public HostProcessors processors() {
                                return new Processors(inner.processors()) {
                                    @Override
                                    public HostThread start(String name, int cpu, Runnable body)
                                            throws HostRefusal {
                                        return wrong.start(inner, name, cpu, body);
                                    }

                                    @Override
                                    public void callOn(int cpu, Runnable action) {
                                        wrong.callOn(inner, cpu, action);
                                    }

                                    @Override
                                    public void sleep(long nanos) {
                                        wrong.sleep(inner, nanos);
                                    }
                                };
                            }
                        },
                seenBy);
    }

    private static Case thread(String what, Fault fault, SuiteTest seenBy) {
        AtomicInteger asked = new AtomicInteger();
        return processors(
                what,
                new Wrong() {
                    @Override
                    public HostThread start(HostProcessors of, String name, int cpu, Runnable body)
                            throws HostRefusal {
                        HostThread good = of.start(name, cpu, body);
                        return new Decorated.Handle(good) {
                            @Override
                            public void kick() {
                                if (fault != Fault.KICK || asked.incrementAndGet() % 50 != 0) {
                                    super.kick();
                                }
                            }

                            @Override
                            public void wake() {
                                boolean lost =
                                        fault == Fault.EARLY_WAKE
                                                || fault == Fault.WAKE
                                                        && asked.incrementAndGet() % 50 == 0;
                                if (!lost) {
                                    super.wake();
                                }
                            }

                            @Override
                            public void move(int to) throws HostRefusal {
                                int count = of.count();
                                boolean missing = to < -1 || to >= count;
                                if (fault != Fault.MISSING || !missing) {
                                    super.move(fault == Fault.PLACE && !missing ? 0 : to);
                                }
                            }

                            @Override
                            public boolean join(long nanos) {
                                return fault == Fault.JOIN || super.join(nanos);
                            }
                        };
                    }
                },
                seenBy);
    }

    private static final List<Case> TIMERS =
            List.of(
                    timer(
                            "fires early",
                            (timer, deadline) -> timer.arm(deadline - 1_000_000_000),
                            Suite::timersFireOnceEachInTheOrderOfTheirDeadlinesAndNeverEarly),
                    timer(
                            "forgets some",
                            (timer, deadline) -> {
                                if (deadline % 97 != 0) {
                                    timer.arm(deadline);
                                }
                            },
                            Suite::timersFireOnceEachInTheOrderOfTheirDeadlinesAndNeverEarly),
                    timer(
                            "ignores what is past",
                            (timer, deadline) -> {
                                if (deadline > System.nanoTime() - 1_000_000_000) {
                                    timer.arm(deadline);
                                }
                            },
                            Suite::aDeadlineInThePastFiresAndACancelledOneDoesNot),
                    timer(
                            "takes the farthest deadline for the past",
                            (timer, deadline) -> timer.arm(deadline + 1),
                            Suite::theFarthestDeadlineHoldsNobodyBack),
                    clock(
                            "fires twice",
                            (of, name, action) ->
                                    of.timer(
                                            name,
                                            () -> {
                                                action.run();
                                                action.run();
                                            }),
                            Suite::timersOfOneDeadlineAllFireOnce),
                    clock(
                            "fires after the close",
                            (of, name, action) ->
                                    new Decorated.Timer(of.timer(name, action)) {
                                        @Override
                                        public void close() {
                                            cancel();
                                            arm(System.nanoTime() + 1000);
                                        }
                                    },
                            Suite::afterCloseNoActionRuns),
                    clock(
                            "does not wait for actions",
                            (of, name, action) ->
                                    new Decorated.Timer(of.timer(name, action)) {
                                        @Override
                                        public void close() {
                                            cancel();
                                        }
                                    },
                            Suite::closeWaitsForAnActionThatRuns),
                    new Case(
                            "has a clock that an Error ends",
                            () ->
                                    new Decorated() {
                                        private final AtomicBoolean ended = new AtomicBoolean();

                                        @Override
                                        public HostClock clock() {
                                            return endingClock(inner.clock(), ended);
                                        }
                                    },
                            Suite::anErrorInAnActionDoesNotEndTheClock),
                    clock(
                            "arms once",
                            (of, name, action) -> {
                                AtomicInteger armed = new AtomicInteger();
                                return new Decorated.Timer(of.timer(name, action)) {
                                    @Override
                                    public void arm(long deadline) {
                                        if (armed.getAndIncrement() == 0) {
                                            super.arm(deadline);
                                        }
                                    }
                                };
                            },
                            Suite::aTimerArmsItselfAgainFromItsOwnAction),
                    new Case(
                            "has a clock that goes back",
                            () ->
                                    new Decorated() {
                                        private final AtomicInteger asked = new AtomicInteger();

                                        @Override
                                        public HostClock clock() {
                                            return new Clock(inner.clock()) {
                                                @Override
                                                public long nanoTime() {
                                                    boolean back =
                                                            asked.incrementAndGet() % 1000 == 0;
                                                    return super.nanoTime()
                                                            - (back ? 1_000_000_000 : 0);
                                                }
                                            };
                                        }
                                    },
                            Suite::timeNeverGoesBack));

    /** Once an action has ended with an Error, no other runs. */
    private static HostClock endingClock(HostClock good, AtomicBoolean ended) {
        return new Decorated.Clock(good) {
            @Override
            public HostTimer timer(String name, Runnable action) {
                return inner.timer(
                        name,
                        () -> {
                            try {
                                if (!ended.get()) {
                                    action.run();
                                }
                            } catch (Error e) {
                                ended.set(true);
                            }
                        });
            }
        };
    }

    private interface Arming {
        void arm(HostTimer timer, long deadline);
    }

    private interface Making {
        HostTimer make(HostClock of, String name, Runnable action);
    }

    private static Case timer(String what, Arming wrong, SuiteTest seenBy) {
        return clock(
                what,
                (of, name, action) ->
                        new Decorated.Timer(of.timer(name, action)) {
                            @Override
                            public void arm(long deadline) {
                                wrong.arm(inner, deadline);
                            }
                        },
                seenBy);
    }

    private static Case clock(String what, Making wrong, SuiteTest seenBy) {
        return new Case(
                what,
                () ->
                        new Decorated() {
                            @Override
                            public HostClock clock() {
                                return new Clock(inner.clock()) {
                                    @Override
                                    public HostTimer timer(String name, Runnable action) {
                                        return wrong.make(inner, name, action);
                                    }
                                };
                            }
                        },
                seenBy);
    }

    private static final List<Case> HARDWARE =
            List.of(
                    pins(ModelledPins.Fault.SHARED, Suite::aLineBelongsToOneUntilItIsGivenBack),
                    pins(
                            ModelledPins.Fault.FORGETS,
                            Suite::aLineRaisedAgainBeforeItsAcknowledgementIsRememberedOnce),
                    pins(
                            ModelledPins.Fault.COUNTS,
                            suite -> {
                                suite.aLineRaisedAgainBeforeItsAcknowledgementIsRememberedOnce();
                            }),
                    pins(
                            ModelledPins.Fault.HELD_BY_ANOTHER,
                            Suite::aLineRaisedAgainBeforeItsAcknowledgementIsRememberedOnce),
                    pins(
                            ModelledPins.Fault.NOT_CLOSED,
                            Suite::nothingIsServedWithoutAHookOrAfterIt),
                    pins(
                            ModelledPins.Fault.NOT_AWAITED,
                            Suite::aHookIsClosedWhenItsHandlerRunsNoMore),
                    pins(ModelledPins.Fault.AWAITS_ITSELF, Suite::aHandlerMayCloseItsOwnHook),
                    pins(ModelledPins.Fault.HELD_OVER, Suite::aHandlerRunsOnceForEachInterrupt),
                    portal(
                            ModelledPortal.Fault.ALL_WORDS,
                            Suite::exactlyTheWordsOfAMessageTravelBothWays),
                    portal(
                            ModelledPortal.Fault.TOO_FEW_WORDS,
                            Suite::exactlyTheWordsOfAMessageTravelBothWays),
                    portal(
                            ModelledPortal.Fault.UNCHECKED,
                            Suite::malformedMessagesAreRefusedAndTheGuestDoesNotRun),
                    portal(
                            ModelledPortal.Fault.MAPS_ANYTHING,
                            Suite::onlyPagesThatTheVmmHoldsAreMapped),
                    portal(
                            ModelledPortal.Fault.DEAF,
                            Suite::theThreadOfAVmIsInterruptedAndTheVmmGetsItsNextMessage),
                    portal(
                            ModelledPortal.Fault.IMMORTAL,
                            Suite::severalGatesServeAtOnceAndEndByThemselves));

    private static Case pins(ModelledPins.Fault fault, SuiteTest seenBy) {
        return new Case(
                "pins: " + fault,
                () -> {
                    Decorated host = new Decorated();
                    host.pins.fault = fault;
                    return host;
                },
                seenBy);
    }

    private static Case portal(ModelledPortal.Fault fault, SuiteTest seenBy) {
        return new Case(
                "portal: " + fault,
                () -> {
                    Decorated host = new Decorated();
                    host.portal.fault = fault;
                    return host;
                },
                seenBy);
    }

    private static final List<Case> SERVICES =
            List.of(
                    service(
                            "half a file stays",
                            HostFiles.class,
                            good ->
                                    new HostFiles() {
                                        @Override
                                        public long size(String path) throws java.io.IOException {
                                            return good.size(path);
                                        }

                                        @Override
                                        public java.io.InputStream read(String path)
                                                throws java.io.IOException {
                                            return good.read(path);
                                        }

                                        @Override
                                        public void write(String path, Writer writer)
                                                throws java.io.IOException {
                                            try (var out = Files.newOutputStream(Path.of(path))) {
                                                writer.writeTo(out);
                                            }
                                        }
                                    },
                            suite -> suite.filesAppearWholeOrNotAtAll(fresh())),
                    service(
                            "opens every console",
                            HostConsoles.class,
                            good -> name -> good.open("none"),
                            suite -> suite.consolesThatAreNotThereAreRefused(fresh())),
                    service(
                            "writes nothing",
                            HostConsoles.class,
                            good -> name -> good.open(name.startsWith("file:") ? "none" : name),
                            suite -> suite.consolesWriteInOrder(fresh())));

    private static Path fresh() throws java.io.IOException {
        return Files.createTempDirectory(folder, "case");
    }

    private interface Change<T> {
        T of(T good);
    }

    private static <T> Case service(
            String what, Class<T> changed, Change<T> change, SuiteTest seenBy) {
        return new Case(
                what,
                () ->
                        new Decorated() {
                            @Override
                            public <S> Optional<S> find(Class<S> service) {
                                Optional<S> good = super.find(service);
                                return service == changed
                                        ? good.map(changed::cast).map(change::of).map(service::cast)
                                        : good;
                            }
                        },
                seenBy);
    }

    /** A machine that is busy elsewhere may hide what is wrong with time or order for once. */
    private static void assertSeen(Case broken) throws Exception {
        for (int i = 0; i < TRIES; i++) {
            Suite suite = new Suite(broken.host());
            suite.makeHost();
            try {
                broken.seenBy().run(suite);
            } catch (TestAbortedException e) {
                throw new AssertionError(broken + " was not tried", e);
            } catch (Throwable seen) {
                return;
            }
        }
        throw new AssertionError(broken + " is not seen");
    }

    @ParameterizedTest
    @FieldSource("MEMORY")
    void wrongMemoryIsSeen(Case broken) throws Exception {
        assertSeen(broken);
    }

    @ParameterizedTest
    @FieldSource("THREADS")
    void wrongThreadsAreSeen(Case broken) throws Exception {
        assertSeen(broken);
    }

    @ParameterizedTest
    @FieldSource("TIMERS")
    void wrongTimersAreSeen(Case broken) throws Exception {
        assertSeen(broken);
    }

    @ParameterizedTest
    @FieldSource("HARDWARE")
    void wrongHardwareIsSeen(Case broken) throws Exception {
        assertSeen(broken);
    }

    @ParameterizedTest
    @FieldSource("SERVICES")
    void wrongServicesAreSeen(Case broken) throws Exception {
        assertSeen(broken);
    }
}
