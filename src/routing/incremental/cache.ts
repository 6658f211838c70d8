/**
 * What earlier translations of one store leave to later ones. A translation with an empty cache is one from scratch,
 * and its result is the same: a cache only spares work, and lets what did not change keep its object identity.
 */
export interface TranslationCache {
  /** The part that `make` makes: the same one for as long as the cache lives. */
  of<T>(make: () => T): T;
}

/** One for each store. It must be thrown away when a translation that used it has thrown. */
export function createTranslationCache(): TranslationCache {
  const parts = new Map<() => unknown, unknown>();
  return {
    of<T>(make: () => T): T {
      if (!parts.has(make)) parts.set(make, make());
      return parts.get(make) as T;
    },
  };
}
