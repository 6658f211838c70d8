/** Debian's pebble and pebble-challtestsrv as processes of a test: an ACME server that is made to be difficult. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface PebbleOptions {
  /** Where pebble and its DNS server listen: a loopback address that is the test's own. */
  readonly address: string;
  /** Where HTTP-01 is looked for, on `target`. */
  readonly httpPort: number;
  readonly tlsPort?: number;
  /** What all names resolve to. */
  readonly target: string;
  /** `address:port` of a DNS server to ask in place of pebble-challtestsrv. */
  readonly dns?: string;
  /** Keys of external accounts by id; accounts must be bound then. */
  readonly accounts?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Pebble {
  /** URL of the directory. */
  readonly directory: string;
  /** PEM of the authority that signed the server's own certificate. */
  readonly ca: string;
  /** PEM of the root that issued certificates lead to. */
  root(): Promise<string>;
  /** Has a name resolve to an address of its own. Not with a DNS server of the test's. */
  resolve(name: string, address: string): Promise<void>;
  /** What it has logged. */
  log(): string;
  stop(): Promise<void>;
}

/** Why tests with pebble cannot run here; undefined: they can. */
export function whyNoPebble(): string | undefined {
  for (const command of ['pebble', 'pebble-challtestsrv', 'openssl']) {
    try {
      execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    } catch {
      return `there is no ${command} (Debian: apt-get install pebble openssl)`;
    }
  }
  return undefined;
}

const ports = { acme: 14_000, management: 15_000, dns: 8053 };

export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const { address, httpPort, tlsPort = 5001, target, dns, accounts, env } = options;
  const folder = mkdtempSync(join(tmpdir(), 'fairway-pebble-'));
  makeCertificate(folder, address);
  const config = join(folder, 'config.json');
  const pebble = {
    listenAddress: `${address}:${ports.acme}`,
    managementListenAddress: `${address}:${ports.management}`,
    ...{ certificate: join(folder, 'cert.pem'), privateKey: join(folder, 'key.pem') },
    ...{ httpPort, tlsPort, ocspResponderURL: '', externalAccountBindingRequired: accounts !== undefined },
    ...(accounts && { externalAccountMACKeys: accounts }),
  };
  writeFileSync(config, JSON.stringify({ pebble }));
  const processes: ChildProcess[] = [];
  let log = '';
  const run = (command: string, args: readonly string[]) => {
    const child = spawn(command, args, { env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', ...env } });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        log += chunk.toString();
      });
    processes.push(child);
  };
  if (dns === undefined) {
    const places = ['-dns01', `${address}:${ports.dns}`, '-management', `${address}:8055`];
    const none = ['-http01', '', '-https01', '', '-tlsalpn01', ''];
    run('pebble-challtestsrv', [...places, ...none, '-defaultIPv4', target, '-defaultIPv6', '']);
  }
  run('pebble', ['-config', config, '-dnsserver', dns ?? `${address}:${ports.dns}`, '-strict']);
  const ca = readFileSync(join(folder, 'cert.pem'), 'utf8');
  const get = (path: string, port = ports.management) => fetchText(`https://${address}:${port}${path}`, ca);
  const stop = async () => {
    await Promise.all(processes.map(ended));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilUp(() => get('/dir', ports.acme));
  } catch (error) {
    await stop();
    throw new Error(`pebble did not start: ${String(error)}\n${log}`);
  }
  return {
    directory: `https://${address}:${ports.acme}/dir`,
    ca,
    root: () => get('/roots/0'),
    async resolve(host, to) {
      const body = JSON.stringify({ host: `${host}.`, addresses: [to] });
      const answer = await fetch(`http://${address}:8055/add-a`, { method: 'POST', body });
      if (!answer.ok) throw new Error(`pebble-challtestsrv: ${answer.status}`);
    },
    log: () => log,
    stop,
  };
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

function makeCertificate(folder: string, address: string): void {
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=pebble', '-addext', `subjectAltName=IP:${address}`],
      ...['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')],
    ],
    { stdio: 'ignore' },
  );
}

function fetchText(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ca, agent: false, timeout: 2000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end();
  });
}

async function untilUp(ask: () => Promise<unknown>): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      await ask();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
