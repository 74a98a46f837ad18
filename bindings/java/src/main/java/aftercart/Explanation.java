package aftercart;

import java.util.List;
import java.util.OptionalInt;

/**
 * Everything that speaks for and against one product or offer.
 *
 * @param position on the page; empty = not shown
 * @param reasons why it is not shown, by number
 * @param rules of the policy that refuse it
 * @param relation null = nothing leads to it
 * @param line index of the bought line behind it
 * @param features of the score, for products
 */
public record Explanation(OptionalInt position, List<Integer> reasons, List<String> rules, Relation relation, OptionalInt line,
        int relevance, int acceptPpm, long evMicros, List<Feature> features) {

    /** What one feature adds to the score of a product: thousandths of a nat. */
    public record Feature(String name, int value, int weight) {}

    /** What the reasons say, in one English line each. */
    public List<String> reasonTexts() {
        return reasons.stream().map(Native::reasonText).toList();
    }
}
