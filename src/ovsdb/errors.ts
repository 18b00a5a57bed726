// What can go wrong with an OVSDB server, each with a stable code.

/**
 * - `not-connected`: nothing was sent.
 * - `connection-lost`: the request went out and its answer did not come back; it may have been done.
 * - `connection-failed`: a remote could not be reached, or its certificate was not accepted.
 * - `unsuitable-server`: reached, but not the server to talk to (a follower, a stale one, one without the database).
 * - `protocol`: the server said something RFC 7047 does not allow.
 * - `request-refused`: JSON-RPC error; `serverError` has the server's word for it.
 * - `transaction-refused`: an operation or the commit failed; nothing of the transaction was done.
 */
export type OvsdbErrorCode =
  | 'not-connected'
  | 'connection-lost'
  | 'connection-failed'
  | 'unsuitable-server'
  | 'protocol'
  | 'request-refused'
  | 'transaction-refused';

export class OvsdbError extends Error {
  readonly code: OvsdbErrorCode;
  /** The server's own error string (`constraint violation`, `unknown method`, …), or ''. */
  readonly serverError: string;
  /** With `transaction-refused`: index of the operation that failed, or the number of operations when the commit did. */
  readonly operationIndex: number | undefined;

  constructor(
    code: OvsdbErrorCode,
    message: string,
    facts: { serverError?: string; operationIndex?: number; cause?: unknown } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'OvsdbError';
    this.code = code;
    this.serverError = facts.serverError ?? '';
    this.operationIndex = facts.operationIndex;
  }
}

/** RFC 7047 §3.1 `<error>`, or the bare string that real servers send for an unknown method. */
export function describeServerError(error: unknown): { serverError: string; details: string } {
  if (typeof error === 'string') return { serverError: error, details: error };
  const { error: name, details } = (error ?? {}) as { error?: unknown; details?: unknown };
  const serverError = typeof name === 'string' ? name : 'error without a name';
  return {
    serverError,
    details: typeof details === 'string' ? `${serverError}: ${details}` : serverError,
  };
}
