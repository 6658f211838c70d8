/** Counters of one reflector: plain numbers, read by whoever exports metrics. */
import type { WatchEventType } from './watch.ts';

export interface ReflectorMetrics {
  /** Lists that came to their end. */
  lists: number;
  /** Lists after the first one: what a watch could not bridge. */
  relists: number;
  pages: number;
  /** Lists that broke off and began anew. */
  listFailures: number;
  /** Watches that were opened. */
  watches: number;
  /** Watches that ended otherwise than by the server's own choice. */
  watchFailures: number;
  readonly events: Record<WatchEventType, number>;
  /** Lines that a cut left incomplete; the next watch brings them again. */
  halfLines: number;
  /** Lines that were no events, and lines over the bound; each leads to a new list. */
  garbageLines: number;
  longLines: number;
  /** Objects that the projection failed on; they are left out. */
  projectionFailures: number;
  /** Bytes of lists and watches, as received. */
  bytes: number;
  /** Objects in the mirror. */
  objects: number;
  /** Most objects held at one time: those of the mirror and the one that was being read. */
  peakObjects: number;
  /** Milliseconds since the epoch of the last byte from the server; its age is how old the mirror may be. 0: none yet. */
  lastContact: number;
}

export function createReflectorMetrics(): ReflectorMetrics {
  return {
    lists: 0,
    relists: 0,
    pages: 0,
    listFailures: 0,
    watches: 0,
    watchFailures: 0,
    events: { ADDED: 0, MODIFIED: 0, DELETED: 0, BOOKMARK: 0 },
    halfLines: 0,
    garbageLines: 0,
    longLines: 0,
    projectionFailures: 0,
    bytes: 0,
    objects: 0,
    peakObjects: 0,
    lastContact: 0,
  };
}
