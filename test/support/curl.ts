/** curl as a client that was not written here. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const hasCurl: boolean = await run('curl', ['--version']).then(
  () => true,
  () => false,
);
if (!hasCurl) console.log('skipped: curl is not installed');

export interface Got {
  readonly status: number;
  /** Header lines in lower case. */
  readonly head: string;
  /** As latin1. */
  readonly body: string;
}

/** What a host at an address answers on port 80; interim responses are passed over. */
export async function curl(address: string, host: string, target: string, ...args: readonly string[]): Promise<Got> {
  const own = ['-s', '-i', '--resolve', `${host}:80:${address}`];
  const { stdout } = await run('curl', [...own, ...args, `http://${host}${target}`], { encoding: 'latin1' });
  const [, status, head = '', body = ''] =
    /(?:^|\r\n)HTTP\/1\.1 ([2-5][0-9]{2})[^\r]*\r\n(.*?)\r\n\r\n(.*)$/s.exec(stdout) ?? [];
  return { status: Number(status), head: head.toLowerCase(), body };
}
