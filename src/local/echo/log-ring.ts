/** The log of one container: the newest lines within bounds, and those who follow it. */
import type { LogLine, PodLog } from '../runtime.ts';

export interface LogRing extends PodLog {
  append(text: string): void;
}

export interface LogRingOptions {
  maxLines: number;
  maxChars: number;
  now(): number;
}

/** Longest line that is kept whole. */
const maxLineChars = 4_096;

export function createLogRing(options: LogRingOptions): LogRing {
  let kept: LogLine[] = [];
  /** Lines before this index are dropped; they are cut off in bulk. */
  let first = 0;
  let chars = 0;
  let followers: Set<(line: LogLine) => void> | undefined;

  function trim(): void {
    while (kept.length - first > options.maxLines || (chars > options.maxChars && kept.length - first > 1))
      chars -= kept[first++]!.text.length;
    if (first <= options.maxLines) return;
    kept = kept.slice(first);
    first = 0;
  }

  return {
    append(text) {
      // One record is one line, whatever a client put into its URI.
      const clean = text.slice(0, maxLineChars).replaceAll(/[\r\n]/g, ' ');
      const line = { time: options.now(), text: clean };
      kept.push(line);
      chars += clean.length;
      trim();
      for (const follower of followers ?? []) follower(line);
    },
    lines: () => kept.slice(first),
    follow(listener) {
      followers ??= new Set();
      followers.add(listener);
      return () => void followers?.delete(listener);
    },
  };
}
