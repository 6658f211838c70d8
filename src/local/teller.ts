/** Tells each finding once: when it appears, and again when it comes back after having been mended. */
import type { Diagnostic } from '../base/diagnostics/index.ts';

export interface Teller {
  /** Marks findings as told without telling them. */
  remember(findings: readonly Diagnostic[]): void;
  /** Given all findings in force, tells those that are new. */
  tell(findings: readonly Diagnostic[]): void;
}

export function createTeller(onNew: (finding: Diagnostic) => void): Teller {
  let told = new Set<string>();
  return {
    remember(findings) {
      for (const finding of findings) told.add(JSON.stringify(finding));
    },
    tell(findings) {
      const now = new Map(findings.map((finding) => [JSON.stringify(finding), finding]));
      for (const [text, finding] of now) if (!told.has(text)) onNew(finding);
      told = new Set(now.keys());
    },
  };
}
