/** Bodies of 1 MiB, beside nginx that buffers as ingress-nginx has it do. */
import { MiB, takenBody } from '../lib/backend.mjs';
import { compareCpu } from '../lib/compare.mjs';
import { wrk } from '../lib/load.mjs';

const connections = 16;
const peers = ['nginx-ingress', 'nginx-ingress-buffered', 'haproxy', 'caddy'];
// ingress-nginx leaves proxy-buffering off unless told; its proxy-buffers-number is for those who turn it on.
const bounds = { 'nginx-ingress': 0.9, 'nginx-ingress-buffered': 0.9 };

export function download1m(bench) {
  const request = { path: '/1m', answer: 'b'.repeat(MiB) };
  return compareCpu(bench, {
    what: '1 MiB responses',
    door: 'http',
    request,
    load: (subject, seconds) => wrk(subject, 'http', request, { connections, seconds }),
    peers,
    bounds,
  });
}

export function upload1m(bench) {
  const request = { path: '/sink', answer: takenBody, method: 'POST', body: Buffer.alloc(MiB, 'x'), bodyBytes: MiB };
  return compareCpu(bench, {
    what: '1 MiB uploads',
    door: 'http',
    request,
    load: (subject, seconds) => wrk(subject, 'http', request, { connections, seconds }),
    // Of requests, both buffer alike.
    peers: peers.filter((name) => name !== 'nginx-ingress-buffered'),
    bounds,
  });
}
