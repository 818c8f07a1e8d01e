/* What the API serves beside answers: the page and its own description, taken in from templates/.
 */
#ifndef RAGSTACK_CMD_RAG_HANDLER_PAGE_H
#define RAGSTACK_CMD_RAG_HANDLER_PAGE_H

extern const char page_html[], page_openapi[];

#endif
