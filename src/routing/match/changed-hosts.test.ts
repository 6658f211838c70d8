/** A matcher that goes on from the one before decides as one made anew. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Listener, listenerId, type Provenance, type VirtualHost } from '../plan/plan.ts';
import { compileListener, type ListenerMatcher } from './matcher.ts';

const source: Provenance = { object: { apiVersion: 'v1', kind: 'Test', name: 'test' } };
const names = ['a.x', 'b.x', 'c.x', 'd.x', 'e.y', 'f.y', '*.x', '*.y', '*'];

function hostOf(hostname: string): VirtualHost {
  return { hostname, wildcard: 'any-depth', routes: [], sources: [source] };
}

function listenerOf(hosts: readonly VirtualHost[]): Listener {
  const address = '127.0.0.1';
  return { id: listenerId(address, 80, 'HTTP'), address, port: 80, protocol: 'HTTP', hosts, sources: [source] };
}

const found = (matcher: ListenerMatcher) =>
  [...names, 'z.x', 'z.y', 'z'].map(
    (host) => matcher.match({ host, path: '/', query: '', method: 'GET', headers: () => undefined }).host,
  );

describe('a matcher after another', () => {
  it('finds what one made anew finds, whatever came, went or changed places', () => {
    const change = fc.record({
      name: fc.constantFrom(...names),
      what: fc.constantFrom('put', 'remove', 'swap', 'twice'),
    });
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 12 }), (bursts) => {
        let hosts: VirtualHost[] = names.slice(0, 5).map(hostOf);
        let before = compileListener(listenerOf(hosts));
        for (const burst of bursts) {
          for (const { name, what } of burst) {
            const at = hosts.findIndex(({ hostname }) => hostname === name);
            if (what === 'put') hosts = at < 0 ? [...hosts, hostOf(name)] : hosts.with(at, hostOf(name));
            if (what === 'remove') hosts = hosts.filter(({ hostname }) => hostname !== name);
            if (what === 'swap') hosts = hosts.toReversed();
            if (what === 'twice') hosts = [...hosts, hostOf(name)];
          }
          hosts = [...hosts];
          const now = compileListener(listenerOf(hosts), before);
          // Lists that were compiled once are known, so the judge gets hosts of its own.
          const fresh = compileListener(listenerOf(hosts.map((host) => ({ ...host, sources: [{ ...source }] }))));
          expect(found(now).map((host) => host && hosts.indexOf(host))).toEqual(
            found(fresh).map((host) => host && fresh.listener.hosts.indexOf(host)),
          );
          before = now;
        }
      }),
    );
  });

  it('still finds everything after thousands of changes', () => {
    let hosts = Array.from({ length: 100 }, (_, i) => hostOf(`h${i}.x`));
    let matcher = compileListener(listenerOf(hosts));
    for (let n = 0; n < 3_000; n++) {
      hosts = hosts.with(n % 100, hostOf(`h${n % 100}.x`));
      matcher = compileListener(listenerOf(hosts), matcher);
    }
    for (const [i, host] of hosts.entries())
      expect(
        matcher.match({ host: `h${i}.x`, path: '/', query: '', method: 'GET', headers: () => undefined }).host,
      ).toBe(host);
  });
});
