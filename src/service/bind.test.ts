import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBindPolicy, probeBinding } from './bind.ts';

describe('bind policy', () => {
  it('native leaves every address where it is', () => {
    const policy = createBindPolicy('native');
    expect(policy.map('127.96.0.1', 80, 'TCP')).toEqual({ address: '127.96.0.1', port: 80 });
    expect(policy.describe()).toEqual([]);
  });

  it('high-ports moves privileged ports up on the same address', () => {
    const policy = createBindPolicy('high-ports');
    const at = (port: number) => policy.map('127.96.0.1', port, 'TCP');
    expect([80, 443, 53, 25, 1023].map((port) => at(port).port)).toEqual([8080, 8443, 1053, 8025, 9023]);
    expect(at(3000)).toEqual({ address: '127.96.0.1', port: 3000 });
    expect(policy.describe().map((d) => d.code)).toEqual(['FW5001']);
  });

  it('high-ports honours a lower limit of the kernel', () => {
    const policy = createBindPolicy('high-ports', { lowestPort: 80 });
    expect(policy.map('127.96.0.1', 80, 'TCP').port).toBe(80);
    expect(policy.map('127.96.0.1', 53, 'UDP').port).toBe(1053);
  });

  it('high-ports keeps 80 and 8080 of one address apart, whoever asks first', () => {
    const policy = createBindPolicy('high-ports');
    expect(policy.map('127.96.0.1', 80, 'TCP').port).toBe(8080);
    expect(policy.map('127.96.0.1', 8080, 'TCP').port).toBe(18080);
    expect(policy.map('127.96.0.2', 8080, 'TCP').port).toBe(8080);
    expect(policy.map('127.96.0.2', 80, 'TCP').port).toBe(18080);
    expect(policy.map('127.96.0.1', 8080, 'UDP').port).toBe(8080);
  });

  it.each(['high-ports', 'single-address'] as const)('%s leaves the addresses of the machine alone', (mode) => {
    const policy = createBindPolicy(mode);
    for (const address of ['127.0.0.1', '192.0.2.7', '::1'])
      expect(policy.map(address, 80, 'TCP')).toEqual({ address, port: 80 });
  });

  it('single-address says when its ports run out, and gives port 0', () => {
    const policy = createBindPolicy('single-address', { portRange: [20_000, 20_002] });
    const ports = [1, 2, 3, 4].map((host) => policy.map(`127.244.0.${host}`, 80, 'TCP').port);
    expect(ports.slice(0, 3).sort()).toEqual([20_000, 20_001, 20_002]);
    expect(ports[3]).toBe(0);
    expect(policy.describe().map((d) => d.code)).toEqual(['FW5002', 'FW5003']);
  });

  it('single-address gives the same ports in another run', () => {
    const one = createBindPolicy('single-address').map('127.244.3.9', 8080, 'TCP');
    const two = createBindPolicy('single-address').map('127.244.3.9', 8080, 'TCP');
    expect(one).toEqual(two);
    expect(one.address).toBe('127.0.0.1');
  });

  it('never gives one place to two addresses, and the same answer to the same question', () => {
    const place = fc.tuple(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 65_535 }));
    fc.assert(
      fc.property(
        fc.constantFrom('high-ports' as const, 'single-address' as const),
        fc.array(place),
        (mode, places) => {
          const policy = createBindPolicy(mode);
          const owner = new Map<string, string>();
          for (const [host, port] of [...places, ...places]) {
            const bound = policy.map(`127.244.0.${host}`, port, 'TCP');
            const key = `${bound.address}:${bound.port}`;
            expect(owner.get(key) ?? `${host}:${port}`).toBe(`${host}:${port}`);
            owner.set(key, `${host}:${port}`);
            expect(bound.port).toBeGreaterThanOrEqual(1024);
          }
        },
      ),
    );
  });

  it('probing finds what this user may do', async (context) => {
    if (process.platform !== 'linux') context.skip('the expectation is about Linux');
    const policy = await probeBinding({ probeAddress: '127.78.0.1' });
    if (process.getuid?.() === 0) expect(policy.mode).toBe('native');
    else expect(['native', 'high-ports']).toContain(policy.mode);
  });

  it('a forced mode is not probed', async () => {
    expect((await probeBinding({ mode: 'single-address' })).mode).toBe('single-address');
    const forced = await probeBinding({ mode: 'high-ports', lowestPort: 1024 });
    expect(forced.map('127.96.0.1', 80, 'TCP').port).toBe(8080);
  });
});
