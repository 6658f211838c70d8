// Computes hashes of passwords that take long in a thread of its own: bcrypt and SHA-crypt. Plain JavaScript, because
// Node.js starts it as it is when the sources run without the bundle; scripts/build.mjs puts it beside the bundle under
// the same name.
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';
import { isShaCrypt } from './sha-crypt.js';

parentPort.on('message', ({ password, hash }) =>
  parentPort.postMessage(hash.startsWith('$2') ? compareSync(password, hash) : isShaCrypt(password, hash)),
);
