/** Which connections were made under a name that asks clients for certificates of its own. */
import type { Socket } from 'node:net';
import type { ClientValidation } from '../../routing/plan/plan.ts';

const validations = new WeakMap<Socket, ClientValidation>();

export function noteValidation(socket: Socket, validation: ClientValidation): void {
  validations.set(socket, validation);
}

/**
 * Whether a connection's client was asked by authorities, or held against revocations, that are not those of `current`
 * any more. It counts as not asked from then on.
 */
export function forgetOutdated(socket: Socket, current: (id: string) => ClientValidation | undefined): boolean {
  const noted = validations.get(socket);
  if (!noted || isCurrent(noted, current)) return false;
  validations.delete(socket);
  return true;
}

/** One whose name is gone is as it was: what is there in its place has another name. */
export function isCurrent(noted: ClientValidation, current: (id: string) => ClientValidation | undefined): boolean {
  const now = noted.id === undefined ? undefined : current(noted.id);
  return now === undefined || (now.ca === noted.ca && now.crl === noted.crl && now.depth === noted.depth);
}

/** What the client was asked to show; undefined where that is not for its server name to say. */
export function validationOf(socket: Socket): ClientValidation | undefined {
  return validations.get(socket);
}
