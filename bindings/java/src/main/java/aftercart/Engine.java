package aftercart;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** An opened catalog with its policy. It never changes; any number of threads may use it. */
public final class Engine implements AutoCloseable {
    static final Cleaner CLEANER = Cleaner.create();

    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(); // close waits for calls that use the handle
    private final MemorySegment handle;
    private final Cleaner.Cleanable cleanable;
    private boolean closed;
    private volatile LogFolder log;

    private record LogFolder(String path, int capacity, boolean timed) {}

    private Engine(MemorySegment handle) {
        this.handle = handle;
        cleanable = CLEANER.register(this, () -> {
            try {
                int status = (int) Native.ENGINE_CLOSE.invokeExact(handle);
            } catch (Throwable impossible) {
                throw new AssertionError(impossible);
            }
        });
    }

    /** Opens a catalog file, verified in full. */
    public static Engine open(Path path) {
        return open(path, Options.DEFAULT);
    }

    /**
     * Opens a catalog file.
     *
     * @throws AftercartException {@link Status#BAD_CATALOG}, {@link Status#CATALOG_VERSION}, {@link Status#SYSTEM_ERROR}, ...
     */
    public static Engine open(Path path, Options options) {
        try (Arena call = Arena.ofConfined()) {
            byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
            MemorySegment text = call.allocateFrom(java.lang.foreign.ValueLayout.JAVA_BYTE, bytes);
            MemorySegment given = call.allocate(Native.OPTIONS);
            given.set(JAVA_INT, 0, (int) Native.OPTIONS.byteSize());
            given.set(JAVA_INT, Native.at(Native.OPTIONS, "mode"), options.mode().code);
            given.set(JAVA_INT, Native.at(Native.OPTIONS, "verify"), options.verify().code);
            given.set(JAVA_INT, Native.at(Native.OPTIONS, "prefault"), options.prefault().code);
            given.set(JAVA_LONG, Native.at(Native.OPTIONS, "visit_budget"), options.visitBudget());
            MemorySegment out = call.allocate(ADDRESS);
            MemorySegment error = call.allocate(Native.ERROR);
            error.set(JAVA_INT, 0, (int) Native.ERROR.byteSize());
            int status;
            try {
                status = (int) Native.ENGINE_OPEN.invokeExact(text, (long) bytes.length, given, out, error);
            } catch (Throwable impossible) {
                throw new AssertionError(impossible);
            }
            if (status < 0) {
                throw new AftercartException(error);
            }
            return new Engine(out.get(ADDRESS, 0));
        }
    }

    /** Makes a decider, which sets aside all memory that its decisions need. It may outlive the engine's closing. */
    public Decider newDecider() {
        Decider decider = new Decider(this);
        LogFolder to = log;
        try {
            if (to != null) {
                decider.logTo(to.path, to.capacity, to.timed);
            }
            return decider;
        } catch (RuntimeException failed) {
            decider.close();
            throw failed;
        }
    }

    /**
     * Lets every decider that is made from now on keep its decisions in a log's folder, those of a {@link DeciderPool} too, also where it
     * goes on with another engine: in files of which another process makes Parquet, while this one lives and after it was killed
     * ({@code aftercart log --log FOLDER --catalog FILE --every 5}). A decision waits for nothing: where its ring is full it is counted
     * as dropped. A folder that cannot be written fails in {@link #newDecider}.
     */
    public void logTo(Path folder) {
        logTo(folder, 0, false);
    }

    /** Likewise, with room for so many decisions of 824 bytes until they are drained (0 = 4096), and perhaps with the time that each took. */
    public void logTo(Path folder, int capacity, boolean timed) {
        log = new LogFolder(folder.toString(), Request.unsigned(capacity), timed);
    }

    /** Says what the engine is. */
    public Info info() {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment info = call.allocate(Native.INFO);
            info.set(JAVA_INT, 0, (int) Native.INFO.byteSize());
            int status = with(handle -> (int) Native.ENGINE_INFO.invokeExact(handle, info));
            if (status < 0) {
                throw new AftercartException(Status.of(status));
            }
            return new Info(info.get(JAVA_INT, Native.at(Native.INFO, "products")),
                    info.get(JAVA_INT, Native.at(Native.INFO, "offers")),
                    info.get(JAVA_LONG, Native.at(Native.INFO, "index_generation")),
                    info.get(JAVA_LONG, Native.at(Native.INFO, "policy_generation")),
                    info.get(JAVA_LONG, Native.at(Native.INFO, "created_at_ms")),
                    info.get(JAVA_LONG, Native.at(Native.INFO, "file_bytes")),
                    info.getString(Native.at(Native.INFO, "kernel")),
                    Moments.code(info, Native.at(Native.INFO, "currency")));
        }
    }

    /** The title of an offer of this engine's deciders. */
    public String title(Offer offer) {
        return text(offer.itemKind(), offer.itemRow(), 2);
    }

    /** The title of the product that a message is about; empty where the catalog does not know it. */
    public String title(FollowUp message) {
        return message.itemKind() == 0 ? "" : text(message.itemKind(), message.itemRow(), 2);
    }

    /** The category path of an offer's product; empty where not known and for other offers. */
    public String category(Offer offer) {
        return text(offer.itemKind(), offer.itemRow(), 3);
    }

    /** The id of the partner behind an offer; empty for your own. */
    public String partner(Offer offer) {
        return text(offer.itemKind(), offer.itemRow(), 4);
    }

    /**
     * Makes a live overlay for the engine's catalog, or makes one that is there fit this catalog too: what it knows carries over by
     * id. Do so before the first {@link #withLive} of a new catalog.
     */
    public void bindLive(Path path) {
        Overlay.bind(this, path.toString());
    }

    /**
     * An engine that decides with a live overlay, a file that the processes of a machine share. This one stays as it is; close both.
     */
    public Engine withLive(Path path) {
        return new Engine(Overlay.with(this, path.toString()));
    }

    /**
     * An engine that decides with a model, a file that {@code aftercart learn} made: by how likely it says that offers are accepted. As
     * a shadow it decides nothing, and what it would have said is recorded. This one stays as it is; close both.
     */
    public Engine withModel(Path path, boolean shadow) {
        return new Engine(Moments.withModel(this, path.toString(), shadow));
    }

    /**
     * Changes the live overlay: every process of the machine sees a change with its next decision. Each change is made as a whole or
     * not at all, in order; the first that cannot be made ends the call. Not for the thread that decides: it waits for other
     * processes that change the overlay.
     *
     * @throws AftercartException whose {@code done} says how many were made
     */
    public void edit(List<Change> changes, long nowMs) {
        Overlay.edit(this, changes, nowMs);
    }

    /** What the live overlay knows of one product, offer or partner. */
    public LiveState look(ItemKind kind, String id, long nowMs) {
        return Overlay.look(this, kind, id, nowMs);
    }

    /**
     * Takes a lease on the budgets of an offer and its partner, before it is shown; it expires {@code forMs} later, at most a day.
     * Without a limit, or an overlay, it holds nothing.
     *
     * @throws AftercartException {@link Status#BUDGET_EMPTY}, {@link Status#PAUSED}: do not show the offer
     */
    public Lease reserve(Offer offer, long nowMs, long forMs) {
        return Overlay.reserve(this, offer, nowMs, forMs);
    }

    /**
     * Counts what a lease holds as spent.
     *
     * @throws AftercartException {@link Status#LEASE_GONE}: it expired, or was used before; do not honour the offer on it
     */
    public void activate(Lease lease, long nowMs) {
        Overlay.activate(this, lease, nowMs);
    }

    /** Gives back what a lease holds: the customer declined, or left. */
    public void release(Lease lease, long nowMs) {
        Overlay.release(this, lease, nowMs);
    }

    /** Gives the catalog back. Deciders keep what they need of it. Further calls do nothing. */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            closed = true;
            cleanable.clean();
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** A call that needs the handle. */
    interface Call {
        int run(MemorySegment handle) throws Throwable;
    }

    int with(Call call) {
        lock.readLock().lock();
        try {
            if (closed) {
                throw new AftercartException(Status.BAD_HANDLE);
            }
            return call.run(handle);
        } catch (Error | RuntimeException failed) {
            throw failed;
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        } finally {
            lock.readLock().unlock();
        }
    }

    String text(int kind, int row, int which) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment length = call.allocate(JAVA_LONG);
            for (long capacity = 256; ; capacity = length.get(JAVA_LONG, 0) + 1) {
                long room = capacity;
                MemorySegment buffer = call.allocate(room);
                int status = with(handle -> (int) Native.ITEM_TEXT.invokeExact(handle, kind, row, which, buffer,
                        room, length));
                if (status < 0) {
                    throw new AftercartException(Status.of(status));
                }
                if (status == 0) {
                    return buffer.getString(0);
                }
            }
        }
    }
}
