/** A front with a backend and another one that filters ask, for tests of filters that make requests. */
import type { Filter, Route } from '../../routing/plan/plan.ts';
import type { ProxyOptions } from '../options.ts';
import { askFront, type PlainAnswer, type PlainRequest } from './ask.ts';
import { type RecordingBackend, recordingBackend } from './backend.ts';
import { createFront, type Front } from './front.ts';
import { backend, endpoint, host, listener, planOf, route } from './plans.ts';

export interface TwoBackends {
  readonly front: Front;
  readonly app: RecordingBackend;
  /** Backend `helper` of the plan. */
  readonly helper: RecordingBackend;
  readonly address: string;
  /** Puts a plan in force whose one route has these filters. */
  use(filters: readonly Filter[], more?: Partial<Route>): Promise<unknown>;
  ask(request?: PlainRequest): Promise<PlainAnswer>;
  close(): Promise<void>;
}

export const PORT = 8080;

/** Takes three loopback addresses that begin with `network` and end in `first` and the two numbers after it. */
export async function twoBackends(network: string, first: number, options: ProxyOptions = {}): Promise<TwoBackends> {
  const [address, behind, beside] = [0, 1, 2].map((i) => `${network}.${first + i}`) as [string, string, string];
  const app = await recordingBackend(behind, PORT);
  const helper = await recordingBackend(beside, PORT);
  const front = createFront(options);
  await front.endpoints({ app: [endpoint(behind, PORT)], helper: [endpoint(beside, PORT)] });
  const backends = [backend('app'), backend('helper')];
  return {
    front,
    app,
    helper,
    address,
    use: (filters, more = {}) =>
      front.plan(planOf([listener(address, PORT, [host('*', [route({ filters, ...more })])])], backends)),
    ask: (request) => askFront(address, PORT, request),
    async close() {
      await front.close();
      await app.close();
      await helper.close();
    },
  };
}
