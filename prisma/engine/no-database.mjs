// `prisma migrate diff` between two schema files asks no database, but the engine will not start without a connection.

import { ColumnTypeEnum, DriverAdapterError } from '@prisma/driver-adapter-utils';

/**
 * Stands in for a current PostgreSQL: answers what the engine asks of every connection, and refuses everything else.
 * @type {import('@prisma/driver-adapter-utils').SqlMigrationAwareDriverAdapterFactory}
 */
export const noDatabase = {
  provider: 'postgres',
  adapterName: '@prisma/adapter-pg',
  connect: async () => adapter,
  connectToShadowDb: async () => adapter,
};

const refuse = async () => {
  throw new DriverAdapterError({ kind: 'DatabaseNotReachable' });
};

/** @type {import('@prisma/driver-adapter-utils').SqlDriverAdapter} */
const adapter = {
  provider: 'postgres',
  adapterName: '@prisma/adapter-pg',
  async queryRaw({ sql }) {
    if (!sql.includes('server_version_num')) return refuse();
    return {
      columnNames: ['exists', 'version', 'numeric_version'],
      columnTypes: [ColumnTypeEnum.Boolean, ColumnTypeEnum.Text, ColumnTypeEnum.Int32],
      rows: [[true, 'PostgreSQL 18.0', 180_000]],
    };
  },
  executeRaw: refuse,
  executeScript: refuse,
  startTransaction: refuse,
  getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
  dispose: async () => {},
};
