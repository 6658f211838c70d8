/** All cases by name: a function of the bench that answers with rows. */
import { h2 } from './h2.mjs';
import { idle } from './idle.mjs';
import { download1m, upload1m } from './large.mjs';
import { latency } from './latency.mjs';
import { memory } from './memory.mjs';
import { routes } from './routes.mjs';
import { handshake, https } from './secure.mjs';
import { swap } from './swap.mjs';
import { telemetry } from './telemetry.mjs';
import { get64k, post4k, small } from './traffic.mjs';

export const cases = {
  ...{
    small,
    get64k,
    post4k,
    h2,
    https,
    handshake,
    download1m,
    upload1m,
    routes,
    latency,
    idle,
    memory,
    swap,
    telemetry,
  },
};
