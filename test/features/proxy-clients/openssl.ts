/** openssl s_client: versions of TLS, ALPN, and sessions that are resumed. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HOST, runTool, type Zoo } from './zoo.ts';

const REQUEST = `GET /small HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`;

export function opensslSuite(zoo: () => Zoo): void {
  const client = async (...flags: string[]) => {
    const where = ['-connect', `${zoo().address}:443`, '-servername', HOST];
    // -ign_eof: to the end of the answer, not of the request.
    return runTool('openssl', ['s_client', '-ign_eof', ...where, ...flags], REQUEST);
  };

  describe('openssl s_client', () => {
    it.each([
      ['-tls1_2', 'TLSv1.2'],
      ['-tls1_3', 'TLSv1.3'],
    ])('%s is served', async (flag, version) => {
      const { stdout } = await client(flag);
      expect(stdout).toContain(`New, ${version}`);
      expect(stdout).toMatch(/\r\n\r\nsmall\n/);
    });

    it.each(['-tls1', '-tls1_1'])('%s is refused', async (flag) => {
      const { code, stdout, stderr } = await client(flag, '-cipher', 'DEFAULT@SECLEVEL=0');
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/alert protocol version/);
      expect(stdout).not.toContain('small');
    });

    it('agrees on http/1.1 by ALPN, and goes on without', async () => {
      expect((await client('-alpn', 'http/1.1')).stdout).toContain('ALPN protocol: http/1.1');
      expect((await client()).stdout).toContain('No ALPN negotiated');
    });

    it('resumes sessions of TLS 1.2', async () => {
      const { stdout } = await client('-tls1_2', '-reconnect');
      expect(stdout.match(/^Reused, TLSv1\.2/gm)?.length).toBe(5);
    });

    it('resumes a session of TLS 1.3', async () => {
      const file = join(tmpdir(), `zoo-session-${process.pid}`);
      expect((await client('-tls1_3', '-sess_out', file)).stdout).toContain('New, TLSv1.3');
      const { stdout } = await client('-tls1_3', '-sess_in', file);
      rmSync(file);
      expect(stdout).toContain('Reused, TLSv1.3');
      expect(stdout).toMatch(/\r\n\r\nsmall\n/);
    });
  });
}
