// A database's schema as `get_schema` tells it (RFC 7047 §3.2), reduced to what reading rows needs: column types.
import { OvsdbError } from './errors.ts';
import { type ColumnType, parseColumnType } from './values.ts';

export interface DatabaseSchema {
  readonly name: string;
  readonly version: string;
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, ColumnType>>;
}

export function parseSchema(wire: unknown): DatabaseSchema {
  const { name, version, tables } = wire as {
    name: string;
    version: string;
    tables: Record<string, { columns: Record<string, { type: unknown }> }>;
  };
  if (typeof name !== 'string' || typeof tables !== 'object') {
    throw new OvsdbError('protocol', 'the answer to get_schema is not a schema');
  }
  return {
    name,
    version,
    tables: new Map(
      Object.entries(tables).map(([table, { columns }]) => [
        table,
        new Map(
          Object.entries(columns).map(([column, { type }]) => [column, parseColumnType(type)]),
        ),
      ]),
    ),
  };
}
