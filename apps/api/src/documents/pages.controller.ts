import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../auth/public.js';
import { type AsyncApiDocument, asyncApiDocument } from './asyncapi-document.js';
import { asyncApiPage } from './asyncapi-page.js';
import { HOME_PAGE } from './home-page.js';
import { PAGE_HEADERS } from './page-style.js';

/** The pages for people, and the document behind one of them. */
@Public()
@Controller()
export class PagesController {
  private document: AsyncApiDocument | undefined;
  private page: string | undefined;

  @Get('developers')
  @Header('content-type', PAGE_HEADERS.type)
  @Header('content-security-policy', PAGE_HEADERS.policy)
  developers(): string {
    return HOME_PAGE;
  }

  @Get('asyncapi')
  @Header('content-type', PAGE_HEADERS.type)
  @Header('content-security-policy', PAGE_HEADERS.policy)
  asyncApi(): string {
    return (this.page ??= asyncApiPage(this.asyncApiJson()));
  }

  @Get('asyncapi.json')
  asyncApiJson(): AsyncApiDocument {
    return (this.document ??= asyncApiDocument());
  }
}
