import { Injectable } from '@nestjs/common';
import { SpoolPositions } from '../domain/replica-board.js';
import { asSinkError } from './database-fault.js';
import { PrismaService } from './prisma.service.js';

/** Asks up to where a spool has been stored. */
@Injectable()
export class SpoolPositionReader extends SpoolPositions {
  constructor(private readonly prisma: PrismaService) {
    super();
  }

  override async of(spool: string): Promise<number> {
    try {
      const row = await this.prisma.spoolPosition.findUnique({ where: { spool } });
      return Number(row?.position ?? 0);
    } catch (error) {
      throw asSinkError(error);
    }
  }
}
