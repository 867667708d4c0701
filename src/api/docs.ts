import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/** The OpenAPI description of everything under `/v1`. */
export function openApi(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('living-mirror')
    .setDescription(
      'Your devices on Alibaba Cloud IoT, mirrored. Times go out as RFC 3339 in UTC and come in as RFC 3339 or epoch ' +
        'milliseconds; ranges are half open, [from, to). Lists go on at the cursor `next` until it is null. ' +
        'Errors are problems of RFC 9457.',
    )
    .setVersion('1')
    .addBearerAuth()
    .build();
  return SwaggerModule.createDocument(app, config);
}

/** Serves `/docs` and `/docs/openapi.json`; the page needs no other host. */
export function serveDocs(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => openApi(app), {
    jsonDocumentUrl: 'docs/openapi.json',
    raw: ['json'],
    customSiteTitle: 'living-mirror',
    swaggerOptions: { persistAuthorization: true },
  });
}
