/** Real kubectl binaries: those named in FAIRWAY_KUBECTL (separated by colons), else the one in PATH. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubeconfigFor } from '../../../src/local/apiserver/kubeconfig.ts';

export interface KubectlBinary {
  readonly path: string;
  /** `v1.32.4` */
  readonly version: string;
}

function versionOf(path: string): string | undefined {
  try {
    const text = execFileSync(path, ['version', '--client', '-o', 'json'], { encoding: 'utf8', stdio: 'pipe' });
    return (JSON.parse(text) as { clientVersion: { gitVersion: string } }).clientVersion.gitVersion;
  } catch (error) {
    console.warn(`${path} is no working kubectl: ${(error as Error).message.split('\n')[0]}`);
    return undefined;
  }
}

export function findKubectl(): KubectlBinary[] {
  const paths = process.env.FAIRWAY_KUBECTL?.split(':').filter((path) => path !== '') ?? ['kubectl'];
  return paths.flatMap((path) => {
    const version = versionOf(path);
    return version === undefined ? [] : [{ path, version }];
  });
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Kubectl {
  /** Runs to the end; fails the test when kubectl fails. */
  (...args: string[]): Promise<string>;
  /** Runs to the end, well or not. */
  attempt(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<Outcome>;
  /** Writes a manifest and gives its path. */
  manifest(text: string): string;
  /** Starts a command that goes on; it is stopped by `close` at the latest. */
  start(...args: string[]): Running;
  close(): void;
}

export interface Running {
  /** Everything printed so far, once it matches. */
  until(pattern: RegExp, timeoutMs?: number): Promise<string>;
  exit(): Promise<number>;
  readonly running: boolean;
  stop(): void;
}

function follow(child: ChildProcess): Running {
  let text = '';
  let code: number | null = null;
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listener of listeners) listener();
  };
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (data: Buffer) => {
      text += data.toString();
      notify();
    });
  const exited = new Promise<number>((resolve) =>
    child.on('close', (value) => {
      code = value ?? -1;
      resolve(code);
      notify();
    }),
  );
  return {
    get running() {
      return code === null;
    },
    stop: () => child.kill(),
    exit: () => exited,
    until: (pattern, timeoutMs = 15_000) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (!pattern.test(text)) return;
          listeners.delete(check);
          clearTimeout(timer);
          resolve(text);
        };
        const timer = setTimeout(() => reject(new Error(`no ${pattern} in: ${text}`)), timeoutMs);
        listeners.add(check);
        check();
      }),
  };
}

/** kubectl with a home and kubeconfig of its own for one server. */
export function kubectlFor(binary: KubectlBinary, url: string): Kubectl {
  const home = mkdtempSync(join(tmpdir(), 'fairway-kubectl-'));
  const kubeconfig = join(home, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigFor(url));
  const env = { PATH: process.env.PATH, HOME: home, KUBECONFIG: kubeconfig };
  const children = new Set<ChildProcess>();
  let manifests = 0;

  const attempt: Kubectl['attempt'] = (args, options = {}) =>
    new Promise((resolve) => {
      const settings = { env: { ...env, ...options.env }, timeout: 30_000, maxBuffer: 16 * 1024 * 1024 };
      const child = execFile(binary.path, [...args], settings, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      });
      child.stdin!.end(options.input ?? '');
    });

  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await attempt(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr || stdout}`);
    return stdout;
  };

  return Object.assign(run, {
    attempt,
    manifest(text: string) {
      const path = join(home, `manifest-${manifests++}.yaml`);
      writeFileSync(path, text);
      return path;
    },
    start(...args: string[]) {
      const child = spawn(binary.path, args, { env });
      children.add(child);
      return follow(child);
    },
    close() {
      for (const child of children) child.kill();
      rmSync(home, { recursive: true, force: true });
    },
  });
}
