/** Questions to an upstream over HTTPS (RFC 8484). */
import { Agent, request } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { err, ok, type Result } from '../../../base/result.ts';
import { isResponseTo } from '../../wire/ask.ts';
import type { Query } from '../../wire/query.ts';
import { type ExchangeOptions, settleOnce } from './exchange.ts';
import type { Upstream } from './upstreams.ts';

export interface DohOptions {
  readonly method: 'POST' | 'GET';
  readonly tls: ConnectionOptions;
  readonly expireMs: number;
}

/** Largest answer, bytes. */
const maxAnswer = 0xffff;
const mediaType = 'application/dns-message';

export function createDohClient(upstream: Upstream, options: DohOptions) {
  const { servername } = options.tls;
  const agent = new Agent({ keepAlive: true, timeout: options.expireMs, maxSockets: 100, ...options.tls });
  const host = upstream.address.includes(':') ? `[${upstream.address}]` : upstream.address;

  return {
    exchange: (query: Query, asked: ExchangeOptions): Promise<Result<Uint8Array, string>> =>
      new Promise((resolve) => {
        // Id 0, so that caches on the way can do their work (RFC 8484 section 4.1).
        const packet = Buffer.from(query.packet);
        packet.writeUInt16BE(0, 0);
        const get = options.method === 'GET';
        const outgoing = request({
          ...{ host: upstream.address, port: upstream.port, method: options.method, agent },
          path: get ? `/dns-query?dns=${packet.toString('base64url')}` : '/dns-query',
          headers: {
            host: `${servername ?? host}:${upstream.port}`,
            accept: mediaType,
            ...(!get && { 'content-type': mediaType, 'content-length': packet.length }),
          },
          ...(asked.localAddress && { localAddress: asked.localAddress }),
        });
        const finish = settleOnce(resolve, asked, () => outgoing.destroy());
        outgoing.on('error', (error) => finish(err(error.message)));
        outgoing.on('response', (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > maxAnswer) finish(err('the answer is too large'));
            else chunks.push(chunk);
          });
          response.on('end', () => {
            const answer = Buffer.concat(chunks);
            if (response.statusCode !== 200) return finish(err(`HTTP status ${response.statusCode}`));
            if (answer.length >= 2) answer.writeUInt16BE(query.id, 0);
            return finish(isResponseTo(query, answer) ? ok(answer) : err('the answer is to another question'));
          });
        });
        outgoing.end(get ? undefined : packet);
      }),
    close: () => agent.destroy(),
  };
}
