/**
 * The short way for questions that come again. The chain answers a question once; when the plugins that had a say in it
 * agree, the server keeps the encoded answer and repeats it to whoever sends the same question, without asking the chain.
 *
 * What the chain would have done is then done by what the plugins left behind: the one that made the answer (or keeps
 * it) says each time whether it still holds and counts the repetition (`Repeat`), and those that watch queries count it
 * (`Plugin.repeated`). A server block is served this way only when all its plugins say that they may be passed over
 * (`Plugin.repeats`), so that a plugin which looks at the client, or answers by chance, is always asked.
 */

/** The answer no longer holds: the chain must be asked again. */
export const over = -2;

/** The answer holds, and its TTLs are those of the first time. */
export const unchanged = -1;

export interface Repeat {
  /** For each repetition: `over`, `unchanged`, or what is left of the TTL in seconds. Counts what the chain would count. */
  again(): number;
  /** The serial of the SOA record at the moment, for answers that have one. */
  readonly serial?: () => number;
}

/** Counts one repetition: ms from its arrival, the client's address, and the bytes that came and went. */
export type CountRepetition = (elapsedMs: number, address: string, requestSize: number, responseSize: number) => void;

/** For those who have nothing to count of an answer. */
export const notCounted: CountRepetition = () => {};
