import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { ServiceSpec } from '../../kube/types/index.ts';
import { cleanUp, forward, put, udpBackend, udpClient } from './testing.ts';

afterEach(cleanUp);

describe('service forwarder, UDP', () => {
  const udp = (clusterIP: string): ServiceSpec => ({ clusterIP, ports: [{ port: 5300, protocol: 'UDP' }] });

  it('keeps a flow with its endpoint, gives new clients the next one, answers from the address asked', async () => {
    const store = createStore();
    await udpBackend('127.78.3.1', 5300, 'a');
    await udpBackend('127.78.3.2', 5300, 'b');
    put(store, 'dns', udp('127.78.3.100'), ['127.78.3.1', '127.78.3.2'], 5300);
    await forward(store);
    const [one, two] = [await udpClient(), await udpClient()];
    const first = await one.ask(5300, '127.78.3.100');
    expect(await one.ask(5300, '127.78.3.100')).toBe(first);
    const second = await two.ask(5300, '127.78.3.100');
    expect([first, second].sort()).toEqual(['a hello', 'b hello']);
  });

  it('moves flows away from endpoints that stop being usable or refuse', async () => {
    const store = createStore();
    const close = await udpBackend('127.78.3.3', 5300, 'a');
    await udpBackend('127.78.3.4', 5300, 'b');
    put(store, 'dns', udp('127.78.3.101'), ['127.78.3.3'], 5300);
    await forward(store);
    const client = await udpClient();
    expect(await client.ask(5300, '127.78.3.101')).toBe('a hello');
    put(store, 'dns', udp('127.78.3.101'), ['127.78.3.4'], 5300);
    await delay(20);
    expect(await client.ask(5300, '127.78.3.101')).toBe('b hello');

    put(store, 'dns', udp('127.78.3.101'), ['127.78.3.3', '127.78.3.4'], 5300);
    close();
    const answers = [];
    for (let i = 0; i < 3; i++) {
      const other = await udpClient();
      answers.push(
        (await other.ask(5300, '127.78.3.101', 'x', 100)) ?? (await other.ask(5300, '127.78.3.101', 'x', 100)),
      );
    }
    expect(answers).toEqual(['b x', 'b x', 'b x']);
  });

  it('drops datagrams silently without endpoints, forgets silent clients, bounds their number', async () => {
    const store = createStore();
    await udpBackend('127.78.3.5', 5300, 'a');
    put(store, 'none', udp('127.78.3.102'), [], 5300);
    put(store, 'some', udp('127.78.3.103'), ['127.78.3.5'], 5300);
    const forwarder = await forward(store, { limits: { udpIdleMs: 100, udpFlows: 2 } });
    expect(await (await udpClient()).ask(5300, '127.78.3.102', 'x', 50)).toBeUndefined();
    for (let i = 0; i < 4; i++) expect(await (await udpClient()).ask(5300, '127.78.3.103')).toBe('a hello');
    expect(forwarder.load()).toMatchObject({ udpFlows: 2, evictedUdpFlows: 2 });
    await delay(250);
    expect(forwarder.load().udpFlows).toBe(0);
  });
});
