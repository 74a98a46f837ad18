package aftercart;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Questions and models: the calls, and reading what they write. */
final class Moments {
    private static final int ID = 1;
    private static final int TITLE = 2;

    private Moments() {}

    static MemorySegment withModel(Engine engine, String path, boolean shadow) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment error = Overlay.sized(call, Native.ERROR);
            MemorySegment name = Overlay.utf8(call, path);
            MemorySegment out = call.allocate(ADDRESS);
            int status = engine.with(handle -> (int) Native.ENGINE_WITH_MODEL.invokeExact(handle, name, name.byteSize(),
                    shadow ? 1 : 0, out, error));
            if (status < 0) {
                throw new AftercartException(error);
            }
            return out.get(ADDRESS, 0);
        }
    }

    static Optional<Question> nextQuestion(Arena call, Engine engine, MemorySegment decider, Request r) {
        MemorySegment question = Overlay.sized(call, Native.QUESTION);
        int status;
        try {
            status = (int) Native.NEXT_QUESTION.invokeExact(decider, r.transaction, r.profile, r.lines, Native.LINE.byteSize(),
                    r.lineCount, r.facts, Native.FACT.byteSize(), r.factCount, r.strings, (long) r.length, question);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible); // the C library throws nothing
        }
        if (status < 0) {
            throw new AftercartException(Status.of(status));
        }
        return status > 0 ? Optional.empty() : Optional.of(read(engine, question));
    }

    private static Question read(Engine engine, MemorySegment from) {
        int first = number(from, "answer_row");
        List<Question.Answer> answers = new ArrayList<>();
        for (int row = first; row < first + number(from, "answer_count"); row++) {
            answers.add(new Question.Answer(engine.text(ItemKind.ANSWER.code, row, ID), engine.text(ItemKind.ANSWER.code, row, TITLE)));
        }
        int row = number(from, "row");
        return new Question(engine.text(ItemKind.QUESTION.code, row, ID), engine.text(ItemKind.QUESTION.code, row, TITLE),
                List.copyOf(answers), from.get(JAVA_LONG, Native.at(Native.QUESTION, "gain_micros")), number(from, "decisions"));
    }

    private static int number(MemorySegment from, String field) {
        return from.get(JAVA_INT, Native.at(Native.QUESTION, field));
    }

    /** A code of three letters. */
    static String code(MemorySegment from, long at) {
        return new String(from.asSlice(at, 3).toArray(JAVA_BYTE), StandardCharsets.US_ASCII);
    }
}
