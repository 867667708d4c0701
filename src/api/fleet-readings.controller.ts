import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { FleetReadingReader, type ReadingText } from '../storage/fleet-reading.reader.js';
import { JsonText } from '../storage/json-text.js';
import { Answers } from './answers.js';
import { csvField } from './csv.js';
import { Cursors } from './cursor.js';
import { FleetReadingsQuery } from './fleet-readings.queries.js';
import { FleetReadingList } from './fleet-readings.schemas.js';
import type { ListAnswer } from './list-answer.js';
import { WrittenPage } from './list-pages.js';
import { AsText, type Writing } from './list-route.js';
import { rangeOf } from './queries.js';

const cursors = new Cursors('fleet-readings', 'text', 'text', 'text', 'time');

const TEXTS = {
  ndjson: {
    format: 'ndjson',
    beginning: (device, identifier) =>
      `{"device":${JSON.stringify(device)},"identifier":${JSON.stringify(identifier)},"value":`,
  },
  csv: {
    format: 'csv',
    beginning: (device, identifier) => `${csvField(device)},${csvField(identifier)},`,
  },
} as const satisfies Record<string, ReadingText>;

@ApiTags('history')
@Controller('v1/fleet')
export class FleetReadingsController {
  constructor(private readonly readings: FleetReadingReader) {}

  @Get('readings')
  @Answers(
    'Every reading of the fleet or of a product, device by device, property by property, the oldest first',
    FleetReadingList,
    [400],
    'For exports: readings of deleted devices are among them. A page can be short, or even empty, while `next` says that there is more.',
  )
  async list(
    @Query() query: FleetReadingsQuery,
    @AsText() writing: Writing | null,
  ): Promise<ListAnswer<JsonText> | WrittenPage> {
    const { productKey } = query;
    const identifiers = query.identifier && [...new Set(query.identifier)].sort();
    const { from, to } = rangeOf({ from: query.from, to: query.to, order: 'asc' });
    const question = [productKey, identifiers, from, to];
    const { text, rows, next } = await this.readings.page(
      { productKey, identifiers, from, to },
      { limit: writing?.rows ?? query.limit, after: cursors.read(question, query.cursor) },
      TEXTS[writing?.format ?? 'ndjson'],
    );
    const cursor = cursors.write(question, next);
    return writing ? new WrittenPage(text, rows, cursor) : { items: itemsOf(text), next: cursor };
  }
}

/** Lines of NDJSON are JSON already. */
function itemsOf(lines: string): JsonText[] {
  return lines
    .split('\n')
    .slice(0, -1)
    .map((line) => new JsonText(line));
}
