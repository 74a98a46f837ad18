package aftercart;

/**
 * Where an option goes.
 *
 * @param option index into the options
 * @param because null = a reason that only a newer version of this binding knows
 */
public record Ranked(int option, Because because) {}
