/** Cross-origin resource sharing as ingress-nginx has it: headers on every response, and its own answer to OPTIONS. */
import type { Condition, Filter, Template } from '../../plan/plan.ts';
import type { Desk } from './desk.ts';

const usual = {
  methods: 'GET, PUT, POST, DELETE, PATCH, OPTIONS',
  headers:
    'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
  maxAge: 1_728_000,
};

export interface CorsFilters {
  readonly response: readonly Filter[];
  readonly preflight: readonly Filter[];
}

const nothing: CorsFilters = { response: [], preflight: [] };

export function corsFilters({ asked }: Desk): CorsFilters {
  if (!asked['enable-cors']) return nothing;
  const origins = originsOf(asked['cors-allow-origin'] ?? '*');
  if (origins.length === 0) return nothing;
  const isAll = origins[0] === '*';
  const when = isAll ? [] : [fromOneOf(origins)];
  const allowed: Template = isAll ? ['*'] : [{ of: 'header', name: 'origin' }];
  const exposed = asked['cors-expose-headers'];
  const set: readonly (readonly [string, Template])[] = [
    ['Access-Control-Allow-Origin', allowed],
    ...(asked['cors-allow-credentials'] === false ? [] : [['Access-Control-Allow-Credentials', ['true']] as const]),
    ['Access-Control-Allow-Methods', [asked['cors-allow-methods'] ?? usual.methods]],
    ['Access-Control-Allow-Headers', [asked['cors-allow-headers'] ?? usual.headers]],
    ...(exposed === undefined ? [] : [['Access-Control-Expose-Headers', [exposed]] as const]),
    ['Access-Control-Max-Age', [String(asked['cors-max-age'] ?? usual.maxAge)]],
  ];
  const reason = 'enable-cors answers OPTIONS requests';
  return {
    response: [{ type: 'response-values', when, set, add: [], remove: [] }],
    preflight: [{ type: 'respond', when: [...when, isOptions], status: 204, reason }],
  };
}

const isOptions: Condition = { value: [{ of: 'fact', fact: 'method' }], test: { type: 'equals', text: 'OPTIONS' } };

/** As ingress-nginx takes them one by one: one that is none is left out. */
function originsOf(text: string): readonly string[] {
  const origins = text.split(',').map((origin) => origin.trim());
  if (origins.includes('*')) return ['*'];
  return origins.filter((origin) => /^(?:[a-z]+:\/\/(?:\*\.)?[A-Za-z0-9\-.]*(?::\d+)?|null)$/.test(origin));
}

/** The star stands for one label. As there, what stands before an origin does not matter. */
function fromOneOf(origins: readonly string[]): Condition {
  const quoted = origins.map((origin) =>
    origin.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace('\\*', '[A-Za-z0-9\\-]+'),
  );
  const pattern = `(?:${quoted.join('|')})$`;
  return { value: [{ of: 'header', name: 'origin' }], test: { type: 'matches', pattern, ignoreCase: true } };
}
