package aftercart;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** A secret of your servers. Any number of threads may use it. */
public final class TokenKey {
    private static final int ID_BYTES = 72;

    private final MemorySegment handle;

    /** Takes a secret of at least 32 random bytes. */
    public TokenKey(byte[] secret) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment error = Overlay.sized(call, Native.ERROR);
            MemorySegment given = call.allocateFrom(JAVA_BYTE, secret);
            MemorySegment out = call.allocate(ADDRESS);
            int status = Before.run(() -> (int) Native.KEY_NEW.invokeExact(given, given.byteSize(), out, error));
            given.fill((byte) 0);
            if (status < 0) {
                throw new AftercartException(error);
            }
            handle = out.get(ADDRESS, 0);
        }
        MemorySegment freed = handle; // the action must not reach this object
        Engine.CLEANER.register(this, () -> Before.run(() -> (int) Native.KEY_FREE.invokeExact(freed)));
    }

    /**
     * A token for the page. Sign offers that have a price and that you charge: {@link Accept#ONE_CLICK_STORED_CREDENTIAL},
     * {@link Accept#CONFIRM_CONSENT} and {@link Accept#REENTER_PAYMENT}.
     */
    public String sign(Claim claim) {
        byte[] id = claim.itemId().getBytes(StandardCharsets.UTF_8);
        byte[] currency = claim.currency().getBytes(StandardCharsets.UTF_8);
        if (id.length > ID_BYTES || currency.length > 4 || !claim.decisionId().matches("[0-9a-f]{1,32}")) {
            throw new AftercartException(Status.BAD_VALUE);
        }
        String digits = "0".repeat(32 - claim.decisionId().length()) + claim.decisionId();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment given = Overlay.sized(call, Native.CLAIM);
            given.set(JAVA_INT, at("quantity"), Request.unsigned(claim.quantity()));
            given.set(JAVA_LONG, at("decision_id_high"), Long.parseUnsignedLong(digits, 0, 16, 16));
            given.set(JAVA_LONG, at("decision_id_low"), Long.parseUnsignedLong(digits, 16, 32, 16));
            given.set(JAVA_LONG, at("price"), claim.price());
            given.set(JAVA_LONG, at("expires_at_ms"), claim.expiresAtMs());
            MemorySegment.copy(currency, 0, given, JAVA_BYTE, at("currency"), currency.length);
            given.set(JAVA_INT, at("id_length"), id.length);
            MemorySegment.copy(id, 0, given, JAVA_BYTE, at("id"), id.length);
            MemorySegment token = call.allocate(Native.TOKEN_BYTES);
            Before.checked(() -> (int) Native.TOKEN_SIGN.invokeExact(handle, given, token, token.byteSize(), MemorySegment.NULL));
            return token.getString(0);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * What a token offers, where it holds for an order in this currency now; clocks may differ by {@code skewMs}. Then charge price times
     * quantity, once: enter the idempotency key where it is unique, in the transaction that charges.
     *
     * @throws AftercartException {@link Status#BAD_TOKEN}, {@link Status#BAD_SIGNATURE} (try the key that you had before),
     *     {@link Status#TOKEN_EXPIRED}, {@link Status#WRONG_CURRENCY}: do not charge
     */
    public Claim verify(String token, String currency, long nowMs, long skewMs) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment text = Overlay.utf8(call, token);
            MemorySegment order = Overlay.utf8(call, currency);
            if (order.byteSize() != 3) {
                throw new AftercartException(Status.BAD_VALUE);
            }
            MemorySegment claim = Overlay.sized(call, Native.CLAIM);
            Before.checked(() -> (int) Native.TOKEN_VERIFY.invokeExact(handle, text, text.byteSize(), order, nowMs, skewMs, claim));
            byte[] id = claim.asSlice(at("id"), claim.get(JAVA_INT, at("id_length"))).toArray(JAVA_BYTE);
            return new Claim(hex(claim, "decision_id"), new String(id, StandardCharsets.UTF_8), claim.get(JAVA_LONG, at("price")),
                    Moments.code(claim, at("currency")), claim.get(JAVA_INT, at("quantity")),
                    claim.get(JAVA_LONG, at("expires_at_ms")), hex(claim, "idempotency_key"));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private static long at(String field) {
        return Native.at(Native.CLAIM, field);
    }

    private static String hex(MemorySegment claim, String field) {
        HexFormat format = HexFormat.of();
        return format.toHexDigits(claim.get(JAVA_LONG, at(field + "_high"))) + format.toHexDigits(claim.get(JAVA_LONG, at(field + "_low")));
    }
}
