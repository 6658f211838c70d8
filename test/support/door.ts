/** A front door for a test: in this process, on addresses that no other test file uses, with nothing left behind. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type ClusterConfig, clusterConfigOf } from '../../src/local/config.ts';
import {
  type FrontDoor,
  type FrontDoorEvent,
  type FrontDoorOptions,
  startFrontDoor,
} from '../../src/local/front-door.ts';

export { eventually } from './eventually.ts';

export interface TestDoor extends FrontDoor {
  readonly events: FrontDoorEvent[];
  readonly config: ClusterConfig;
}

/** True where addresses of 127/8 and low ports can be bound, as the feature tests need. */
export const canBind = process.platform === 'linux' && process.getuid?.() === 0;

/**
 * `n` is the instance of the test file, one for each: 1 to 35, -4 to -2 or -10 to -7. The ranges of 36 and -1 are those of
 * instance 0, and those of -6 and -5 have single addresses of other tests.
 */
export async function openDoor(
  n: number,
  options: Omit<FrontDoorOptions, 'config' | 'nodeResolvConf'> & { nodeResolvConf?: string },
): Promise<TestDoor> {
  const events: FrontDoorEvent[] = [];
  const config = clusterConfigOf(n);
  const door = await startFrontDoor({
    watch: false,
    apiPort: 0,
    dnsPort: 0,
    nodeResolvConf: 'nameserver 127.77.0.53\nsearch node.example\n',
    ...options,
    config,
    onEvent: (event) => events.push(event),
  });
  return Object.assign(Object.create(null), door, { events, config }) as TestDoor;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** What the echo Pod saw, when it was one that answered. */
  readonly echo: Echo;
}

export interface Echo {
  readonly path: string;
  readonly host: string;
  readonly method: string;
  readonly proto: string;
  readonly headers: Record<string, string[]>;
  readonly namespace: string;
  readonly pod: string;
}

export interface Ask {
  address: string;
  port?: number;
  host?: string;
  path?: string;
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string;
  /** Local address to ask from. */
  from?: string;
  /** Ask over TLS with this server name; certificates are not verified. */
  tls?: boolean;
}

/** One request on a connection of its own. */
export function ask(options: Ask): Promise<Answer> {
  const { address, path = '/', method = 'GET', tls = false, body } = options;
  const host = options.host ?? address;
  const send = tls ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      {
        host: address,
        port: options.port ?? (tls ? 443 : 80),
        path,
        method,
        headers: { host, ...options.headers },
        agent: false,
        ...(options.from && { localAddress: options.from }),
        ...(tls && { servername: host, rejectUnauthorized: false }),
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          const echo =
            response.headers['content-type'] === 'application/json' ? (JSON.parse(text) as Echo) : ({} as Echo);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, echo });
        });
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export type ConditionLike = { readonly type: string; readonly status: string; readonly reason?: string };

/** `Accepted=True(Accepted)` for each condition, sorted: short enough to compare whole. */
export const conditionsOf = (conditions: readonly ConditionLike[] | undefined): string[] =>
  (conditions ?? []).map(({ type, status, reason }) => `${type}=${status}(${reason})`).sort();

/** The Kubernetes API of a door, for edits while it runs. Throws with the answer when it is no success. */
export function apiOf(door: FrontDoor) {
  async function send(method: string, path: string, body?: object, type = 'application/json') {
    const response = await fetch(`${door.summary.api}${path}`, {
      method,
      headers: { 'content-type': type },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
    return JSON.parse(answer) as Record<string, unknown>;
  }
  return {
    get: (path: string) => send('GET', path),
    create: (path: string, object: object) => send('POST', path, object),
    patch: (path: string, change: object) => send('PATCH', path, change, 'application/merge-patch+json'),
    remove: (path: string) => send('DELETE', path),
  };
}
