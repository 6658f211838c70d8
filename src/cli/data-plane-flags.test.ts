import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { addDataPlaneFlags, type DataPlaneFlags, dataPlaneOf } from './data-plane-flags.ts';

const folder = mkdtempSync(join(tmpdir(), 'data-plane-flags-'));
const file = join(folder, 'dp.yaml');
afterAll(() => rmSync(folder, { recursive: true }));

function read(...args: string[]) {
  const command = new Command('up').argument('[path...]').exitOverride();
  command.configureOutput({ writeErr: () => {} });
  addDataPlaneFlags(command);
  command.parse(args, { from: 'user' });
  return dataPlaneOf(command.opts<DataPlaneFlags>());
}

describe('flags of the data plane', () => {
  it.each([
    [[], {}],
    [['--zone', 'harbour-1'], { zone: 'harbour-1' }],
    [['--trusted-proxies', '10.0.0.0/8, fd00::1'], { forwarded: { trustedProxies: ['10.0.0.0/8', 'fd00::1'] } }],
    [['--proxy-protocol-from', '10.0.0.1'], { proxyProtocol: { from: ['10.0.0.1'] } }],
    [['--forwarded', 'both', '--via', 'door'], { forwarded: { headers: 'both', via: 'door' } }],
  ])('%j', (args, options) => expect(read(...args)).toEqual({ options, diagnostics: [] }));

  it.each([
    [['--trusted-proxies', 'localhost'], 'is not an address or CIDR'],
    [['--proxy-protocol-from', '10.0.0.0/40'], 'is not an address or CIDR'],
    [['--forwarded', 'set'], 'one of x-forwarded, forwarded, both, none'],
    [['--via', 'a b'], 'a token or a host'],
    [['--zone', ''], 'topology.kubernetes.io/zone'],
    [['--data-plane', join(folder, 'none.yaml')], 'FW5009'],
  ])('refuses %j', (args, why) => expect(() => read(...args)).toThrow(why));

  it('go before the file, section by section', () => {
    writeFileSync(
      file,
      'zone: a\nclient: { maxHeaders: 50 }\nforwarded: { via: x, headers: both }\nproxyProtocol: { timeoutMs: 1s }\n',
    );
    const flags = ['--via', 'y', '--zone', 'b', '--trusted-proxies', '127.0.0.1', '--proxy-protocol-from', '10.0.0.1'];
    expect(read('--data-plane', file, ...flags)).toEqual({
      options: {
        zone: 'b',
        client: { maxHeaders: 50 },
        forwarded: { via: 'y', headers: 'both', trustedProxies: ['127.0.0.1'] },
        proxyProtocol: { timeoutMs: 1_000, from: ['10.0.0.1'] },
      },
      diagnostics: [],
    });
  });
});
