/** Answers in wire format by name and type, dropped when the Service that they come from changes. */
import type { ReadyAnswer } from '../wire/response.ts';

export interface ReadyAnswers {
  get(type: number, key: string): ReadyAnswer | undefined;
  /** Keeps an answer that belongs to `owner`. */
  put(owner: string, type: number, key: string, answer: ReadyAnswer): void;
  /** Forgets all answers of an owner. */
  drop(owner: string): void;
  readonly size: number;
}

/** `limit`: answers kept; the oldest goes first. */
export function createReadyAnswers(limit: number): ReadyAnswers {
  const answers = new Map<string, { readonly ready: ReadyAnswer; readonly owner: string }>();
  const owned = new Map<string, Set<string>>();

  function forget(id: string): void {
    const known = answers.get(id);
    if (!known) return;
    answers.delete(id);
    const ids = owned.get(known.owner);
    if (ids?.delete(id) && ids.size === 0) owned.delete(known.owner);
  }

  return {
    get: (type, key) => answers.get(idOf(type, key))?.ready,
    put(owner, type, key, ready) {
      const id = idOf(type, key);
      forget(id);
      for (const oldest of answers.keys()) {
        if (answers.size < limit) break;
        forget(oldest);
      }
      answers.set(id, { ready, owner });
      const ids = owned.get(owner);
      if (ids) ids.add(id);
      else owned.set(owner, new Set([id]));
    },
    drop(owner) {
      for (const id of owned.get(owner) ?? []) answers.delete(id);
      owned.delete(owner);
    },
    get size() {
      return answers.size;
    },
  };
}

/** Type as the first character: it has a fixed length, so that type and name cannot run together. */
function idOf(type: number, key: string): string {
  return String.fromCharCode(type) + key;
}
