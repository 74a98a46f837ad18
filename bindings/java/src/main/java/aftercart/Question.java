package aftercart;

import java.util.List;

/**
 * The question that is worth asking.
 *
 * @param text what the customer reads
 * @param answers in the policy's order
 * @param gainMicros by how much the page is expected to be worth more, millionths of a minor unit
 * @param decisions decisions that were made to find out
 */
public record Question(String id, String text, List<Answer> answers, long gainMicros, int decisions) {
    /** The page shows the text; {@code Profile.Builder.answer(question.id(), tag)} says that it was given. */
    public record Answer(String tag, String text) {}
}
