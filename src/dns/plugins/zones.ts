/** Zones that a plugin or a part of it is for. */

import { zonesOf } from '../corefile/keys.ts';
import type { Line } from '../corefile/types.ts';
import { refuse } from '../corefile/values.ts';
import { foldCase, keyOfName } from '../wire/name.ts';
import type { Query } from '../wire/query.ts';

/** Canonical zones of words in a Corefile; networks become their reverse zones. */
export function zonesOfWords(line: Line, words: readonly string[]): string[] {
  return words.flatMap((word) => {
    const zones = zonesOf(word);
    return zones.ok ? zones.value : refuse(line, `${line.name}: ${zones.error}`);
  });
}

/** The zones named, or those of the server block. */
export function zonesOr(line: Line, words: readonly string[], block: readonly string[]): readonly string[] {
  return words.length > 0 ? zonesOfWords(line, words) : block;
}

/** Finds the longest zone that a name is in. */
export type ZoneMatcher = (key: string) => string | undefined;

/** `key`: as `Query.key`. */
export function createZoneMatcher(zones: readonly string[]): ZoneMatcher {
  const byKey = new Map(zones.map((zone) => [keyOfName(zone) ?? '', zone]));
  if (byKey.size === 1 && byKey.has('\0')) return () => zones[0];
  return (key) => {
    for (let at = 0; ; at += key.charCodeAt(at) + 1) {
      const zone = byKey.get(at === 0 ? key : key.slice(at));
      if (zone !== undefined || key.charCodeAt(at) === 0) return zone;
    }
  };
}

/** Whether a name in presentation form is in a zone. Both absolute. */
export function isInZone(name: string, zone: string): boolean {
  if (zone === '.') return true;
  const folded = foldCase(name);
  return folded === zone || folded.endsWith(`.${zone}`);
}

/** `fallthrough [ZONES]`: whether a query may go on to the next plugin. */
export type Fallthrough = (query: Query) => boolean;

export const neverFallThrough: Fallthrough = () => false;

export function fallthroughOf(line: Line): Fallthrough {
  const zones = line.args.length > 0 ? zonesOfWords(line, line.args) : ['.'];
  const match = createZoneMatcher(zones);
  return (query) => match(query.key) !== undefined;
}
