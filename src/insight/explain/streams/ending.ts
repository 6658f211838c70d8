/** Steps 4 to 6 of a stream: what its route's shares lead to. */
import type { StreamListener, StreamRoute } from '../../../routing/plan/plan.ts';
import type { World } from '../../world.ts';
import { explainBackend } from '../backends.ts';
import { hintAt } from '../findings.ts';
import { notReached, ruleText } from '../steps.ts';
import type { BackendChoice, Step } from '../types.ts';
import type { StreamExplanation } from './types.ts';

export interface StreamEnding {
  readonly steps: readonly Step[];
  readonly rest: Partial<Pick<StreamExplanation, 'ok' | 'refused' | 'backend' | 'backends' | 'endpoints'>>;
}

/** Steps 4 to 6 for the backend with the largest share. */
export function streamEnding(world: World, listener: StreamListener, { backends: shares }: StreamRoute): StreamEnding {
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  const choices = shares.flatMap(({ backend: id, invalid, weight }): BackendChoice[] => {
    const found = id === undefined || invalid !== undefined ? undefined : world.plan.backends[id];
    if (!found) return [];
    const protocol = listener.protocol === 'UDP' ? 'UDP' : 'TCP';
    const { namespace, service, port } = found;
    return [{ namespace, service, port, protocol, weight, share: total === 0 ? 0 : weight / total }];
  });
  const invalid = shares.filter(
    (share) => share.weight > 0 && (share.backend === undefined || share.invalid !== undefined),
  );
  const details = invalid.map(
    ({ weight, invalid: why, source }) =>
      `${percent(weight / total)} are refused: ${why ?? 'the backendRef is invalid'} (${source.fieldPath ?? ruleText(source)})`,
  );
  const main = [...choices].sort((a, b) => b.weight - a.weight)[0];
  if (!main || main.weight === 0) {
    const reason = details[0] ?? 'no backendRef has a weight';
    const step: Step = {
      step: 4,
      name: 'service',
      status: 'broken',
      summary: 'no valid backend',
      details,
      fix: (invalid[0] && hintAt(world, invalid[0].source)) ?? reason,
    };
    return {
      steps: [step, ...notReached(5)],
      rest: { refused: { flag: 'invalid_backend', reason }, backends: choices },
    };
  }
  const tail = explainBackend(world, main);
  const [first, ...rest] = tail.steps;
  const weights =
    choices.length > 1
      ? choices.map((one) => `${percent(one.share)} to ${one.namespace}/${one.service}:${one.port}`)
      : [];
  const service: Step = {
    ...first,
    details: [...weights, ...first.details, ...details],
    ...(details.length > 0 &&
      first.status === 'ok' && {
        status: 'warning' as const,
        fix: hintAt(world, invalid[0]!.source) ?? invalid[0]!.invalid ?? 'mend the backendRef',
      }),
  };
  const reason = rest.find(({ status }) => status === 'broken')?.summary ?? service.summary;
  return {
    steps: [service, ...rest],
    rest: {
      ok: tail.ok,
      refused: tail.ok ? null : { flag: 'no_endpoints', reason },
      ...{ backend: main, backends: choices, endpoints: tail.endpoints },
    },
  };
}

const percent = (share: number) => `${(share * 100).toFixed(1).replace(/\.0$/, '')} %`;
