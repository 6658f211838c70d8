/** One health check, over a connection of its own. */
import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { HealthCheckPolicy } from '../../../routing/plan/backend-policy.ts';
import { connectAnnounced } from '../announced-socket.ts';
import type { Pool } from '../pool.ts';
import { encodeLocalHeader } from '../proxy-header-out.ts';

type HttpCheck = Extract<HealthCheckPolicy, { type: 'http' }>;

/** Calls `done` exactly once, unless the check is given up by what is returned. */
export type Probe = (pool: Pool, policy: HealthCheckPolicy, done: (healthy: boolean) => void) => () => void;

const USER_AGENT = 'fairway-health-check';

/** Bytes of a response head; longer ones are no answer to a check. */
const MAX_HEAD_BYTES = 16_384;

export const probe: Probe = (pool, policy, done) => {
  const socket = open(pool);
  const finish = (healthy?: boolean) => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    socket.destroy();
    if (healthy !== undefined) done(healthy);
  };
  let timer: NodeJS.Timeout | undefined = setTimeout(finish, policy.timeoutMs, false);
  socket.on('error', () => finish(false));
  socket.on('close', () => finish(false));
  if (policy.type === 'tcp') socket.once(pool.identity ? 'secureConnect' : 'connect', () => finish(true));
  else (pool.http2 ? askHttp2 : askHttp1)(socket, pool, policy, finish);
  return () => finish();
};

/** As connections of requests do (connection.ts), so that a check sees what they would. */
function open({ address, port, identity, http2, announce }: Pool): Socket {
  const to = { host: address, port, noDelay: true };
  const header = announce && encodeLocalHeader(announce);
  if (!identity) return header ? connectAnnounced(to, header, undefined) : connect(to);
  const { context, serverName, verify, check } = identity;
  const tls = {
    secureContext: context,
    servername: serverName,
    rejectUnauthorized: verify,
    checkServerIdentity: check,
    ALPNProtocols: [http2 ? 'h2' : 'http/1.1'],
  };
  return header ? connectAnnounced(to, header, tls) : connectTls({ ...to, ...tls });
}

function hostOf({ address, port }: Pool, { host }: HttpCheck): string {
  return host ?? `${isIPv6(address) ? `[${address}]` : address}:${port}`;
}

function isHealthy({ statuses }: HttpCheck, status: number | undefined): boolean {
  return status !== undefined && statuses.some(([first, last]) => status >= first && status <= last);
}

function askHttp1(socket: Socket, pool: Pool, policy: HttpCheck, finish: (healthy: boolean) => void): void {
  const asked = request({
    createConnection: () => socket,
    method: 'GET',
    path: policy.path,
    setHost: false,
    headers: { Host: hostOf(pool, policy), 'User-Agent': USER_AGENT, Connection: 'close' },
    maxHeaderSize: MAX_HEAD_BYTES,
  });
  asked.on('error', () => finish(false));
  asked.on('upgrade', () => finish(false));
  asked.on('response', (response) => {
    response.on('error', () => finish(false));
    response.resume();
    finish(isHealthy(policy, response.statusCode));
  });
  asked.end();
}

function askHttp2(socket: Socket, pool: Pool, policy: HttpCheck, finish: (healthy: boolean) => void): void {
  const authority = hostOf(pool, policy);
  const session = connectHttp2(`${pool.identity ? 'https' : 'http'}://endpoint`, { createConnection: () => socket });
  session.on('error', () => finish(false));
  const asked = session.request(
    { ':method': 'GET', ':path': policy.path, ':authority': authority, 'user-agent': USER_AGENT },
    { endStream: true },
  );
  asked.on('error', () => finish(false));
  asked.on('response', (headers) => finish(isHealthy(policy, headers[':status'])));
  asked.resume();
}
