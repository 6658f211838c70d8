/** Go, as the suite needs it. */
import { spawnSync } from 'node:child_process';

/** Least version that the suite's modules ask for. */
export const wantedGo = '1.26';

/** What is wrong with the Go of this machine; undefined when it will do. */
export function goFault() {
  const { error, stdout } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
  const how = `The official suite is written in Go: install Go ${wantedGo} or newer (https://go.dev/dl/) and run this again.`;
  if (error) return `go is missing. ${how}`;
  const version = stdout.trim().replace(/^go/, '');
  return isAtLeast(version, wantedGo) ? undefined : `go is ${version}, which is too old. ${how}`;
}

function isAtLeast(version, wanted) {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor, wantedMinor] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
