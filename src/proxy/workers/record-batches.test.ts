import { describe, expect, it, vi } from 'vitest';
import { createRecordBatches } from './record-batches.ts';

describe('batches of records', () => {
  it('hold many each, in order, and wait for others only shortly', () => {
    vi.useFakeTimers();
    try {
      const sent: (readonly number[])[] = [];
      const batches = createRecordBatches<number>((records, done) => {
        sent.push(records);
        done();
      }, vi.fn());
      for (let i = 0; i < 300; i++) batches.add(i);
      expect(sent.map(({ length }) => length)).toEqual([128, 128]);
      vi.advanceTimersByTime(100);
      expect(sent.flat()).toEqual(Array.from({ length: 300 }, (_, i) => i));
      batches.add(300);
      batches.flush();
      expect(sent.at(-1)).toEqual([300]);
      vi.advanceTimersByTime(1_000);
      expect(sent).toHaveLength(4);
    } finally {
      vi.useRealTimers();
    }
  });

  it('are dropped and counted while as many wait as may, and go on when they are on their way', () => {
    const waiting: (() => void)[] = [];
    let sent = 0;
    let dropped = 0;
    const batches = createRecordBatches<number>(
      (records, done) => {
        sent += records.length;
        waiting.push(done);
      },
      () => dropped++,
    );
    for (let i = 0; i < 20_000; i++) batches.add(i);
    expect([sent, dropped]).toEqual([16_384, 20_000 - 16_384]);
    for (const done of waiting.splice(0)) done();
    for (let i = 0; i < 128; i++) batches.add(i);
    expect([sent, dropped]).toEqual([16_384 + 128, 20_000 - 16_384]);
  });
});
