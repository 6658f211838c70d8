import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../package-root.ts';
import { diagnosticsDocument } from './document.ts';
import { diagnosticRules } from './index.ts';

it('docs/diagnostics.md is what the registry says (npm run docs)', () => {
  expect(readFileSync(join(packageRoot, 'docs/diagnostics.md'), 'utf8')).toBe(diagnosticsDocument());
});

it('every code has its form and every text its sentence', () => {
  for (const [code, { title, hint }] of Object.entries(diagnosticRules)) {
    expect(code).toMatch(/^FW[1-6]\d{3}$/);
    expect(title).toMatch(/^[A-Z]/);
    expect(hint).toMatch(/\S{3}/);
  }
});
