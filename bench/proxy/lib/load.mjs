/** The load generators, wrk and h2load. Both are bounded in time; any error they count fails the case. */
import { join } from 'node:path';
import { serverName } from './certificate.mjs';
import { address, read, start, write } from './stage.mjs';

/** Runs a generator to its end, for at most `seconds` and half a minute. */
async function finish(command, args, seconds) {
  const child = start(command, args);
  const guard = setTimeout(() => child.kill('SIGKILL'), (seconds + 30) * 1_000);
  const code = await child.done;
  clearTimeout(guard);
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}: ${child.output}`);
  return child.output;
}

const done = `done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("figures %d %d %d %d\\n", summary.requests, summary.bytes, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;

/** One request over and over; a body of that many bytes makes it a POST. */
function plainScript({ bodyBytes }) {
  const post = bodyBytes ? `wrk.method = "POST"; wrk.body = string.rep("x", ${bodyBytes})\n` : '';
  return `wrk.headers["Host"] = "${serverName}"\n${post}${done}`;
}

/**
 * Requests to `hosts` hosts with `perHost` routes each, in an order that jumps about: one for each host, or with `every`
 * one for each route.
 */
function spreadScript({ hosts, perHost, every }) {
  const place = every ? `i % ${perHost}, math.floor(i / ${perHost})` : `i % ${perHost}, i`;
  return `local all, total = {}, ${every ? hosts * perHost : hosts}
for i = 0, total - 1 do
  local route, host = ${place}
  all[i] = "GET /r" .. route .. "/x HTTP/1.1\\r\\nHost: h" .. host .. ".bench.example\\r\\n\\r\\n"
end
local at = 0
request = function()
  at = (at + 7919) % total
  return all[at]
end
${done}`;
}

/**
 * wrk with one thread against a door.
 * @returns requests that were answered, and their number per second
 */
export async function wrk(subject, door, request, { connections, seconds }) {
  const name = request.spread
    ? `spread-${request.spread.hosts}-${request.spread.every}`
    : `plain-${request.bodyBytes ?? 0}`;
  const script = write(`${name}.lua`, request.spread ? spreadScript(request.spread) : plainScript(request));
  const url = `${door}://${address}:${subject.ports[door]}${request.path}`;
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url];
  const output = await finish('wrk', args, seconds);
  const figures = /^figures (\d+) (\d+) (\d+) (\d+)$/m.exec(output);
  if (!figures) throw new Error(`wrk against ${subject.name} printed no figures: ${output}`);
  const [requests, bytes, microseconds, errors] = figures.slice(1).map(Number);
  if (errors > 0 || requests === 0)
    throw new Error(`wrk against ${subject.name}: ${requests} answers, errors: ${output}`);
  if (bytes < requests * request.answer.length)
    throw new Error(`${subject.name} sent bodies that are too short: ${output}`);
  return { requests, rate: (requests * 1e6) / microseconds };
}

function readH2load(subject, output, bodyLength) {
  const counts =
    /^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m;
  const [, , , finished, succeeded, failed, errored, timedOut] = (counts.exec(output) ?? []).map(Number);
  if (!succeeded) throw new Error(`h2load against ${subject.name} had no answers: ${output}`);
  const right = Number(/^status codes: (\d+) 2xx/m.exec(output)?.[1]);
  const data = Number(/\((\d+)\) data$/m.exec(output)?.[1]);
  const rate = Number(/^finished in [\d.]+\w+, ([\d.]+) req\/s/m.exec(output)?.[1]);
  // Under -D requests that are under way at the end are neither answered nor failed.
  if (failed + errored + timedOut > 0 || right < finished) throw new Error(`h2load against ${subject.name}: ${output}`);
  if (data < succeeded * bodyLength) throw new Error(`${subject.name} sent bodies that are too short: ${output}`);
  return { requests: succeeded, rate };
}

const doors = {
  http: ({ ports }) => ['--h1', `http://${serverName}:${ports.http}`],
  https: ({ ports }) => ['--h1', `https://${serverName}:${ports.https}`],
  h2c: ({ ports }) => ['--no-tls-proto=h2c', `http://${serverName}:${ports.h2c}`],
  h2: ({ ports }) => ['--npn-list=h2', `https://${serverName}:${ports.https}`],
};

/** h2load with the options given. `seconds` only bounds it: say `-D`, or `-n`. */
export async function h2load(subject, door, request, options, seconds) {
  const [protocol, origin] = doors[door](subject);
  const port = origin.slice(origin.lastIndexOf(':') + 1);
  const args = ['-t1', protocol, `--connect-to=${address}:${port}`, ...options, origin + request.path];
  return readH2load(subject, await finish('h2load', args, seconds), request.answer.length);
}

/**
 * Requests that come at their own pace, whether or not earlier ones are answered: `open-loop.mjs` in its own process.
 * @returns latencies in microseconds, rising
 */
export async function openLoop(subject, request, { rate, connections, seconds }) {
  const task = { address, port: subject.ports.http, host: serverName, ...request, rate, connections, seconds };
  const path = write('open-loop.json', JSON.stringify(task));
  await finish(process.execPath, [join(import.meta.dirname, 'open-loop.mjs'), path], seconds);
  const { latencies, errors } = JSON.parse(read(`${path}.out`));
  if (errors.length > 0) throw new Error(`open loop against ${subject.name}: ${errors.slice(0, 3).join('; ')}`);
  return latencies.sort((a, b) => a - b);
}
