package aftercart;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** A call failed. On a page: show nothing, and go on. */
public final class AftercartException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** How. */
    public final Status status;
    /** {@code errno} of the system call that failed, else 0. */
    public final int osError;
    /** The rule of the format that the file breaks, else 0. */
    public final int rule;
    /** Where: a byte, or a row of {@link #part}. */
    public final long offset;
    /** Which part of the file; empty where it is not about one. */
    public final String part;

    /** Of {@link Engine#edit}: changes that were made before. */
    public final int done;

    AftercartException(Status status) {
        super(status.name());
        this.status = status;
        this.osError = 0;
        this.rule = 0;
        this.offset = 0;
        this.part = "";
        this.done = 0;
    }

    /** What C wrote into an {@code aftercart_error}. */
    AftercartException(MemorySegment error) {
        this(error, 0);
    }

    AftercartException(MemorySegment error, int done) {
        super(Status.of(error.get(JAVA_INT, Native.at(Native.ERROR, "status"))).name() + ": "
                + error.getString(Native.at(Native.ERROR, "message")));
        this.status = Status.of(error.get(JAVA_INT, Native.at(Native.ERROR, "status")));
        this.osError = error.get(JAVA_INT, Native.at(Native.ERROR, "os_error"));
        this.rule = error.get(JAVA_INT, Native.at(Native.ERROR, "rule"));
        this.offset = error.get(JAVA_LONG, Native.at(Native.ERROR, "offset"));
        this.part = error.getString(Native.at(Native.ERROR, "part"));
        this.done = done;
    }
}
