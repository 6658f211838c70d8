/** Requests for tests of what is made of them. */

import { defaultMatchLimits } from '../../routing/match/matcher.ts';
import type { Route } from '../../routing/plan/plan.ts';
import { createExchange, type Exchange } from '../exchange/exchange.ts';
import { createRequestHead, parseRequestHead, type RequestHead } from '../http1/request.ts';
import { listener, route } from '../testing/plans.ts';

export interface Asker {
  readonly address?: string;
  readonly trusted?: boolean;
  readonly scheme?: 'http' | 'https';
  readonly port?: number;
  readonly route?: Partial<Route>;
}

/** The head of a request from its lines, and an exchange as far as templates look at one. */
export function requestOf(lines: readonly string[], asker: Asker = {}): [Exchange, RequestHead] {
  const { address = '192.0.2.1', trusted = false, scheme = 'http', port = 80 } = asker;
  const head = createRequestHead(50);
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const refusal = parseRequestHead(bytes, head, { maxHeadBytes: 10_000, maxHeaders: 50, maxTargetBytes: 5_000 });
  if (refusal !== undefined) throw new Error(JSON.stringify(refusal));
  const client = {
    address,
    trusted,
    socket: {},
    runtime: { now: 0, timed: false, settings: { client: defaultMatchLimits } },
    door: { scheme, table: { listener: listener('192.0.2.80', port, []), trusts: () => false } },
    wire: { protocol: () => 'HTTP/1.1' },
  };
  const exchange = createExchange(client as unknown as Exchange['client'], head, false);
  if (asker.route) exchange.route = { route: route(asker.route) } as NonNullable<Exchange['route']>;
  return [exchange, head];
}
