/** A server for all addresses answers from the one that was asked. */
import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { encodeQuery } from '../wire/ask.ts';
import { emptyAnswer } from '../wire/response.ts';
import { createResponder } from './responder.ts';
import { bindUdp } from './udp.ts';
import { bindUdpEverywhere, contestedAddresses } from './udp-everywhere.ts';

const responder = createResponder({
  chain: () => ({ kind: 'answer', answer: emptyAnswer(0) }),
  recursionAvailable: false,
  onError(error) {
    throw error;
  },
});

/** Asks an address; where the answer came from, or `silence`. */
function ask(address: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const timer = setTimeout(() => finish('silence'), 2000);
    const finish = (found: string) => {
      clearTimeout(timer);
      socket.close();
      resolve(found);
    };
    socket.on('message', (_, from) => finish(from.address));
    socket.bind(0, '127.0.0.1', () => socket.send(encodeQuery('a.', 1), port, address));
  });
}

async function until(look: () => Promise<string>, wanted: string): Promise<void> {
  while ((await look()) !== wanted) await new Promise((resume) => setTimeout(resume, 5));
}

describe('UDP on all addresses', () => {
  it('answers from the address asked, and follows addresses that come and go', async () => {
    let mine = ['127.82.4.9', '127.82.4.10', '192.0.2.1'];
    const bound = await bindUdpEverywhere(
      (listen) => bindUdp(responder.handle, listen, {}),
      { address: '::', port: 0, everywhere: true },
      { addresses: () => mine, lookEveryMs: 10 },
    );
    if (!bound.ok) throw bound.error;
    const { port } = bound.value;
    expect(await ask('127.82.4.9', port)).toBe('127.82.4.9');
    expect(await ask('127.82.4.10', port)).toBe('127.82.4.10');
    // One that it does not know of is served all the same, from the address that the kernel chooses.
    expect(await ask('127.82.4.11', port)).toBe('127.0.0.1');
    mine = ['127.82.4.10', '127.82.4.11'];
    await until(() => ask('127.82.4.11', port), '127.82.4.11');
    await until(() => ask('127.82.4.9', port), '127.0.0.1');
    expect(await ask('127.82.4.10', port)).toBe('127.82.4.10');
    await bound.value.close();
  });

  it('of one family leaves the other alone', async () => {
    const asked: string[] = [];
    const bound = await bindUdpEverywhere(
      (listen) => {
        asked.push(listen.address);
        return bindUdp(responder.handle, listen, {});
      },
      { address: '0.0.0.0', port: 0 },
      { addresses: () => ['127.82.4.9', '::1'] },
    );
    expect(asked).toEqual(['0.0.0.0', '127.82.4.9']);
    if (bound.ok) await bound.value.close();
  });

  it('keeps the port for itself: a second server cannot take it', async () => {
    const bind = (listen: { address: string; port: number }) => bindUdp(responder.handle, listen, {});
    const first = await bindUdpEverywhere(bind, { address: '127.82.4.12', port: 0 }, { addresses: () => [] });
    if (!first.ok) throw first.error;
    const second = await bind({ address: '127.82.4.12', port: first.value.port });
    expect(!second.ok && second.error.code).toBe('EADDRINUSE');
    await first.value.close();
  });

  it('only matters where a family has several addresses', () => {
    const entry = (address: string, more: object = {}) => ({
      ...{ address, netmask: '', mac: '', cidr: null, internal: false, scopeid: 0 },
      family: address.includes(':') ? ('IPv6' as const) : ('IPv4' as const),
      ...more,
    });
    const lo = [entry('127.0.0.1', { internal: true }), entry('::1', { internal: true })];
    const linkLocal = entry('fe80::1', { scopeid: 2 });
    const pod = { lo, eth0: [entry('10.0.0.5'), entry('fd00::5'), linkLocal] } as never;
    expect(contestedAddresses(pod)).toEqual([]);
    const node = { lo, eth0: [entry('10.0.0.5'), entry('fd00::5'), linkLocal], eth1: [entry('10.0.1.5')] } as never;
    expect(contestedAddresses(node)).toEqual(['10.0.0.5', '10.0.1.5']);
  });
});
