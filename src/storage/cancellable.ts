/** A cancellation that comes a moment before its statement finds nothing to cancel: it is sent again. */
const AGAIN_MS = 100;

/**
 * Runs work; when `signal` aborts meanwhile, `cancel` is told until the work has ended. Comes back only when no cancellation is
 * under way any more: `pg_cancel_backend` hits whatever a backend runs, and after this the connection is somebody else's.
 */
export async function cancellable<T>(
  signal: AbortSignal | undefined,
  cancel: () => Promise<unknown>,
  work: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return work();
  let cancelling: Promise<void> | undefined;
  let end: () => void = () => undefined;
  const ended = new Promise<true>((resolve) => {
    end = () => resolve(true);
  });
  const onAbort = (): void => {
    cancelling = repeatUntil(ended, cancel);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', onAbort);
    end();
    await cancelling;
  }
}

async function repeatUntil(ended: Promise<true>, cancel: () => Promise<unknown>): Promise<void> {
  for (;;) {
    // Where it cannot be cancelled, the statement's timeout ends it.
    await cancel().catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const pause = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), AGAIN_MS);
    });
    const over = await Promise.race([ended, pause]);
    clearTimeout(timer);
    if (over) return;
  }
}
