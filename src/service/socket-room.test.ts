import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSocketRoom, socketsWithin } from './socket-room.ts';

describe('room for sockets', () => {
  it('is three quarters of the files that may be open', () => {
    expect(socketsWithin(20_000)).toBe(15_000);
    expect(socketsWithin(256)).toBe(192);
    expect(socketsWithin(undefined)).toBe(768);
    expect(socketsWithin(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is given to Pods as far as Services do not need it, all of their ports or none', () => {
    const { pods, services } = createSocketRoom(10, () => 4);
    expect(pods.take(5)).toBe(true);
    expect(pods.take(2)).toBe(false);
    expect(pods.take(1)).toBe(true);
    for (let n = 0; n < 4; n++) expect(services.take(1)).toBe(true);
    expect(services.take(1)).toBe(false);
    pods.give(5);
    expect(services.take(1)).toBe(true);
    expect(pods.take(5)).toBe(false);
    expect(pods.take(4)).toBe(true);
  });

  it('is never more than there is, whoever asks in which order', () => {
    const asked = fc.record({ by: fc.constantFrom('pods', 'services'), count: fc.integer({ min: -5, max: 5 }) });
    fc.assert(
      fc.property(fc.nat(20), fc.nat(20), fc.array(asked, { maxLength: 60 }), (max, wanted, steps) => {
        const room = createSocketRoom(max, () => wanted);
        const held = { pods: 0, services: 0 };
        for (const { by, count } of steps as { by: 'pods' | 'services'; count: number }[]) {
          if (count < 0) {
            const back = Math.min(-count, held[by]);
            room[by].give(back);
            held[by] -= back;
          } else if (room[by].take(count)) held[by] += count;
          expect(held.pods + held.services).toBeLessThanOrEqual(max);
        }
      }),
    );
  });
});
