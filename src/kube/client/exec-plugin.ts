/**
 * Credential plugins: a program that prints an ExecCredential (client.authentication.k8s.io/v1 and v1beta1). One run
 * serves all who wait; its answer is kept until it expires or the server refuses it.
 */
import { spawn } from 'node:child_process';
import { err, ok, type Result } from '../../base/result.ts';
import type { ClientCertificate } from './agents.ts';
import type { ClientConfig, ExecConfig } from './config.ts';
import { createTextSource } from './file-text.ts';
import type { Timing } from './timing.ts';

export interface ExecPluginOptions {
  readonly exec: ExecConfig;
  readonly config: ClientConfig;
  readonly timing: Timing;
  /** Milliseconds for one run. Default 60,000: a person may have to answer. */
  readonly timeoutMs?: number;
  /** Bytes of output. Default 1 MiB. */
  readonly maxOutput?: number;
  /** Milliseconds before its end that a credential is renewed. Default 10,000. */
  readonly renewAheadMs?: number;
  /** Milliseconds that a failure stands before the program runs again. Default 1,000. */
  readonly failureHoldMs?: number;
}

export interface ExecCredential {
  readonly token?: string;
  readonly certificate?: ClientCertificate;
  /** Milliseconds since the epoch; absent: until it is refused. */
  readonly expires?: number;
}

export interface ExecPlugin {
  get(): Promise<Result<ExecCredential, string>>;
  forget(): void;
}

/** Bytes of what the program says on stderr that an error repeats. */
const maxComplaint = 1000;

function clusterInfo({ server, tls }: ClientConfig, timing: Timing): Record<string, unknown> {
  const ca = tls.ca && createTextSource(tls.ca, timing).read();
  return {
    server,
    ...(tls.serverName && { 'tls-server-name': tls.serverName }),
    ...(tls.insecure && { 'insecure-skip-tls-verify': true }),
    ...(ca?.ok && { 'certificate-authority-data': Buffer.from(ca.value).toString('base64') }),
  };
}

function execInfo({ exec, config, timing }: ExecPluginOptions, interactive: boolean): string {
  const cluster = exec.provideClusterInfo ? { cluster: clusterInfo(config, timing) } : {};
  return JSON.stringify({ apiVersion: exec.apiVersion, kind: 'ExecCredential', spec: { interactive, ...cluster } });
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

/** The credential in what a plugin printed. */
export function readExecCredential(output: string, apiVersion: string): Result<ExecCredential, string> {
  let printed: { apiVersion?: unknown; kind?: unknown; status?: Record<string, unknown> } | null;
  try {
    printed = JSON.parse(output);
  } catch {
    return err('it printed no JSON');
  }
  if (printed?.kind !== 'ExecCredential') return err('it printed no ExecCredential');
  if (printed.apiVersion !== apiVersion)
    return err(`it speaks ${String(printed.apiVersion)}, but the kubeconfig says ${apiVersion}`);
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = printed.status ?? {};
  const [cert, key] = [text(clientCertificateData), text(clientKeyData)];
  if (!text(token) && !cert && !key) return err('it gave neither a token nor a certificate');
  if (!cert !== !key) return err('it gave only one of certificate and key');
  const expires = text(expirationTimestamp) === undefined ? undefined : Date.parse(String(expirationTimestamp));
  if (Number.isNaN(expires)) return err(`its expirationTimestamp is no time: ${String(expirationTimestamp)}`);
  return ok({
    ...(text(token) && { token: text(token) }),
    ...(cert && key && { certificate: { cert, key } }),
    ...(expires !== undefined && { expires }),
  });
}

/** What the program prints, or why there is nothing. */
function run(options: ExecPluginOptions): Promise<Result<string, string>> {
  const { exec, timeoutMs = 60_000, maxOutput = 1024 * 1024 } = options;
  const interactive = exec.interactiveMode !== 'Never' && process.stdin.isTTY === true;
  if (exec.interactiveMode === 'Always' && !interactive)
    return Promise.resolve(err('it wants a terminal (interactiveMode: Always), and there is none'));
  return new Promise((resolve) => {
    const program = spawn(exec.command, [...exec.args], {
      env: { ...process.env, ...exec.env, KUBERNETES_EXEC_INFO: execInfo(options, interactive) },
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', interactive ? 'inherit' : 'pipe'],
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let complaint = '';
    const finish = (result: Result<string, string>) => {
      clearTimeout(timer);
      program.kill('SIGKILL');
      // Descendants may hold the pipes open; nobody waits for them.
      program.stdout?.destroy();
      program.stderr?.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish(err(`it took longer than ${timeoutMs} ms`)), timeoutMs);
    program.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxOutput) finish(err(`it printed more than ${maxOutput} bytes`));
      else chunks.push(chunk);
    });
    program.stderr?.on('data', (chunk: Buffer) => {
      if (complaint.length < maxComplaint) complaint = (complaint + chunk.toString()).slice(0, maxComplaint);
    });
    program.on('error', (error: NodeJS.ErrnoException) =>
      finish(
        err(error.code === 'ENOENT' ? `not found${exec.installHint ? `. ${exec.installHint}` : ''}` : error.message),
      ),
    );
    program.on('close', (code, signal) => {
      if (code === 0) finish(ok(Buffer.concat(chunks).toString('utf8')));
      else finish(err(`it ended with ${signal ?? `code ${code}`}${complaint ? `: ${complaint.trim()}` : ''}`));
    });
  });
}

export function createExecPlugin(options: ExecPluginOptions): ExecPlugin {
  const { exec, timing, renewAheadMs = 10_000, failureHoldMs = 1000 } = options;
  let running: Promise<Result<ExecCredential, string>> | undefined;
  let last: { result: Result<ExecCredential, string>; goodUntil: number } | undefined;

  async function renew(): Promise<Result<ExecCredential, string>> {
    const output = await run(options);
    const read = output.ok ? readExecCredential(output.value, exec.apiVersion) : output;
    const result = read.ok ? read : err(`credential plugin ${exec.command}: ${read.error}`);
    const expires = result.ok ? (result.value.expires ?? Number.POSITIVE_INFINITY) : undefined;
    last = { result, goodUntil: expires === undefined ? timing.now() + failureHoldMs : expires - renewAheadMs };
    running = undefined;
    return result;
  }

  return {
    get() {
      if (last && timing.now() < last.goodUntil) return Promise.resolve(last.result);
      running ??= renew();
      return running;
    },
    forget() {
      if (last?.result.ok) last = undefined;
    },
  };
}
