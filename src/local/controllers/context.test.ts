import { describe, expect, it } from 'vitest';
import { createTestCluster, deployment } from './cluster.fixture.ts';

describe('a controller that cannot write', () => {
  it('says what was refused, about the object that wanted it', () => {
    const cluster = createTestCluster({
      admission: () => (request) => ({
        object: request.object,
        errors:
          request.resource.kind === 'Pod' && request.operation === 'create'
            ? [{ field: 'spec.containers[0].image', reason: 'FieldValueRequired', message: 'Required value' }]
            : [],
        warnings: [],
      }),
    });
    cluster.apply(deployment('web', 1));
    expect(cluster.cluster.diagnostics()).toMatchObject([
      {
        code: 'FW1509',
        object: { kind: 'ReplicaSet' },
        message: expect.stringContaining('spec.containers[0].image: Required value'),
      },
    ]);
  });
});
