import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';

/** This start of the process, by which the database knows what it wrote. */
@Injectable()
export class ProcessRun {
  readonly id = randomUUID();
}
