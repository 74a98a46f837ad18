package aftercart;

/** An answer to a question of a micro-survey. The tag {@code gift} suppresses refills. */
public record SurveyAnswer(String question, String tag) {}
