import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalIp } from '../../base/ip.ts';
import { parseProxyHeader } from '../listener/proxy-header.ts';
import { encodeLocalHeader, encodeProxyHeader, type ProxyProtocol } from './proxy-header-out.ts';

const versions: readonly ProxyProtocol[] = ['v1', 'v2'];
const port = fc.integer({ min: 0, max: 65_535 });
const endsWith = (address: fc.Arbitrary<string>) =>
  fc.record({ client: fc.record({ address, port }), local: fc.record({ address, port }) });
const name = fc.option(fc.domain(), { nil: undefined });

describe('a PROXY header for a backend', () => {
  it.each(versions)('is read back as it was meant, whatever follows it: %s', (version) => {
    fc.assert(
      fc.property(
        fc.oneof(endsWith(fc.ipV4()), endsWith(fc.ipV6())),
        name,
        fc.option(fc.string({ maxLength: 40 }), { nil: undefined }),
        fc.uint8Array({ maxLength: 40 }),
        (ends, serverName, alpn, rest) => {
          const header = encodeProxyHeader(version, { ends, serverName, alpn });
          const read = parseProxyHeader(Buffer.concat([header, rest]), 1_024);
          const canonical = ({ address, port }: { address: string; port: number }) => ({
            address: canonicalIp(address),
            port,
          });
          if (typeof read === 'string' || 'reason' in read) throw new Error(JSON.stringify(read));
          expect(read.length).toBe(header.length);
          expect(read.ends && { client: canonical(read.ends.client), local: canonical(read.ends.local) }).toEqual({
            client: canonical(ends.client),
            local: canonical(ends.local),
          });
        },
      ),
    );
  });

  it.each(versions)('names nobody where the connection is our own: %s', (version) => {
    const header = encodeLocalHeader(version);
    expect(parseProxyHeader(Buffer.concat([header, Buffer.from('more')]), 1_024)).toEqual({
      length: header.length,
      ends: undefined,
    });
  });

  const place = (address: string) => ({ address, port: 1 });
  it.each([
    ['no address', place(''), place('10.0.0.1')],
    ['different families', place('10.0.0.1'), place('::1')],
  ])('says that the client is not known with %s', (_, client, local) => {
    for (const version of versions) {
      const header = encodeProxyHeader(version, { ends: { client, local } });
      expect(parseProxyHeader(header, 1_024)).toEqual({ length: header.length, ends: undefined });
    }
  });

  it('leaves zones out', () => {
    const ends = { client: place('fe80::1%eth0'), local: place('fe80::2%eth0') };
    expect(encodeProxyHeader('v1', { ends }).toString()).toBe('PROXY TCP6 fe80::1 fe80::2 1 1\r\n');
    expect(parseProxyHeader(encodeProxyHeader('v2', { ends }), 1_024)).toMatchObject({
      ends: { client: place('fe80::1') },
    });
  });

  it('carries protocol and server name in version 2 as types 1 and 2', () => {
    const ends = { client: place('10.0.0.1'), local: place('10.0.0.2') };
    const header = encodeProxyHeader('v2', { ends, serverName: 'a.example', alpn: 'h2' });
    expect(header.subarray(28).toString('latin1')).toBe('\x01\x00\x02h2\x02\x00\x09a.example');
    expect(encodeProxyHeader('v2', { ends, serverName: 'x'.repeat(256) })).toHaveLength(28);
  });
});
