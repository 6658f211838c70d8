import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { accessLogFormats } from '../proxy/log/format.ts';
import { recordOf } from '../proxy/testing/records.ts';
import { openTelemetry } from './telemetry.ts';

const folder = mkdtempSync(join(tmpdir(), 'telemetry-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.each(accessLogFormats)('asks the data plane for lines where the log is to have them: %s', async (format) => {
  const path = join(folder, format);
  const findings: unknown[] = [];
  const telemetry = await openTelemetry({ accessLog: { path, format } }, (finding) => findings.push(finding));
  expect(telemetry.proxy.accessLines).toBe(format === 'nginx' ? true : undefined);
  telemetry.proxy.onAccess!(recordOf({ line: 'as it was made' }));
  await telemetry.close(0);
  expect(readFileSync(path, 'utf8') === 'as it was made\n').toBe(format === 'nginx');
  expect(findings).toEqual([]);
});
