// @ts-check

/**
 * @param {string} databaseUrl
 * @returns {Promise<Map<string, Map<string, string>>>}
 */
export async function actualRows(databaseUrl) {
  void databaseUrl;
  return new Map();
}
