import { HttpException } from '@nestjs/common';
import type { LostPlace } from '../../storage/change-log.reader.js';
import type { ProblemDocument } from '../problem.js';

/** What a reader is told whose place is not in the log, before the stream begins or in its midst. */
export function lostPlaceProblem({ reason, keptFrom }: LostPlace): ProblemDocument {
  const since = new Date(keptFrom).toISOString();
  const why =
    reason === 'dropped'
      ? `Some of what follows was dropped: changes are kept since ${since}`
      : 'This id is of another log: the database was restored, replaced, or kept no log for a while';
  return {
    type: 'urn:living-mirror:problem:stream-place-lost',
    title: 'Place in the stream lost',
    status: 410,
    detail: `${why}. Read the current state over REST and begin anew without an id, or with from= for what is kept`,
  };
}

/** The same as an error of the request. */
export class StreamPlaceLost extends HttpException {
  constructor(lost: LostPlace) {
    super(lostPlaceProblem(lost), 410);
  }
}
