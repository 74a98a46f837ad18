package aftercart;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** How many nanoseconds a decision of each request takes, for benches/bindings.rs. Arguments: a catalog, the requests. */
public final class Times {
    private Times() {}

    public static void main(String[] arguments) throws Exception {
        List<Conformance.Case> cases = Conformance.cases(Path.of(arguments[1]));
        Slate slate = new Slate();
        try (Engine engine = Engine.open(Path.of(arguments[0])); Decider decider = engine.newDecider()) {
            for (int i = 0; i < 20_000; i++) { // until it is compiled
                Conformance.Case one = cases.get(i % cases.size());
                decider.decide(one.order(), one.customer(), slate);
            }
            for (Conformance.Case one : cases) {
                long[] batches = new long[100];
                for (int batch = 0; batch < batches.length; batch++) {
                    long since = System.nanoTime();
                    for (int i = 0; i < 10; i++) {
                        decider.decide(one.order(), one.customer(), slate);
                    }
                    batches[batch] = (System.nanoTime() - since) / 10;
                }
                Arrays.sort(batches);
                System.out.println(batches[9]);
            }
        }
    }
}
