import { afterEach, describe, expect, it } from 'vitest';
import type { Listener } from '../../routing/plan/plan.ts';
import type { ProxyOptions } from '../options.ts';
import { recordingBackend } from '../testing/backend.ts';
import { createFront } from '../testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { shout } from '../testing/sockets.ts';
import { createTrust, forwardedLines, isAddressBlock, plainAddress } from './forwarded.ts';

const address = '127.79.9.1';
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** The lines about the client that a backend gets. */
async function seen(
  forwarded: ProxyOptions['forwarded'],
  lines: string,
  filters = route().filters,
  more: Partial<Listener> = {},
): Promise<string[]> {
  const front = createFront({ forwarded });
  const app = await recordingBackend(address, 8081);
  closers.push(front.close, app.close);
  await front.endpoints({ app: [endpoint(address, 8081)] });
  await front.plan(planOf([listener(address, 8080, [host('*', [route({ filters })])], more)]));
  await shout(address, 8080, `GET / HTTP/1.1\r\nHost: a:8080\r\n${lines}Connection: close\r\n\r\n`);
  return app.requests[0]!.lines.filter((line) => /^x[-_]|^forwarded|^via/i.test(line));
}

const claims =
  'X-Forwarded-For: 9.9.9.9, 10.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer\r\nForwarded: for=9.9.9.9\r\nX-Real-IP: 9.9.9.9\r\n';

describe('what is said of a client', () => {
  it('is the proxy’s word when the client is a stranger', async () => {
    expect(await seen({ trustedProxies: ['10.0.0.0/8'] }, claims)).toEqual([
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Port: 8080',
      'X-Forwarded-Host: a:8080',
    ]);
  });

  it.each([
    ['10.0.0.0/8', 'nothing', []],
    ['127.0.0.0/8', 'as it came', ['X_Forwarded_For: 9.9.9.9', 'x-forwarded_proto: https', 'X_REAL_IP: 9.9.9.9']],
  ])('is, with underscores and %s trusted, %s', async (block, _, wanted) => {
    const lines = await seen(
      { trustedProxies: [block] },
      'X_Forwarded_For: 9.9.9.9\r\nx-forwarded_proto: https\r\nX_REAL_IP: 9.9.9.9\r\n',
    );
    expect(lines.filter((line) => line.includes('_') || line.includes('9.9.9.9'))).toEqual(wanted);
  });

  it('is what a proxy says that the listener trusts', async () => {
    const trusting = { trustedProxies: ['127.0.0.1'] };
    const believed = await seen({ trustedProxies: ['192.0.2.1'] }, claims, [], trusting);
    expect(believed).toContain('X-Forwarded-Proto: https');
    expect(believed).toContain('X-Forwarded-For: 9.9.9.9, 10.0.0.1, 127.0.0.1');
  });

  it('is what a trusted proxy says, with its address appended', async () => {
    expect(await seen({ trustedProxies: ['127.0.0.0/8'] }, claims)).toEqual([
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: outer',
      'Forwarded: for=9.9.9.9',
      'X-Real-IP: 9.9.9.9',
      'X-Forwarded-For: 9.9.9.9, 10.0.0.1, 127.0.0.1',
      'X-Forwarded-Port: 8080',
    ]);
  });

  it('is nothing, when so set', async () => {
    expect(await seen({ headers: 'none' }, 'X-Forwarded-For: 9.9.9.9\r\n')).toEqual(['X-Forwarded-For: 9.9.9.9']);
  });

  it('is one Forwarded in place of the others, when so set (RFC 7239)', async () => {
    expect(await seen({ headers: 'forwarded' }, claims)).toEqual(['Forwarded: for=127.0.0.1;host="a:8080";proto=http']);
  });

  it('is both, when so set', async () => {
    expect(await seen({ headers: 'both', trustedProxies: ['127.0.0.1'] }, claims)).toEqual([
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: outer',
      'X-Real-IP: 9.9.9.9',
      'X-Forwarded-For: 9.9.9.9, 10.0.0.1, 127.0.0.1',
      'X-Forwarded-Port: 8080',
      'Forwarded: for=9.9.9.9, for=127.0.0.1;host="a:8080";proto=http',
    ]);
  });

  it('keeps brackets and quotes around IPv6 (RFC 7239 section 6)', () => {
    const facts = { address: '2001:db8::1', scheme: 'https', port: 443, host: 'a' };
    expect(forwardedLines('forwarded', facts)).toBe('Forwarded: for="[2001:db8::1]";host=a;proto=https\r\n');
  });

  it('cannot be hidden by naming it in Connection', async () => {
    const named = 'Connection: x-forwarded-for, x-forwarded-proto\r\nX-Forwarded-Proto: https\r\n';
    expect(await seen({ trustedProxies: ['127.0.0.1'] }, named)).toEqual([
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 8080',
      'X-Forwarded-Host: a:8080',
    ]);
  });

  it('goes with Via, when so set (RFC 9110 section 7.6.3)', async () => {
    expect(await seen({ headers: 'none', via: 'door' }, 'Via: 1.0 before\r\n')).toEqual([
      'Via: 1.0 before',
      'Via: 1.1 door',
    ]);
    expect(() => createFront({ forwarded: { headers: 'none', via: 'a b', trustedProxies: [] } })).toThrow(
      /forwarded\.via/,
    );
  });

  it('can be changed by a route', async () => {
    const remove = ['X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Host'];
    const change = { type: 'request-headers', set: [['X-Forwarded-Proto', 'https']], add: [], remove } as const;
    expect(await seen({}, '', [change])).toEqual(['X-Forwarded-Proto: https']);
  });
});

describe('trust', () => {
  it.each([
    ['10.1.2.3', true],
    ['11.1.2.3', false],
    ['192.168.0.1', true],
    ['192.168.0.2', false],
    ['fd00::1', true],
    ['fe80::1', false],
  ])('of %s is %s', (client, expected) => {
    expect(createTrust(['10.0.0.0/8', '192.168.0.1', 'fd00::/8'])(client)).toBe(expected);
  });

  it.each(['', 'x', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/', 'fd00::/129', '10.0.0.0/8/8'])(
    'is in nobody for %j',
    async (entry) => {
      expect(isAddressBlock(entry)).toBe(false);
      expect(createTrust([entry])('10.0.0.1')).toBe(false);
      const front = createFront({ forwarded: { trustedProxies: [entry] } });
      expect(front.findings).toEqual([expect.stringMatching(/^FW5205 /)]);
      await front.close();
    },
  );

  it('sees IPv4 behind IPv6', () => {
    expect(plainAddress('::ffff:10.0.0.1')).toBe('10.0.0.1');
    expect(plainAddress('::ffff:a00:1')).toBe('10.0.0.1');
    expect(plainAddress('0:0:0:0:0:FFFF:0a00:0001')).toBe('10.0.0.1');
    expect(plainAddress('fd00::1')).toBe('fd00::1');
    expect(plainAddress('::1')).toBe('::1');
    expect(plainAddress('fe80::1%eth0')).toBe('fe80::1%eth0');
    expect(plainAddress(undefined)).toBe('');
  });
});
