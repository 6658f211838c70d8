/** Clients of Node.js programs: node:http with an agent, fetch, undici, ws. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { Client, Agent as UndiciAgent, fetch as undiciFetch } from 'undici';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { HOST, TEXT, type WebEcho, type Zoo } from './zoo.ts';

const schemes = ['http', 'https'] as const;
type Scheme = (typeof schemes)[number];
const trusting = { rejectUnauthorized: false, servername: HOST };

export function nodeSuite(zoo: () => Zoo): void {
  describe.each(schemes)('node:http with an agent over %s', (scheme) => {
    it('keeps its connection over requests of all kinds', async () => {
      const kept = { keepAlive: true, maxSockets: 1 };
      const agent = scheme === 'https' ? new SecureAgent({ ...kept, ...trusting }) : new Agent(kept);
      const ports = new Set<number | undefined>();
      const ask = async (method: string, path: string, body = '') => {
        const send = scheme === 'https' ? secureRequest : request;
        const outgoing = send({ host: zoo().address, method, path, agent, headers: { host: HOST } }).end(body);
        const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
        ports.add(incoming.socket.localPort);
        let text = '';
        for await (const chunk of incoming) text += chunk;
        return { text, incoming };
      };
      for (let i = 0; i < 5; i++) {
        expect((await ask('GET', '/text')).text).toBe(TEXT);
        expect((await ask('HEAD', '/text')).text).toBe('');
        expect(JSON.parse((await ask('PUT', '/echo', TEXT)).text)).toMatchObject({ bytes: TEXT.length });
        const { incoming } = await ask('GET', '/trailers');
        expect(incoming.trailers).toEqual({ 'x-checksum': 'abc' });
      }
      expect(ports.size).toBe(1);
      agent.destroy();
    });
  });

  describe.each(schemes)('undici over %s', (scheme) => {
    it('pipelines, and gets its answers in order', async () => {
      const client = new Client(`${scheme}://${zoo().address}`, { pipelining: 10, connect: trusting });
      const asked = Array.from({ length: 60 }, async (_, i) => {
        const { body, statusCode } = await client.request({
          path: `/echo?${i}`,
          method: 'GET',
          headers: { host: HOST },
        });
        return { statusCode, url: ((await body.json()) as WebEcho).url };
      });
      expect(await Promise.all(asked)).toEqual(
        Array.from({ length: 60 }, (_, i) => ({ statusCode: 200, url: `/echo?${i}` })),
      );
      await client.close();
    });

    it('fetches, with bodies of both kinds', async () => {
      const lookup: LookupFunction = (_, __, found) => found(null, [{ address: zoo().address, family: 4 }]);
      const dispatcher = new UndiciAgent({ connect: { ...trusting, lookup } });
      const url = `${scheme}://${HOST}/echo`;
      const post = async (body: string | ReadableStream) => {
        const sent = { method: 'POST', body, duplex: 'half', dispatcher } as const;
        return (await (await undiciFetch(url, sent)).json()) as WebEcho;
      };
      expect(await post(TEXT)).toMatchObject({ bytes: TEXT.length });
      const { bytes, headers } = await post(new Blob([TEXT]).stream());
      expect([bytes, headers['transfer-encoding']]).toEqual([TEXT.length, 'chunked']);
      await dispatcher.close();
    });
  });

  describe.each(schemes)('ws over %s', (scheme) => {
    it('echoes text and bytes, compressed and not', async () => {
      for (const perMessageDeflate of [true, false]) {
        const socket = await dial(zoo(), scheme, perMessageDeflate);
        expect(socket.extensions).toBe(perMessageDeflate ? 'permessage-deflate' : '');
        for (const sent of ['text', TEXT.repeat(30), Buffer.alloc(0), Buffer.alloc(300_000, 7)]) {
          socket.send(sent);
          const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
          expect(isBinary).toBe(typeof sent !== 'string');
          expect(data.equals(Buffer.from(sent))).toBe(true);
        }
        socket.terminate();
      }
    });

    it('pings, and closes with the codes of both sides', async () => {
      const socket = await dial(zoo(), scheme);
      socket.ping('are you there');
      expect(String((await once(socket, 'pong'))[0])).toBe('are you there');
      socket.send('close 4001');
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
      expect([code, String(reason)]).toEqual([4001, 'as you wish']);
      const other = await dial(zoo(), scheme);
      const before = zoo().backend.closeCodes.length;
      other.close(4003, 'mine');
      expect((await once(other, 'close'))[0]).toBe(4003);
      await expect.poll(() => zoo().backend.closeCodes.slice(before)).toContain(4003);
    });

    it('is told when its client vanishes', async () => {
      const before = zoo().backend.closeCodes.length;
      (await dial(zoo(), scheme)).terminate();
      await expect.poll(() => zoo().backend.closeCodes.slice(before)).toContain(1006);
    });
  });
}

async function dial(zoo: Zoo, scheme: Scheme, perMessageDeflate = false): Promise<WebSocket> {
  const options = { headers: { host: HOST }, perMessageDeflate, ...trusting };
  const socket = new WebSocket(`${scheme === 'https' ? 'wss' : 'ws'}://${zoo.address}/socket`, options);
  await once(socket, 'open');
  return socket;
}
