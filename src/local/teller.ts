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
  /** Findings are never changed, and most of them last. */
  const texts = new WeakMap<Diagnostic, string>();
  function textOf(finding: Diagnostic): string {
    const text = texts.get(finding) ?? JSON.stringify(finding);
    texts.set(finding, text);
    return text;
  }
  return {
    remember(findings) {
      for (const finding of findings) told.add(textOf(finding));
    },
    tell(findings) {
      const now = new Map(findings.map((finding) => [textOf(finding), finding]));
      for (const [text, finding] of now) if (!told.has(text)) onNew(finding);
      told = new Set(now.keys());
    },
  };
}
