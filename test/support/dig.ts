/** dig, the independent client of the DNS tests. */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Undefined where dig is not installed. */
export const digVersion = (() => {
  try {
    return execFileSync('dig', ['-v'], { stdio: 'pipe' }).toString() || 'dig';
  } catch {
    return undefined;
  }
})();

/** Lines that dig prints, sorted: with `+short`, which is given, the data of the answers. */
export async function dig(server: { address: string; port: number }, ...question: string[]): Promise<string[]> {
  const { stdout } = await run('dig', [
    `@${server.address}`,
    '-p',
    String(server.port),
    '+short',
    '+tries=1',
    '+time=3',
    ...question,
  ]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** The status of an answer (`NOERROR`, `NXDOMAIN`…) and its flags. */
export async function digHeader(server: { address: string; port: number }, ...question: string[]) {
  const { stdout } = await run('dig', [
    `@${server.address}`,
    '-p',
    String(server.port),
    '+tries=1',
    '+time=3',
    ...question,
  ]);
  return {
    status: /status: (\w+)/.exec(stdout)?.[1],
    flags: /flags: ([a-z ]*);/.exec(stdout)?.[1]?.split(' ') ?? [],
    answers: Number(/ANSWER: (\d+)/.exec(stdout)?.[1]),
    tcp: stdout.includes('(TCP)'),
  };
}
