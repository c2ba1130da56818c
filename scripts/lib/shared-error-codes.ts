/**
 * Codes that more than one package raises, each with its one meaning. A code with several homes stands here or it is
 * refused, so that nobody reuses one for something else.
 */
export const SHARED_ERROR_CODES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    E_ABORTED: 'The caller cancelled the operation, or what it belongs to is closing.',
    E_ADMISSION_PROOF: 'What a node keeps in its home to be admitted by is no invitation or proof of stake.',
    E_ADMISSION_UNREACHABLE: 'A validator dialled an address that the applicant declared, and did not reach it there.',
    E_API_ANSWER: "The daemon's API gave an answer that is not of the documented form.",
    E_BUSY: 'As much is being done already as the limits allow; the same call may succeed later.',
    E_CALL_TIMEOUT: 'Another node was reached and did not answer in time.',
    E_DISK_FULL: 'A disk has no room for what is to be kept on it.',
    E_FRAME_MALFORMED: 'The bytes of a frame on a stream are not a frame.',
    E_FRAME_TOO_LARGE: 'A frame on a stream is longer than its protocol and sender may use.',
    E_FRAME_TRUNCATED: 'A stream ended in the middle of a frame.',
    E_INTERNAL: 'A defect of Weft, not of the caller, the network or the machine.',
    E_INVITE_BOUND: 'The invitation is for another node.',
    E_INVITE_EXPIRED: 'The time in which an invitation could be used to join is over.',
    E_KEY_FILE: 'A key file cannot be read or made, has another size, or others may read it.',
    E_LISTEN_FAILED: 'An address to listen on, for other nodes or for the proxy, cannot be listened on.',
    E_NETWORK_FILE_MISSING: 'There is no readable network file where one is looked for.',
    E_NETWORK_MISMATCH: 'Something is of another network than this node.',
    E_NODE_NOT_FOUND: 'The letters given fit the end of no id, or of several, in the list of members.',
    E_NODE_UNREACHABLE: 'No working connection to another node can be had.',
    E_OBJECT_UNKNOWN:
      'No object in the list of this node is meant, so that it has no key of it; the network was not asked.',
    E_NOT_PERMITTED: 'This user may not do what was asked: the mode of a file or socket, or a token, forbids it.',
    E_PORT_TAKEN: 'Another process listens on a port that is needed here.',
    E_PROBE_TARGET: 'A probe of one node was asked to call another.',
    E_PROTOCOL: 'The other side of a stream broke its protocol.',
    E_PROTOCOL_NOT_OFFERED: 'The other node does not offer a stream protocol: its roles do not include it.',
    E_QUOTA: 'What is to be kept exceeds the quota of the node that would keep it.',
    E_RELAY_REFUSED: 'A node did not give this one a place as its relay.',
    E_REQUEST_INVALID: 'A request is not of the form that its method or route takes.',
    E_ROLE_MINIMUM:
      'A node has less than the network file asks of one of its roles: by its settings, its claim, or what validators measured.',
    E_SIGNATURE_INVALID: 'A signature does not fit the bytes and the key that it is said to belong to.',
    E_SOCKET_PATH: 'The home of a node or the directory of a devnet is too long for the path of a unix socket in it.',
    E_STATE_CORRUPT: 'A file of the state directory is damaged or was written by something else.',
    E_STATE_UNWRITABLE: 'The state directory cannot be written to.',
    E_STREAM_RESET: 'A stream to another node broke off before its end.',
    E_TOPIC_MESSAGE_TOO_LARGE: 'A message for a topic is over the limit.',
    E_USAGE: 'A command was called with arguments or options that it does not take.',
  }),
)
