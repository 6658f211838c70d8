/** What is kept of request bodies: as much memory as they have bytes, whatever pieces they come in. */
import { describe, expect, it } from 'vitest';
import type { Exchange } from './exchange.ts';
import { sendBody } from './request-body.ts';

/** A request whose body goes nowhere and is kept. */
function keepingExchange(maxRepeatBytes: number): Exchange {
  const runtime = { now: 0, settings: { relay: { maxRepeatBytes } } };
  const part = { client: { runtime }, upstream: { wire: { data() {} } }, kept: [], requestBytes: 0 };
  return part as unknown as Exchange;
}

describe('a body that may have to be sent again', () => {
  it('is kept in one piece for each read, however many chunks that has', () => {
    const exchange = keepingExchange(10_000);
    const bytes = Buffer.from('-a'.repeat(1_000));
    const runs = Array.from({ length: 1_000 }, (_, i) => [2 * i + 1, 2 * i + 2]).flat();
    for (let i = 0; i < 2; i++) expect(sendBody(exchange, bytes, runs)).toBe(true);
    expect(exchange.kept?.map(String)).toEqual(['a'.repeat(1_000), 'a'.repeat(1_000)]);
  });

  it('is kept up to its bound, and not in part beyond', () => {
    const exchange = keepingExchange(10);
    const bytes = Buffer.from('0123456789');
    sendBody(exchange, bytes, [0, 10]);
    expect(exchange.kept).toHaveLength(1);
    sendBody(exchange, bytes, [0, 1]);
    expect(exchange.kept).toBeUndefined();
    expect(exchange.requestBytes).toBe(11);
  });
});
