import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointSlice } from '../../kube/types/index.ts';
import type { EndpointGroup } from './service-endpoints.ts';
import { layOut } from './slice-layout.ts';

describe('the layout of slices', () => {
  const group = (ids: readonly number[]): EndpointGroup => ({
    family: 'IPv4',
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
    endpoints: ids.map((id) => ({
      addresses: [`127.244.${id >> 8}.${id & 255}`],
      targetRef: { name: `pod-${id}`, uid: `${id}` },
    })),
  });
  const layOutGroup = (ids: readonly number[], present: readonly EndpointSlice[]) =>
    layOut({
      service: { metadata: { name: 'web', namespace: 'default' } },
      groups: [group(ids)],
      present,
      metadata: {},
      isTaken: () => false,
    });
  const ids = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 350 });

  it('holds every endpoint once, in slices of 100 at most, and moves none', () => {
    fc.assert(
      fc.property(fc.array(ids, { minLength: 1, maxLength: 4 }), (rounds) => {
        let present: EndpointSlice[] = [];
        for (const wanted of rounds) {
          const place = new Map(
            present.flatMap((slice) => slice.endpoints.map((e) => [e.targetRef!.uid, slice.metadata.name])),
          );
          present = layOutGroup(wanted, present);
          const held = present.flatMap((slice) => slice.endpoints.map((e) => Number(e.targetRef!.uid)));
          expect(held.sort((a, b) => a - b)).toEqual([...wanted].sort((a, b) => a - b));
          expect(Math.max(...present.map((slice) => slice.endpoints.length))).toBeLessThanOrEqual(100);
          expect(new Set(present.map((slice) => slice.metadata.name)).size).toBe(present.length);
          for (const slice of present)
            for (const { targetRef } of slice.endpoints)
              expect([undefined, slice.metadata.name]).toContain(place.get(targetRef!.uid));
        }
      }),
      { numRuns: 50 },
    );
  });
});
