import { describe, expect, it } from 'vitest';
import { encodeQuery } from '../../wire/ask.ts';
import { parseQuery, type Query } from '../../wire/query.ts';
import { exchangeUdp } from './exchange.ts';

function question(): Query {
  const parsed = parseQuery(encodeQuery('www.example.com.', 1));
  if (!parsed.ok) throw new Error('no query');
  return parsed.query;
}

describe('a question over UDP', () => {
  it('fails with the reason when the kernel knows no way to the upstream', async () => {
    // A broadcast address cannot be connected to, with or without a network.
    const asked = await exchangeUdp(question(), { address: '255.255.255.255', port: 53 }, { timeoutMs: 2000 });
    expect(asked).toEqual({ ok: false, error: expect.stringMatching(/EACCES|ENETUNREACH/) });
  });

  it('ends quietly when it is stopped before it is sent', async () => {
    const stop = new AbortController();
    const asked = exchangeUdp(
      question(),
      { address: '127.82.5.9', port: 53 },
      { timeoutMs: 2000, signal: stop.signal },
    );
    stop.abort();
    expect(await asked).toEqual({ ok: false, error: 'stopped' });
    await new Promise((resume) => setTimeout(resume, 20));
  });
});
