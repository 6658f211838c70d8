/** Writes a line for every query that failed; errors alike can be counted and told once in a while. */
import type { Pattern } from '../../corefile/pattern.ts';
import { foldCase } from '../../wire/name.ts';
import { typeName } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import type { Exchange, Plugin } from '../plugin.ts';
import { notCounted } from '../repeat.ts';
import type { LogLevel, LogLine } from '../setup.ts';

export interface Consolidation {
  readonly periodMs: number;
  readonly pattern: Pattern;
  /** The pattern as written. */
  readonly text: string;
  readonly level: LogLevel;
  /** The first error of each period is told at once. */
  readonly showFirst: boolean;
}

export function createErrors(consolidations: readonly Consolidation[], log: LogLine): Plugin {
  const counters = consolidations.map((rule) => ({ rule, count: 0, timer: undefined as NodeJS.Timeout | undefined }));

  function flush(counter: (typeof counters)[number]): void {
    clearTimeout(counter.timer);
    counter.timer = undefined;
    const { rule, count } = counter;
    counter.count = 0;
    // The first one stands in the log already.
    if (count > (rule.showFirst ? 1 : 0))
      log(rule.level, `${count} errors like '${rule.text}' occurred in last ${rule.periodMs / 1000}s`);
  }

  /** Counts an error for its rule; true when nothing is to be told now. */
  function consolidate(counter: (typeof counters)[number]): boolean {
    counter.count++;
    if (!counter.timer) {
      counter.timer = setTimeout(() => flush(counter), counter.rule.periodMs);
      counter.timer.unref();
    }
    return !(counter.rule.showFirst && counter.count === 1);
  }

  function tell({ context, rcode, error }: Exchange): void {
    const counter = counters.find(({ rule }) => rule.pattern.test(error!));
    if (counter && consolidate(counter)) return;
    const name = foldCase(nameOf(context.query));
    log(counter?.rule.level ?? 'error', `${rcode} ${name} ${typeName(context.query.type)}: ${error}`);
  }

  return {
    name: 'errors',
    observe(exchange) {
      if (exchange.error !== undefined) tell(exchange);
    },
    // Answers that are repeated have no error.
    repeated: () => notCounted,
    close() {
      for (const counter of counters) flush(counter);
    },
  };
}
