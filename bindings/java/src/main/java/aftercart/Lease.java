package aftercart;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The right to spend from the budgets of an offer, until it expires. Keep {@link #toBytes} with the customer's session: any process
 * of the machine may activate or release it.
 */
public final class Lease {
    private final byte[] bytes;

    Lease(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Takes back what {@link #toBytes} gave. */
    public static Lease of(byte[] bytes) {
        int size = (int) Native.LEASE.byteSize();
        // C would read as much as the first four bytes say.
        if (bytes.length != size || ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt() != size) {
            throw new AftercartException(Status.BAD_SIZE);
        }
        return new Lease(bytes.clone());
    }

    /** 48 bytes. */
    public byte[] toBytes() {
        return bytes.clone();
    }

    /** Unix milliseconds; 0 = it holds nothing, since there is no limit. */
    public long expiresAtMs() {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(8);
    }
}
