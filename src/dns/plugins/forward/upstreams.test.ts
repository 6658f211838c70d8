import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseUpstreams, formatUpstream, parseUpstream, resolvConfNameservers } from './upstreams.ts';

describe('upstreams', () => {
  it.each([
    ['10.0.0.1', { address: '10.0.0.1', port: 53 }],
    ['10.0.0.1:5353', { address: '10.0.0.1', port: 5353 }],
    ['fd00::1', { address: 'fd00::1', port: 53 }],
    ['[fd00::1]:5353', { address: 'fd00::1', port: 5353 }],
    ['fe80::1%eth0', { address: 'fe80::1%eth0', port: 53 }],
    ['10.0.0.1:0', undefined],
    ['10.0.0.1:65536', undefined],
    ['[10.0.0.1]:53', undefined],
    ['dns.example', undefined],
    ['', undefined],
  ])('are read from %j', (text, expected) => {
    expect(parseUpstream(text)).toEqual(expected);
  });

  it('are written as they are read', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }), (address, port) => {
        expect(parseUpstream(formatUpstream({ address, port }))).toEqual({ address, port });
      }),
    );
  });

  it('come from the nameserver lines of resolv.conf', () => {
    expect(
      resolvConfNameservers('# a comment\nnameserver 10.0.0.1\n  nameserver\tfd00::1 trailing\nsearch x\nnameserver\n'),
    ).toEqual(['10.0.0.1', 'fd00::1']);
  });

  it('are never ourselves', () => {
    const chosen = chooseUpstreams(
      ['127.96.0.10', '127.96.0.10:5353', '10.0.0.1', 'nonsense'],
      [{ address: '127.96.0.10', port: 53 }],
    );
    expect(chosen.upstreams.map(formatUpstream)).toEqual(['127.96.0.10:5353', '10.0.0.1']);
    expect(chosen.findings.map(({ code }) => code)).toEqual(['FW4004', 'FW4006']);
    const everywhere = chooseUpstreams(['127.0.0.53', '192.0.2.1'], [{ address: '0.0.0.0', port: 53 }]);
    expect(everywhere.upstreams.map(formatUpstream)).toEqual(['192.0.2.1']);
  });
});
