package aftercart;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Shares deciders among threads, virtual ones too. A decision takes a fraction of a millisecond of a core, so as many deciders as
 * cores are enough for any number of threads; the others wait in line, and a waiting virtual thread holds no core.
 */
public final class DeciderPool implements AutoCloseable {
    private final Engine engine;
    private final int size;
    private final BlockingQueue<Decider> free;

    /** As many deciders as there are processors. */
    public DeciderPool(Engine engine) {
        this(engine, Runtime.getRuntime().availableProcessors());
    }

    /** So many deciders. */
    public DeciderPool(Engine engine, int size) {
        this.engine = engine;
        this.size = size;
        free = new ArrayBlockingQueue<>(size);
        try {
            for (int i = 0; i < size; i++) {
                free.add(engine.newDecider());
            }
        } catch (RuntimeException failed) {
            free.forEach(Decider::close);
            throw failed;
        }
    }

    /** {@link Decider#decide(Transaction, Profile)} with a decider of the pool. */
    public Offers decide(Transaction order, Profile customer) {
        Decider decider = take();
        try {
            return decider.decide(order, customer);
        } catch (AftercartException failed) {
            decider = instead(decider, failed);
            throw failed;
        } finally {
            free.add(decider);
        }
    }

    /** Likewise, for an anonymous customer. */
    public Offers decide(Transaction order) {
        return decide(order, Profile.ANONYMOUS);
    }

    /** {@link Decider#decide(Transaction, Profile, Slate)} with a decider of the pool. */
    public void decide(Transaction order, Profile customer, Slate slate) {
        Decider decider = take();
        try {
            decider.decide(order, customer, slate);
        } catch (AftercartException failed) {
            decider = instead(decider, failed);
            throw failed;
        } finally {
            free.add(decider);
        }
    }

    /** Waits for decisions that are running and gives all deciders back; later decisions get {@link Status#BAD_HANDLE}. */
    @Override
    public void close() {
        List<Decider> taken = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            taken.add(take());
        }
        taken.forEach(Decider::close);
        free.addAll(taken);
    }

    /** A new decider in place of one that a defect has left half-way. */
    private Decider instead(Decider decider, AftercartException failed) {
        if (failed.status != Status.INTERNAL && failed.status != Status.POISONED) {
            return decider;
        }
        try {
            Decider fresh = engine.newDecider();
            decider.close();
            return fresh;
        } catch (AftercartException none) {
            return decider; // the engine is closed, or there is no memory
        }
    }

    private Decider take() {
        try {
            return free.take();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new AftercartException(Status.BUSY);
        }
    }
}
