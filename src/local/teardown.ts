/** Everything that was opened, in order; closed in reverse, also when opening the rest failed. */

/** `left`: milliseconds of grace that are left, for requests in flight. */
export type Close = (left: () => number) => unknown;

export interface Teardown {
  /** To be called as soon as there is something to close. */
  add(close: Close): void;
  /** Closes what was opened, the newest first. One that fails keeps no other open; its error is thrown at the end. */
  close(graceMs: number): Promise<void>;
}

export function createTeardown(): Teardown {
  const closers: Close[] = [];
  return {
    add: (close) => void closers.push(close),
    async close(graceMs) {
      const end = performance.now() + graceMs;
      const left = () => Math.max(0, end - performance.now());
      const errors: unknown[] = [];
      for (let close = closers.pop(); close; close = closers.pop()) {
        try {
          await close(left);
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}
