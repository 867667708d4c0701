import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { StorageReader, type StorageView } from '../storage/storage.reader.js';
import { Answers } from './answers.js';
import { StorageSchema } from './storage.schemas.js';

@ApiTags('storage')
@Controller('v1/storage')
export class StorageController {
  constructor(private readonly reader: StorageReader) {}

  @Get()
  @Answers('What history takes in the database, month by month, packed and not, and how long it is kept', StorageSchema)
  async storage(): Promise<StorageView> {
    return this.reader.storage();
  }
}
