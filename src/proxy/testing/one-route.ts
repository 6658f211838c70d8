/** A front with one backend behind one route, for tests of what stands on the route. */
import type { Filter } from '../../routing/plan/plan.ts';
import type { ProxyOptions } from '../options.ts';
import { askFront, type PlainAnswer, type PlainRequest } from './ask.ts';
import { type RecordingBackend, recordingBackend } from './backend.ts';
import { createFront, type Front } from './front.ts';
import { endpoint, host, listener, planOf, route } from './plans.ts';

export interface OneRoute {
  readonly front: Front;
  readonly app: RecordingBackend;
  readonly address: string;
  /** Puts a plan in force whose one route has these filters. */
  use(filters: readonly Filter[]): Promise<unknown>;
  ask(request?: PlainRequest): Promise<PlainAnswer>;
  close(): Promise<void>;
}

export const PORT = 8080;

/** Takes two loopback addresses: the front's and the backend's. */
export async function oneRoute(address: string, behind: string, options: ProxyOptions = {}): Promise<OneRoute> {
  const app = await recordingBackend(behind, PORT);
  const front = createFront(options);
  await front.endpoints({ app: [endpoint(behind, PORT)] });
  return {
    front,
    app,
    address,
    use: (filters) => front.plan(planOf([listener(address, PORT, [host('*', [route({ filters })])])])),
    ask: (request) => askFront(address, PORT, request),
    async close() {
      await front.close();
      await app.close();
    },
  };
}
