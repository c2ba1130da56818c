/** Limits of what a node says of its place and operator; the same in the network file and in certificates. */

/** Name of an operator's family. */
export const FAMILY = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
/** ISO 3166-1 alpha-2; `ZZ` where it is not known. */
export const COUNTRY = /^[A-Z]{2}$/
/** Name of a region, e.g. `eu-west`; `unknown` where it is not known. */
export const REGION = /^[a-z0-9][a-z0-9-]*$/
/** Autonomous system numbers have 32 bits (RFC 6793); 0 where it is not known. */
export const MAX_ASN = 2 ** 32 - 1
/** Addresses that one node may declare: each is dialled by every validator. */
export const MAX_ADDRESSES = 8
/** UDP addresses that one node may declare: validators send packets to each. */
export const MAX_PACKET_ADDRESSES = 4
