package aftercart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The requests that every language answers: tests/conformance of the repository. */
final class Conformance {
    static final Path FOLDER = Path.of("../../tests/conformance");

    record Case(String name, Transaction order, Profile customer, List<String[]> steps, List<String[]> beside) {}

    private static final List<String> STEPS = List.of("decide", "set", "look", "reserve", "activate", "release", "explain",
            "model", "page", "ask", "sign", "verify", "rank_payment", "rank_shipping", "prefill", "follow_ups", "event");
    private static final List<String> BESIDE = List.of("used", "failed", "pay", "ship", "usual", "stored", "contacted");

    private Conformance() {}

    /** Reads the requests, whose grammar is at the top of the file. */
    static List<Case> cases(Path file) throws IOException {
        List<Case> cases = new ArrayList<>();
        String name = null;
        Transaction.Builder order = null;
        Profile.Builder customer = null;
        List<String[]> steps = new ArrayList<>();
        List<String[]> beside = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            String[] f = Arrays.copyOf(line.split("\t", -1), 12);
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            if (f[0].equals("case")) {
                if (name != null) {
                    cases.add(new Case(name, order.build(), customer.build(), steps, beside));
                }
                steps = new ArrayList<>();
                beside = new ArrayList<>();
                name = f[1];
                order = Transaction.builder();
                customer = Profile.builder();
            } else if (BESIDE.contains(f[0])) {
                beside.add(f);
            } else if (STEPS.contains(f[0])) {
                steps.add(f);
            } else if (!transaction(order, f) && !profile(customer, f)) {
                throw new IllegalArgumentException(f[0]);
            }
        }
        cases.add(new Case(name, order.build(), customer.build(), steps, beside));
        return cases;
    }

    private static boolean transaction(Transaction.Builder order, String[] f) {
        switch (f[0]) {
            case "order_id" -> order.orderId(f[1]);
            case "created_at_ms" -> order.createdAtMs(Long.parseLong(f[1]));
            case "value" -> order.value(Long.parseLong(f[1]));
            case "currency" -> order.currency(f[1]);
            case "country" -> order.country(f[1]);
            case "stage" -> order.stage(Stage.values()[number(f[1])]);
            case "slots" -> order.slots(number(f[1]));
            case "min_relevance" -> order.minRelevance(number(f[1]));
            case "payment" -> order.payment(Payment.values()[number(f[1])]);
            case "rechargeable" -> order.rechargeable(number(f[1]) == 2);
            case "placement" -> order.placement(f[1]);
            case "order_tag" -> order.tag(f[1]);
            case "is_gift" -> order.gift();
            case "is_test" -> order.test();
            case "first_purchases" -> order.firstPurchases();
            case "line" -> {
                Line line = Line.of(f[1], number(f[4])).like(text(f[2]), text(f[3]));
                line = text(f[5]).isEmpty() ? line : line.at(Long.parseLong(f[5]));
                order.line(new Line(line.itemId(), line.category(), line.brand(), line.quantity(), line.unitPrice(),
                        Role.values()[number(f[6])], Sensitive.values()[number(f[7])]));
            }
            case "lines" -> {
                for (int i = 1; i <= number(f[1]); i++) {
                    order.line(f[2] + "-" + i);
                }
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static boolean profile(Profile.Builder customer, String[] f) {
        switch (f[0]) {
            case "customer" -> customer.customer(Customer.values()[number(f[1])]);
            case "age_band" -> customer.ageBand(AgeBand.values()[number(f[1])]);
            case "loyalty_member" -> customer.loyaltyMember(number(f[1]) == 2);
            case "has_app" -> customer.hasApp(number(f[1]) == 2);
            case "loyalty_tier" -> customer.loyaltyTier(f[1]);
            case "orders" -> customer.orders(number(f[1]));
            case "segment" -> customer.segment(f[1]);
            case "opt_out_third_party" -> customer.optOutThirdParty();
            case "unit_key" -> customer.unitKey(Long.parseUnsignedLong(f[1]), Long.parseUnsignedLong(f[2]));
            case "session_key" -> customer.sessionKey(Long.parseUnsignedLong(f[1]), Long.parseUnsignedLong(f[2]));
            case "purchase" -> customer.purchase(f[1], Long.parseLong(f[2]));
            case "purchases" -> {
                for (int i = 1; i <= number(f[1]); i++) {
                    customer.purchase(f[2] + "-" + i, 0);
                }
            }
            case "decline" -> customer.decline(f[1], Long.parseLong(f[2]));
            case "consent" -> customer.consent(consent(customer.build().consent(), number(f[1]), f[2].equals("2")));
            case "gpc" -> {
                Consent said = customer.build().consent();
                customer.consent(new Consent(said.preferences(), said.analytics(), said.marketing(), said.saleOfData(), true));
            }
            case "shown", "engaged", "accepted" ->
                customer.exposure(f[1], Exposure.valueOf(f[0].toUpperCase()), Long.parseLong(f[2]));
            case "asked" -> customer.asked(f[1], Long.parseLong(f[2]));
            case "answer" -> customer.answer(f[1], f[2]);
            case "opt_out_category" -> customer.optOutCategory(f[1]);
            case "cart_removed" -> customer.cartRemoved(f[1]);
            case "expect" -> { }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static Consent consent(Consent said, int purpose, Boolean granted) {
        return new Consent(purpose == 0 ? granted : said.preferences(), purpose == 1 ? granted : said.analytics(),
                purpose == 2 ? granted : said.marketing(), purpose == 3 ? granted : said.saleOfData(), said.gpc());
    }

    private static String text(String field) {
        return field == null ? "" : field;
    }

    private static int number(String field) {
        return text(field).isEmpty() ? 0 : Integer.parseInt(field);
    }

    /** The answer in the form of offers.txt. */
    static String answer(Engine engine, Decider decider, Case one) {
        Offers o;
        try {
            o = decider.decide(one.order(), one.customer());
        } catch (AftercartException failed) {
            return "status\t" + failed.status + "\n";
        }
        return told(engine, o);
    }

    static String told(Engine engine, Offers o) {
        StringBuilder text = new StringBuilder();
        row(text, "status", o.slate().isEmpty() ? "NO_OFFERS" : "OK", o.reason(), o.decisionId(), hex(o.indexGeneration()),
                hex(o.policyGeneration()), o.retrieved(), o.eligible(), o.rejected(), o.centroids(), o.cells(), o.compared());
        for (Offer x : o.slate()) {
            row(text, "offer", x.id(), x.itemKind(), x.itemRow(), x.kind().code, x.position(), x.thirdParty() ? 1 : 0,
                    x.relation().code, x.line().orElse(-1), x.relevance(), x.acceptPpm(), x.selectPpm(), x.value(),
                    x.evMicros(), x.price().orElse(-1), x.accept().code, engine.title(x), engine.category(x), engine.partner(x));
        }
        return text.toString();
    }

    static void row(StringBuilder text, Object... fields) {
        for (int i = 0; i < fields.length; i++) {
            text.append(i == 0 ? "" : "\t").append(fields[i]);
        }
        text.append('\n');
    }

    private static String hex(long number) {
        return "%016x".formatted(number);
    }
}
