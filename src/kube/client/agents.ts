/** Connections to one API server: kept alive, and made anew when certificates have been renewed. */
import { Agent as HttpAgent, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { createSecureContext } from 'node:tls';
import { err, ok, type Result } from '../../base/result.ts';
import type { Material, TlsConfig } from './config.ts';
import { createTextSource, type TextSource } from './file-text.ts';
import type { Timing } from './timing.ts';

/** A client certificate in PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface Door {
  readonly request: typeof requestHttp;
  readonly options: RequestOptions;
}

export interface Agents {
  /** How to reach the server now. `certificate` goes before that of the configuration. */
  current(certificate?: ClientCertificate): Result<Door, string>;
  /** The server refused us: look at the files again. */
  forget(): void;
  close(): void;
}

const agentOptions = {
  keepAlive: true,
  // A peer that has vanished without a word is noticed by TCP itself after about 25 s.
  keepAliveMsecs: 15_000,
  // Idle connections only: an API server keeps them for longer, so that none of ours is one that it has closed.
  timeout: 30_000,
};

interface Sources {
  readonly ca?: TextSource;
  readonly cert?: TextSource;
  readonly key?: TextSource;
}

function sourcesOf({ ca, certificate }: TlsConfig, timing: Timing, rereadMs?: number): Sources {
  const source = (material: Material | undefined) => material && createTextSource(material, timing, rereadMs);
  return { ca: source(ca), cert: source(certificate?.cert), key: source(certificate?.key) };
}

type Pem = Partial<Record<'ca' | 'cert' | 'key', string>>;

function readAll(sources: Sources): Result<Pem, string> {
  const pem: Pem = {};
  for (const part of ['ca', 'cert', 'key'] as const) {
    const text = sources[part]?.read();
    if (text && !text.ok) return text;
    if (text) pem[part] = text.value;
  }
  return ok(pem);
}

function secureAgent(tls: TlsConfig, pem: Pem): Result<HttpsAgent, string> {
  try {
    const agent = new HttpsAgent({
      ...agentOptions,
      // Made once, not for each connection; and what is wrong with the texts shows here.
      secureContext: createSecureContext(pem),
      rejectUnauthorized: !tls.insecure,
      ...(tls.serverName && { servername: tls.serverName }),
    });
    return ok(agent);
  } catch (error) {
    return err(`the certificates are of no use: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function createAgents(server: URL, tls: TlsConfig, timing: Timing, rereadMs?: number): Agents {
  if (server.protocol === 'http:') {
    const agent = new HttpAgent(agentOptions);
    const door: Door = { request: requestHttp, options: { agent } };
    return { current: () => ok(door), forget: () => undefined, close: () => agent.destroy() };
  }
  const sources = sourcesOf(tls, timing, rereadMs);
  const agents = new Set<HttpsAgent>();
  let last: { pem: Pem; door: Door } | undefined;

  const unchanged = (pem: Pem) =>
    last !== undefined && last.pem.ca === pem.ca && last.pem.cert === pem.cert && last.pem.key === pem.key;

  return {
    current(certificate) {
      const files = readAll(sources);
      if (!files.ok) return files;
      const pem = { ...files.value, ...certificate };
      if (last && unchanged(pem)) return ok(last.door);
      const agent = secureAgent(tls, pem);
      if (!agent.ok) return agent;
      // Requests under way stay on the old agent; its idle connections end by themselves.
      agents.add(agent.value);
      last = { pem, door: { request: requestHttps, options: { agent: agent.value } } };
      return ok(last.door);
    },
    forget() {
      for (const source of Object.values(sources)) source?.forget();
    },
    close() {
      for (const agent of agents) agent.destroy();
    },
  };
}
