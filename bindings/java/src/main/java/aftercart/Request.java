package aftercart;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.util.Arrays;
import java.util.List;

/** A request as C reads it, and room for the answer: memory of one decider, for its whole life. */
final class Request {
    private static final long LINE_BYTES = Native.LINE.byteSize();
    private static final long FACT_BYTES = Native.FACT.byteSize();

    private final Arena arena;
    final MemorySegment transaction;
    final MemorySegment profile;
    final MemorySegment lines;
    final MemorySegment facts;
    final MemorySegment offers;
    final MemorySegment summary;
    final MemorySegment count;
    MemorySegment strings;
    long lineCount;
    long factCount;
    int length;
    private byte[] utf8 = new byte[4096];

    Request(Arena arena) {
        this.arena = arena;
        transaction = sized(Native.TRANSACTION);
        profile = sized(Native.PROFILE);
        summary = sized(Native.SUMMARY);
        lines = arena.allocate(Native.LINE, Native.LINES_MAX);
        facts = arena.allocate(Native.FACT, Native.FACTS_MAX);
        offers = arena.allocate(Native.OFFER, Native.SLOTS_MAX);
        count = arena.allocate(JAVA_LONG);
        strings = arena.allocate(utf8.length);
    }

    /** Writes a request over the one before. */
    void pack(Transaction order, Profile customer) {
        pack(order, customer, List.of());
        finish();
    }

    /** Likewise, with uses; texts may follow before it is finished. */
    void pack(Transaction order, Profile customer, List<Use> uses) {
        lineCount = order.lines().size();
        factCount = 0;
        length = 0;
        if (lineCount > Native.LINES_MAX) {
            throw new AftercartException(Status.TOO_MANY_LINES);
        }
        if (customer.factCount() + order.tags().size() + uses.size() > Native.FACTS_MAX) {
            throw new AftercartException(Status.TOO_MANY_FACTS);
        }
        pack(order);
        List<Line> bought = order.lines();
        for (int i = 0; i < lineCount; i++) {
            pack(bought.get(i), i * LINE_BYTES);
        }
        pack(customer);
        List<String> tags = order.tags();
        for (int i = 0; i < tags.size(); i++) {
            fact(ORDER_TAG, tags.get(i), 0, "");
        }
        for (int i = 0; i < uses.size(); i++) {
            fact(uses.get(i).failed() ? FAILED : USED, uses.get(i).id(), uses.get(i).atMs(), "");
        }
    }

    /** Likewise, with messages that the customer gets. */
    void packContacts(Transaction order, Profile customer, List<Long> contactedAtMs) {
        pack(order, customer, List.of());
        if (factCount + contactedAtMs.size() > Native.FACTS_MAX) {
            throw new AftercartException(Status.TOO_MANY_FACTS);
        }
        for (long at : contactedAtMs) {
            fact(CONTACTED, "", at, "");
        }
        finish();
    }

    /** Puts the texts where C reads them. */
    void finish() {
        if (length > strings.byteSize()) {
            strings = arena.allocate(utf8.length); // what was there before goes with the arena: it doubles, so not much
        }
        MemorySegment.copy(utf8, 0, strings, JAVA_BYTE, 0, length);
    }

    private static final long T_FLAGS = Native.at(Native.TRANSACTION, "flags");
    private static final long T_CREATED_AT = Native.at(Native.TRANSACTION, "created_at_ms");
    private static final long T_VALUE = Native.at(Native.TRANSACTION, "value");
    private static final long T_ORDER_ID = Native.at(Native.TRANSACTION, "order_id");
    private static final long T_CURRENCY = Native.at(Native.TRANSACTION, "currency");
    private static final long T_COUNTRY = Native.at(Native.TRANSACTION, "country");
    private static final long T_STAGE = Native.at(Native.TRANSACTION, "stage");
    private static final long T_SLOTS = Native.at(Native.TRANSACTION, "slots");
    private static final long T_MIN_RELEVANCE = Native.at(Native.TRANSACTION, "min_relevance");
    private static final long T_PAYMENT = Native.at(Native.TRANSACTION, "payment");
    private static final long T_RECHARGEABLE = Native.at(Native.TRANSACTION, "rechargeable");
    private static final long T_PLACEMENT = Native.at(Native.TRANSACTION, "placement");

    static final int HAS_VALUE = 1;
    static final int HAS_MIN_RELEVANCE = 2;
    static final int IS_GIFT = 4;
    static final int IS_TEST = 8;
    static final int FIRST_PURCHASES = 16;

    private void pack(Transaction order) {
        transaction.set(JAVA_INT, T_FLAGS, (order.value().isPresent() ? HAS_VALUE : 0)
                | (order.minRelevance().isPresent() ? HAS_MIN_RELEVANCE : 0)
                | (order.isGift() ? IS_GIFT : 0)
                | (order.isTest() ? IS_TEST : 0)
                | (order.firstPurchases() ? FIRST_PURCHASES : 0));
        transaction.set(JAVA_LONG, T_CREATED_AT, order.createdAtMs());
        transaction.set(JAVA_LONG, T_VALUE, order.value().orElse(0));
        text(transaction, T_ORDER_ID, order.orderId());
        code(T_CURRENCY, order.currency());
        code(T_COUNTRY, order.country());
        transaction.set(JAVA_INT, T_STAGE, order.stage().code);
        transaction.set(JAVA_INT, T_SLOTS, order.slots());
        transaction.set(JAVA_INT, T_MIN_RELEVANCE, order.minRelevance().orElse(0));
        transaction.set(JAVA_INT, T_PAYMENT, order.payment().code);
        transaction.set(JAVA_INT, T_RECHARGEABLE, known(order.rechargeable()));
        text(transaction, T_PLACEMENT, order.placement());
    }

    private static final long L_ITEM_ID = Native.at(Native.LINE, "item_id");
    private static final long L_CATEGORY = Native.at(Native.LINE, "category");
    private static final long L_BRAND = Native.at(Native.LINE, "brand");
    private static final long L_UNIT_PRICE = Native.at(Native.LINE, "unit_price");
    private static final long L_QUANTITY = Native.at(Native.LINE, "quantity");
    private static final long L_ROLE = Native.at(Native.LINE, "role");
    private static final long L_SENSITIVE = Native.at(Native.LINE, "sensitive");
    private static final long L_FLAGS = Native.at(Native.LINE, "flags");

    static final int HAS_UNIT_PRICE = 1;

    private void pack(Line line, long at) {
        text(lines, at + L_ITEM_ID, line.itemId());
        text(lines, at + L_CATEGORY, line.category());
        text(lines, at + L_BRAND, line.brand());
        lines.set(JAVA_LONG, at + L_UNIT_PRICE, line.unitPrice().orElse(0));
        lines.set(JAVA_INT, at + L_QUANTITY, unsigned(line.quantity()));
        lines.set(JAVA_INT, at + L_ROLE, line.role().code);
        lines.set(JAVA_INT, at + L_SENSITIVE, line.sensitive().code);
        lines.set(JAVA_INT, at + L_FLAGS, line.unitPrice().isPresent() ? HAS_UNIT_PRICE : 0);
    }

    private static final long P_FLAGS = Native.at(Native.PROFILE, "flags");
    private static final long P_CUSTOMER = Native.at(Native.PROFILE, "customer");
    private static final long P_AGE_BAND = Native.at(Native.PROFILE, "age_band");
    private static final long P_LOYALTY_MEMBER = Native.at(Native.PROFILE, "loyalty_member");
    private static final long P_HAS_APP = Native.at(Native.PROFILE, "has_app");
    private static final long P_UNIT_KEY = Native.at(Native.PROFILE, "unit_key");
    private static final long P_SESSION_KEY = Native.at(Native.PROFILE, "session_key");
    private static final long P_LOYALTY_TIER = Native.at(Native.PROFILE, "loyalty_tier");
    private static final long P_ASKED = Native.at(Native.PROFILE, "purposes_asked");
    private static final long P_GRANTED = Native.at(Native.PROFILE, "purposes_granted");
    private static final long P_ORDERS = Native.at(Native.PROFILE, "orders");

    static final int OPT_OUT_THIRD_PARTY = 1;
    static final int HAS_ORDERS = 2;
    static final int GPC = 4;

    static final int PURCHASE = 1;
    static final int DECLINE = 2;
    static final int ANSWER = 3;
    static final int OPT_OUT_CATEGORY = 4;
    static final int CART_REMOVED = 5;
    static final int ORDER_TAG = 6;
    static final int SEGMENT = 7;
    static final int ASKED = 11;
    static final int USED = 12;
    static final int FAILED = 13;
    static final int CONTACTED = 14;

    private void pack(Profile customer) {
        profile.set(JAVA_INT, P_FLAGS, (customer.optOutThirdParty() ? OPT_OUT_THIRD_PARTY : 0)
                | (customer.orders().isPresent() ? HAS_ORDERS : 0)
                | (customer.consent().gpc() ? GPC : 0));
        profile.set(JAVA_INT, P_ASKED, customer.consent().asked());
        profile.set(JAVA_INT, P_GRANTED, customer.consent().granted());
        profile.set(JAVA_INT, P_ORDERS, unsigned(customer.orders().orElse(0)));
        text(profile, P_LOYALTY_TIER, customer.loyaltyTier());
        profile.set(JAVA_INT, P_CUSTOMER, customer.customer().code);
        profile.set(JAVA_INT, P_AGE_BAND, customer.ageBand().code);
        profile.set(JAVA_INT, P_LOYALTY_MEMBER, known(customer.loyaltyMember()));
        profile.set(JAVA_INT, P_HAS_APP, known(customer.hasApp()));
        profile.set(JAVA_LONG, P_UNIT_KEY, customer.unitKey().low());
        profile.set(JAVA_LONG, P_UNIT_KEY + 8, customer.unitKey().high());
        profile.set(JAVA_LONG, P_SESSION_KEY, customer.sessionKey().low());
        profile.set(JAVA_LONG, P_SESSION_KEY + 8, customer.sessionKey().high());
        List<Event> events = customer.purchases();
        for (int i = 0; i < events.size(); i++) {
            fact(PURCHASE, events.get(i).id(), events.get(i).atMs(), "");
        }
        events = customer.declines();
        for (int i = 0; i < events.size(); i++) {
            fact(DECLINE, events.get(i).id(), events.get(i).atMs(), "");
        }
        events = customer.asked();
        for (int i = 0; i < events.size(); i++) {
            fact(ASKED, events.get(i).id(), events.get(i).atMs(), "");
        }
        List<Exposed> exposures = customer.exposures();
        for (int i = 0; i < exposures.size(); i++) {
            fact(exposures.get(i).event().code, exposures.get(i).id(), exposures.get(i).atMs(), "");
        }
        List<SurveyAnswer> answers = customer.answers();
        for (int i = 0; i < answers.size(); i++) {
            fact(ANSWER, answers.get(i).question(), 0, answers.get(i).tag());
        }
        List<String> texts = customer.optOutCategories();
        for (int i = 0; i < texts.size(); i++) {
            fact(OPT_OUT_CATEGORY, texts.get(i), 0, "");
        }
        texts = customer.cartRemoved();
        for (int i = 0; i < texts.size(); i++) {
            fact(CART_REMOVED, texts.get(i), 0, "");
        }
        texts = customer.segments();
        for (int i = 0; i < texts.size(); i++) {
            fact(SEGMENT, texts.get(i), 0, "");
        }
    }

    private static final long F_KIND = Native.at(Native.FACT, "kind");
    private static final long F_AT_MS = Native.at(Native.FACT, "at_ms");
    private static final long F_ID = Native.at(Native.FACT, "id");
    private static final long F_TAG = Native.at(Native.FACT, "tag");

    private void fact(int kind, String id, long atMs, String tag) {
        long at = factCount++ * FACT_BYTES;
        facts.set(JAVA_INT, at + F_KIND, kind);
        facts.set(JAVA_LONG, at + F_AT_MS, atMs);
        text(facts, at + F_ID, id);
        if (tag.isEmpty()) { // as nearly always
            facts.set(JAVA_LONG, at + F_TAG, 0);
        } else {
            text(facts, at + F_TAG, tag);
        }
    }

    /** Encodes a text and writes where it is. As in String.getBytes, half a character becomes a question mark. */
    void text(MemorySegment to, long at, String text) {
        int start = length;
        int chars = text.length();
        if (utf8.length - start < 3L * chars) {
            long more = 2L * start + 3L * chars;
            if (more > Integer.MAX_VALUE - 8) {
                throw new AftercartException(Status.BAD_STRING); // no array is that long
            }
            utf8 = Arrays.copyOf(utf8, (int) more);
        }
        byte[] bytes = utf8;
        int end = start;
        for (int i = 0; i < chars; i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                bytes[end++] = (byte) c;
            } else if (c < 0x800) {
                bytes[end++] = (byte) (0xC0 | c >> 6);
                bytes[end++] = (byte) (0x80 | c & 0x3F);
            } else if (!Character.isSurrogate(c)) {
                bytes[end++] = (byte) (0xE0 | c >> 12);
                bytes[end++] = (byte) (0x80 | c >> 6 & 0x3F);
                bytes[end++] = (byte) (0x80 | c & 0x3F);
            } else if (Character.isHighSurrogate(c) && i + 1 < chars && Character.isLowSurrogate(text.charAt(i + 1))) {
                int point = Character.toCodePoint(c, text.charAt(++i));
                bytes[end++] = (byte) (0xF0 | point >> 18);
                bytes[end++] = (byte) (0x80 | point >> 12 & 0x3F);
                bytes[end++] = (byte) (0x80 | point >> 6 & 0x3F);
                bytes[end++] = (byte) (0x80 | point & 0x3F);
            } else {
                bytes[end++] = '?';
            }
        }
        length = end;
        to.set(JAVA_INT, at, start);
        to.set(JAVA_INT, at + 4, end - start);
    }

    /** A short code of ASCII letters, which C checks. */
    private void code(long at, String code) {
        if (code.length() > 4) {
            throw new AftercartException(Status.BAD_VALUE);
        }
        for (int i = 0; i < 4; i++) {
            char c = i < code.length() ? code.charAt(i) : 0;
            transaction.set(JAVA_BYTE, at + i, c < 0x80 ? (byte) c : (byte) '?');
        }
    }

    /** C would take a negative number for a large one. */
    static int unsigned(int number) {
        if (number < 0) {
            throw new AftercartException(Status.BAD_VALUE);
        }
        return number;
    }

    static int known(Boolean answer) {
        return answer == null ? 0 : answer ? 2 : 1;
    }

    private MemorySegment sized(StructLayout layout) {
        MemorySegment struct = arena.allocate(layout);
        struct.set(JAVA_INT, 0, (int) layout.byteSize());
        return struct;
    }
}
