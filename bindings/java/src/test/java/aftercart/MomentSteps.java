package aftercart;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What moments.txt asks for. */
final class MomentSteps {
    private final Engine engine;
    private final Decider decider;
    private final Programmes programmes;
    private String token = "";

    MomentSteps(Engine engine, Decider decider) {
        programmes = new Programmes(engine, Conformance.FOLDER.resolve("programmes.toml"));
        this.engine = engine;
        this.decider = decider;
    }

    String take(Conformance.Case one, String[] f) {
        StringBuilder text = new StringBuilder();
        try {
            step(one, f, text);
        } catch (AftercartException failed) {
            Conformance.row(text, f[0].equals("rank_payment") ? "ranked" : f[0].equals("sign") ? "token" : f[0].equals("verify") ? "claim" : f[0], failed.status);
        }
        return text.toString();
    }

    private void step(Conformance.Case one, String[] f, StringBuilder text) {
        switch (f[0]) {
            case "model" -> {
                decider.use(engine.withModel(Conformance.FOLDER.resolve("model.bin"), f[1].equals("1")));
                Conformance.row(text, "model", "OK");
            }
            case "page" -> page(decider.decide(one.order(), one.customer()), text);
            case "ask" -> ask(decider.nextQuestion(one.order(), one.customer()), text);
            case "rank_payment" -> ranked(decider.rankPaymentMethods(one.order(), one.customer(),
                    beside(one, "pay").map(o -> new PaymentOption(o[1], "1".equals(o[2]))).toList(),
                    new PaymentFacts(uses(one), beside(one, "usual").map(o -> new PaymentFacts.Count(o[1], o[2],
                            Device.values()[Integer.parseInt(o[3])], Long.parseLong(o[4]), Integer.parseInt(o[5]))).toList(),
                            Device.values()[Integer.parseInt(f[1])])), text);
            case "rank_shipping" -> ranked(decider.rankShippingOptions(one.order(), one.customer(), beside(one, "ship")
                    .map(o -> new ShippingOption(o[1], Long.parseLong(o[2]), Long.parseLong(o[3]))).toList(), uses(one)), text);
            case "prefill" -> {
                Conformance.row(text, "prefilled", "OK");
                for (Prefilled of : Prefilled.of(one.order(), beside(one, "stored").map(o -> new Prefilled.Stored(
                        Integer.parseInt(o[1]), Integer.parseInt(o[2]), o[3], Integer.parseInt(o[4]), Long.parseLong(o[5]))).toList())) {
                    Conformance.row(text, "field", of.field(), of.slot(), of.confidencePpm(), of.because().code);
                }
            }
            case "follow_ups" -> {
                Conformance.row(text, "follow_ups", "OK");
                for (FollowUp of : decider.planFollowUps(programmes, one.order(), one.customer(), Long.parseLong(f[1]),
                        beside(one, "contacted").map(o -> Long.valueOf(o[1])).toList())) {
                    Conformance.row(text, "message", of.programme(), of.template(), of.contentId(), of.kind().code, of.channel().code,
                            of.withheld().map(why -> why.code).orElse(0), of.atMs(), of.expiresAtMs(), of.line(), engine.title(of),
                            of.dueDays().orElse(-1), of.ownIntervals());
                }
            }
            case "event" -> Conformance.row(text, "event", "OK", event(f).json());
            case "sign" -> {
                token = key(f[1]).sign(new Claim(f[2], f[3], Long.parseLong(f[4]), f[5], Integer.parseInt(f[6]),
                        Long.parseLong(f[7]), ""));
                Conformance.row(text, "token", "OK", token);
            }
            default -> {
                Claim c = key(f[1]).verify(f[2].isEmpty() ? token : f[2], f[3], Long.parseLong(f[4]), Long.parseLong(f[5]));
                Conformance.row(text, "claim", "OK", c.decisionId(), c.itemId(), c.price(), c.currency(), c.quantity(),
                        c.expiresAtMs(), c.idempotencyKey());
            }
        }
    }

    private static LogEvent event(String[] f) {
        String[] x = java.util.Arrays.copyOf(f, 12);
        LogEvent event = LogEvent.of(EventKind.values()[Integer.parseInt(x[1]) - 1], x[2], x[3], Long.parseLong(x[4]))
                .withItem(given(x[5])).withCode(given(x[9])).withAnswer(given(x[10]), given(x[11]));
        event = given(x[6]).isEmpty() ? event : event.withValue(Long.parseLong(x[6]));
        event = given(x[7]).isEmpty() ? event : event.withMargin(Long.parseLong(x[7]));
        return given(x[8]).isEmpty() ? event : event.withPayout(Long.parseLong(x[8]));
    }

    private static String given(String field) {
        return field == null ? "" : field;
    }

    private static Stream<String[]> beside(Conformance.Case one, String... words) {
        return one.beside().stream().filter(f -> List.of(words).contains(f[0]));
    }

    private static List<Use> uses(Conformance.Case one) {
        return beside(one, "used", "failed").map(o -> new Use(o[1], Long.parseLong(o[2]), o[0].equals("failed"))).toList();
    }

    private static void ranked(List<Ranked> ranking, StringBuilder text) {
        Conformance.row(text, "ranked", "OK");
        ranking.forEach(of -> Conformance.row(text, "option", of.option(), of.because().code));
    }

    private static TokenKey key(String secret) {
        return new TokenKey(secret.getBytes(StandardCharsets.UTF_8));
    }

    private static void page(Offers o, StringBuilder text) {
        Conformance.row(text, "page", o.slate().isEmpty() ? "NO_OFFERS" : "OK", o.groupId(), o.modelGeneration());
        for (Offer x : o.slate()) {
            Conformance.row(text, "accept", x.id(), x.accept().code, x.acceptance().code, x.mayNeedConfirmation() ? 1 : 0,
                    x.acceptPpm());
        }
    }

    private static void ask(Optional<Question> asked, StringBuilder text) {
        if (asked.isEmpty()) {
            Conformance.row(text, "question", "NO_QUESTION");
            return;
        }
        Question q = asked.get();
        Conformance.row(text, "question", "OK", q.id(), q.text(), q.gainMicros(), q.decisions());
        q.answers().forEach(answer -> Conformance.row(text, "answer", answer.tag(), answer.text()));
    }
}
