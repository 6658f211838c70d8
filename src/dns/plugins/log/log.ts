/** Writes a line for each query. */
import { classOf, type ResponseClass } from '../classify.ts';
import type { Exchange, Plugin } from '../plugin.ts';
import { createZoneMatcher } from '../zones.ts';

export type LogClass = ResponseClass | 'all';

export interface LogRule {
  readonly zone: string;
  readonly format: (exchange: Exchange) => string;
  readonly classes: ReadonlySet<LogClass>;
}

export function createLog(rules: readonly LogRule[], write: (text: string) => void): Plugin {
  const compiled = rules.map((rule) => ({ ...rule, matches: createZoneMatcher([rule.zone]) }));
  return {
    name: 'log',
    observe(exchange) {
      const rule = compiled.find(({ matches }) => matches(exchange.context.query.key) !== undefined);
      if (!rule) return;
      const { response } = exchange;
      const wanted = rule.classes.has('all') || (response !== undefined && rule.classes.has(classOf(response)));
      if (wanted) write(rule.format(exchange));
    },
  };
}
