// @ts-check

/** Stands in for the referee: expects nothing. */
export class Referee {
  /** @type {unknown[]} */
  messages = [];
  /** @type {unknown[]} */
  setAside = [];

  /** @param {import('../journal.mjs').JournalMessage} message */
  add(message) {
    void message;
  }

  /** @returns {Map<string, Map<string, string>>} */
  expected() {
    return new Map();
  }
}
