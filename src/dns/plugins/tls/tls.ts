/** The certificate of a server block: read again when its files change, and whom it lets in. */
import { appendFile, readFile } from 'node:fs/promises';
import { createSecureContext, type TLSSocket } from 'node:tls';
import type { TlsFiles, TlsIdentity } from '../../server/secure.ts';
import type { Plugin } from '../plugin.ts';
import type { LogLine } from '../setup.ts';

/** What is asked of clients, in the words of CoreDNS, which are those of Go. */
export const clientAuth = {
  nocert: { asks: false, needs: false, checks: false },
  request: { asks: true, needs: false, checks: false },
  require: { asks: true, needs: true, checks: false },
  verify_if_given: { asks: true, needs: false, checks: true },
  require_and_verify: { asks: true, needs: true, checks: true },
} as const;

export type ClientAuth = (typeof clientAuth)[keyof typeof clientAuth];

export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  /** Who signs the certificates of clients; default the authorities that Node trusts. */
  readonly ca?: string;
}

export interface TlsOptions {
  readonly paths: TlsPaths;
  /** What was read from them. */
  readonly first: PemFiles;
  readonly auth: ClientAuth;
  /** Where the key log is written. */
  readonly keyLog?: string;
  /** Between looks at the files, ms. Default 30,000; 0: never. */
  readonly lookEveryMs?: number;
  readonly log: LogLine;
}

export interface PemFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
}

const sameFiles = (a: PemFiles, b: PemFiles): boolean =>
  a.cert.equals(b.cert) && a.key.equals(b.key) && (a.ca ?? Buffer.alloc(0)).equals(b.ca ?? Buffer.alloc(0));

async function readAll({ cert, key, ca }: TlsPaths): Promise<PemFiles> {
  const [certificate, secret, authority] = await Promise.all([readFile(cert), readFile(key), ca && readFile(ca)]);
  return { cert: certificate, key: secret, ...(authority && { ca: authority }) };
}

/** Whether a client whose handshake is done has what is asked of it. */
function hasShown(client: TLSSocket, auth: ClientAuth): boolean {
  if (!auth.asks) return true;
  const shown = client.getPeerX509Certificate() !== undefined;
  if (!shown) return !auth.needs;
  return !auth.checks || client.authorized;
}

/** The plugin watches; the identity is what listeners take. */
export function createTls(options: TlsOptions): { plugin: Plugin; identity: TlsIdentity } {
  const { paths, auth, keyLog, lookEveryMs = 30_000, log } = options;
  const withAuth = (files: PemFiles): TlsFiles => ({
    ...files,
    requestCert: auth.asks,
    // Node ends handshakes without a good certificate itself; `require` takes any, so it is asked afterwards.
    rejectUnauthorized: auth.needs && auth.checks,
  });
  let files = options.first;
  let current = withAuth(files);
  let timer: NodeJS.Timeout | undefined;
  let complaint = '';
  let writing: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    try {
      const found = await readAll(paths);
      if (sameFiles(found, files)) return;
      createSecureContext(found);
      files = found;
      current = withAuth(found);
      complaint = '';
      log('info', `the certificate ${paths.cert} was read again`);
    } catch (error) {
      // Half-written files are like this for a moment: the certificate in force stays, and the next look tries again.
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== complaint) log('error', `the certificate ${paths.cert} cannot be read again: ${reason}`);
      complaint = reason;
    }
  }

  function writeKeys(file: string, line: Buffer): void {
    writing = writing
      .then(() => appendFile(file, line, { mode: 0o600 }))
      .catch((error: Error) => log('error', `cannot write the key log: ${error.message}`));
  }

  return {
    identity: {
      current: () => current,
      welcomes: (client) => hasShown(client, auth),
      ...(keyLog !== undefined && { onKeys: (line: Buffer) => writeKeys(keyLog, line) }),
    },
    plugin: {
      name: 'tls',
      start() {
        if (lookEveryMs > 0) timer = setInterval(() => void look(), lookEveryMs).unref();
      },
      async close() {
        clearInterval(timer);
        await writing;
      },
    },
  };
}
