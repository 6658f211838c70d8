/** Tells of each finding once for as long as it holds. */
import type { Diagnostic } from '../../base/diagnostics/index.ts';

export function createTeller(tell: (finding: Diagnostic) => void): (now: readonly Diagnostic[]) => void {
  let told = new Set<string>();
  return (now) => {
    const keys = new Map(now.map((finding) => [keyOf(finding), finding]));
    for (const [key, finding] of keys) if (!told.has(key)) tell(finding);
    told = new Set(keys.keys());
  };
}

/** What the API says in detail changes with every attempt. */
const changing: ReadonlySet<string> = new Set(['FW1602', 'FW1607']);

function keyOf({ code, object, fieldPath, message }: Diagnostic): string {
  return JSON.stringify([code, object, fieldPath, changing.has(code) ? '' : message]);
}
