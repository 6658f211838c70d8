/** What commands that read files say of them beside their answer. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { diagnostic } from '../base/diagnostics/index.ts';
import { printUnread } from './findings.ts';
import { quietWorldOf, worldOf } from './sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairway-findings-'));
const deep = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: ${'{a: '.repeat(600)}x${'}'.repeat(600)}\n`;
const file = join(folder, 'deep.yaml');
writeFileSync(file, deep);

let told: string[] = [];
beforeEach(() => {
  told = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

it('tells what could not be read, whatever is asked of the files', async () => {
  const world = await worldOf({ file: [file], adopt: true });
  expect(told[0]).toMatch(/deep\.yaml:4:\d+: error FW1009 what stands here is nested more than 500 levels deep/);
  expect(world.unread.map(({ code }) => code)).toEqual(['FW1009']);
});

it('is silent where the command shows all findings itself', async () => {
  const world = await quietWorldOf({ file: [file], adopt: true });
  expect(told).toEqual([]);
  expect(world.diagnostics.map(({ code }) => code)).toContain('FW1009');
});

it('tells errors before warnings, no remarks, and never more than ten', () => {
  const remark = diagnostic('FW1009', { message: 'remark', severity: 'info' });
  const warnings = Array.from({ length: 12 }, (_, i) =>
    diagnostic('FW1009', { message: `w${i}.`, severity: 'warning' }),
  );
  printUnread([remark, ...warnings, diagnostic('FW1009', { message: 'grave' })]);
  const text = told.join('');
  expect(text).toMatch(/^error FW1009 grave\n/);
  expect(text).not.toContain('remark');
  expect(text).toContain('w8.');
  expect(text).not.toContain('w9.');
  expect(text).toMatch(/… and 3 more findings: fairway lint shows all\n$/);
});
