import { until } from './until.js';

/** An event of a stream, or a comment. */
export interface StreamEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A reader of server-sent events that remembers what a browser would. */
export class StreamReader {
  readonly events: StreamEvent[] = [];
  readonly comments: string[] = [];
  lastId: string | null = null;
  retryMs: number | null = null;
  /** Resolves when the stream has ended, however. */
  readonly ended: Promise<void>;

  private constructor(
    private readonly response: Response,
    private readonly abort: AbortController,
  ) {
    this.ended = this.read().catch(() => undefined);
  }

  /** Opens a stream; throws the text of whatever else is answered. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<StreamReader> {
    const abort = new AbortController();
    const response = await fetch(url, { headers, signal: abort.signal });
    if (response.status !== 200) throw new Error(await response.text());
    const reader = new StreamReader(response, abort);
    await until(() => {
      if (reader.lastId === null) throw new Error('no id was sent to begin with');
    });
    return reader;
  }

  get headers(): Headers {
    return this.response.headers;
  }

  async close(): Promise<void> {
    this.abort.abort();
    await this.ended;
  }

  private async read(): Promise<void> {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of this.response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.take(block);
    }
  }

  private take(block: string): void {
    let event = 'message';
    let data: string | null = null;
    let id: string | null = null;
    for (const line of block.split('\n')) {
      const [, field = '', value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
      if (field === '') this.comments.push(value);
      else if (field === 'event') event = value;
      else if (field === 'data') data = value;
      else if (field === 'id') id = value;
      else if (field === 'retry') this.retryMs = Number(value);
    }
    if (id !== null) this.lastId = id;
    if (data !== null) this.events.push({ id, event, data: JSON.parse(data) as Record<string, unknown> });
  }
}
