/** Knot DNS as a judge: a server of zone files, a signer of zones, a secondary. For tests only. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeQuery } from '../../wire/ask.ts';
import { decodeMessage } from '../../wire/decode.ts';
import type { Message } from '../../wire/message.ts';
import { rcode, recordType, typeNumber } from '../../wire/numbers.ts';
import { parseQuery } from '../../wire/query.ts';
import { exchangeTcp, exchangeUdp } from '../forward/exchange.ts';

const program = ['/usr/sbin/knotd', '/usr/local/sbin/knotd'].find((path) => existsSync(path));

/** Why there is no Knot to compare with; undefined when there is. */
export const withoutKnot: string | undefined = program ? undefined : 'knotd is not installed';

export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface Knot extends Place {
  readonly folder: string;
  stop(): Promise<void>;
}

export interface KnotOptions {
  readonly address: string;
  /** By domain. */
  readonly zones?: Readonly<Record<string, string>>;
  /** Lines of each zone's section. */
  readonly zoneLines?: readonly string[];
  /** Other sections. */
  readonly sections?: (place: Place) => string;
  /** Domains without a file. */
  readonly others?: readonly string[];
}

/** A port that nobody had a moment ago, for servers that cannot choose one themselves. */
export function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(0, address, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

export interface Question {
  readonly name: string;
  readonly type: string;
  readonly dnssec?: boolean;
  readonly tcp?: boolean;
}

export async function askAt(place: Place, { name, type, dnssec = false, tcp = false }: Question): Promise<Message> {
  const edns = { udpSize: 4096, version: 0, dnssecOk: dnssec, options: [] };
  const parsed = parseQuery(encodeQuery(name, typeNumber(type)!, { edns, recursionDesired: false }));
  if (!parsed.ok) throw new Error('not a query');
  const exchanged = await (tcp ? exchangeTcp : exchangeUdp)(parsed.query, place, { timeoutMs: 3000 });
  if (!exchanged.ok) throw new Error(exchanged.error);
  const decoded = decodeMessage(exchanged.value);
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.value;
}

/** Waits until a server has a zone. */
export async function servesZone(place: Place, zone: string, limitMs = 10_000): Promise<void> {
  const end = performance.now() + limitMs;
  for (;;) {
    const found = await askAt(place, { name: zone, type: 'SOA' }).catch(() => undefined);
    if (found?.rcode === rcode.NOERROR && found.answers.some(({ type }) => type === recordType.SOA)) return;
    if (performance.now() > end) throw new Error(`no zone ${zone} at ${place.address}:${place.port}`);
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

function configuration(folder: string, place: Place, options: KnotOptions): string {
  const domains = [...Object.keys(options.zones ?? {}), ...(options.others ?? [])];
  const lines = (options.zoneLines ?? []).map((line) => `    ${line}`).join('\n');
  return [
    `server:\n    rundir: "${folder}"\n    listen: ${place.address}@${place.port}\n    udp-workers: 1\n    tcp-workers: 1`,
    `    background-workers: 1`,
    `log:\n  - target: "${folder}/log"\n    any: info`,
    `database:\n    storage: "${folder}"`,
    options.sections?.(place) ?? '',
    'zone:',
    ...domains.map((domain) => `  - domain: ${domain}\n    storage: "${folder}"\n    file: "${domain}.zone"\n${lines}`),
  ].join('\n');
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await ended;
  clearTimeout(timer);
}

export async function startKnot(options: KnotOptions): Promise<Knot> {
  const folder = mkdtempSync(join(tmpdir(), 'knot-'));
  const place = { address: options.address, port: await freePort(options.address) };
  for (const [domain, text] of Object.entries(options.zones ?? {})) writeFileSync(join(folder, `${domain}.zone`), text);
  writeFileSync(join(folder, 'knot.conf'), configuration(folder, place, options));
  const child = spawn(program!, ['-c', join(folder, 'knot.conf')], { stdio: 'ignore' });
  const stop = async () => {
    await stopped(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const zone of Object.keys(options.zones ?? {})) await servesZone(place, zone);
  } catch (error) {
    const log = readFileSync(join(folder, 'log'), 'utf8');
    await stop();
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${log}`);
  }
  return { ...place, folder, stop };
}

/** A zone as `kdig` writes it after a transfer: one record a line. */
export function transferText({ address, port }: Place, zone: string): string {
  return execFileSync('kdig', [`@${address}`, '-p', `${port}`, zone, 'AXFR', '+noidn'], { encoding: 'utf8' });
}
