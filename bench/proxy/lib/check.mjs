/** Whether a proxy really does what is measured: 200, the right body, the headers added, the protocol asked for. */
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { connect } from 'node:net';
import tls from 'node:tls';
import { serverName } from './certificate.mjs';
import { address } from './stage.mjs';

const TIMEOUT_MS = 5_000;

/** `door` is `http` or `https`. */
function ask(port, door, { path, method = 'GET', body, host = serverName }) {
  const headers = { host, ...(body && { 'content-length': body.length }) };
  const options = { host: address, port, path, method, headers, agent: false, timeout: TIMEOUT_MS };
  const request =
    door === 'https'
      ? https.request({ ...options, rejectUnauthorized: false, servername: serverName })
      : http.request(options);
  return new Promise((settle, fail) => {
    request.on('error', fail);
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('response', (response) => {
      const chunks = [];
      response.on('error', fail);
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => settle({ status: response.statusCode, body: Buffer.concat(chunks) }));
    });
    request.end(body);
  });
}

function askH2(port, door, path) {
  const origin = door === 'https' ? `https://${address}:${port}` : `http://${address}:${port}`;
  const session = http2.connect(origin, { rejectUnauthorized: false, servername: serverName });
  return new Promise((settle, fail) => {
    session.on('error', fail);
    session.setTimeout(TIMEOUT_MS, () => session.destroy(new Error('no answer')));
    const stream = session.request({ ':path': path, ':authority': serverName });
    const chunks = [];
    let status;
    stream.on('error', fail);
    stream.on('response', (headers) => {
      status = headers[':status'];
    });
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => settle({ status, body: Buffer.concat(chunks) }));
    stream.end();
  }).finally(() => session.destroy());
}

function expect(subject, what, { status, body }, wanted) {
  if (status === 200 && body.equals(Buffer.from(wanted))) return;
  throw new Error(`${subject.name} answers ${what} with ${status} and ${body.length} bytes: ${body.subarray(0, 200)}`);
}

/** Fails unless the proxy answers `request` with `request.answer` and tells the backend of the client. */
export async function checkAnswers(subject, door, request) {
  if (door === 'h2c' || door === 'h2') return checkH2(subject, door, request);
  const port = subject.ports[door];
  expect(subject, request.path, await ask(port, door, request), request.answer);
  if (request.host) return;
  const told = await ask(port, door, { path: '/told' });
  expect(subject, '/told', told, `127.0.0.1 ${door} ${serverName} ${port}`);
}

async function checkH2(subject, door, request) {
  const [scheme, port] = door === 'h2' ? ['https', subject.ports.https] : ['http', subject.ports.h2c];
  expect(subject, request.path, await askH2(port, scheme, request.path), request.answer);
  expect(subject, '/told', await askH2(port, scheme, '/told'), `127.0.0.1 ${scheme} ${serverName} ${port}`);
}

/** Whether HTTP/2 is spoken: by ALPN over TLS (`h2`), or to whoever begins with the preface (`h2c`). */
export function speaksH2(subject, door) {
  return door === 'h2' ? alpnOf(subject).then((name) => name === 'h2') : answersPreface(subject.ports.h2c);
}

function alpnOf(subject) {
  const options = { host: address, port: subject.ports.https, ALPNProtocols: ['h2'], rejectUnauthorized: false };
  return new Promise((settle) => {
    const socket = tls.connect({ ...options, servername: serverName }, () => {
      settle(socket.alpnProtocol);
      socket.destroy();
    });
    socket.on('error', () => settle(undefined));
  });
}

/** RFC 9113 section 3.4: the answer to the preface begins with a SETTINGS frame. */
function answersPreface(port) {
  return new Promise((settle) => {
    const socket = connect(port, address);
    const end = (spoken) => {
      settle(spoken);
      socket.destroy();
    };
    socket.setTimeout(1_000, () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('data', (data) => end(data.length >= 9 && data[3] === 4));
    socket.write(
      Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]),
    );
  });
}

/** Version and cipher that a proxy and OpenSSL settle on. */
export function tlsOf(subject) {
  const options = { host: address, port: subject.ports.https, rejectUnauthorized: false, servername: serverName };
  return new Promise((settle, fail) => {
    const socket = tls.connect(options, () => {
      settle(`${socket.getProtocol()} ${socket.getCipher().name}`);
      socket.destroy();
    });
    socket.on('error', fail);
  });
}
