/** A server for a Corefile, on an address of the test's own, with free ports. */
import { createStore, type StoreReader } from '../kube/store/store.ts';
import { exchangeTcp, exchangeUdp } from './plugins/forward/exchange.ts';
import { type CorefileServer, type CorefileServerOptions, createCorefileServer } from './server/corefile-server.ts';
import { encodeQuery, type QueryOptions } from './wire/ask.ts';
import { decodeMessage } from './wire/decode.ts';
import type { Message } from './wire/message.ts';
import { rcodeName, typeNumber } from './wire/numbers.ts';
import { parseQuery } from './wire/query.ts';
import { recordText } from './wire/records.ts';

export interface AskOptions extends QueryOptions {
  /** `dns://:53`: the listener to ask; default the first one. */
  door?: string;
  tcp?: boolean;
  timeoutMs?: number;
}

export interface TestServer {
  readonly server: CorefileServer;
  readonly logs: string[];
  readonly fatal: string[];
  ask(name: string, type?: string, options?: AskOptions): Promise<Message>;
  /** `NOERROR a. 30 A 1.2.3.4`: rcode and answers as text. */
  answers(name: string, type?: string, options?: AskOptions): Promise<string>;
  /** A page by its address in the Corefile. */
  page(address: string, path: string): Promise<{ status: number; text: string }>;
  port(door?: string): number;
  stop(): Promise<void>;
}

export interface TestServerOptions extends Partial<CorefileServerOptions> {
  /** Where everything is bound that the Corefile wants everywhere. */
  address: string;
  store?: StoreReader;
}

/** Starts a server; throws with its message when it cannot be started. */
export async function serveCorefile(text: string, options: TestServerOptions): Promise<TestServer> {
  const { address, store = createStore(), ...rest } = options;
  const logs: string[] = [];
  const fatal: string[] = [];
  const server = createCorefileServer({
    file: 'Corefile',
    text,
    openObjects: () => ({ store, synced: () => true, close: () => {} }),
    log: (level, line) => logs.push(`[${level.toUpperCase()}] ${line}`),
    onFatal: (reason) => fatal.push(reason),
    mapAddress: () => ({ host: address, port: 0 }),
    graceMs: 500,
    ...rest,
  });
  const started = await server.start();
  if (!started.ok) throw new Error(started.error);
  const doorOf = (name?: string) => {
    const door = server.doors().find((candidate) => name === undefined || candidate.name === name);
    if (!door) throw new Error(`no listener ${name}; there are ${server.doors().map((d) => d.name)}`);
    return door;
  };

  async function ask(name: string, type = 'A', asked: AskOptions = {}): Promise<Message> {
    const { door, tcp, timeoutMs = 3000, ...query } = asked;
    const parsed = parseQuery(encodeQuery(name, typeNumber(type) ?? 0, query));
    if (!parsed.ok) throw new Error('not a query');
    const result = await (tcp ? exchangeTcp : exchangeUdp)(parsed.query, doorOf(door), { timeoutMs });
    if (!result.ok) throw new Error(result.error);
    const decoded = decodeMessage(result.value);
    if (!decoded.ok) throw new Error(decoded.error);
    return decoded.value;
  }

  return {
    ...{ server, logs, fatal, ask },
    async answers(name, type, asked) {
      const message = await ask(name, type, asked);
      return [rcodeName(message.rcode), ...message.answers.map(recordText)].join(' ');
    },
    async page(at, path) {
      const bound = server.page(at);
      if (!bound) throw new Error(`no page at ${at}`);
      const response = await fetch(`http://${bound.host}:${bound.port}${path}`);
      return { status: response.status, text: await response.text() };
    },
    port: (door) => doorOf(door).port,
    stop: () => server.stop(),
  };
}
