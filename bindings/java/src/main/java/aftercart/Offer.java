package aftercart;

import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * One offer of the slate.
 *
 * @param id in the feed
 * @param kind null = one that only a newer version of this binding knows
 * @param relation likewise
 * @param position on the page, from 0
 * @param line index of the bought line behind it; empty where no single line is
 * @param thirdParty sold or made by a third party
 * @param relevance how well it fits what was bought, thousandths
 * @param acceptPpm probability that the customer accepts it, parts per million
 * @param selectPpm probability that the policy shows it in this slot, parts per million
 * @param value what you earn when it is accepted, minor units
 * @param evMicros expected contribution, millionths of a minor unit
 * @param price to the customer, as the live overlay has it, else the catalog; minor units
 * @param accept how it may be accepted; null = in a way that only a newer version of this binding knows
 * @param acceptance why in that way and no shorter one; null likewise
 * @param mayNeedConfirmation the customer's bank may want them to confirm the charge
 * @param itemKind with {@code itemRow}: where its texts are in the catalog
 */
public record Offer(String id, Kind kind, Relation relation, int position, OptionalInt line, boolean thirdParty,
        int relevance, int acceptPpm, int selectPpm, long value, long evMicros, OptionalLong price, Accept accept,
        Acceptance acceptance, boolean mayNeedConfirmation, int itemKind, int itemRow) {}
