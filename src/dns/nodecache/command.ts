/** The tools of the node (`ip`, `iptables`, `nft`) as child processes, bounded in time and output. */
import { execFile } from 'node:child_process';

export interface CommandOutcome {
  /** Undefined when it could not be started, took too long, or wrote too much; `stderr` says which. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with its input; never throws. */
export type RunCommand = (program: string, args: readonly string[], input?: string) => Promise<CommandOutcome>;

export interface CommandLimits {
  /** Default 15,000: three times the wait for the lock of iptables. */
  readonly timeoutMs?: number;
  /** Bytes of standard output, and of standard error. Default 8 MiB. */
  readonly maxOutput?: number;
}

/** Folders that a service's PATH may lack. */
const toolFolders = '/usr/local/sbin:/usr/sbin:/sbin';

export function createCommandRunner({
  timeoutMs = 15_000,
  maxOutput = 8 * 1024 * 1024,
}: CommandLimits = {}): RunCommand {
  return (program, args, input) =>
    new Promise((resolve) => {
      const env = { ...process.env, LC_ALL: 'C', PATH: `${process.env.PATH ?? '/usr/bin:/bin'}:${toolFolders}` };
      const options = { timeout: timeoutMs, maxBuffer: maxOutput, killSignal: 'SIGKILL' as const, env };
      const child = execFile(program, args, options, (error, stdout, stderr) => {
        if (!error) return resolve({ code: 0, stdout, stderr });
        if (typeof error.code === 'number') return resolve({ code: error.code, stdout, stderr });
        const reason = error.killed ? `${program} took longer than ${timeoutMs} ms` : error.message;
        return resolve({ code: undefined, stdout, stderr: reason });
      });
      // A program that ends without reading its input breaks the pipe; its exit code says why.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input ?? '');
    });
}

/** The first line of what a program said against its task. */
export function complaint({ code, stderr }: CommandOutcome): string {
  const line = stderr.split('\n').find((text) => text.trim() !== '');
  return line?.trim() ?? `exit code ${code}`;
}
