import { describe, expect, it } from 'vitest';
import { diagnostic } from '../../base/diagnostics/index.ts';
import { createFindingsOnce } from './findings-once.ts';

describe('findings of several workers', () => {
  it('are told once, and again when they come again', () => {
    const told: string[] = [];
    const findings = createFindingsOnce(({ message }) => told.push(message));
    const hear = (worker: number, message = 'one') => findings.heard(worker, diagnostic('FW5201', { message }));
    hear(1);
    hear(2);
    expect(told).toEqual(['one']);
    hear(2, 'two');
    hear(1, 'two');
    expect(told).toEqual(['one', 'two']);
    // It has ended and come again.
    hear(2);
    hear(1);
    expect(told).toEqual(['one', 'two', 'one']);
    // In the place of one that ended: it begins with what lasts.
    hear(3);
    expect(told).toHaveLength(3);
    hear(3);
    hear(1);
    expect(told).toEqual(['one', 'two', 'one', 'one']);
  });

  it('of workers that have ended are not counted any more', () => {
    let told = 0;
    const findings = createFindingsOnce(() => told++);
    const finding = diagnostic('FW5201', { message: 'one' });
    findings.heard(1, finding);
    findings.heard(2, finding);
    findings.left(1);
    // A worker of this number would be another one, which begins with what lasts.
    findings.heard(1, finding);
    expect(told).toBe(1);
  });

  it('are remembered up to a bound', () => {
    let told = 0;
    const findings = createFindingsOnce(() => told++);
    for (let i = 0; i < 3_000; i++) findings.heard(1, diagnostic('FW5201', { message: `finding ${i}` }));
    expect(told).toBe(3_000);
    findings.heard(2, diagnostic('FW5201', { message: 'finding 2999' }));
    expect(told).toBe(3_000);
    findings.heard(2, diagnostic('FW5201', { message: 'finding 0' }));
    expect(told).toBe(3_001);
  });
});
