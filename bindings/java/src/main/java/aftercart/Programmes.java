package aftercart;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * What follows a purchase, by category: read once, for the catalog of an engine, and again for every new catalog. Any number of
 * threads may use it.
 */
public final class Programmes {
    final MemorySegment handle;

    /**
     * Reads a file of TOML.
     *
     * @throws AftercartException {@link Status#BAD_PROGRAMMES}: the message says where and why
     */
    public Programmes(Engine engine, Path path) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment error = Overlay.sized(call, Native.ERROR);
            MemorySegment name = Overlay.utf8(call, path.toString());
            MemorySegment out = call.allocate(ADDRESS);
            int status = engine.with(of -> (int) Native.PROGRAMMES_OPEN.invokeExact(of, name, name.byteSize(), out, error));
            if (status < 0) {
                throw new AftercartException(error);
            }
            handle = out.get(ADDRESS, 0);
        }
        MemorySegment freed = handle; // the action must not reach this object
        Engine.CLEANER.register(this, () -> Before.run(() -> (int) Native.PROGRAMMES_FREE.invokeExact(freed)));
    }
}
