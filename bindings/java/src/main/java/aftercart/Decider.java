package aftercart;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Makes decisions, one at a time: a second call at the same time gets {@link Status#BUSY}. May move between threads. Use a
 * {@link DeciderPool}, or one per worker. Owns all memory that its decisions need.
 */
public final class Decider implements AutoCloseable {
    private static final long LINE_BYTES = Native.LINE.byteSize();
    private static final long FACT_BYTES = Native.FACT.byteSize();
    private static final long OFFER_BYTES = Native.OFFER.byteSize();
    private static final long SLOTS = Native.SLOTS_MAX;

    private final AtomicBoolean busy = new AtomicBoolean();
    private final MemorySegment handle;
    private final Request request;
    private final Slate own = new Slate();
    private final Cleaner.Cleanable cleanable;
    private boolean closed;
    private Engine engine;

    Decider(Engine engine) {
        this.engine = engine;
        Arena arena = Arena.ofShared();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment out = call.allocate(ADDRESS);
            MemorySegment error = call.allocate(Native.ERROR);
            error.set(JAVA_INT, 0, (int) Native.ERROR.byteSize());
            int status = engine.with(handle -> (int) Native.DECIDER_NEW.invokeExact(handle, out, error));
            if (status < 0) {
                throw new AftercartException(error);
            }
            handle = out.get(ADDRESS, 0);
            request = new Request(arena);
        } catch (RuntimeException failed) {
            arena.close();
            throw failed;
        }
        MemorySegment freed = handle; // the action must not reach this object
        cleanable = Engine.CLEANER.register(this, () -> {
            try {
                int status = (int) Native.DECIDER_FREE.invokeExact(freed);
            } catch (Throwable impossible) {
                throw new AssertionError(impossible);
            }
            arena.close();
        });
    }

    /**
     * Decides what belongs on the page. No offers is no failure: then {@link Offers#reason} says why.
     *
     * @throws AftercartException where the request cannot be answered: show nothing, and go on
     */
    public Offers decide(Transaction order, Profile customer) {
        enter();
        try {
            run(order, customer, own);
            return own.toOffers();
        } finally {
            busy.set(false);
        }
    }

    /** Likewise, for an anonymous customer. */
    public Offers decide(Transaction order) {
        return decide(order, Profile.ANONYMOUS);
    }

    /** Likewise, into memory that is used again: makes no garbage. After a failure the slate is empty. */
    public void decide(Transaction order, Profile customer, Slate slate) {
        slate.clear();
        enter();
        try {
            run(order, customer, slate);
        } finally {
            busy.set(false);
        }
    }

    /** Goes on with another engine: another catalog, or another overlay. */
    public void use(Engine engine) {
        enter();
        try {
            int status = engine.with(other -> (int) Native.DECIDER_USE.invokeExact(handle, other));
            if (status < 0) {
                throw new AftercartException(Status.of(status));
            }
            this.engine = engine;
        } finally {
            busy.set(false);
        }
    }

    /**
     * The question whose answer is expected to make the page worth most; empty where no answer would change it, or where one was asked
     * or answered in this order. Then decide again with the answer. Takes as long as the decisions that it makes, at most 33. Its
     * texts are the engine's, which must not be closed yet.
     */
    public Optional<Question> nextQuestion(Transaction order, Profile customer) {
        enter();
        try (Arena call = Arena.ofConfined()) {
            request.pack(order, customer);
            return Moments.nextQuestion(call, engine, handle, request);
        } finally {
            busy.set(false);
        }
    }

    /**
     * Puts the ways to pay that you permit (at most 32) in order, best first: by the customer's own use, drawn to what your customers here
     * use. None is added or taken away.
     */
    public List<Ranked> rankPaymentMethods(Transaction order, Profile customer, List<PaymentOption> options, PaymentFacts facts) {
        enter();
        try (Arena call = Arena.ofConfined()) {
            request.pack(order, customer, facts.uses());
            return Before.payment(call, handle, request, options, facts);
        } finally {
            busy.set(false);
        }
    }

    /**
     * Puts the ways to ship that you permit in order, best first: by the customer's own use. A dearer one never stands above one that is
     * cheaper and promised as early or earlier.
     */
    public List<Ranked> rankShippingOptions(Transaction order, Profile customer, List<ShippingOption> options, List<Use> uses) {
        enter();
        try (Arena call = Arena.ofConfined()) {
            request.pack(order, customer, uses);
            return Before.shipping(call, handle, request, options);
        } finally {
            busy.set(false);
        }
    }

    /**
     * Plans what to send in the days after an order: what is planned, earliest first, then what is withheld. A plan, not a sender.
     *
     * @param deliveryAtMs the promised delivery, Unix milliseconds; 0 = as the programmes say
     * @param contactedAtMs other messages that the customer gets, through any channel
     * @throws AftercartException {@link Status#BAD_PROGRAMMES}: they were made for another catalog
     */
    public List<FollowUp> planFollowUps(Programmes programmes, Transaction order, Profile customer, long deliveryAtMs,
            List<Long> contactedAtMs) {
        enter();
        try (Arena call = Arena.ofConfined()) {
            request.packContacts(order, customer, contactedAtMs);
            return FollowUp.plan(call, handle, request, programmes.handle, deliveryAtMs);
        } finally {
            java.lang.ref.Reference.reachabilityFence(programmes);
            busy.set(false);
        }
    }

    /** What became of the decisions, where the engine said {@link Engine#logTo}. */
    public Logged logged() {
        enter();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment counts = Overlay.sized(call, Native.LOGGED);
            Before.checked(() -> (int) Native.LOG_COUNTS.invokeExact(handle, counts));
            long at = Native.at(Native.LOGGED, "made");
            return new Logged(counts.get(JAVA_INT, 4) != 0, counts.get(JAVA_LONG, at), counts.get(JAVA_LONG, at + 8),
                    counts.get(JAVA_LONG, at + 16), counts.get(JAVA_LONG, at + 24));
        } finally {
            busy.set(false);
        }
    }

    void logTo(String folder, int capacity, boolean timed) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment error = Overlay.sized(call, Native.ERROR);
            MemorySegment path = Overlay.utf8(call, folder);
            int status = Before.run(() -> (int) Native.LOG_TO.invokeExact(handle, path, path.byteSize(), (long) capacity,
                    timed ? Native.LOG_TIMED : 0, error));
            if (status < 0) {
                throw new AftercartException(error);
            }
        }
    }

    /** Says why a product or offer is, or is not, on the page of a request. For people: it takes some times as long as a decision. */
    public Explanation explain(Transaction order, Profile customer, ItemKind kind, String id) {
        enter();
        try (Arena call = Arena.ofConfined()) {
            request.pack(order, customer);
            return Why.explain(call, handle, request, kind, id);
        } finally {
            busy.set(false);
        }
    }

    /** Likewise, of whatever has the id. */
    public Explanation explain(Transaction order, Profile customer, String id) {
        return explain(order, customer, ItemKind.ANY, id);
    }

    /** Gives the memory back. {@link Status#BUSY} while a decision runs. Further calls do nothing. */
    @Override
    public void close() {
        if (!busy.compareAndSet(false, true)) {
            throw new AftercartException(Status.BUSY);
        }
        closed = true;
        cleanable.clean();
        busy.set(false);
    }

    private void enter() {
        if (!busy.compareAndSet(false, true)) {
            throw new AftercartException(Status.BUSY);
        }
        if (closed) {
            busy.set(false);
            throw new AftercartException(Status.BAD_HANDLE);
        }
    }

    private void run(Transaction order, Profile customer, Slate slate) {
        Request r = request;
        r.pack(order, customer);
        int status;
        try {
            status = (int) Native.DECIDE.invokeExact(handle, r.transaction, r.profile, r.lines, LINE_BYTES, r.lineCount,
                    r.facts, FACT_BYTES, r.factCount, r.strings, (long) r.length, r.offers, OFFER_BYTES, SLOTS, r.count,
                    r.summary);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible); // the C library throws nothing
        }
        if (status < 0) {
            throw new AftercartException(Status.of(status));
        }
        slate.read(r.offers, (int) r.count.get(JAVA_LONG, 0), r.summary);
    }

    /** Runs into a defect on purpose, for the tests. */
    int selftest() {
        try {
            return (int) Native.SELFTEST.invokeExact(handle, 1);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }
}
