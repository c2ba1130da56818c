const KIB = 1024
const MIB = 1024 * KIB

/** Request line and headers together, bytes; S3 takes 8 KiB of headers, and presigned URLs are long. */
export const MAX_HEAD_BYTES = 32 * KIB
export const MAX_HEADERS = 128
export const MAX_QUERY_PARAMETERS = 128
/** UTF-8 bytes of a key. */
export const MAX_KEY_BYTES = 1_024
/** Names and values of `x-amz-meta-*` together, UTF-8. */
export const MAX_METADATA_BYTES = 2 * KIB
/** Of a document that configures something. */
export const MAX_XML_BYTES = MIB
/** Of the documents that list 10,000 parts with their checksums or 1,000 keys, which do not fit into 1 MiB. */
export const MAX_LONG_XML_BYTES = 4 * MIB
export const MAX_XML_ELEMENTS = 120_000
export const MAX_XML_DEPTH = 8
/** Of one PUT, a part, and one copy. */
export const MAX_PUT_BYTES = 5 * 1024 * MIB
export const MAX_PARTS = 10_000
export const MAX_DELETES = 1_000
export const MAX_LISTED = 1_000
export const MAX_OBJECT_TAGS = 10
export const MAX_BUCKET_TAGS = 50
/** Presigned URLs, seconds. */
export const MAX_EXPIRES_S = 7 * 24 * 3600
export const MAX_SKEW_MS = 15 * 60_000
/** Of aws-chunked: the line before a chunk, and all trailers together, bytes. */
export const MAX_CHUNK_LINE = 512
export const MAX_TRAILER_BYTES = 4 * KIB
/** A client that is waited for so long has to have sent or taken PACE_BYTES meanwhile. */
export const PACE_MS = 30_000
export const PACE_BYTES = 64 * KIB
/** What a client still sends behind an answer that did not need it is read that far, so that it reads the answer. */
export const MAX_LEFT_BYTES = 16 * MIB
export const LEFT_MS = 5_000
/** Connections, and requests under way, of all clients together. */
export const MAX_CONNECTIONS = 512
export const MAX_REQUESTS = 256
/** Of those, requests of one key; and bodies of one key that are stored at once, of eight that storage takes. */
export const MAX_REQUESTS_OF_KEY = 192
export const MAX_STORING_OF_KEY = 6
/** Requests that wait for the ones before them on a connection. */
export const MAX_IN_A_ROW = 16
