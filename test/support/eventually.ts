/** Waits until a condition holds, asking every few milliseconds; fails after five seconds with what was seen last. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean,
  timeoutMs = 5000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (performance.now() > deadline)
      throw new Error(`did not come to pass; last seen: ${JSON.stringify(seen)?.slice(0, 500)}`);
    await new Promise((resume) => setTimeout(resume, 5));
  }
}
