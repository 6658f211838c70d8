/** The version of Kubernetes whose API this server speaks. */
import type { JsonObject } from '../../kube/patch/json.ts';

export const MAJOR = '1';
export const MINOR = '36';
export const GIT_VERSION = 'v1.36.0+fairway';

/** Answer of `/version` (`k8s.io/apimachinery/pkg/version.Info`). */
export const versionInfo: JsonObject = {
  major: MAJOR,
  minor: MINOR,
  gitVersion: GIT_VERSION,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: process.version,
  compiler: 'node',
  platform: `${process.platform}/${process.arch}`,
};
