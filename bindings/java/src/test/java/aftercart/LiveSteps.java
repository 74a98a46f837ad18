package aftercart;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What live.txt asks for, one after the other, on one overlay. */
final class LiveSteps {
    private final Engine engine;
    private final Decider decider;
    private final Map<String, Lease> leases = new HashMap<>();
    private Offers offers;

    LiveSteps(Engine engine, Decider decider) {
        this.engine = engine;
        this.decider = decider;
    }

    String take(Conformance.Case one, String[] f) {
        StringBuilder text = new StringBuilder();
        try {
            step(one, f, text);
        } catch (AftercartException failed) {
            Conformance.row(text, f[0], failed.status);
        }
        return text.toString();
    }

    private void step(Conformance.Case one, String[] f, StringBuilder text) {
        switch (f[0]) {
            case "decide" -> {
                offers = decider.decide(one.order(), one.customer());
                text.append(Conformance.told(engine, offers));
                return;
            }
            case "set" -> engine.edit(List.of(change(f)), Long.parseLong(f[5]));
            case "look" -> {
                look(engine.look(ItemKind.values()[Integer.parseInt(f[1])], f[2], Long.parseLong(f[3])), text);
                return;
            }
            case "reserve" -> {
                Offer shown = offers.slate().stream().filter(offer -> offer.id().equals(f[2])).findFirst().orElseThrow();
                leases.put(f[1], Lease.of(engine.reserve(shown, Long.parseLong(f[3]), Long.parseLong(f[4])).toBytes()));
            }
            case "activate" -> engine.activate(leases.get(f[1]), Long.parseLong(f[2]));
            case "release" -> engine.release(leases.get(f[1]), Long.parseLong(f[2]));
            default -> {
                explain(decider.explain(one.order(), one.customer(), f[1]), text);
                return;
            }
        }
        Conformance.row(text, f[0], "OK");
    }

    private static Change change(String[] f) {
        Change change = Change.of(ItemKind.values()[Integer.parseInt(f[1])], f[2]);
        String value = f[4];
        if (value.isEmpty()) {
            return change.forget(Field.valueOf(f[3].toUpperCase()));
        }
        boolean yes = value.equals("1");
        return switch (f[3]) {
            case "stock" -> change.stock(Integer.parseInt(value));
            case "price" -> change.price(Long.parseLong(value.split(" ")[0]), Long.parseLong(value.split(" ")[1]));
            case "bid" -> change.bid(Long.parseLong(value));
            case "daily" -> change.daily(Long.parseLong(value));
            case "total" -> change.total(Long.parseLong(value));
            case "pacing" -> change.pacing(value);
            case "utc_offset" -> change.utcOffsetMinutes(Integer.parseInt(value));
            case "paused" -> change.paused(yes);
            case "killed" -> change.killed(yes);
            default -> change.money(yes);
        };
    }

    private static void look(LiveState s, StringBuilder text) {
        Conformance.row(text, "look", "OK", s.kind().code, s.paused() ? 1 : 0, s.killed() ? 1 : 0, s.stock().orElse(-1),
                s.utcOffsetMinutes(), s.money() ? 1 : 0, s.paced() ? 1 : 0, s.throttlePpm(), s.leases(), s.price().orElse(-1),
                s.pricedAtMs(), s.bid().orElse(-1), s.daily().orElse(-1), s.total().orElse(-1), s.spentToday(), s.spent(),
                s.held());
    }

    private static void explain(Explanation e, StringBuilder text) {
        Conformance.row(text, "explain", "OK", e.position().orElse(-1), e.relation() == null ? 0 : e.relation().code,
                e.line().orElse(-1), e.relevance(), e.acceptPpm(), e.evMicros(),
                e.reasons().stream().map(String::valueOf).collect(Collectors.joining(",")));
        e.rules().forEach(rule -> Conformance.row(text, "rule", rule));
        e.features().forEach(one -> Conformance.row(text, "feature", one.name(), one.value(), one.weight()));
    }
}
