import { attached } from './attached.mjs';
import { change } from './change.mjs';
import { invalid } from './invalid.mjs';
import { listenerSets } from './listener-sets.mjs';
import { outage } from './outage.mjs';
import { loadedProbe, probe } from './probe.mjs';
import { restart } from './restart.mjs';
import { scale } from './scale.mjs';

/** By name. */
export const cases = { probe, loadedProbe, change, attached, scale, listenerSets, invalid, restart, outage };
