import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OneRoute, oneRoute, PORT } from '../../testing/one-route.ts';

/** A client that sends a request and resets its connection at once: a process, whose end this one waits for. */
const hitAndRun = `
  const socket = require('node:net').connect(${PORT}, process.argv[1], () => {
    socket.write('POST /attack HTTP/1.1\\r\\nHost: a.example\\r\\nContent-Length: 0\\r\\n\\r\\n');
    socket.resetAndDestroy();
  });
`;

const filter = (allow: readonly string[], deny: readonly string[] = []) =>
  ({ type: 'ip-access', allow, deny, status: 403 }) as const;
const from = (value: string) => ({ lines: [`X-Forwarded-For: ${value}`] });

describe('access by address', () => {
  let direct: OneRoute;
  let behind: OneRoute;
  beforeAll(async () => {
    direct = await oneRoute('127.83.2.20', '127.83.2.21');
    behind = await oneRoute('127.83.2.22', '127.83.2.23', {
      forwarded: { trustedProxies: ['127.0.0.0/8', '10.9.0.0/16'] },
    });
  });
  afterAll(() => Promise.all([direct.close(), behind.close()]));

  it.each<[string, readonly string[], readonly string[], number]>([
    ['nothing said', [], [], 200],
    ['allowed', ['127.0.0.0/8'], [], 200],
    ['not allowed', ['10.0.0.0/8', 'fd00::/8'], [], 403],
    ['denied', [], ['127.0.0.1'], 403],
    ['denied though allowed', ['127.0.0.0/8'], ['127.0.0.0/30'], 403],
    ['others denied', [], ['10.0.0.0/8'], 200],
    ['IPv6 denied', [], ['::/0'], 200],
    ['IPv6 allowed', ['::/0'], [], 403],
    ['denied as IPv6', [], ['::ffff:127.0.0.0/104'], 403],
  ])('%s', async (_what, allow, deny, status) => {
    await direct.use([filter(allow, deny)]);
    expect((await direct.ask()).status).toBe(status);
    // What a client says of itself changes nothing.
    expect((await direct.ask(from('10.1.2.3'))).status).toBe(status);
  });

  it.each([
    ['10.1.2.3', 200],
    ['fd00::1', 200],
    ['[fd00::1]:4711', 200],
    ['::ffff:10.1.2.3', 200],
    ['::ffff:a01:203', 200],
    ['::ffff:a02:203', 403],
    ['10.1.2.3:4711', 200],
    ['192.0.2.1, 10.1.2.3', 200],
    ['192.0.2.1, 10.1.2.3, 10.9.0.1', 200],
    ['10.1.2.3, 192.0.2.1', 403],
    ['10.1.2.3, 192.0.2.1, 10.9.0.1', 403],
    ['10.1.2.3, unknown', 403],
    ['', 403],
  ])('behind a trusted proxy, from %j: %i', async (value, status) => {
    await behind.use([filter(['10.1.0.0/16', 'fd00::/8'])]);
    expect((await behind.ask(from(value))).status).toBe(status);
  });

  it('lets nobody in when an entry cannot be understood, and says so', async () => {
    for (const bad of [filter(['10.0.0.0/33', '127.0.0.0/8']), filter([], ['evil'])]) {
      await direct.use([bad]);
      expect((await direct.ask()).status).toBe(500);
    }
    expect(direct.front.findings).toEqual([
      expect.stringMatching(/^FW5221 .*"10.0.0.0\/33" is neither an address nor a CIDR/),
      expect.stringMatching(/^FW5221 .*"evil" is neither/),
    ]);
  });

  it('lets nobody in who was gone before the connection was accepted, and has no address', async () => {
    await direct.use([filter([], ['127.0.0.0/8'])]);
    // Nothing is accepted meanwhile.
    execFileSync(process.execPath, ['-e', hitAndRun, direct.address]);
    await direct.use([]);
    await direct.ask();
    await direct.use([filter([], ['127.0.0.0/8'])]);
    execFileSync(process.execPath, ['-e', hitAndRun, direct.address]);
    expect((await direct.ask()).status).toBe(403);
    await direct.use([]);
    await direct.ask();
    expect(direct.app.requests.map(({ line }) => line)).not.toContain('POST /attack HTTP/1.1');
  });

  it('is told to the access log', async () => {
    await direct.use([filter([], ['127.0.0.1'])]);
    await direct.ask();
    expect(direct.front.records.at(-1)).toMatchObject({ status: 403, flag: 'address_denied', attempts: 0 });
  });
});
