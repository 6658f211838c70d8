/** All behaviours that are put before nginx and Fairway. */
import type { OracleCase } from '../harness/case.ts';
import { accessCases } from './access.ts';
import { authCases } from './auth.ts';
import { copyAndPageCases } from './copies-and-pages.ts';
import { corsCases } from './cors.ts';
import { exchangeCases } from './exchange.ts';
import { hostCases } from './hosts.ts';
import { limitCases } from './limits.ts';
import { locationCases } from './locations.ts';
import { normalisationCases } from './normalisation.ts';
import { redirectCases } from './redirects.ts';
import { regexCases } from './regex.ts';
import { rewriteCases } from './rewrites.ts';
import { snippetCases } from './snippets.ts';

export const oracleCases: readonly OracleCase[] = [
  ...locationCases,
  ...regexCases,
  ...rewriteCases,
  ...redirectCases,
  ...snippetCases,
  ...hostCases,
  ...normalisationCases,
  ...accessCases,
  ...limitCases,
  ...corsCases,
  ...authCases,
  ...exchangeCases,
  ...copyAndPageCases,
];
