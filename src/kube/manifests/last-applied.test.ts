import { expect, it } from 'vitest';
import { lastAppliedAnnotation, withLastApplied } from './last-applied.ts';

it('writes what kubectl apply would write', () => {
  const object = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { namespace: 'a', name: 'c' },
    data: { z: '<&>', a: '1' },
  };
  const { metadata } = withLastApplied(object);
  expect(metadata.annotations![lastAppliedAnnotation]).toBe(
    '{"apiVersion":"v1","data":{"a":"1","z":"\\u003c\\u0026\\u003e"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"c","namespace":"a"}}\n',
  );
});

it('never nests an older one', () => {
  const once = withLastApplied({
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'c', annotations: { a: 'b' } },
  });
  expect(withLastApplied(once)).toEqual(once);
});
