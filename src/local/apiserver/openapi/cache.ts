/** Documents that change only when kinds do: made on first demand, kept until a CRD changes. */
import { createHash } from 'node:crypto';
import type { ServerContext } from '../call.ts';

export interface CachedDocument {
  readonly body: Buffer;
  readonly contentType: string;
  readonly hash: string;
}

interface Shelf {
  revision: string;
  readonly documents: Map<string, CachedDocument>;
}

const shelves = new WeakMap<ServerContext, Shelf>();

export function cachedDocument(
  context: ServerContext,
  name: string,
  contentType: string,
  make: () => Buffer,
): CachedDocument {
  const revision = `${context.objects.registry.all().length}:${context.schemas.revision()}`;
  let shelf = shelves.get(context);
  if (shelf?.revision !== revision) {
    shelf = { revision, documents: new Map() };
    shelves.set(context, shelf);
  }
  const known = shelf.documents.get(name);
  if (known) return known;
  const body = make();
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 32).toUpperCase();
  const document = { body, contentType, hash };
  shelf.documents.set(name, document);
  return document;
}
