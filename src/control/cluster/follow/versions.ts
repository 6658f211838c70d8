/** The order of resource versions, as far as there is one. */

const decimal = /^[1-9]\d{0,38}$/;

/** Whether one is older for certain: both are decimal numbers (as those of Kubernetes are), and it is the smaller one. */
export function isOlderVersion(version: string | undefined, than: string | undefined): boolean {
  if (!version || !than || !decimal.test(version) || !decimal.test(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}
