package aftercart;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A decision in memory that is used again and again: for who wants no garbage per decision. {@link Offers} has the same as
 * records. One thread at a time.
 */
public final class Slate {
    private static final int INTS = 10;
    private static final long VALUE = Native.at(Native.OFFER, "value");
    private static final long EV_MICROS = Native.at(Native.OFFER, "ev_micros");
    private static final long PRICE = Native.at(Native.OFFER, "price");
    private static final long ID_LENGTH = Native.at(Native.OFFER, "id_length");
    private static final long ACCEPT = Native.at(Native.OFFER, "accept");
    private static final long ACCEPTANCE = Native.at(Native.OFFER, "accept_reason"); // may_need_confirmation behind it
    private static final long ID = Native.at(Native.OFFER, "id");
    private static final int ID_BYTES = 64;
    private static final long OFFER_BYTES = Native.OFFER.byteSize();

    private static final long SUMMARY_REASON = Native.at(Native.SUMMARY, "reason");
    private static final long SUMMARY_LONGS = Native.at(Native.SUMMARY, "decision_id_low");
    private static final long SUMMARY_OVERLAY = Native.at(Native.SUMMARY, "overlay_generation");
    private static final long SUMMARY_MODEL = Native.at(Native.SUMMARY, "model_generation");
    private static final long SUMMARY_COUNTS = Native.at(Native.SUMMARY, "retrieved");

    private int count;
    // item_kind, item_row, kind, position, third_party, relation, line, relevance, p_accept_ppm, p_select_ppm of each offer
    private final int[] ints = new int[Native.SLOTS_MAX * INTS];
    private final long[] longs = new long[Native.SLOTS_MAX * 3];
    private final int[] accepts = new int[Native.SLOTS_MAX];
    private final int[] acceptances = new int[Native.SLOTS_MAX * 2];
    private final byte[] ids = new byte[Native.SLOTS_MAX * ID_BYTES];
    private final int[] idLengths = new int[Native.SLOTS_MAX];
    private final int[] summaryInts = new int[8];
    private final long[] summaryLongs = new long[7];

    /** An empty one. */
    public Slate() {}

    /** How many offers there are, best first. 0: nothing belongs on the page, and {@link #reason} says why. */
    public int count() {
        return count;
    }

    /** Null = one that only a newer version of this binding knows. */
    public Kind kind(int offer) {
        return Kind.of(field(offer, 2));
    }

    /** Likewise. */
    public Relation relation(int offer) {
        return Relation.of(field(offer, 5));
    }

    /** How it may be accepted. Likewise. */
    public Accept accept(int offer) {
        return Accept.of(accepts[check(offer)]);
    }

    /** Why in that way and no shorter one. Likewise. */
    public Acceptance acceptance(int offer) {
        return Acceptance.of(acceptances[check(offer) * 2]);
    }

    /** Whether the customer's bank may want them to confirm the charge. */
    public boolean mayNeedConfirmation(int offer) {
        return acceptances[check(offer) * 2 + 1] != 0;
    }

    /** Whether it is sold or made by a third party. */
    public boolean thirdParty(int offer) {
        return field(offer, 4) != 0;
    }

    /** Index of the bought line behind it; -1 where no single line is. */
    public int line(int offer) {
        return field(offer, 6);
    }

    /** How well it fits what was bought, thousandths. */
    public int relevance(int offer) {
        return field(offer, 7);
    }

    /** Probability that the customer accepts it, parts per million. */
    public int acceptPpm(int offer) {
        return field(offer, 8);
    }

    /** Probability that the policy shows it in this slot, parts per million. */
    public int selectPpm(int offer) {
        return field(offer, 9);
    }

    /** What you earn when it is accepted, minor units. */
    public long value(int offer) {
        return longs[check(offer) * 3];
    }

    /** Expected contribution, millionths of a minor unit. */
    public long evMicros(int offer) {
        return longs[check(offer) * 3 + 1];
    }

    /** To the customer, as the live overlay has it, else the catalog; minor units, -1 = not known. */
    public long price(int offer) {
        return longs[check(offer) * 3 + 2];
    }

    /** Id in the feed: makes a string. */
    public String id(int offer) {
        return new String(ids, check(offer) * ID_BYTES, idLengths[offer], StandardCharsets.UTF_8);
    }

    /** Writes the id's UTF-8, at most 64 bytes, and returns how many. */
    public int copyId(int offer, byte[] to, int at) {
        System.arraycopy(ids, check(offer) * ID_BYTES, to, at, idLengths[offer]);
        return idLengths[offer];
    }

    /** Without offers: the number of the commonest reason. With offers: 0. */
    public int reason() {
        return summaryInts[0];
    }

    /** The same as records. */
    public Offers toOffers() {
        List<Offer> slate = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            slate.add(offer(i));
        }
        return new Offers(List.copyOf(slate), summaryInts[0], hex(summaryLongs[1]) + hex(summaryLongs[0]), summaryLongs[2],
                summaryLongs[3], summaryLongs[4], hex(summaryLongs[6]) + hex(summaryLongs[5]), summaryInts[7], summaryInts[1], summaryInts[2], summaryInts[3], summaryInts[4], summaryInts[5],
                summaryInts[6]);
    }

    /** One offer as a record. */
    public Offer offer(int i) {
        return new Offer(id(i), kind(i), relation(i), field(i, 3), line(i) < 0 ? OptionalInt.empty() : OptionalInt.of(line(i)),
                thirdParty(i), relevance(i), acceptPpm(i), selectPpm(i), value(i), evMicros(i),
                price(i) < 0 ? OptionalLong.empty() : OptionalLong.of(price(i)), accept(i), acceptance(i),
                mayNeedConfirmation(i), field(i, 0), field(i, 1));
    }

    void clear() {
        count = 0;
        Arrays.fill(summaryInts, 0);
        Arrays.fill(summaryLongs, 0);
    }

    /** Copies what C wrote. */
    void read(MemorySegment offers, int count, MemorySegment summary) {
        this.count = count;
        for (int i = 0; i < count; i++) {
            long from = i * OFFER_BYTES;
            MemorySegment.copy(offers, JAVA_INT, from, ints, i * INTS, INTS);
            longs[i * 3] = offers.get(JAVA_LONG, from + VALUE);
            longs[i * 3 + 1] = offers.get(JAVA_LONG, from + EV_MICROS);
            longs[i * 3 + 2] = offers.get(JAVA_LONG, from + PRICE);
            accepts[i] = offers.get(JAVA_INT, from + ACCEPT);
            MemorySegment.copy(offers, JAVA_INT, from + ACCEPTANCE, acceptances, i * 2, 2);
            idLengths[i] = Math.min(offers.get(JAVA_INT, from + ID_LENGTH), ID_BYTES);
            MemorySegment.copy(offers, JAVA_BYTE, from + ID, ids, i * ID_BYTES, idLengths[i]);
        }
        summaryInts[0] = summary.get(JAVA_INT, SUMMARY_REASON);
        MemorySegment.copy(summary, JAVA_LONG, SUMMARY_LONGS, summaryLongs, 0, 4);
        MemorySegment.copy(summary, JAVA_LONG, SUMMARY_OVERLAY, summaryLongs, 4, 3); // and the group's id
        summaryInts[7] = summary.get(JAVA_INT, SUMMARY_MODEL);
        MemorySegment.copy(summary, JAVA_INT, SUMMARY_COUNTS, summaryInts, 1, 6);
    }

    private int field(int offer, int which) {
        return ints[check(offer) * INTS + which];
    }

    private int check(int offer) {
        if (offer < 0 || offer >= count) {
            throw new IndexOutOfBoundsException(offer);
        }
        return offer;
    }

    private static String hex(long number) {
        return HexFormat.of().toHexDigits(number);
    }
}
