/** What tests of external auth have in common. */
import type { ExternalAuthFilter } from '../../../routing/plan/plan.ts';

export const filter = (more: Partial<ExternalAuthFilter> = {}): ExternalAuthFilter => ({
  type: 'external-auth',
  backend: 'helper',
  protocol: 'http',
  method: 'GET',
  path: { type: 'fixed', value: '/auth?from=here' },
  requestHeaders: 'all',
  facts: [
    ['X-Original-URL', 'url'],
    ['X-Original-Method', 'method'],
    ['X-Real-IP', 'client-address'],
  ],
  setHeaders: [],
  admits: '2xx',
  responseHeaders: ['x-user'],
  clientHeaders: { names: [] },
  denials: [401, 403],
  ...more,
});

export const answer = (status: number, lines: readonly string[] = [], body = '') =>
  `HTTP/1.1 ${status} Whatever\r\n${lines.map((line) => `${line}\r\n`).join('')}Content-Length: ${body.length}\r\n\r\n${body}`;

export async function until(is: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !is(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  if (!is()) throw new Error('it has not come to that within 3 s');
}
