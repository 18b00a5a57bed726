// Builds the operations of a transaction (RFC 7047 §5.2) and reads their results. Pure.
import { describeServerError, OvsdbError } from './errors.ts';
import { type WireValue, wireUuid } from './values.ts';

export type Condition = readonly [column: string, relation: string, value: WireValue];
export type Mutation = readonly [column: string, mutator: string, value: WireValue];
export type WireRow = { readonly [column: string]: WireValue };

export type Operation =
  | { readonly op: 'insert'; readonly table: string; readonly uuid?: string; readonly row: WireRow }
  | {
      readonly op: 'update';
      readonly table: string;
      readonly where: readonly Condition[];
      readonly row: WireRow;
    }
  | {
      readonly op: 'mutate';
      readonly table: string;
      readonly where: readonly Condition[];
      readonly mutations: readonly Mutation[];
    }
  | {
      readonly op: 'select';
      readonly table: string;
      readonly where: readonly Condition[];
    }
  | { readonly op: 'delete'; readonly table: string; readonly where: readonly Condition[] }
  | { readonly op: 'assert'; readonly lock: string };

/** What one operation says it did. Which member is there depends on the operation. */
export interface OperationResult {
  readonly count?: number;
  readonly uuid?: readonly ['uuid', string];
  readonly rows?: readonly Record<string, unknown>[];
}

/** Appends operations in order. `uuid` of an insert is the caller's choice of row uuid (OVS 2.13). */
export class Transaction {
  readonly operations: Operation[] = [];

  /** Fails the whole transaction when this connection does not hold the lock (RFC 7047 §5.2.10). */
  assertLock(lock: string): this {
    this.operations.push({ op: 'assert', lock });
    return this;
  }

  insert(table: string, row: WireRow, uuid?: string): this {
    this.operations.push(
      uuid === undefined ? { op: 'insert', table, row } : { op: 'insert', table, uuid, row },
    );
    return this;
  }

  update(table: string, uuid: string, row: WireRow): this {
    this.operations.push({ op: 'update', table, where: whereUuid(uuid), row });
    return this;
  }

  mutate(table: string, uuid: string, mutations: readonly Mutation[]): this {
    this.operations.push({ op: 'mutate', table, where: whereUuid(uuid), mutations });
    return this;
  }

  /** Every column of one row. */
  select(table: string, uuid: string): this {
    this.operations.push({ op: 'select', table, where: whereUuid(uuid) });
    return this;
  }

  /** The parameters of `transact` as text (RFC 7047 §4.1.3). */
  encode(database: string): EncodedTransaction {
    return {
      paramsText: JSON.stringify([database, ...this.operations]),
      operationCount: this.operations.length,
    };
  }
}

/** A transaction ready for the socket. */
export interface EncodedTransaction {
  readonly paramsText: string;
  readonly operationCount: number;
}

function whereUuid(uuid: string): Condition[] {
  return [['_uuid', '==', wireUuid(uuid)]];
}

/**
 * The results of a transaction, one per operation; throws `transaction-refused` for the first error. RFC 7047 §4.1.3: the
 * array ends after the operation that failed, `null` standing for those not tried; an error of the commit comes as one more.
 */
export function readResults(wire: unknown, operationCount: number): OperationResult[] {
  if (!Array.isArray(wire)) throw new OvsdbError('protocol', 'the answer to transact is no array');
  const failed = wire.findIndex((result) => result !== null && 'error' in result);
  if (failed >= 0) {
    const { serverError, details } = describeServerError(wire[failed]);
    throw new OvsdbError('transaction-refused', details, { serverError, operationIndex: failed });
  }
  if (wire.length < operationCount) {
    throw new OvsdbError('protocol', `${wire.length} results, expected ${operationCount}`);
  }
  return wire as OperationResult[];
}
