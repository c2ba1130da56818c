/** A DATAGRAM frame as it was read, without its bytes. One object is reused for all. */
export class DatagramFrame {
  channel = 0
  /** Number of the target. */
  target = 0
  /** It says what the target is. */
  isNamed = false
  port = 0
  host = ''
  /** It has a part of a datagram only: the datagram's number, its length, and where in it the part begins. */
  isPart = false
  number = 0
  total = 0
  offset = 0
}
