/** Decides by expressions whether a query belongs to a server block. */
import type { Counter } from '../../../base/metrics.ts';
import type { Expression } from '../../expr/expression.ts';
import type { QuerySubject } from '../../expr/query-functions.ts';
import type { Plugin } from '../plugin.ts';
import type { LogLine } from '../setup.ts';

export interface ViewOptions {
  readonly expressions: readonly Expression<QuerySubject>[];
  /** Counts expressions that had no value. */
  readonly failures: Counter;
  readonly log: LogLine;
  /** Now, milliseconds. */
  readonly now: () => number;
}

/** The same failure is logged once in this time, ms. */
const logEveryMs = 60_000;

/** True when all expressions are `true`; whatever else they give, or no value at all, is false. */
export function createFilter({ expressions, failures, log, now }: ViewOptions): (subject: QuerySubject) => boolean {
  const quietUntil = new Map<string, number>();

  function failed(source: string, reason: string): false {
    failures.inc();
    const at = now();
    if ((quietUntil.get(source) ?? -Infinity) <= at) {
      quietUntil.set(source, at + logEveryMs);
      log('warning', `the expression "${source}" failed and counts as false: ${reason}`);
    }
    return false;
  }

  return (subject) =>
    expressions.every((expression) => {
      const found = expression.evaluate(subject);
      return found.ok ? found.value === true : failed(expression.source, found.error);
    });
}

/** The part of the plugin that other plugins see: its name as metadata. */
export function createView(name: string): Plugin {
  return { name: 'view', metadata: (_, publish) => publish('view/name', () => name) };
}
