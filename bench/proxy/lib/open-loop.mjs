/**
 * An open-loop load: `open-loop FILE`. Arrivals are due at even distances and handed out every millisecond; one that finds
 * no connection free waits, and its wait counts. Writes FILE.out: latencies in microseconds from the moment a request was
 * handed out to the last byte of its answer, and errors. The first fifth of the time is not counted.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';

const file = process.argv[2];
const { address, port, host, path, answer, rate, connections, seconds } = JSON.parse(readFileSync(file, 'utf8'));
const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const total = Math.floor(rate * seconds);
const uncounted = Math.floor(total / 5);
const latencies = [];
const errors = [];
const free = [];
/** Moments at which requests were handed out that wait for a connection. */
const waiting = [];
let handedOut = 0;
let answered = 0;

function open() {
  const socket = connect(port, address);
  const connection = { socket, text: '', since: 0 };
  socket.setNoDelay(true);
  socket.on('data', (chunk) => take(connection, chunk));
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => fail('a connection was closed'));
  return new Promise((settle) => {
    socket.on('connect', () => {
      free.push(connection);
      settle();
    });
  });
}

function fail(reason) {
  if (answered === total) return;
  errors.push(reason);
  finish();
}

function take(connection, chunk) {
  connection.text += chunk.latin1Slice(0, chunk.length);
  if (!connection.text.endsWith(answer)) return;
  if (!connection.text.startsWith('HTTP/1.1 200 ')) return fail(connection.text.slice(0, 100));
  if (++answered > uncounted) latencies.push(Math.round((performance.now() - connection.since) * 1_000));
  connection.text = '';
  if (answered === total) return finish();
  if (waiting.length > 0) send(connection, waiting.shift());
  else free.push(connection);
}

function send(connection, since) {
  connection.since = since;
  connection.socket.write(request);
}

function finish() {
  writeFileSync(`${file}.out`, JSON.stringify({ latencies, errors }));
  process.exit(0);
}

await Promise.all(Array.from({ length: connections }, open));
const begun = performance.now();
const ticking = setInterval(() => {
  const now = performance.now();
  const due = Math.min(total, Math.floor(((now - begun) / 1_000) * rate));
  for (; handedOut < due; handedOut++) {
    const connection = free.pop();
    if (connection) send(connection, now);
    else waiting.push(now);
  }
  if (handedOut === total) clearInterval(ticking);
}, 1);
setTimeout(() => fail(`${total - answered} requests without an answer`), (seconds + 10) * 1_000);
