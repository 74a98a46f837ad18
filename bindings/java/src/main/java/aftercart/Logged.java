package aftercart;

/**
 * What became of the decisions of a decider since it logs.
 *
 * @param logs whether it does
 * @param made logged and dropped
 * @param logged in the ring, or in files
 * @param dropped lost, since the ring was full
 * @param drained of those logged, the ones that were put into files
 */
public record Logged(boolean logs, long made, long logged, long dropped, long drained) {}
