/** Who we are to the server: headers and certificates for the next request. */
import { ok, type Result } from '../../base/result.ts';
import type { ClientCertificate } from './agents.ts';
import type { ClientConfig, Impersonation } from './config.ts';
import { createExecPlugin } from './exec-plugin.ts';
import { createTextSource } from './file-text.ts';
import type { Timing } from './timing.ts';

export interface Credential {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly certificate?: ClientCertificate;
}

export interface Credentials {
  current(): Promise<Result<Credential, string>>;
  /** The server answered 401: get new ones. True when there may be others. */
  refused(): boolean;
}

const bearer = (token: string): Credential => ({ headers: { authorization: `Bearer ${token.trim()}` } });

function tokenCredentials(config: ClientConfig, timing: Timing, rereadMs?: number): Credentials {
  const { token } = config.user;
  const source = createTextSource(token!, timing, rereadMs);
  return {
    async current() {
      const text = source.read();
      return text.ok ? ok(bearer(text.value)) : text;
    },
    refused() {
      source.forget();
      return 'file' in token!;
    },
  };
}

function fixed(credential: Credential): Credentials {
  return { current: async () => ok(credential), refused: () => false };
}

/** In the order of client-go: a token goes before basic authentication, and both before a plugin. */
function base(config: ClientConfig, timing: Timing, rereadMs?: number): Credentials {
  const { token, basic, exec } = config.user;
  if (token) return tokenCredentials(config, timing, rereadMs);
  if (basic) {
    const encoded = Buffer.from(`${basic.username}:${basic.password}`).toString('base64');
    return fixed({ headers: { authorization: `Basic ${encoded}` } });
  }
  if (!exec) return fixed({ headers: {} });
  const plugin = createExecPlugin({ exec, config, timing });
  return {
    async current() {
      const given = await plugin.get();
      if (!given.ok) return given;
      const { token: text, certificate } = given.value;
      return ok({ headers: {}, ...(text && bearer(text)), ...(certificate && { certificate }) });
    },
    refused() {
      plugin.forget();
      return true;
    },
  };
}

/** `Impersonate-*` headers; names of extra fields are percent-encoded. */
function impersonationHeaders({ user, uid, groups, extra }: Impersonation): Credential['headers'] {
  const extras = Object.entries(extra).map(([name, values]) => [
    `impersonate-extra-${encodeURIComponent(name).toLowerCase()}`,
    values,
  ]);
  return {
    'impersonate-user': user,
    ...(uid && { 'impersonate-uid': uid }),
    ...(groups.length > 0 && { 'impersonate-group': groups }),
    ...Object.fromEntries(extras),
  };
}

export function createCredentials(config: ClientConfig, timing: Timing, rereadMs?: number): Credentials {
  const inner = base(config, timing, rereadMs);
  const { impersonate } = config.user;
  if (!impersonate) return inner;
  const headers = impersonationHeaders(impersonate);
  return {
    refused: inner.refused,
    async current() {
      const own = await inner.current();
      return own.ok ? ok({ ...own.value, headers: { ...own.value.headers, ...headers } }) : own;
    },
  };
}
