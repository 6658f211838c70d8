/** A runtime with Pods for tests, and clients to judge it by. */
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { KubeObject, Pod, PodSpec } from '../../kube/types/index.ts';
import { createBindPolicy } from '../../service/bind.ts';
import type { PodRuntime, PodState } from '../runtime.ts';
import { createEchoRuntime, type EchoRuntimeOptions } from './runtime.ts';

export function echoPod(
  name: string,
  podIP: string,
  spec: Partial<PodSpec> = {},
  metadata: Partial<KubeObject['metadata']> = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name, labels: { app: 'web' }, ...metadata },
    spec: { containers: [{ name: 'main', ports: [{ containerPort: 8080 }] }], ...spec },
    status: { podIP },
  };
}

export interface TestRuntime {
  readonly runtime: PodRuntime;
  /** States told so far, by Pod key. */
  readonly states: Map<string, PodState[]>;
  /** Ensures the Pods and waits for their next state. */
  run(...pods: Pod[]): Promise<void>;
}

export function startRuntime(options: Partial<EchoRuntimeOptions> = {}): TestRuntime {
  const runtime = createEchoRuntime({ policy: createBindPolicy('native'), ...options });
  const states = new Map<string, PodState[]>();
  const waiting = new Map<string, () => void>();
  runtime.onState((key, state) => {
    states.set(key, [...(states.get(key) ?? []), state]);
    waiting.get(key)?.();
  });
  return {
    runtime,
    states,
    async run(...pods) {
      const told = pods.map(
        (pod) =>
          new Promise<void>((resolve) =>
            waiting.set(`${pod.metadata.namespace}/${pod.metadata.name}`, () => resolve()),
          ),
      );
      for (const pod of pods) runtime.ensure(pod);
      await Promise.all(told);
    },
  };
}

/** Whether a program is installed. */
export function hasTool(name: string): boolean {
  try {
    execFileSync('which', [name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, for at most ten seconds, with an optional standard input. */
export async function runTool(name: string, args: readonly string[], input?: string): Promise<ToolResult> {
  const child = execFile(name, args, { timeout: 10_000 });
  let [stdout, stderr] = ['', ''];
  child.stdout!.on('data', (text: string) => {
    stdout += text;
  });
  child.stderr!.on('data', (text: string) => {
    stderr += text;
  });
  child.stdin!.on('error', () => undefined);
  child.stdin!.end(input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}
