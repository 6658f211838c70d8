/** curl in all its ways over HTTP/1.1, and wrk. */
import { describe, expect, it } from 'vitest';
import { HOST, hasTool, runTool, TEXT, type WebEcho, type Zoo } from './zoo.ts';

const hasCurl = hasTool('curl', '--version');
const hasWrk = hasTool('wrk', '--version');

/** `code version` is on the last line. */
export async function curl(zoo: Zoo, scheme: 'http' | 'https', path: string, ...flags: string[]) {
  const port = scheme === 'https' ? 443 : 80;
  const where = ['--resolve', `${HOST}:${port}:${zoo.address}`];
  const write = ['-w', '\n%{http_code} %{http_version}'];
  const args = ['-sSk', '-m', '8', ...where, ...write, ...flags, `${scheme}://${HOST}${path}`];
  const { code, stdout, stderr } = await runTool('curl', args);
  const end = stdout.lastIndexOf('\n');
  return { code, stderr, text: stdout.slice(0, end), outcome: stdout.slice(end + 1) };
}

export function curlSuite(zoo: () => Zoo): void {
  describe.skipIf(!hasCurl).each(['http', 'https'] as const)('curl over %s', (scheme) => {
    const echo = async (...flags: string[]) => {
      const { text, outcome } = await curl(zoo(), scheme, '/echo', '--http1.1', ...flags);
      expect(outcome).toBe('200 1.1');
      return JSON.parse(text) as WebEcho;
    };

    it('gets, and asks for a part', async () => {
      expect(await curl(zoo(), scheme, '/text', '--http1.1')).toMatchObject({
        code: 0,
        text: TEXT,
        outcome: '200 1.1',
      });
      const part = await curl(zoo(), scheme, '/text', '--http1.1', '-r', '10-19');
      expect(part).toMatchObject({ text: TEXT.slice(10, 20), outcome: '206 1.1' });
    });

    it('asks for the head alone', async () => {
      const { text, outcome } = await curl(zoo(), scheme, '/text', '--http1.1', '-I');
      expect(outcome).toBe('200 1.1');
      expect(text).toMatch(/^content-length: 10000\r$/im);
    });

    it('gets what is compressed as it is, and understands it', async () => {
      const { text } = await curl(zoo(), scheme, '/gzip', '--http1.1', '--compressed');
      expect(text).toBe(TEXT);
    });

    it('waits for 100 Continue before it sends', async () => {
      const flags = ['-v', '-H', 'Expect: 100-continue', '--data-binary', TEXT];
      const { text, stderr } = await curl(zoo(), scheme, '/echo', '--http1.1', ...flags);
      expect(stderr).toMatch(/< HTTP\/1\.1 100 Continue/);
      expect(JSON.parse(text)).toMatchObject({ bytes: TEXT.length, method: 'POST' });
    });

    it('sends in chunks', async () => {
      const { bytes, headers } = await echo('-H', 'Transfer-Encoding: chunked', '-d', TEXT);
      expect([bytes, headers['transfer-encoding']]).toEqual([TEXT.length, 'chunked']);
    });

    it('speaks HTTP/1.0', async () => {
      const { text, outcome } = await curl(zoo(), scheme, '/small', '--http1.0');
      expect([text, outcome.slice(0, 3)]).toEqual(['small\n', '200']);
    });

    it('asks for many things at once over few connections', async () => {
      const flags = [
        '--http1.1',
        '-Z',
        '--parallel-max',
        '8',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code} %{size_download}\n',
      ];
      const port = scheme === 'https' ? 443 : 80;
      const url = `${scheme}://${HOST}/text?[1-40]`;
      const { code, stdout } = await runTool('curl', [
        '-sSk',
        '--resolve',
        `${HOST}:${port}:${zoo().address}`,
        ...flags,
        url,
      ]);
      expect(code).toBe(0);
      expect(stdout.trim().split('\n')).toEqual(Array(40).fill('200 10000'));
    });
  });

  it.skipIf(!hasCurl)('curl offers to upgrade to h2c and is served over HTTP/1.1', async () => {
    const { text, outcome } = await curl(zoo(), 'http', '/echo', '--http2');
    expect(outcome).toBe('200 1.1');
    const { headers } = JSON.parse(text) as WebEcho;
    expect(headers).not.toHaveProperty('upgrade');
    expect(headers).not.toHaveProperty('http2-settings');
  });

  it.skipIf(!hasWrk).each(['http', 'https'])('wrk over %s sees no error', async (scheme) => {
    const args = ['-t1', '-c16', '-d1s', '-H', `Host: ${HOST}`, `${scheme}://${zoo().address}/small`];
    const { stdout } = await runTool('wrk', args);
    expect(stdout).not.toMatch(/Socket errors|Non-2xx/);
    expect(Number(/(\d+) requests in/.exec(stdout)?.[1])).toBeGreaterThan(50);
  });
}
