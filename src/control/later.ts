/** What takes a while to make, for those who cannot wait: asked for too early, it is there at another look. */

export interface Later<Key extends object, Value> {
  /** Undefined: it is being made, or could not be. The same for as long as the key lives. */
  of(key: Key): Value | undefined;
  /** Resolves when all is made that was asked for in vain; undefined: nothing is being made. Never rejects. */
  awaited(): Promise<unknown> | undefined;
}

/** What could not be made once is not tried again: whoever asks at every look would never come to an end. */
export function createLater<Key extends object, Value>(
  make: (key: Key) => Promise<Value>,
  onError: (error: unknown) => void,
): Later<Key, Value> {
  const made = new WeakMap<Key, { readonly value?: Value }>();
  const making = new Map<Key, Promise<void>>();

  async function work(key: Key): Promise<void> {
    try {
      made.set(key, { value: await make(key) });
    } catch (error) {
      made.set(key, {});
      onError(error);
    }
  }

  return {
    of(key) {
      const known = made.get(key);
      if (known) return known.value;
      if (!making.has(key))
        making.set(
          key,
          work(key).then(() => void making.delete(key)),
        );
      return undefined;
    },
    awaited: () => (making.size === 0 ? undefined : Promise.all(making.values())),
  };
}
