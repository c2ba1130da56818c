/**
 * Gives the memory of a buffer back at once, in place of at the next collection (ECMA-262, ArrayBuffer.prototype.transfer).
 * For the results of ciphers, which are of use only until they are copied: 400 MB of them for a put of 100 MB. The next
 * one then gets the same memory, still in the processor's cache, and the collector has nothing to do.
 * @param bytes of no more use to anyone; a view of a larger buffer is left alone.
 */
export function freeNow({ buffer, byteLength }: Uint8Array<ArrayBuffer>): void {
  if (buffer.byteLength === byteLength) buffer.transfer(0)
}
