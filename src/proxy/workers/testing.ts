/** A data plane of several processes for tests: the worker is bundled from the sources as they are. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../base/package-root.ts';
import type { Plan } from '../../routing/plan/plan.ts';
import type { Endpoint } from '../../service/endpoints.ts';
import type { AccessRecord } from '../access.ts';
import type { ProxyCommand, ProxyReport } from '../channel.ts';
import type { ProxyOptions } from '../options.ts';
import type { StreamRecord } from '../stream/record.ts';
import { createProxyWorkers, type ProxyWorkers, type WorkerCommand, type WorkersOptions } from './workers.ts';

const folders: string[] = [];

/** Bundles code that runs beside worker.ts; `code` may import from there. */
export async function bundleWorker(code = runWorker): Promise<WorkerCommand> {
  const { build } = await import('esbuild');
  const outdir = mkdtempSync(join(tmpdir(), 'proxy-worker-'));
  folders.push(outdir);
  await build({
    stdin: { contents: code, resolveDir: join(packageRoot, 'src/proxy/workers'), loader: 'ts' },
    outfile: join(outdir, 'worker.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  return { file: join(outdir, 'worker.mjs'), args: [] };
}

export function removeBundles(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
}

export const runWorker = `import { runProxyWorker } from './worker.ts';\nawait runProxyWorker();\nprocess.exit();`;

export interface WorkersFront {
  readonly proxy: ProxyWorkers;
  readonly access: AccessRecord[];
  readonly streams: StreamRecord[];
  readonly findings: string[];
  readonly reports: ProxyReport[];
  /** Sends a plan and waits until it is in force. */
  plan(plan: Plan): Promise<ProxyReport>;
  endpoints(changed: Record<string, readonly Endpoint[] | null>): Promise<ProxyReport>;
}

export function createWorkersFront(options: ProxyOptions, workers: WorkersOptions): WorkersFront {
  const access: AccessRecord[] = [];
  const streams: StreamRecord[] = [];
  const findings: string[] = [];
  const reports: ProxyReport[] = [];
  const waiting = new Map<number, (report: ProxyReport) => void>();
  const proxy = createProxyWorkers(
    {
      onAccess: (record) => access.push(record),
      onStream: (record) => streams.push(record),
      onDiagnostic: (finding) => findings.push(`${finding.code} ${finding.message}`),
      ...options,
    },
    workers,
  );
  let generation = 0;
  proxy.onReport((report) => {
    reports.push(report);
    waiting.get(report.generation)?.(report);
  });
  const applied = (make: (generation: number) => ProxyCommand) =>
    new Promise<ProxyReport>((resolve) => {
      waiting.set(++generation, resolve);
      proxy.send(make(generation));
    });
  return {
    proxy,
    access,
    streams,
    findings,
    reports,
    plan: (plan) => applied((number) => ({ type: 'plan', generation: number, plan, bindings: {} })),
    endpoints: (changed) => applied((number) => ({ type: 'endpoints', generation: number, changed })),
  };
}

/** Waits until it holds; fails after ten seconds with `what` it was. */
export async function until(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1_000; i++) {
    if (await check()) return;
    await new Promise((go) => setTimeout(go, 10));
  }
  throw new Error(`it did not come to pass in 10 s: ${what}`);
}
