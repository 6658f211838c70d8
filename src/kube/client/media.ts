/**
 * Forms of answers besides whole objects. No second choice is named: a server that does not know the form refuses (406)
 * instead of sending what is not to be read.
 */
const metadataOf = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`;

/** Metadata of objects, without anything else of them. */
export const metadataOnly = {
  list: metadataOf('PartialObjectMetadataList'),
  watch: metadataOf('PartialObjectMetadata'),
} as const;
