import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { recordOf } from '../testing/records.ts';
import { openAccessLog } from './access-log.ts';
import { createWriter } from './writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'access-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the writer', () => {
  it('writes all lines in order, appends, and is done when it is closed', async () => {
    const path = join(folder, 'lines');
    for (const from of [0, 20_000]) {
      const writer = createWriter({ fd: openSync(path, 'a') });
      for (let i = from; i < from + 20_000; i++) expect(writer.write(`line ${i}\n`)).toBe(true);
      await writer.close();
      expect(writer.dropped()).toBe(0);
    }
    const wanted = Array.from({ length: 40_000 }, (_, i) => `line ${i}\n`).join('');
    expect(readFileSync(path, 'utf8')).toBe(wanted);
  });

  it('writes a lone line within its time', async () => {
    const path = join(folder, 'lone');
    const writer = createWriter({ fd: openSync(path, 'a'), flushMs: 5 });
    writer.write('alone\n');
    for (let i = 0; i < 200 && readFileSync(path, 'utf8') === ''; i++) await new Promise((go) => setTimeout(go, 5));
    expect(readFileSync(path, 'utf8')).toBe('alone\n');
    await writer.close();
  });

  it.skipIf(process.platform !== 'linux')(
    'drops and counts when nobody reads, and goes on when somebody does',
    async () => {
      const path = join(folder, 'fifo');
      execFileSync('mkfifo', [path]);
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const writer = createWriter({
        fd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK),
        maxBufferedBytes: 200_000,
      });
      const line = `${'x'.repeat(999)}\n`;
      const began = performance.now();
      let taken = 0;
      for (let i = 0; i < 1000; i++) if (writer.write(line)) taken++;
      expect(performance.now() - began).toBeLessThan(500);
      expect(taken).toBe(200);
      expect(writer.dropped()).toBe(800);
      const closed = writer.close(5000);
      const buffer = Buffer.alloc(65_536);
      let read = 0;
      for (let i = 0; i < 1000 && read < 200_000; i++) {
        try {
          read += readSync(reader, buffer, 0, buffer.length, null);
        } catch (error) {
          expect((error as NodeJS.ErrnoException).code).toBe('EAGAIN');
        }
        await new Promise((go) => setTimeout(go, 2));
      }
      await closed;
      expect(read).toBe(200_000);
      closeSync(reader);
    },
  );

  it.skipIf(process.platform !== 'linux')('says once that a disk is full, and counts what is lost', async () => {
    const errors: string[] = [];
    const writer = createWriter({ fd: openSync('/dev/full', 'a'), onError: (error) => errors.push(error.message) });
    for (let i = 0; i < 3; i++) writer.write(`${'x'.repeat(70_000)}\n`);
    await writer.close();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('ENOSPC');
    expect(writer.dropped()).toBe(3);
  });

  it('does not wait forever for a pipe that is full', async () => {
    const child = spawn('sleep', ['5'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const { fd } = (child.stdin as unknown as { _handle: { fd: number } })._handle;
    const writer = createWriter({ fd });
    writer.write('x'.repeat(1_000_000));
    const began = performance.now();
    await writer.close(100);
    expect(performance.now() - began).toBeLessThan(2000);
    child.kill('SIGKILL');
  });
});

describe('the access log', () => {
  it('counts lines and drops', async () => {
    const metrics = createMetricsRegistry();
    const path = join(folder, 'access');
    const log = await openAccessLog({ path, format: 'json', metrics, maxBufferedBytes: 1000 });
    for (let i = 0; i < 5; i++) log.record(recordOf());
    await log.close();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(0);
    expect(log.dropped()).toBe(5 - lines.length);
    expect(metrics.expose()).toContain(`fairway_proxy_access_log_lines_total ${lines.length}\n`);
    expect(metrics.expose()).toContain(`fairway_proxy_access_log_dropped_total ${5 - lines.length}\n`);
  });

  it('rejects when the file cannot be opened', async () => {
    await expect(openAccessLog({ path: join(folder, 'no/such'), format: 'json' })).rejects.toThrow('ENOENT');
  });
});
