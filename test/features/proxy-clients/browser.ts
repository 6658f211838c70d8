/** Chromium: a page with its script, a POST and a WebSocket, over HTTP/1.1 and over TLS with whatever it prefers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HOST, hasTool, runTool, type Zoo } from './zoo.ts';

const hasChromium = hasTool('chromium', '--version');

export function browserSuite(zoo: () => Zoo): void {
  describe.skipIf(!hasChromium)('Chromium', () => {
    it.each(['http', 'https'])(
      'shows a page over %s, posts, and talks over a WebSocket',
      { timeout: 30_000 },
      async (scheme) => {
        const profile = mkdtempSync(join(tmpdir(), 'zoo-chromium-'));
        const flags = [
          '--headless=new',
          '--no-sandbox',
          '--disable-gpu',
          '--no-first-run',
          `--user-data-dir=${profile}`,
        ];
        const trust = ['--ignore-certificate-errors', `--host-resolver-rules=MAP ${HOST} ${zoo().address}`];
        const { stdout } = await runTool(
          'chromium',
          [...flags, ...trust, '--dump-dom', `${scheme}://${HOST}/page`],
          '',
          25_000,
        );
        rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
        expect(stdout).toContain('<p id="said">posted 50000 echo hello closed 4002</p>');
      },
    );
  });
}
